//! The state folder, `/var/lib/runnerup`: lock, journal, receipts, copies of what was replaced.

use super::{
    journal::{Journal, Unfinished},
    lock,
    receipt::{Receipt, SCHEMA_VERSION, is_instance},
};
use crate::{
    Code, Error, Help, Result,
    platform::{
        fs::{Kind, Root, Spot},
        paths,
        system::System,
    },
};
use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
};

/// Most bytes of a receipt that are read.
const RECEIPT_LIMIT: u64 = 1 << 20;

/// Bytes of the key that fingerprints files with a secret.
pub(crate) const KEY_LENGTH: usize = 32;

/// What the state folder holds, read without changing it.
#[derive(Debug, Default)]
pub struct Known {
    /// The instance's receipt, with what a cut-off run did already taken in.
    pub receipt: Option<Receipt>,
    /// The run that was cut off.
    pub unfinished: Option<Unfinished>,
    /// The receipts of all other instances.
    pub others: Vec<Receipt>,
    /// The key of the fingerprints; `None` without root, or before the first install.
    pub key: Option<Vec<u8>>,
}

/// The state folder, locked: one run at a time may change the host.
pub(crate) struct StateFolder<'a> {
    root: &'a Root,
    system: &'a dyn System,
    made: Vec<PathBuf>,
    /// Held until the run ends; the system lets go of it with the process.
    _lock: File,
}

impl Known {
    /// The receipts of all instances.
    pub(crate) fn into_receipts(self) -> impl Iterator<Item = Receipt> {
        self.receipt.into_iter().chain(self.others)
    }

    /// Whether no run has left anything.
    pub(crate) fn is_bare(&self) -> bool {
        self.receipt.is_none() && self.others.is_empty() && self.unfinished.is_none()
    }
}

/// Reads what earlier runs left.
///
/// # Errors
/// [`Code::StateUnreadable`] when a receipt or the journal is damaged.
pub fn read(root: &Root, instance: &str) -> Result<Known> {
    let mut known = Known { key: read_key(root).unwrap_or_default(), ..Known::default() };
    for receipt in receipts(root)? {
        if receipt.instance == instance {
            known.receipt = Some(receipt);
        } else {
            known.others.push(receipt);
        }
    }
    if let Some((file, _)) = open(root, &path("journal.jsonl"))? {
        known.unfinished = Unfinished::read(file)?;
    }
    if let Some(unfinished) = known.unfinished.as_ref() {
        let name = unfinished.instance.as_str();
        if name == instance {
            unfinished.fold(known.receipt.get_or_insert_with(|| Receipt::new(name)));
        } else {
            if known.others.iter().all(|receipt| receipt.instance != name) {
                known.others.push(Receipt::new(name));
            }
            known.others.iter_mut().filter(|other| other.instance == name).for_each(|other| {
                unfinished.fold(other);
            });
        }
    }
    Ok(known)
}

/// Takes away a state folder that holds nothing: what a run leaves that was killed before its
/// first step, or after its last.
pub fn tidy(root: &Root, system: &dyn System) -> Result<()> {
    if root.look(&paths::state_folder())?.is_none() {
        return Ok(());
    }
    StateFolder::lock(root, system)?.close(&[])
}

