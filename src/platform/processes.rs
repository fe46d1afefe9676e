//! The processes of an account, and signals to them.

#[cfg(target_os = "linux")]
mod containers;
pub(crate) mod control_groups;

use super::{
    accounts::{self, UnixAccount},
    fs::Root,
};
use crate::{Command, Result};
use std::ops::Range;

/// The numbers of users that mean an account: a process that has one of them, in whatever role,
/// can do what the account can, and keeps the account from being removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    own: u32,
    subordinate: Vec<Range<u32>>,
    group: Option<u32>,
}

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
    /// Its real user is root: a service that acts for the account for a while. It gets no signal.
    pub is_roots: bool,
    /// It is of a container that root started, where its number means another account. It gets no
    /// signal either.
    pub is_contained: bool,
}

/// What a process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// To end.
    Term,
    /// To stop until it is continued; it cannot refuse.
    Stop,
    /// To end at once; it cannot refuse.
    Kill,
}

impl Numbers {
    /// Those of `account`.
    ///
    /// # Errors
    /// When the list of subordinate numbers cannot be read.
    pub fn of(root: &Root, account: &UnixAccount) -> Result<Self> {
        let subordinate = accounts::subordinate(root, account)?;
        Ok(Self { own: account.uid, subordinate, group: None })
    }

    /// The number of its group as well, where no other account is in that: a process of another
    /// account has it by a program of this account's.
    ///
    /// # Errors
    /// When the lists of accounts cannot be read.
    pub fn and_group(self, root: &Root, account: &UnixAccount) -> Result<Self> {
        let group = accounts::has_own_group(root, account)?.then_some(account.gid);
        Ok(Self { group, ..self })
    }

    /// A range that was written too wide gives no right over other accounts.
    fn have(&self, number: u32) -> bool {
        number == self.own
            || self.subordinate.iter().any(|range| range.contains(&number))
                && accounts::name_of(number).is_none()
    }
}

/// The command that lists all processes with their users.
pub fn list() -> Command {
    Command::root("ps -A -o pid,ruser,euser,suser,args")
}

/// Where a process comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its program, with everything that is not a plain character as `?`.
    pub program: Option<String>,
    /// The user who started it: another than the one it acts as where the program is set-user-id. Where
    /// that is the same one, the user of its parent.
    pub started_by: Option<u32>,
}

/// A name as it may be shown.
fn plain(name: &str) -> String {
    plain_within(name, 32)
}

fn plain_within(name: &str, most: usize) -> String {
    let shown =
        |c: char| if c.is_ascii_alphanumeric() || "-_.:/+@()".contains(c) { c } else { '?' };
    name.chars().take(most).map(shown).collect()
}

/// The processes whose real user is one of `numbers`, from a list by `ps -A -o pid= -o ruid= -o
/// state= -o comm=`.
pub fn listed(list: &str, numbers: &Numbers) -> Vec<Process> {
    let process = |line: &str| {
        let mut fields = line.split_whitespace();
        let (pid, owner) = (fields.next()?.parse().ok()?, fields.next()?.parse::<u32>().ok()?);
        let state = fields.next()?;
        let name = fields.next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        numbers.have(owner).then(|| Process {
            pid,
            name: plain(name),
            is_zombie: state.starts_with('Z'),
            is_stopped: state.starts_with('T'),
            is_roots: owner == 0,
            is_contained: false,
        })
    };
    list.lines().filter_map(process).collect()
}

/// Most children of one process that are looked at.
const CHILDREN: usize = 1024;

/// Whether a process has a child that has not ended, at a cost that no other process changes.
/// `None` where that cannot be told.
pub fn has_living_child(pid: u32) -> Option<bool> {
    let children = children(pid, CHILDREN)?;
    if children.iter().any(|child| is_alive(*child)) {
        return Some(true);
    }
    // Those beyond the limit may be alive.
    (children.len() < CHILDREN).then_some(false)
}

#[cfg(target_os = "linux")]
pub use linux::{ancestors, children, of_user, origin, send};

#[cfg(target_os = "linux")]
use linux::is_alive;

/// Not known without `/proc`.
#[cfg(not(target_os = "linux"))]
pub fn children(_pid: u32, _most: usize) -> Option<Vec<u32>> {
    None
}

