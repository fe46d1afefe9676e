//! The state folder, `/var/lib/runnerup`: lock, journal, receipts, backups of replaced files.

use super::lock;
use crate::{
    Code, Error, Result,
    platform::{
        fs::{Root, Spot},
        paths,
        system::System,
    },
    record::{Journal, KEY_LENGTH, Receipt, ancestors, path, read_key, receipts},
};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

/// The state folder, locked: one run at a time may change the host.
pub(crate) struct StateFolder<'a> {
    root: &'a Root,
    system: &'a dyn System,
    made: Vec<PathBuf>,
    /// Held until the process ends.
    _lock: File,
}

/// Removes an empty state folder, which a run leaves that was killed before its first step or after its
/// last one.
pub fn remove_empty_state(root: &Root, system: &dyn System) -> Result<()> {
    if root.metadata(&paths::state_folder())?.is_none() {
        return Ok(());
    }
    StateFolder::lock(root, system)?.close(&[])
}

impl<'a> StateFolder<'a> {
    /// Creates the folder if it is missing, and takes the lock.
    ///
    /// # Errors
    /// [`Code::Locked`] while another run holds it.
    pub(crate) fn lock(root: &'a Root, system: &'a dyn System) -> Result<Self> {
        let mut made = Vec::new();
        Self::make_and_lock(root, system, &mut made).inspect_err(|_| {
            if made.contains(&paths::state_folder()) {
                let _ = find(root, &path("lock")).and_then(|spot| spot.remove());
            }
            for folder in made.iter().rev() {
                let _ = find(root, folder).and_then(|spot| spot.remove_folder());
            }
        })
    }

    fn make_and_lock(
        root: &'a Root,
        system: &'a dyn System,
        made: &mut Vec<PathBuf>,
    ) -> Result<Self> {
        let folder = find_state_folder(root, made)?;
        let is_new = made.contains(&paths::state_folder());
        system.admit_state_folder(&root.outside(folder.path()), is_new)?;
        if is_new && !folder.list()?.is_empty() {
            return Err(Error::new(
                Code::UntrustedPath,
                format!(
                    "{} was just created, but contains files of others",
                    folder.path().display()
                ),
            )
            .help("examine it, remove its content, and run again"));
        }
        let lock = lock::take(&find(root, &path("lock"))?)?;
        Ok(Self { root, system, made: std::mem::take(made), _lock: lock })
    }

    /// Folders that [`StateFolder::lock`] created, outermost first.
    pub(crate) fn made(&self) -> &[PathBuf] {
        &self.made
    }

    /// The key of the fingerprints, created with the first install.
    pub(crate) fn key(&self) -> Result<Vec<u8>> {
        if let Some(key) = read_key(self.root)? {
            return Ok(key);
        }
        let mut key = vec![0; KEY_LENGTH];
        getrandom::fill(&mut key).map_err(|error| {
            Error::new(Code::HostUnfit, format!("the system gives no random numbers: {error}"))
        })?;
        self.write("key", 0o600, &key)?;
        Ok(key)
    }

    /// Begins a new journal. The content of an earlier one must be in a receipt by now.
    pub(crate) fn journal(&self) -> Result<Journal> {
        let spot = find(self.root, &path("journal.jsonl"))?;
        spot.remove()?;
        let file = spot.create(0o644)?;
        self.open_to_readers(&spot, false)?;
        Ok(Journal::new(file))
    }

    /// Writes a receipt.
    pub(crate) fn write_receipt(&self, receipt: &Receipt) -> Result<()> {
        let folder = find(self.root, &path("receipts"))?;
        let is_new = folder.metadata()?.is_none();
        ensure_open_folder(self.root, folder.path())?;
        if is_new {
            self.open_to_readers(&folder, true)?;
        }
        let mut text = serde_json::to_vec_pretty(receipt)
            .map_err(|error| Error::new(Code::StepFailed, format!("the receipt: {error}")))?;
        text.push(b'\n');
        self.write(&format!("receipts/{}.json", receipt.instance), 0o644, &text)
    }

    /// Removes a receipt.
    pub(crate) fn remove_receipt(&self, instance: &str) -> Result<()> {
        self.root
            .find(&path(&format!("receipts/{instance}.json")))?
            .map_or(Ok(()), |spot| spot.remove())
    }