impl<'a> StateFolder<'a> {
    /// Makes the folder where it is missing and takes the lock.
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
                Code::GroundUnsafe,
                format!("{} was just made, and holds files of others", folder.path().display()),
            )
            .help("look at it, remove what is in it, and run again"));
        }
        let lock = lock::take(&find(root, &path("lock"))?)?;
        Ok(Self { root, system, made: std::mem::take(made), _lock: lock })
    }

    /// Folders that [`StateFolder::lock`] had to make, outermost first.
    pub(crate) fn made(&self) -> &[PathBuf] {
        &self.made
    }

    /// The key of the fingerprints, made with the first install.
    pub(crate) fn key(&self) -> Result<Vec<u8>> {
        if let Some(key) = read_key(self.root)? {
            return Ok(key);
        }
        let mut key = vec![0; KEY_LENGTH];
        getrandom::fill(&mut key)
            .map_err(|error| Error::new(Code::HostUnfit, format!("no random numbers: {error}")))?;
        self.write("key", 0o600, &key)?;
        Ok(key)
    }

    /// Begins a new journal. What an earlier one held must be in a receipt by now.
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
        let is_new = folder.look()?.is_none();
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

    /// Where a copy of a replaced file is kept; only root may read there.
    pub(crate) fn backup(&self, name: &str) -> Result<Spot> {
        let folder = find(self.root, &path("backup"))?;
        if folder.look()?.is_none() {
            folder.create_folder()?;
        }
        find(self.root, &path(&format!("backup/{name}")))
    }

    /// Ends the run: the journal goes, and so do copies that no receipt needs. When no receipt
    /// is left, the folder goes too, and the folders in `made` that are empty then.
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
            // What was being written when a run was killed.
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
        // The journal knows what was made for this folder: it goes last.
        remove("journal.jsonl")?;
        let state = paths::state_folder();
        for folder in made.iter().filter(|folder| **folder != state).chain([&state]).rev() {
            self.root.find(folder)?.map_or(Ok(true), |spot| spot.remove_folder())?;
        }
        Ok(())
    }

    /// Where rights are not modes, what is new in the state folder is closed to all users, so that
    /// a run that is cut off leaves nothing open.
    fn open_to_readers(&self, spot: &Spot, is_folder: bool) -> Result<()> {
        let mode = if is_folder { 0o755 } else { 0o644 };
        self.system.protect(&self.root.outside(spot.path()), None, mode, is_folder)
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

/// The state folder, made where it is missing, and the folders above it.
fn find_state_folder(root: &Root, made: &mut Vec<PathBuf>) -> Result<Spot> {
    for folder in ancestors(&paths::state_folder()) {
        if find(root, &folder)?.look()?.is_none() {
            made.push(folder.clone());
            ensure_open_folder(root, &folder)?;
        }
    }
    ensure_open_folder(root, &paths::state_folder())?;
    find(root, &paths::state_folder())
}

/// A folder that everyone may read; one that a killed run left closed is opened.
fn ensure_open_folder(root: &Root, path: &Path) -> Result<()> {
    let spot = find(root, path)?;
    match spot.look()? {
        Some(meta) if meta.mode == 0o755 => return Ok(()),
        Some(_) => {}
        None => spot.create_folder()?,
    }
    spot.settle_folder(None, 0o755, &|_| Ok(()))
}

fn receipts(root: &Root) -> Result<Vec<Receipt>> {
    let Some(folder) = root.find(&path("receipts"))? else { return Ok(Vec::new()) };
    let mut receipts = Vec::new();
    for name in folder.list()? {
        let path = folder.path().join(&name);
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let Some((file, _)) = open(root, &path)? else { continue };
        let receipt: Receipt = serde_json::from_reader(BufReader::new(file.take(RECEIPT_LIMIT)))
            .map_err(|error| {
                Error::new(Code::StateUnreadable, format!("{} is damaged: {error}", path.display()))
            })?;
        if receipt.schema_version != SCHEMA_VERSION {
            return Err(Error::new(
                Code::StateUnreadable,
                format!("{} was written by another version of runnerup", path.display()),
            )
            .help(Help::value("use version ", &receipt.tool_version, " of runnerup")));
        }
        if !is_instance(&receipt.instance) {
            return Err(Error::new(
                Code::StateUnreadable,
                format!("{} names no instance", path.display()),
            ));
        }
        receipts.push(receipt);
    }
    Ok(receipts)
}

fn backups_of(receipt: &Receipt) -> impl Iterator<Item = &str> {
    receipt.records.iter().filter_map(|record| match &record.before {
        super::target::State::File { backup, .. } => Some(backup.as_str()),
        _ => None,
    })
}

fn read_key(root: &Root) -> Result<Option<Vec<u8>>> {
    let Some((file, _)) = open(root, &path("key"))? else { return Ok(None) };
    let mut key = Vec::new();
    file.take(KEY_LENGTH as u64)
        .read_to_end(&mut key)
        .map_err(|error| Error::new(Code::StateUnreadable, format!("the key: {error}")))?;
    Ok((key.len() == KEY_LENGTH).then_some(key))
}

/// Opens a file of the state folder.
///
/// # Errors
/// [`Code::GroundUnsafe`] when another account could have written it: what it says would have root
/// change, remove and start whatever that account likes.
fn open(root: &Root, path: &Path) -> Result<Option<(File, crate::platform::fs::Meta)>> {
    let Some(spot) = root.find(path)? else { return Ok(None) };
    if spot.look()?.is_none_or(|meta| meta.kind != Kind::File) {
        return Ok(None);
    }
    let opened = spot.read()?;
    let trail = root.trail(path)?;
    let is_same = trail.end.is_some_and(|end| end.is_same_file(&opened.1));
    if !is_same || !trail.written_by().is_root() {
        let message = format!(
            "{} could have been written by another account than root, and is not believed",
            path.display()
        );
        return Err(Error::new(Code::GroundUnsafe, message)
            .help(Help::look("ls -la", &root.outside(&paths::state_folder())))
            .help("restore the folder from a backup, or remove it and install again"));
    }
    Ok(Some(opened))
}

fn find(root: &Root, path: &Path) -> Result<Spot> {
    root.find(path)?.ok_or_else(|| {
        Error::new(Code::StepFailed, format!("the folder of {} is not there", path.display()))
    })
}

fn path(name: &str) -> PathBuf {
    paths::state_folder().join(name)
}

/// A root is no folder to make, and neither is a drive.
fn is_folder_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| !name.to_string_lossy().ends_with(':'))
}

/// `/a/b/c` → `/a`, `/a/b`, `/a/b/c`.
pub(crate) fn ancestors(path: &Path) -> Vec<PathBuf> {
    let mut ancestors: Vec<_> =
        path.ancestors().filter(|path| is_folder_name(path)).map(Path::to_owned).collect();
    ancestors.reverse();
    ancestors
}
