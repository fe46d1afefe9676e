//! Commands that put sudo's own program right, and remove a name that an earlier agent left.

use crate::{
    doctor::Command,
    host::{PathWalk, Provenance},
};
use std::path::Path;

/// Gives sudo's program back to root.
pub(in crate::doctor) fn roots_sudo(walk: &PathWalk) -> Command {
    Command::root("chown root:root").path(&walk.real, walk.replaceable_by)
}

/// Gives sudo's program back its setuid bit, and the mode that its package has.
pub(in crate::doctor) fn setuid_sudo(walk: &PathWalk) -> Command {
    Command::root("chmod 4755").path(&walk.real, walk.replaceable_by)
}

/// Removes a socket of the task agent's, by one of its fixed names: no folder, and of a link the link.
pub(in crate::doctor) fn remove_socket(path: &Path, named_by: Provenance) -> Command {
    Command::root("rm -f").path(path, named_by)
}
