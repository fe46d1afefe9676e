//! Processes of containers that root started: their numbers of users mean accounts of the container.
//!
//! A program with root's rights makes namespaces for whoever calls it, so a namespace tells nothing.
//! The root directory is what `userdel` goes by, and only root moves a process to a control group
//! outside of the account's own ones.

use super::control_groups::{paths, tops};
use rustix::{
    fs::{self, AtFlags, StatxFlags},
    io::Errno,
};
use std::path::Path;

/// Whether a process is one of a container, and no process of this host's account.
pub(super) fn is_contained(pid: u32) -> bool {
    let groups = |pid: u32| std::fs::read(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    has_other_root(pid) && is_container(&groups(1), &groups(pid))
}

/// Whether its root directory is another one than `/`. The server of a file system that is mounted
/// there is not asked.
fn has_other_root(pid: u32) -> bool {
    let look = |path: &Path| {
        let flags = AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
        match fs::statx(fs::CWD, path, flags, StatxFlags::INO) {
            Ok(stat) => Ok((fs::makedev(stat.stx_dev_major, stat.stx_dev_minor), stat.stx_ino)),
            // Linux before 4.11, and filters of system calls that are older than this one.
            Err(Errno::NOSYS | Errno::PERM) => {
                fs::stat(path).map(|stat| (stat.st_dev, stat.st_ino))
            }
            Err(errno) => Err(errno),
        }
    };
    match (look(Path::new("/")), look(Path::new(&format!("/proc/{pid}/root")))) {
        (Ok(own), Ok(its)) => own != its,
        // A file system of another account, which hides itself from root.
        (_, Err(Errno::ACCESS)) => true,
        _ => false,
    }
}

/// By what `/proc/PID/cgroup` says of the first process and of this one.
fn is_container(of_init: &[u8], of_process: &[u8]) -> bool {
    // Without systemd nothing tells a container from what an account started.
    if !paths(of_init).iter().any(|top| top.ends_with("/init.scope")) {
        return false;
    }
    let tops = tops(of_init);
    let paths = paths(of_process);
    // In a hierarchy that systemd does not use each process is at the top.
    let mut known = tops.iter().zip(&paths).filter(|(top, path)| path.len() > top.len() + 1);
    known.all(|(top, path)| path.strip_prefix(top.as_str()).is_none_or(|path| !is_of_a_user(path)))
}

/// A session, a service that an account has for itself, or a service of the system without groups
/// of its own: one of those runs the jobs, others run what accounts schedule. Root builds images in
/// its own sessions; a program of the account can be run in the session of any other account.
fn is_of_a_user(path: &str) -> bool {
    let groups: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let slices = groups.iter().take_while(|name| name.ends_with(".slice")).count();
    let (slices, rest) = groups.split_at(slices);
    if slices.starts_with(&["user.slice", "user-0.slice"]) {
        return false;
    }
    slices.first() == Some(&"user.slice")
        || rest.first().is_some_and(|name| name.starts_with("user@"))
        || matches!(rest, [service] if service.ends_with(".service"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_group_tells_containers_of_root_from_what_an_account_started() {
        let of_users = [
            "/system.slice/circleci.service",
            "/system.slice/system-ci.slice/ci@1.service",
            "/system.slice/cron.service",
            "/user.slice/user-1001.slice/session-3.scope",
            "/user.slice/user-1000.slice/session-3.scope",
            "/user.slice/user-1001.slice/user-0.slice/session-3.scope",
            "/user.slice/user-1001.slice/user@1001.service/user.slice/libpod-9.scope/container",
            "/elsewhere.slice/user@1001.service/init.scope",
        ];
        let of_root = [
            "/docker/9f",
            "/system.slice/docker-9f.scope",
            "/system.slice/web.service/libpod-payload-9f",
            "/machine.slice/machine-m.scope/payload/system.slice/x.service",
            "/user.slice/user-0.slice/session-3.scope",
            "/user.slice/user-0.slice/user@0.service/app.slice/run-u3.scope",
            "/kubepods.slice/kubepods-pod1.slice/cri-containerd-9f.scope",
            "/lxc.payload.x/system.slice/x.service",
            "/",
            "/../x.service",
        ];
        for top in ["", "/machine.slice/m.scope"] {
            let init = format!("1:name=systemd:{top}/init.scope\n0::{top}/init.scope\n");
            let is = |path: &str| {
                let forms = [
                    format!("1:name=systemd:{top}{path}\n0::{top}/\n"),
                    format!("0::{top}{path}\n"),
                ];
                let found = forms.map(|form| is_container(init.as_bytes(), form.as_bytes()));
                assert_eq!(found[0], found[1], "{top}{path}");
                found[0]
            };
            of_users.iter().for_each(|path| assert!(!is(path), "{top}{path}"));
            of_root.iter().for_each(|path| assert!(is(path), "{top}{path}"));
        }
    }

    #[test]
    fn without_systemd_nothing_is_a_container() {
        for init in ["", "0::/\n", "1:name=systemd:/\n0::/\n"] {
            for own in ["", "0::/\n", "0::/docker/9f\n"] {
                assert!(!is_container(init.as_bytes(), own.as_bytes()), "{init} {own}");
            }
        }
    }

    #[test]
    fn this_process_is_in_no_container() {
        assert!(!has_other_root(std::process::id()) && !is_contained(std::process::id()));
    }
}
