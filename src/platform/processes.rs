//! The processes of an account, and signals to them.

use crate::Result;

/// A process of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, with everything that is not a plain character as `?`: the account chose it.
    pub name: String,
    /// It has ended, and its parent has not yet taken note of that.
    pub is_zombie: bool,
    /// It is stopped, and does nothing until it is continued.
    pub is_stopped: bool,
}

/// What a process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// To end.
    Term,
    /// To stand still; it cannot refuse.
    Stop,
    /// Its end; it cannot refuse.
    Kill,
}

/// A name as it may be shown.
fn plain(name: &str) -> String {
    let shown =
        |c: char| if c.is_ascii_alphanumeric() || "-_.:/+@()".contains(c) { c } else { '?' };
    name.chars().take(32).map(shown).collect()
}

/// The processes whose real user is `uid`, from a list by `ps -A -o pid= -o ruid= -o state= -o
/// comm=`.
pub fn listed(list: &str, uid: u32) -> Vec<Process> {
    let process = |line: &str| {
        let mut fields = line.split_whitespace();
        let (pid, owner) = (fields.next()?.parse().ok()?, fields.next()?.parse::<u32>().ok()?);
        let state = fields.next()?;
        let name = fields.next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        (owner == uid).then(|| Process {
            pid,
            name: plain(name),
            is_zombie: state.starts_with('Z'),
            is_stopped: state.starts_with('T'),
        })
    };
    list.lines().filter_map(process).collect()
}

#[cfg(target_os = "linux")]
pub use linux::{ancestors, of_user, send};

#[cfg(target_os = "linux")]
mod linux {
    use super::{Process, Result, Signal, plain};
    use crate::{Code, Error};
    use rustix::{
        io::Errno,
        process::{Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal},
    };
    use std::{ffi::OsStr, fs, path::PathBuf};

    /// The processes whose real user is `uid`, without those of containers that root started:
    /// their numbers of users mean other accounts.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn of_user(uid: u32) -> Result<Vec<Process>> {
        let entries = fs::read_dir("/proc").map_err(|error| {
            Error::new(Code::HostUnfit, format!("the processes cannot be listed: {error}"))
        })?;
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(pids.filter_map(|pid| look(pid, uid)).collect())
    }

    /// Sends a signal to a process of `uid`, and to no other that has its number by now.
    pub fn send(pid: u32, uid: u32, signal: Signal) {
        let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        let signal = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        match pidfd_open(number, PidfdFlags::empty()) {
            // The handle is of one process: if that is the account's, so is the target.
            Ok(handle) if look(pid, uid).is_some() => drop(pidfd_send_signal(handle, signal)),
            // Linux before 5.3.
            Err(Errno::NOSYS) if look(pid, uid).is_some() => drop(kill_process(number, signal)),
            // It has ended, or its number is another process's now.
            Ok(_) | Err(_) => {}
        }
    }

    /// The processes that this one descends from.
    pub fn ancestors() -> Vec<u32> {
        let mut above = Vec::new();
        let mut pid = std::process::id();
        while let Some(parent) = parent_of(pid).filter(|parent| !above.contains(parent)) {
            above.push(parent);
            pid = parent;
        }
        above
    }

    fn parent_of(pid: u32) -> Option<u32> {
        let status = fs::read(format!("/proc/{pid}/status")).ok()?;
        let status = String::from_utf8_lossy(&status).into_owned();
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        line?.trim().parse().ok().filter(|parent| *parent != 0)
    }

    fn look(pid: u32, uid: u32) -> Option<Process> {
        // A name with a line end in it is escaped by the kernel.
        let status =
            String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/status")).ok()?).into_owned();
        let process = parsed(pid, uid, &status)?;
        (!is_of_a_container(pid)).then_some(process)
    }

    pub(super) fn parsed(pid: u32, uid: u32, status: &str) -> Option<Process> {
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            Some(line?.strip_prefix(':')?.trim())
        };
        let real: u32 = value("Uid")?.split_whitespace().next()?.parse().ok()?;
        let state = value("State")?;
        (real == uid).then(|| Process {
            pid,
            name: plain(value("Name").unwrap_or_default()),
            is_zombie: state.starts_with(['Z', 'X']),
            is_stopped: state.starts_with(['T', 't']),
        })
    }

    /// Only root makes a process namespace without a user namespace of its own.
    fn is_of_a_container(pid: u32) -> bool {
        let namespace = |of: &OsStr, kind: &str| {
            fs::read_link(PathBuf::from("/proc").join(of).join("ns").join(kind)).ok()
        };
        let own = OsStr::new("self");
        let other = pid.to_string();
        let is_same = |kind: &str| {
            let (mine, its) = (namespace(own, kind), namespace(OsStr::new(&other), kind));
            mine.zip(its).is_none_or(|(mine, its)| mine == its)
        };
        !is_same("pid") && is_same("user")
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
pub use others::send;

#[cfg(all(unix, not(target_os = "linux")))]
mod others {
    use super::Signal;
    use rustix::process::{Pid, kill_process};

    /// Sends a signal to a process that was just listed as one of `uid`.
    pub fn send(pid: u32, _uid: u32, signal: Signal) {
        let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        let signal = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        let _ = kill_process(number, signal);
    }
}

/// Windows ends the processes of a task with the task.
#[cfg(not(unix))]
pub fn send(_pid: u32, _uid: u32, _signal: Signal) {}

/// Not known without `/proc`.
#[cfg(not(target_os = "linux"))]
pub fn ancestors() -> Vec<u32> {
    Vec::new()
}

/// Not known without `/proc`.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn of_user(_uid: u32) -> Result<Vec<Process>> {
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ps_names_the_processes_of_one_user() {
        let list = "    1     0 Ss   /sbin/launchd\n  814   421 S    /bin/sleep\n\
                    815   421 Z    (x)\n  816   421 T    a\u{1b}[m\n  817 4211 S x\nbroken\n";
        let found = listed(list, 421);
        let shown: Vec<_> = found
            .iter()
            .map(|own| (own.pid, own.name.as_str(), own.is_zombie, own.is_stopped))
            .collect();
        assert_eq!(
            shown,
            [(814, "sleep", false, false), (815, "(x)", true, false), (816, "a??m", false, true)]
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_real_user_counts_and_a_name_is_no_line_of_its_own() {
        let status = "Name:\tx\\nUid:\t7\nState:\tS (sleeping)\nUid:\t9\t0\t0\t0\n";
        let found = linux::parsed(3, 9, status).unwrap();
        assert_eq!((found.pid, found.name.as_str()), (3, "x?nUid:?7"));
        assert_eq!(linux::parsed(3, 0, status), None);
        assert_eq!(linux::parsed(3, 7, status), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_one_of_its_user() {
        let uid = rustix::process::getuid().as_raw();
        assert!(of_user(uid).unwrap().iter().any(|own| own.pid == std::process::id()));
        assert!(ancestors().contains(&std::os::unix::process::parent_id()));
    }
}
