//! What earlier runs left in the state folder, `/var/lib/runnerup`, read without changing it.

use super::{
    journal::Unfinished,
    receipt::{Receipt, SCHEMA_VERSION, is_instance},
};
use crate::{
    Code, Error, Help, Result,
    platform::{
        fs::{Kind, Meta, Root},
        paths,
    },
};
use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

/// Most bytes of a receipt that are read.
const RECEIPT_LIMIT: u64 = 1 << 20;

/// Bytes of the key that fingerprints files with a secret.
pub(crate) const KEY_LENGTH: usize = 32;

/// What the state folder holds, read without changing it.
#[derive(Debug, Default)]
pub struct StateSnapshot {
    /// The instance's receipt, with what a cut-off run did already taken in.
    pub receipt: Option<Receipt>,
    /// The run that was cut off.
    pub unfinished: Option<Unfinished>,
    /// The receipts of all other instances.
    pub others: Vec<Receipt>,
    /// The key of the fingerprints; `None` without root, or before the first install.
    pub key: Option<Vec<u8>>,
}

impl StateSnapshot {
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
pub fn read(root: &Root, instance: &str) -> Result<StateSnapshot> {
    let mut known =
        StateSnapshot { key: read_key(root).unwrap_or_default(), ..StateSnapshot::default() };
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

/// Every receipt.
pub(crate) fn receipts(root: &Root) -> Result<Vec<Receipt>> {
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

/// The key of the fingerprints; `None` before the first install.
pub(crate) fn read_key(root: &Root) -> Result<Option<Vec<u8>>> {
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
/// [`Code::UntrustedPath`] when another account could have written it: what it says would have root
/// change, remove and start whatever that account likes.
fn open(root: &Root, path: &Path) -> Result<Option<(File, Meta)>> {
    let Some(spot) = root.find(path)? else { return Ok(None) };
    if spot.metadata()?.is_none_or(|meta| meta.kind != Kind::File) {
        return Ok(None);
    }
    let opened = spot.read()?;
    let walk = root.walk(path)?;
    let is_same = walk.end.is_some_and(|end| end.is_same_file(&opened.1));
    if !is_same || !walk.written_by().is_root() {
        let message = format!(
            "{} could have been written by another account than root, and is not believed",
            path.display()
        );
        return Err(Error::new(Code::UntrustedPath, message)
            .help(Help::inspect("ls -la", &root.outside(&paths::state_folder())))
            .help("restore the folder from a backup, or remove it and install again"));
    }
    Ok(Some(opened))
}

/// The path of a file of the state folder.
pub(crate) fn path(name: &str) -> PathBuf {
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