    /// The place of a backup of a replaced file, which only root can read.
    pub(crate) fn backup(&self, name: &str) -> Result<Spot> {
        let folder = find(self.root, &path("backup"))?;
        if folder.metadata()?.is_none() {
            folder.create_folder()?;
        }
        find(self.root, &path(&format!("backup/{name}")))
    }

    /// Ends the run: removes the journal and the backups that no receipt needs. Without a receipt the folder
    /// is removed too, and the folders in `made` that are empty then.
    pub(crate) fn close(self, made: &[PathBuf]) -> Result<()> {
        let receipts = receipts(self.root)?;
        let kept: Vec<&str> = receipts.iter().flat_map(backups_of).collect();
        if let Some(folder) = self.root.find(&path("backup"))? {
            for name in folder.list()? {
                if !kept.iter().any(|kept| name == **kept) {
                    self.backup(&name.to_string_lossy())?.remove()?;
                }
            }
            folder.remove_folder()?;
        }
        if let Some(folder) = self.root.find(&path("receipts"))? {
            // An incomplete file of a run that was killed.
            for name in folder.list()? {
                if Path::new(&name).extension().is_some_and(|extension| extension == "new") {
                    find(self.root, &folder.path().join(name))?.remove()?;
                }
            }
        }
        let remove = |name: &str| -> Result<()> {
            self.root.find(&path(name))?.map_or(Ok(()), |spot| spot.remove())
        };
        if !receipts.is_empty() {
            return remove("journal.jsonl");
        }
        for name in ["key", "key.new"] {
            remove(name)?;
        }
        self.root.find(&path("receipts"))?.map_or(Ok(true), |spot| spot.remove_folder())?;
        remove("lock")?;
        // The journal lists what was created for this folder, so it is removed last.
        remove("journal.jsonl")?;
        let state = paths::state_folder();
        for folder in made.iter().filter(|folder| **folder != state).chain([&state]).rev() {
            self.root.find(folder)?.map_or(Ok(true), |spot| spot.remove_folder())?;
        }
        Ok(())
    }

    /// On Windows new files in the state folder are closed to all users, so that a run that is cut off leaves
    /// nothing open.
    fn open_to_readers(&self, spot: &Spot, is_folder: bool) -> Result<()> {
        let mode = if is_folder { 0o755 } else { 0o644 };
        self.system.set_acl(&self.root.outside(spot.path()), None, mode, is_folder)
    }

    fn write(&self, name: &str, mode: u32, content: &[u8]) -> Result<()> {
        let spot = find(self.root, &path(name))?;
        let temporary = find(self.root, &path(&format!("{name}.new")))?;
        temporary.remove()?;
        let mut file = temporary.create(mode)?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
            Error::new(
                Code::HostUnfit,
                format!("{} cannot be written: {error}", spot.path().display()),
            )
        })?;
        temporary.rename_to(&spot)
    }
}

/// The state folder and the folders above it, created where they are missing.
fn find_state_folder(root: &Root, made: &mut Vec<PathBuf>) -> Result<Spot> {
    for folder in ancestors(&paths::state_folder()) {
        if find(root, &folder)?.metadata()?.is_none() {
            made.push(folder.clone());
            ensure_open_folder(root, &folder)?;
        }
    }
    ensure_open_folder(root, &paths::state_folder())?;
    find(root, &paths::state_folder())
}

/// A folder that everyone can read; one that a killed run left closed is opened.
fn ensure_open_folder(root: &Root, path: &Path) -> Result<()> {
    let spot = find(root, path)?;
    match spot.metadata()? {
        Some(meta) if meta.mode() == Some(0o755) => return Ok(()),
        Some(_) => {}
        None => spot.create_folder()?,
    }
    spot.settle_folder(None, 0o755, &|_| Ok(()))
}

fn backups_of(receipt: &Receipt) -> impl Iterator<Item = &str> {
    receipt.records.iter().filter_map(|record| match &record.before {
        crate::record::State::File { backup, .. } => Some(backup.as_str()),
        _ => None,
    })
}

fn find(root: &Root, path: &Path) -> Result<Spot> {
    root.find(path)?.ok_or_else(|| {
        Error::new(Code::StepFailed, format!("the folder of {} does not exist", path.display()))
    })
}
