//! Shared memory of an account, and other places where it may have files.

use super::{Tools, processes::Group};
use crate::{
    Command,
    platform::{
        accounts::{self, UnixAccount},
        command::Call,
        fs::{Kind, Mounted, Provenance, Spot, mounts},
        linux::ipc,
    },
    service::systemd_runs,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// File systems of disks, which keep owners of files by number.
const DISKS: [&str; 10] =
    ["bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "xfs", "zfs"];

/// File systems in memory; a read-only one belongs to the system.
const MEMORY: [&str; 4] = ["hugetlbfs", "mqueue", "ramfs", "tmpfs"];

/// Most file systems that a command names.
const NAMED: usize = 40;

/// Ends the session of an account and its service manager. Returns the folder of the session, if it
/// existed.
pub(super) fn end_session(tools: &Tools<'_>, account: &UnixAccount) -> Option<PathBuf> {
    let folder = PathBuf::from(format!("/run/user/{}", account.uid));
    if !is_there(tools, &folder) {
        return None;
    }
    if systemd_runs() {
        let units =
            ["user@", "user-runtime-dir@"].map(|unit| format!("{unit}{}.service", account.uid));
        let args = ["stop".to_owned()].into_iter().chain(units);
        // What counts is whether the folder is gone.
        if let Err(error) = tools.host.commands.run(&Call::new("systemctl", args)) {
            tracing::debug!(%error, "the session of a removed account");
        }
    }
    Some(folder)
}

/// Reports that the folder of a session still exists.
pub(super) fn tell_session(tools: &Tools<'_>, account: &UnixAccount, folder: Option<&Path>) {
    let found = folder.and_then(|folder| tools.host.root.metadata(folder).ok().flatten());
    if let Some(folder) = folder.filter(|_| found.is_some_and(|meta| meta.is_of(account.uid))) {
        tools.host.report.leaves(&format!(
            "{} stays, without the files of the account: something is mounted there, which you can \
             unmount",
            folder.display()
        ));
    }
}

/// Removes memory, queues and semaphores that the account shares with others. Returns whether there
/// were any.
pub(super) fn remove_memory(tools: &Tools<'_>, account: &UnixAccount, group: Group) -> bool {
    let has_own = || accounts::has_own_group(tools.host.root, account).unwrap_or(false);
    let with_group = group == Group::Goes && has_own();
    let why = match ipc::clear(tools.host.commands, account, with_group) {
        Ok(cleared) if cleared.left == 0 => return cleared.found > 0,
        Ok(cleared) => format!("{} stay", cleared.left),
        Err(error) => format!("some may stay: {error}"),
    };
    tools.host.report.leaves(&format!(
        "shared memory, message queues or semaphores of {}: {why}; `ipcs` lists them, `ipcrm` \
         removes them",
        account.name
    ));
    true
}

/// Reports that a removed account may have more files.
pub(super) fn tell_rest(tools: &Tools<'_>, account: &UnixAccount) {
    let UnixAccount { name, uid, .. } = account;
    if tools.undoes || !tools.host.root.is_host() || *uid == 0 {
        return;
    }
    let list = find(tools).then("-xdev -uid").number(*uid).then("| cat -v");
    if let Some(line) = list.line() {
        tools.host.report.tells(&format!(
            "other files of {name} may stay, and the next account with user ID {uid} would own \
             them; this command lists those on the host's own file systems: {line}"
        ));
    }
}

/// `find` in all file systems of this host.
pub(super) fn find(tools: &Tools<'_>) -> Command {
    let is_roots = |point: &Path| {
        let spot = tools.host.root.find(point).ok().flatten().filter(Spot::is_trusted);
        let found = spot.and_then(|spot| spot.metadata().ok().flatten());
        found.is_some_and(|meta| meta.kind == Kind::Folder)
    };
    let points = places(&mounts().unwrap_or_default(), &is_roots);
    let start = Command::root("find /");
    points.iter().fold(start, |list, point| list.path(point, Provenance::Root))
}

/// The file systems of this host besides the one at `/`. A command cannot name one whose path another
/// account chose, which `is_roots` tells.
fn places(mounts: &[Mounted], is_roots: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let is_local = |mount: &&Mounted| {
        let (kind, is_fixed) =
            (mount.kind.as_str(), mount.options.iter().any(|option| option == "ro"));
        DISKS.contains(&kind) || MEMORY.contains(&kind) && !is_fixed
    };
    let is_named = |point: &PathBuf| {
        let is_kernels = ["/proc", "/sys"].iter().any(|folder| point.starts_with(folder));
        let command = Command::root("find").path(point, Provenance::Root);
        point.parent().is_some() && !is_kernels && command.line().is_some() && is_roots(point)
    };
    let local = mounts.iter().filter(is_local).map(|mount| mount.point.clone());
    let points: BTreeSet<PathBuf> = local.filter(is_named).collect();
    points.into_iter().take(NAMED).collect()
}

fn is_there(tools: &Tools<'_>, path: &Path) -> bool {
    tools.host.root.metadata(path).is_ok_and(|found| found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_system_of_the_host_is_named_and_no_other() {
        let mount = |point: &str, kind: &str| Mounted {
            point: point.into(),
            kind: kind.trim_end_matches(" ro").to_owned(),
            options: kind.strip_suffix("ro").map(|_| "ro".to_owned()).into_iter().collect(),
            order: None,
        };
        let all = [
            mount("/", "ext4"),
            mount("/tmp", "tmpfs"),
            mount("/run/user/7", "tmpfs"),
            mount("/home", "xfs"),
            mount("/home", "xfs"),
            mount("/net", "nfs4"),
            mount("/proc", "proc"),
            mount("/proc/kmsg", "tmpfs"),
            mount("/run/credentials/a", "ramfs ro"),
            mount("/usr", "ext4 ro"),
            mount("/home/x/disk", "ext4"),
            mount("/srv/a\u{1b}b", "ext4"),
        ];
        let found = places(&all, &|point| !point.starts_with("/home/x"));
        assert_eq!(found, ["/home", "/run/user/7", "/tmp", "/usr"].map(PathBuf::from));
    }
}
