//! Processes, from `/proc`: agents, what they started, and what dead jobs left.

use super::scrub::Scrub;
use crate::{
    facts::survey::{Process, same},
    platform::accounts::owner,
};
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Clock ticks a second: 100 on every platform that an agent is published for.
const TICKS: u64 = 100;

/// Longest command line that is kept, in bytes.
const COMMAND_LIMIT: usize = 400;

/// Names of agents' processes; Linux keeps 15 characters of a name.
const AGENTS: [&str; 3] = ["circleci-launch", "circleci-launch-agent", "circleci-runner"];

/// Every process of the host, as far as it shows itself.
#[derive(Debug, Default)]
pub(super) struct Processes {
    all: HashMap<u32, Entry>,
}

#[derive(Debug)]
struct Entry {
    pid: u32,
    parent: u32,
    uid: u32,
    name: String,
    state: char,
    started: i64,
    /// Its program, where another program has listed it: there is no `/proc` then.
    program: Option<PathBuf>,
}

impl Processes {
    /// Reads all of them.
    pub(super) fn read(now: i64, uptime: i64) -> Self {
        let booted = now - uptime;
        let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let all = ids.filter_map(|pid| Some((pid, entry(pid, booted)?))).collect();
        Self { all }
    }

    /// What another program has listed.
    pub(super) fn of(listed: Vec<Process>) -> Self {
        let entry = |own: Process| Entry {
            pid: own.pid,
            parent: own.parent,
            uid: own.uid,
            name: own.name,
            state: own.state,
            started: own.started,
            program: Some(own.command).filter(|path| !path.is_empty()).map(PathBuf::from),
        };
        Self { all: listed.into_iter().map(|own| (own.pid, entry(own))).collect() }
    }

    /// Agents' processes that no other agent's process started, with the unit they run in.
    pub(super) fn agents(&self) -> Vec<(u32, Option<String>)> {
        let is_agent =
            |pid: u32| self.all.get(&pid).is_some_and(|entry| AGENTS.contains(&plain(&entry.name)));
        let mut found: Vec<u32> = self.all.keys().copied().filter(|pid| is_agent(*pid)).collect();
        found.sort_unstable();
        found.retain(|pid| !self.ancestors(*pid).any(is_agent));
        found.into_iter().map(|pid| (pid, unit_of(pid))).collect()
    }

    /// One process.
    pub(super) fn one(&self, pid: u32, scrub: &Scrub) -> Option<Process> {
        self.all.get(&pid).map(|entry| process(entry, false, scrub))
    }

    /// A process and all that it started, itself first.
    pub(super) fn tree(&self, main: u32, scrub: &Scrub) -> Vec<Process> {
        let mut tree = Vec::new();
        let mut seen = HashSet::new();
        let mut ahead = vec![main];
        while let Some(pid) = ahead.pop() {
            let Some(entry) = self.all.get(&pid).filter(|_| seen.insert(pid)) else { continue };
            tree.push(process(entry, true, scrub));
            let mut children: Vec<u32> = self
                .all
                .values()
                .filter(|child| child.parent == pid)
                .map(|child| child.pid)
                .collect();
            children.sort_unstable();
            ahead.extend(children);
        }
        tree
    }

    /// What jobs left: processes of the unit, or of the jobs' account outside of anyone's
    /// session, that no agent's process is an ancestor of.
    pub(super) fn orphans(
        &self,
        unit: Option<&str>,
        uid: Option<u32>,
        scrub: &Scrub,
    ) -> Vec<Process> {
        let agents: HashSet<u32> = self.agents().into_iter().map(|(pid, _)| pid).collect();
        let mut orphans = Vec::new();
        for entry in self.all.values() {
            let is_agents = agents.contains(&entry.pid)
                || self.ancestors(entry.pid).any(|pid| agents.contains(&pid));
            if is_agents || entry.pid == 1 {
                continue;
            }
            let own = uid.is_some_and(|uid| uid != 0 && uid == entry.uid);
            if !own && (unit.is_none() || agents.is_empty()) {
                continue;
            }
            let in_unit = unit.is_some() && unit_of(entry.pid).as_deref() == unit;
            if in_unit && !agents.is_empty() || own && is_outside_sessions(entry.pid) {
                orphans.push(process(entry, in_unit, scrub));
            }
        }
        orphans.sort_by_key(|process| process.pid);
        orphans
    }

