//! Files that were meant as units and that systemd never reads, because their names do not end in
//! `.service`.

use super::unit_folders::UnitFolders;
use crate::{platform::fs::Root, service::Unread};
use std::path::Path;

/// Most files of other names that are told of.
const OTHERS: usize = 64;

/// What names of units, and of folders that belong to them, end in: `systemd.unit(5)`.
const READ: [&str; 17] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
    "d",
    "wants",
    "requires",
    "upholds",
    "conf",
    "preset",
];

/// The files, each with the name that it should have.
pub(super) fn unread(root: &Root) -> Vec<Unread> {
    let folders = UnitFolders::list(root);
    let is_unread = |name: &&str| {
        let end = Path::new(name).extension().and_then(|end| end.to_str());
        !name.starts_with('.') && !end.is_some_and(|end| READ.contains(&end))
    };
    let unread = |name: &str| {
        let file = folders.places(name).first()?.clone();
        Some(Unread { file, service: meant(name) })
    };
    folders.names().filter(is_unread).take(OTHERS).filter_map(unread).collect()
}

/// The name that was meant.
fn meant(name: &str) -> String {
    const END: &str = ".service";
    let stem = match name.find(END) {
        Some(at) => name.get(..at),
        None => Path::new(name).file_stem().and_then(|stem| stem.to_str()),
    };
    format!("{}{END}", stem.unwrap_or(name))
}
