//! Folders that a unit names and that its start needs.

use crate::{doctor::Command, host::Provenance, platform::paths::is_system};
use std::path::Path;

/// Folders of the system in which each program has one of its own.
const OF_PROGRAMS: [&str; 3] = ["/var/cache", "/var/lib", "/var/log"];

/// The command that makes a folder for the start of a unit, which root alone must have named: a folder
/// of root's that others may enter. None for a path of the system.
pub(in crate::doctor) fn made_for_start(folder: &Path, named_by: Provenance) -> Command {
    let is_own = |above: &&str| folder.starts_with(above) && folder != Path::new(above);
    let is_usual = !is_system(folder) || OF_PROGRAMS.iter().any(is_own);
    let is_plain = named_by.is_root() && !super::goes_up(folder) && is_usual;
    match is_plain {
        true => Command::root("install -d -m 755").path(folder, named_by),
        false => Command::left_out(),
    }
}
