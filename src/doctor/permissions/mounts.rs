//! What a mount allows: it belongs to "may use" as owner and mode do.

use crate::{
    doctor::Command,
    host::{PathWalk, Provenance},
};
use std::path::Path;

/// What a mount is to allow again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remount {
    /// Programs.
    Exec,
    /// Programs that become root.
    Suid,
    /// Changes.
    Write,
}

/// Remounts the file system of a path without an option. No account other than root may have chosen
/// it, by the path or by a link above the mount point.
pub(super) fn remount(
    what: Remount,
    point: &Path,
    walk: &PathWalk,
    named_by: Provenance,
) -> Command {
    let passed = walk.passed.iter().find(|passed| passed.path == point);
    let replaceable_by = passed.map_or(walk.replaceable_by, |passed| passed.replaceable_by);
    let text = match what {
        Remount::Exec => "mount -o remount,exec",
        Remount::Suid => "mount -o remount,suid",
        Remount::Write => "mount -o remount,rw",
    };
    match named_by.and(replaceable_by) {
        by @ Provenance::Root => Command::root(text).path(point, by),
        _ => Command::left_out(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixtures::*;

    #[test]
    fn what_is_mounted_is_changed_only_where_nobody_else_chose_it() {
        let survey = healthy();
        let binary = survey.installs[0].binary.as_ref().unwrap();
        let walk = binary.walk.ok().unwrap();
        let line = |point: &str, walk: &PathWalk, by| {
            remount(Remount::Exec, Path::new(point), walk, by).into_line()
        };
        let root = Provenance::Root;
        assert_eq!(line("/opt", walk, root).unwrap(), "sudo mount -o remount,exec /opt");
        assert_eq!(line("/opt", walk, Provenance::Account(UID)), None);
        let mut moved = walk.clone();
        moved.passed[1].replaceable_by = Provenance::Account(UID);
        assert_eq!(line("/opt", &moved, root), None);
        assert_eq!(line("/", &moved, root).unwrap(), "sudo mount -o remount,exec /");
    }
}