    /// The command line of a process, word by word.
    pub(super) fn words(pid: u32) -> Vec<String> {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// The program that a process runs.
    pub(super) fn program(&self, pid: u32) -> Option<PathBuf> {
        let listed = self.all.get(&pid).and_then(|entry| entry.program.clone());
        listed.or_else(|| fs::read_link(format!("/proc/{pid}/exe")).ok())
    }

    /// The number and start of the process that runs this program of Windows, of several the
    /// first that was started.
    pub(super) fn running(&self, program: &Path) -> Option<(u32, i64)> {
        let program = same(&program.display().to_string());
        let runs = |entry: &&Entry| {
            entry.program.as_ref().is_some_and(|own| same(&own.display().to_string()) == program)
        };
        let first =
            self.all.values().filter(runs).min_by_key(|entry| (entry.started, entry.pid))?;
        Some((first.pid, first.started))
    }

    /// The names of all processes.
    pub(super) fn names(&self) -> HashSet<&str> {
        self.all.values().map(|entry| entry.name.as_str()).collect()
    }

    fn ancestors(&self, pid: u32) -> impl Iterator<Item = u32> {
        let mut left = 64;
        std::iter::successors(Some(pid), move |pid| {
            left -= 1;
            let parent = self.all.get(pid)?.parent;
            (parent != 0 && left > 0).then_some(parent)
        })
        .skip(1)
    }
}

fn entry(pid: u32, booted: i64) -> Option<Entry> {
    let folder = format!("/proc/{pid}");
    let uid = owner(&fs::metadata(&folder).ok()?);
    let stat = String::from_utf8_lossy(&fs::read(format!("{folder}/stat")).ok()?).into_owned();
    // The name stands in brackets and may hold brackets and blanks itself.
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let ticks: u64 = fields.nth(17)?.parse().ok()?;
    let started = booted + i64::try_from(ticks / TICKS).ok()?;
    Some(Entry { pid, parent, uid, name, state, started, program: None })
}

fn process(entry: &Entry, in_service: bool, scrub: &Scrub) -> Process {
    let mut command = match &entry.program {
        Some(program) => program.display().to_string(),
        None => scrub.words(&Processes::words(entry.pid)).join(" "),
    };
    if let Some((at, _)) = command.char_indices().nth(COMMAND_LIMIT) {
        command.truncate(at);
    }
    Process {
        pid: entry.pid,
        parent: entry.parent,
        uid: entry.uid,
        name: entry.name.clone(),
        command,
        started: entry.started,
        state: entry.state,
        in_service,
    }
}

/// A program's name without what Windows ends it in.
fn plain(name: &str) -> &str {
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The unit that a process belongs to, by its control group.
fn unit_of(pid: u32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let names = groups
        .lines()
        .filter_map(|line| line.rsplit_once(':'))
        .flat_map(|(_, path)| path.split('/'));
    let is_unit = |name: &&str| {
        Path::new(name).extension().is_some_and(|end| end == "service")
            && !name.starts_with("user@")
    };
    names.rev().find(is_unit).map(str::to_owned)
}

/// Whether a process belongs to nobody's login.
fn is_outside_sessions(pid: u32) -> bool {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    !groups.contains("/user.slice")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_its_child_are_a_tree() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let processes = Processes::read(1000, 500);
        let tree = processes.tree(std::process::id(), &Scrub::default());
        let _ = child.kill();
        let _ = child.wait();
        assert_eq!(tree[0].pid, std::process::id());
        assert!(tree.iter().any(|process| process.pid == child.id() && process.name == "sleep"));
    }
}
