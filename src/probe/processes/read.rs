//! Reads processes from `/proc`, within limits of size and time.

use super::{Entry, LATE, running::Raws};
use crate::{
    host::{RunningProgram, Seen},
    platform::{machine::clock_ticks_per_second, processes::children},
    probe::procfs::{self, CommandLine, ControlGroups},
};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Most bytes of `stat`, `status` and `cgroup` that are read; the kernel writes less.
const LIMIT: usize = 64 << 10;

/// Most children of one process that are asked for.
const CHILDREN: usize = 1024;

/// The time for one command line. A process can have its memory on a file system that never
/// answers.
const EACH: Duration = Duration::from_millis(250);

/// Which process: a number is given again, but not at the same instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) pid: u32,
    pub(super) ticks: u64,
}

/// What only a closer look at a process tells.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) command: CommandLine,
    pub(super) program: Option<PathBuf>,
    /// It catches TERM or waits for it.
    pub(super) hears_term: Option<bool>,
}

/// Reads the table of all processes. A part of it would make orphans of processes whose parents
/// are missing, so that it is whole or nothing.
pub(super) fn table(now: i64, uptime: i64, until: Instant) -> Seen<Vec<Entry>> {
    let booted = now - uptime;
    let groups = ControlGroups::of_init(&head("/proc/1/cgroup", LIMIT).unwrap_or_default());
    let ids = match fs::read_dir("/proc") {
        Ok(entries) => entries.flatten(),
        Err(error) => return Seen::broken(format!("/proc: {error}")),
    };
    let mut all = Vec::new();
    for pid in ids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if Instant::now() > until {
            return Seen::broken(LATE);
        }
        all.extend(entry(pid, booted, &groups));
    }
    Seen::Known(all)
}

/// A process, its children, their children, and so on, at most so many of them. `None` where not
/// all children of the first could be asked for.
pub(super) fn tree(main: u32, most: usize, booted: i64, until: Instant) -> Option<Vec<Entry>> {
    // Which service it runs in was asked of the manager.
    let groups = ControlGroups::default();
    let mut tree: Vec<Entry> = entry(main, booted, &groups).into_iter().collect();
    let mut next = 0;
    while let Some(pid) = tree.get(next).map(|entry| entry.pid) {
        next += 1;
        let children = match children(pid, CHILDREN) {
            Some(children) if pid != main || children.len() < CHILDREN => children,
            _ if pid == main => return None,
            _ => continue,
        };
        for child in children {
            if tree.len() >= most || Instant::now() > until {
                // A job is known by the first of them that has not ended.
                let runs =
                    tree.iter().any(|process| process.parent == main && process.state != 'Z');
                return runs.then_some(tree);
            }
            let is_new = tree.iter().all(|process| process.pid != child);
            tree.extend(entry(child, booted, &groups).filter(|_| is_new));
        }
    }
    Some(tree)
}

fn entry(pid: u32, booted: i64, groups: &ControlGroups) -> Option<Entry> {
    let read = |name: &str| head(&format!("/proc/{pid}/{name}"), LIMIT).ok();
    let stat = procfs::stat(&read("stat")?)?;
    Some(Entry {
        pid,
        parent: stat.parent,
        uid: procfs::real_uid(&read("status")?)?,
        name: stat.name,
        state: stat.state,
        started: began(booted, stat.ticks, clock_ticks_per_second())?,
        ticks: stat.ticks,
        managed: groups.managed_by(&read("cgroup").unwrap_or_default()),
        program: None,
    })
}

/// When a process began that the kernel says was started so many clock ticks after the host. `None`
/// where no such ticks are counted.
fn began(booted: i64, ticks: u64, ticks_per_second: u64) -> Option<i64> {
    booted.checked_add(i64::try_from(ticks.checked_div(ticks_per_second)?).ok()?)
}

/// Looks closer at some processes in turn, until the time is up. One that does not answer costs
/// [`EACH`] and is missing then.
pub(super) fn details(of: &[Identity], until: Instant) -> HashMap<u32, Details> {
    each(of, until, |identity| Some((identity.pid, one(identity)?)))
}

fn one(identity: Identity) -> Option<Details> {
    let Identity { pid, ticks } = identity;
    let command = head(&format!("/proc/{pid}/cmdline"), procfs::COMMAND_LIMIT + 1).ok()?;
    let program = program(pid);
    let status = head(&format!("/proc/{pid}/status"), LIMIT).ok();
    let hears_term = status.and_then(|status| procfs::hears_term(&status));
    let stat = procfs::stat(&head(&format!("/proc/{pid}/stat"), LIMIT).ok()?)?;
    let is_same = stat.ticks == ticks;
    is_same.then(|| Details { command: procfs::command_line(&command), program, hears_term })
}

/// Looks at one process as an agent's. What hangs costs [`EACH`].
pub(super) fn running(entry: &Entry, until: Instant) -> Option<Raws> {
    let of = Identity { pid: entry.pid, ticks: entry.ticks };
    let read = |of: Identity| Some((of.pid, witness(of)?));
    each(&[of], until.min(Instant::now() + EACH * 2), read).remove(&entry.pid)
}

fn witness(identity: Identity) -> Option<Raws> {
    let Identity { pid, ticks } = identity;
    let file = |name: &str, limit: usize| head(&format!("/proc/{pid}/{name}"), limit).ok();
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
    let read = Raws {
        status: procfs::status(&file("status", LIMIT)?),
        limits: file("limits", LIMIT).and_then(|bytes| procfs::limits(&bytes)),
        words: procfs::command_line(&file("cmdline", procfs::COMMAND_LIMIT + 1)?).words,
        folder: link("cwd").filter(|folder| folder.is_absolute()),
        environment: file("environ", procfs::ENVIRONMENT_LIMIT + 1)
            .map(|bytes| procfs::environment(&bytes)),
        program: running_program(pid),
    };
    (procfs::stat(&file("stat", LIMIT)?)?.ticks == ticks).then_some(read)
}