#[cfg(not(target_os = "linux"))]
fn is_alive(_pid: u32) -> bool {
    true
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Numbers, Origin, Process, Result, Signal, containers, plain, plain_within};
    use crate::{Code, Error};
    use rustix::{
        io::Errno,
        process::{Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal},
    };
    use std::{fs, io::Read, path::PathBuf};

    /// The processes that have one of `numbers`.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn of_user(numbers: &Numbers) -> Result<Vec<Process>> {
        let entries = fs::read_dir("/proc").map_err(|error| {
            Error::new(Code::HostUnfit, format!("the processes cannot be listed: {error}"))
        })?;
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(pids.filter_map(|pid| parse_entry(pid, numbers)).collect())
    }

    /// Sends a signal to a process that has one of `numbers`, and is neither root's nor a container's;
    /// never to another process that has got its number meanwhile.
    pub fn send(pid: u32, numbers: &Numbers, signal: Signal) {
        let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        let signal = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        let is_target = || {
            parse_entry(pid, numbers)
                .is_some_and(|process| !process.is_roots && !process.is_contained)
        };
        match pidfd_open(number, PidfdFlags::empty()) {
            // The handle is of one process: if that is the account's, so is the target.
            Ok(handle) if is_target() => drop(pidfd_send_signal(handle, signal)),
            // Linux before 5.3.
            Err(Errno::NOSYS) if is_target() => drop(kill_process(number, signal)),
            // It has ended, or its number is another process's now.
            Ok(_) | Err(_) => {}
        }
    }

    /// The children of a process, at most so many of them; `None` where the kernel does not tell.
    pub fn children(pid: u32, most: usize) -> Option<Vec<u32>> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let mut children = Vec::new();
        for thread in threads.flatten() {
            let mut list = String::new();
            // Ten digits and a blank each.
            let longest = u64::try_from(most).ok()?.saturating_mul(11);
            match fs::File::open(thread.path().join("children")) {
                Ok(file) => file.take(longest).read_to_string(&mut list).ok()?,
                // The thread has ended meanwhile; a kernel without these files has the folder.
                Err(_) if !thread.path().exists() => continue,
                Err(_) => return None,
            };
            children.extend(list.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
            if children.len() >= most {
                break;
            }
        }
        children.truncate(most);
        Some(children)
    }

    /// Whether a process is there and has not ended.
    pub(super) fn is_alive(pid: u32) -> bool {
        let Ok(status) = fs::read(format!("/proc/{pid}/status")) else { return false };
        let status = String::from_utf8_lossy(&status);
        let has_ended = |state: &str| state.starts_with(['Z', 'X']) && threads(&status) <= 1;
        value(&status, "State").is_some_and(|state| !has_ended(state))
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

    /// Where a process comes from that acts as the user with the number `uid`.
    pub fn origin(pid: u32, uid: u32) -> Origin {
        let real = |pid: u32| {
            let status = fs::read(format!("/proc/{pid}/status")).ok()?;
            real_user(&String::from_utf8_lossy(&status))
        };
        let parents = || parent_of(pid).and_then(real);
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
        Origin {
            program: program.map(|path| plain_within(&path.to_string_lossy(), 200)),
            started_by: real(pid).filter(|user| *user != uid).or_else(parents),
        }
    }

    fn parent_of(pid: u32) -> Option<u32> {
        let status = fs::read(format!("/proc/{pid}/status")).ok()?;
        let status = String::from_utf8_lossy(&status).into_owned();
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        line?.trim().parse().ok().filter(|parent| *parent != 0)
    }

    fn parse_entry(pid: u32, numbers: &Numbers) -> Option<Process> {
        // A name with a line end in it is escaped by the kernel.
        let read = |path: PathBuf| {
            Some(String::from_utf8_lossy(&fs::read(path.join("status")).ok()?).into_owned())
        };
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = read(folder.clone())?;
        let by_thread = || {
            // Each thread has users of its own.
            let threads = fs::read_dir(folder.join("task")).ok()?.flatten();
            let own = threads
                .filter_map(|entry| parsed(pid, numbers, &read(entry.path())?))
                .find(|thread| !thread.is_zombie)?;
            Some(Process { is_roots: own.is_roots || real_user(&status) == Some(0), ..own })
        };
        let process = parsed(pid, numbers, &status)
            .or_else(|| if threads(&status) > 1 { by_thread() } else { None })?;
        Some(Process { is_contained: containers::is_contained(pid), ..process })
    }

    pub(super) fn parsed(pid: u32, numbers: &Numbers, status: &str) -> Option<Process> {
        let state = value(status, "State")?;
        let is_users = users(status).any(|user| numbers.have(user));
        // Root needs no group to do what it does.
        let is_groups = || real_user(status) != Some(0) && numbers.have_group_of(status);
        (is_users || is_groups()).then(|| Process {
            pid,
            name: plain(value(status, "Name").unwrap_or_default()),
            // Its first thread may have ended before the others.
            is_zombie: state.starts_with(['Z', 'X']) && threads(status) <= 1,
            is_stopped: state.starts_with(['T', 't']),
            is_roots: real_user(status) == Some(0),
            is_contained: false,
        })
    }

    fn value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        Some(line?.strip_prefix(':')?.trim())
    }

    /// The real user, the effective one, the saved one, and the one for files.
    fn users(status: &str) -> impl Iterator<Item = u32> {
        let words = value(status, "Uid").unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok())
    }

    impl Numbers {
        /// By the groups of a process: the real one, the effective one, the saved one, the one for
        /// files, and those beside them.
        fn have_group_of(&self, status: &str) -> bool {
            let lines = ["Gid", "Groups"].map(|name| value(status, name).unwrap_or_default());
            let mut numbers = lines.iter().flat_map(|line| line.split_whitespace());
            let group = self.group.filter(|group| *group != 0);
            group.is_some_and(|group| numbers.any(|number| number.parse() == Ok(group)))
        }
    }

    fn real_user(status: &str) -> Option<u32> {
        users(status).next()
    }

    fn threads(status: &str) -> u32 {
        value(status, "Threads").and_then(|count| count.parse().ok()).unwrap_or(1)
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
pub use others::send;

#[cfg(all(unix, not(target_os = "linux")))]
mod others {
    use super::{Numbers, Signal};
    use rustix::process::{Pid, kill_process};

    /// Sends a signal to a process that was just listed as one of the account.
    pub fn send(pid: u32, _numbers: &Numbers, signal: Signal) {
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
pub fn send(_pid: u32, _numbers: &Numbers, _signal: Signal) {}

/// Not known without `/proc`.
#[cfg(not(target_os = "linux"))]
pub fn origin(_pid: u32, _uid: u32) -> Origin {
    Origin { program: None, started_by: None }
}

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
pub fn of_user(_numbers: &Numbers) -> Result<Vec<Process>> {
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(own: u32) -> Numbers {
        Numbers { own, subordinate: Vec::new(), group: None }
    }

    #[test]
    fn a_list_of_ps_names_the_processes_of_one_user() {
        let list = "    1     0 Ss   /sbin/launchd\n  814   421 S    /bin/sleep\n\
                    815   421 Z    (x)\n  816   421 T    a\u{1b}[m\n  817 4211 S x\nbroken\n";
        let found = listed(list, &only(421));
        let shown: Vec<_> = found
            .iter()
            .map(|process| {
                (process.pid, process.name.as_str(), process.is_zombie, process.is_stopped)
            })
            .collect();
        assert_eq!(
            shown,
            [(814, "sleep", false, false), (815, "(x)", true, false), (816, "a??m", false, true)]
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn every_user_of_a_process_counts_and_a_name_is_no_line_of_its_own() {
        let status = "Name:\tx\\nUid:\t7\nState:\tS (sleeping)\nUid:\t9\t10\t11\t12\n";
        let found = linux::parsed(3, &only(9), status).unwrap();
        assert_eq!((found.pid, found.name.as_str()), (3, "x?nUid:?7"));
        for own in 10..=12 {
            assert_eq!(linux::parsed(3, &only(own), status).as_ref(), Some(&found), "{own}");
        }
        assert_eq!(linux::parsed(3, &only(7), status), None);
        // Root's, in the middle of becoming the account.
        let switching = "State:\tS (sleeping)\nUid:\t0\t9\t9\t9\n";
        assert!(linux::parsed(3, &only(9), switching).unwrap().is_roots && !found.is_roots);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_subordinate_number_counts_unless_it_is_an_account() {
        let numbers = Numbers { own: 9, subordinate: vec![0..1, 165_536..165_540], group: None };
        let is_one = |uid: u32| {
            let status = format!("State:\tS (sleeping)\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n");
            linux::parsed(3, &numbers, &status).is_some()
        };
        let found = [0, 165_535, 165_536, 165_539, 165_540].map(is_one);
        assert_eq!(found, [false, false, true, true, false]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_group_counts_in_whatever_role_but_not_for_root() {
        let is_one = |group: Option<u32>, uid: u32, gids: &str, groups: &str| {
            let status = format!(
                "State:\tS (sleeping)\nUid:\t{uid}\t5\t5\t5\nGid:\t{gids}\nGroups:\t{groups}\n"
            );
            linux::parsed(3, &Numbers { group, ..only(9) }, &status).is_some()
        };
        for gids in ["7\t1\t1\t1", "1\t7\t1\t1", "1\t1\t7\t1", "1\t1\t1\t7"] {
            assert!(is_one(Some(7), 1000, gids, ""), "{gids}");
            assert!(!is_one(Some(7), 0, gids, "") && !is_one(None, 1000, gids, ""), "{gids}");
        }
        assert!(is_one(Some(7), 1000, "1\t1\t1\t1", "4 7 "));
        assert!(!is_one(Some(7), 1000, "1\t1\t1\t1", "4 77 "));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_goes_on_while_one_of_its_threads_does() {
        let is_zombie = |threads: u32| {
            let status = format!("State:\tZ (zombie)\nUid:\t9\t9\t9\t9\nThreads:\t{threads}\n");
            linux::parsed(3, &only(9), &status).unwrap().is_zombie
        };
        assert_eq!([1, 2].map(is_zombie), [true, false]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_one_of_its_user() {
        let uid = rustix::process::getuid().as_raw();
        assert!(of_user(&only(uid)).unwrap().iter().any(|user| user.pid == std::process::id()));
        assert!(ancestors().contains(&std::os::unix::process::parent_id()));
    }
}
