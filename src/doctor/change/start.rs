//! Folders that a unit names and that its start needs.

use crate::{doctor::Command, host::Provenance, platform::paths::is_system};
use std::path::Path;

/// The command that makes a folder for the start of a unit, which root alone must have named: a folder
/// of root's that others may enter. None for a path of the system.
pub(in crate::doctor) fn made_for_start(folder: &Path, named_by: Provenance) -> Command {
    let is_plain = named_by.is_root() && !super::goes_up(folder) && !is_system(folder);
    match is_plain {
        true => Command::root("install -d -m 755").path(folder, named_by),
        false => Command::left_out(),
    }
}