/// The program of a process, and what is at its path in this mount namespace.
#[cfg(unix)]
fn running_program(pid: u32) -> Option<RunningProgram> {
    use crate::host::OnDisk;
    use std::os::unix::{ffi::OsStrExt, fs::MetadataExt};
    let exe = format!("/proc/{pid}/exe");
    let link = fs::read_link(&exe).ok()?;
    let running = fs::metadata(&exe).ok()?;
    let bytes = link.as_os_str().as_bytes();
    let gone = bytes.strip_suffix(b" (deleted)".as_slice());
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(gone.unwrap_or(bytes)));
    let is_same = |meta: &fs::Metadata| (meta.dev(), meta.ino()) == (running.dev(), running.ino());
    let on_disk = match fs::metadata(&path) {
        Ok(meta) if is_same(&meta) => OnDisk::Same,
        Ok(_) => OnDisk::Replaced,
        Err(error) if error.kind() == io::ErrorKind::NotFound => OnDisk::Deleted,
        Err(_) => return None,
    };
    // Elsewhere other files stand at the same paths.
    let is_here = fs::read_link(format!("/proc/{pid}/ns/mnt")).ok()?
        == fs::read_link("/proc/self/ns/mnt").ok()?;
    (gone.is_some() || on_disk == OnDisk::Same || is_here)
        .then_some(RunningProgram { path, on_disk })
}

/// None: there is no `/proc`.
#[cfg(not(unix))]
fn running_program(_: u32) -> Option<RunningProgram> {
    None
}

/// The program that a process runs, where its path means the same to us: in our mount namespace
/// and root directory. Elsewhere any user can have any file stand at any path.
fn program(pid: u32) -> Option<PathBuf> {
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
    let program = link("exe")?;
    // Looked at afterwards: without root no process comes back into a namespace that it has left.
    let is_here = link("ns/mnt")? == fs::read_link("/proc/self/ns/mnt").ok()?
        && link("root")? == Path::new("/");
    let is_deleted = program.as_os_str().as_encoded_bytes().ends_with(b" (deleted)");
    (is_here && program.is_absolute() && !is_deleted).then_some(program)
}

/// The first bytes of a file of the kernel's.
fn head(path: &str, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.try_into().unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Applies `read` to each in turn on another thread. Where it hangs that thread is left behind and
/// a new one goes on with the next.
fn each<I, K, T>(all: &[I], until: Instant, read: fn(I) -> Option<(K, T)>) -> HashMap<K, T>
where
    I: Copy + Send + 'static,
    K: Eq + std::hash::Hash + Send + 'static,
    T: Send + 'static,
{
    let mut found = HashMap::new();
    let mut ahead = all;
    while !ahead.is_empty() {
        let (send, answers) = mpsc::channel();
        let rest = ahead.to_vec();
        let reader = move || {
            // Nobody waits any more once the send fails.
            let _ = rest.into_iter().try_for_each(|one| send.send(read(one)));
        };
        if thread::Builder::new().name("command lines".to_owned()).spawn(reader).is_err() {
            return found;
        }
        while !ahead.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            let answer = answers.recv_timeout(EACH.min(left));
            if answer.is_err() && left <= EACH {
                return found;
            }
            ahead = ahead.get(1..).unwrap_or_default();
            match answer {
                Ok(this) => found.extend(this),
                Err(_) => break,
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_start_is_told_in_the_ticks_of_the_kernel_that_runs() {
        assert_eq!(began(1000, 2500, 100), Some(1025));
        assert_eq!(began(1000, 2500, 250), Some(1010));
        assert_eq!(began(1000, 2500, 0), None);
        assert_eq!(began(1000, u64::MAX, 1), None);
    }

    #[test]
    fn one_that_hangs_is_passed_over() {
        let read = |number: u32| {
            if number == 2 {
                thread::sleep(Duration::from_secs(60));
            }
            Some((number, number * 10))
        };
        let found = each(&[1, 2, 3], soon(), read);
        assert_eq!(found, HashMap::from([(1, 10), (3, 30)]));
    }

    #[test]
    fn nothing_is_waited_for_when_the_time_is_up() {
        let hang = |_: u32| -> Option<(u32, u32)> {
            thread::sleep(Duration::from_secs(60));
            None
        };
        let all: Vec<u32> = (0..100_000).collect();
        let begun = Instant::now();
        assert!(each(&all, begun + Duration::from_millis(300), hang).is_empty());
        assert!(begun.elapsed() < Duration::from_secs(30), "it waited for each of them");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_runs_its_program() {
        let stat = procfs::stat(&head("/proc/self/stat", LIMIT).unwrap()).unwrap();
        let this = Identity { pid: std::process::id(), ticks: stat.ticks };
        let found = details(&[this], soon());
        let program = std::env::current_exe().unwrap();
        assert_eq!(found[&this.pid].program.as_deref(), Some(program.as_path()));
        assert!(!found[&this.pid].command.words.is_empty());
        let other = Identity { ticks: this.ticks + 1, ..this };
        assert!(details(&[other], soon()).is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_that_was_deleted_has_no_path() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(&program).arg("30").spawn().unwrap();
        let before = super::program(child.id());
        fs::remove_file(&program).unwrap();
        let after = super::program(child.id());
        let _ = child.kill();
        let _ = child.wait();
        assert_eq!((before, after), (Some(program), None));
    }
}
