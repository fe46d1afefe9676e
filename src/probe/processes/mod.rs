//! Processes: agents, what they started, and what dead jobs left.
//!
//! Every user can start processes of any name, in any number. So what is kept of them is limited
//! and what is beyond a limit is only counted, and no question takes more than one pass over the
//! table.

mod agents;
mod index;
mod read;
mod running;
mod summary;
mod supervisor;

use super::{
    agent_words,
    procfs::{CommandLine, ManagedBy},
    scrub::Scrub,
};
use crate::{
    agent::is_process_name,
    host::{Process, Scrubbed, Seen, Unlisted, Unseen, same},
};
pub(super) use agents::{Agent, Wanted};
use index::Index;
use read::{Details, Identity};
pub(super) use running::RawRunning;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
pub(super) use summary::summary;

/// Most processes of one list that are shown, and most of those that have ended.
const SHOWN_LIMIT: usize = 64;
const ZOMBIES_LIMIT: usize = 16;

/// Longest command line that is shown, in characters.
const COMMAND_SHOWN: usize = 400;

/// Longest name that is kept where another program has listed the processes, in characters.
const NAME_SHOWN: usize = 64;

/// The time for the command lines of one list.
const COMMANDS_TIME: Duration = Duration::from_secs(1);

/// Why there is no table.
const LATE: &str = "there are more processes than can be read in time";

/// Every process of the host, as far as it shows itself.
#[derive(Debug, Default)]
pub(super) struct Processes {
    index: Index,
    /// Of each service of the system's manager that runs agents, the one that was started first.
    of_services: HashMap<String, u32>,
    fault: Option<Unseen>,
    /// When the host was started, in seconds since 1970.
    booted: i64,
}

/// The processes that belong to one install.
pub(super) struct OfInstall {
    pub(super) processes: Seen<Vec<Process>>,
    pub(super) orphans: Seen<Vec<Process>>,
    pub(super) unlisted: Unlisted,
    /// The token is in the command line of the agent's process.
    pub(super) holds_token: bool,
}

/// A process in the table.
#[derive(Debug)]
struct Entry {
    pid: u32,
    parent: u32,
    uid: u32,
    name: String,
    state: char,
    started: i64,
    ticks: u64,
    managed: ManagedBy,
    /// Its program, where another program has listed it: there is no `/proc` then.
    program: Option<PathBuf>,
}

impl Entry {
    /// Whether it is root's, or of a service of the system that is named after it, as `chronyd` is
    /// of `chrony.service`: those that run other accounts' programs, such as `cron.service`, are not.
    fn is_daemon(&self) -> bool {
        let is_named_after = |unit: &str| {
            let same = unit.bytes().zip(self.name.bytes()).take_while(|(one, other)| one == other);
            same.count() >= 3
        };
        self.uid == 0 || self.managed.system_unit().is_some_and(is_named_after)
    }
}

impl Processes {
    /// Reads all of them.
    pub(super) fn read(now: i64, uptime: i64, until: Instant) -> Self {
        match read::table(now, uptime, until) {
            Seen::Known(all) => Self::new(all),
            Seen::Unseen(unseen) => Self::unseen(unseen, now - uptime),
        }
    }

    /// What another program has listed.
    pub(super) fn of(listed: Vec<Process<String>>) -> Self {
        let entry = |process: Process<String>| Entry {
            pid: process.pid,
            parent: process.parent,
            uid: process.uid,
            name: shortened(process.name, NAME_SHOWN),
            state: process.state,
            started: process.started,
            ticks: 0,
            managed: ManagedBy::Nobody,
            program: Some(process.command).filter(|path| !path.is_empty()).map(PathBuf::from),
        };
        Self::new(listed.into_iter().map(entry).collect())
    }

    /// None could be read, of a host that was started at `booted`.
    pub(super) fn unseen(unseen: Unseen, booted: i64) -> Self {
        Self { fault: Some(unseen), booted, ..Self::default() }
    }

    fn new(all: Vec<Entry>) -> Self {
        let index = Index::new(all, |entry| is_process_name(plain(&entry.name)));
        let of_services = agents::of_services(&index);
        Self { index, of_services, ..Self::default() }
    }

    /// Why they are not known.
    pub(super) fn fault(&self) -> Option<&Unseen> {
        self.fault.as_ref()
    }

    /// An agent's process as it is told.
    pub(super) fn agent_process(&self, agent: &Agent, scrub: &Scrub) -> Option<Process> {
        let entry = self.index.tree(agent.pid).next()?;
        let command = CommandLine { words: agent.words.clone(), ..CommandLine::default() };
        let details = Details { command, ..Details::default() };
        Some(process(entry, false, Some(details), scrub))
    }

    /// The services of the system's manager in which there is an agent's process.
    pub(super) fn services_with_agents(&self) -> impl Iterator<Item = &str> {
        self.of_services.keys().map(String::as_str)
    }

    /// A process and all that it started.
    pub(super) fn below(&self, pid: u32) -> impl Iterator<Item = u32> {
        self.index.tree(pid).map(|entry| entry.pid)
    }

    /// The processes above one, its parent first.
    pub(super) fn above(&self, pid: u32) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        let mut next = self.index.get(pid).map(|entry| entry.parent);
        while let Some(parent) = next.filter(|parent| *parent > 1 && !found.contains(parent)) {
            found.push(parent);
            next = self.index.get(parent).map(|entry| entry.parent);
        }
        found
    }

    /// What belongs to an install on a Mac. What jobs left is not known there: launchd itself runs
    /// programs for each account, those of a desktop among them, and no process tells that of itself.
    pub(super) fn of_mac_install(
        &self,
        main: Option<u32>,
        scrub: &Scrub,
        until: Instant,
    ) -> OfInstall {
        let why = "macOS does not tell which processes of an account jobs have left";
        let orphans = Seen::not_applicable(why);
        OfInstall { orphans, ..self.of_install(main, None, None, scrub, until) }
    }

    /// The agent's process that the system's manager runs as this service.
    pub(super) fn agent_of(&self, unit: &str) -> Option<u32> {
        self.of_services.get(unit).copied()
    }

    /// What belongs to an install: its `main` process and all that it started, and what its jobs
    /// left, of its service or of the account `uid`.
    pub(super) fn of_install(
        &self,
        main: Option<u32>,
        unit: Option<&str>,
        uid: Option<u32>,
        scrub: &Scrub,
        until: Instant,
    ) -> OfInstall {
        if let Some(unseen) = &self.fault {
            let tree = main.and_then(|main| self.own_tree(main, unseen, scrub, until));
            return tree.unwrap_or_else(|| OfInstall::unseen(unseen));
        }
        let tree = main.map_or_else(Vec::new, |main| self.index.tree(main).collect());
        let (tree, of_tree) = limited(tree);
        let (orphans, of_orphans) = limited(self.orphans(unit, uid));
        let mut details = look_closer(tree.iter().chain(&orphans).copied(), until);
        let holds_token = main.is_some_and(|main| holds_token(&details, main));
        let mut shown = |entries: Vec<&Entry>, is_tree: bool| {
            let shown = |entry: &Entry| {
                let in_service = is_tree || unit.is_some() && entry.managed.system_unit() == unit;
                process(entry, in_service, details.remove(&entry.pid), scrub)
            };
            Seen::Known(entries.into_iter().map(shown).collect())
        };
        OfInstall {
            processes: shown(tree, true),
            orphans: shown(orphans, false),
            unlisted: Unlisted {
                processes: of_tree.alive,
                orphans: of_orphans.alive,
                zombies: of_tree.zombies + of_orphans.zombies,
            },
            holds_token,
        }
    }

    /// An agent's process and what it started, by the kernel's lists of children: no number of
    /// other processes hides them.
    fn own_tree(
        &self,
        main: u32,
        unseen: &Unseen,
        scrub: &Scrub,
        until: Instant,
    ) -> Option<OfInstall> {
        let tree = read::tree(main, SHOWN_LIMIT, self.booted, until)?;
        let mut details = look_closer(tree.iter(), until);
        let holds_token = holds_token(&details, main);
        let shown = |entry: &Entry| process(entry, true, details.remove(&entry.pid), scrub);
        let processes = Seen::Known(tree.iter().map(shown).collect());
        Some(OfInstall { processes, holds_token, ..OfInstall::unseen(unseen) })
    }

    /// What jobs left: processes of the unit while it runs an agent, or of the jobs' account
    /// outside of anyone's session and of any other service, that no agent's process is an ancestor
    /// of. What an agent's process itself descends from, such as a wrapper that waits for it, and
    /// what such a process started beside the agent, is no job's.
    fn orphans(&self, unit: Option<&str>, uid: Option<u32>) -> Vec<&Entry> {
        let unit = unit.filter(|unit| self.agent_of(unit).is_some());
        let uid = uid.filter(|uid| *uid != 0);
        let is_left = |entry: &&Entry| {
            let in_unit = unit.is_some() && entry.managed.system_unit() == unit;
            // What another service or a session runs is no job's, whoever it belongs to.
            let in_other = !in_unit && entry.managed != ManagedBy::Nobody;
            let is_own = uid == Some(entry.uid) && !in_other;
            let is_agents = self.index.is_agents(entry.pid) || self.index.is_above(entry.pid);
            entry.pid != 1 && (in_unit || is_own) && !is_agents
        };
        let mut orphans: Vec<&Entry> = self.index.all().filter(is_left).collect();
        orphans.sort_unstable_by_key(|entry| entry.pid);
        orphans
    }

    /// The number and start of the process that runs this program of Windows, of several the
    /// first that was started.
    pub(super) fn running(&self, program: &Path) -> Option<(u32, i64)> {
        let program = same(&program.display().to_string());
        let runs = |entry: &&Entry| {
            entry
                .program
                .as_ref()
                .is_some_and(|other| same(&other.display().to_string()) == program)
        };
        let first = self.index.all().filter(runs).min_by_key(|entry| (entry.started, entry.pid))?;
        Some((first.pid, first.started))
    }

    /// The names of daemons: any account can give its own processes the same names.
    ///
    /// # Errors
    /// Why they are not known.
    pub(super) fn daemons(&self) -> Result<HashSet<&str>, Unseen> {
        match &self.fault {
            Some(unseen) => Err(unseen.clone()),
            None => {
                let daemons = self.index.all().filter(|entry| entry.is_daemon());
                Ok(daemons.map(|entry| entry.name.as_str()).collect())
            }
        }
    }
}

impl OfInstall {
    /// Nothing is known of them, and why.
    pub(super) fn unseen(unseen: &Unseen) -> Self {
        Self {
            processes: Seen::Unseen(unseen.clone()),
            orphans: Seen::Unseen(unseen.clone()),
            unlisted: Unlisted::default(),
            holds_token: false,
        }
    }
}

/// How many of a list are not shown.
struct Beyond {
    alive: usize,
    zombies: usize,
}

fn limited(all: Vec<&Entry>) -> (Vec<&Entry>, Beyond) {
    let (mut alive, mut zombies) = (0, 0);
    let mut shown = Vec::new();
    for entry in all {
        let (count, limit) = match entry.state {
            'Z' => (&mut zombies, ZOMBIES_LIMIT),
            _ => (&mut alive, SHOWN_LIMIT),
        };
        *count += 1;
        if *count <= limit {
            shown.push(entry);
        }
    }
    let beyond = Beyond {
        alive: alive.saturating_sub(SHOWN_LIMIT),
        zombies: zombies.saturating_sub(ZOMBIES_LIMIT),
    };
    (shown, beyond)
}

/// Command lines and programs, of processes that no other program has listed.
fn look_closer<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    until: Instant,
) -> HashMap<u32, Details> {
    let identity = |entry: &Entry| Identity { pid: entry.pid, ticks: entry.ticks };
    let of: Vec<Identity> = entries.filter(|entry| entry.program.is_none()).map(identity).collect();
    read::details(&of, until.min(Instant::now() + COMMANDS_TIME))
}

fn holds_token(details: &HashMap<u32, Details>, main: u32) -> bool {
    details.get(&main).is_some_and(|detail| agent_words::holds_token(&detail.command.words))
}

fn process(entry: &Entry, in_service: bool, details: Option<Details>, scrub: &Scrub) -> Process {
    let line = details.unwrap_or_default().command;
    let command = match &entry.program {
        Some(program) => Scrubbed::text(&program.display().to_string(), scrub),
        // As `ps` shows one whose command line is not to be had.
        None if line.words.is_empty() => Scrubbed::text(&format!("[{}]", entry.name), scrub),
        None => Scrubbed::process(&line, scrub),
    };
    Process {
        pid: entry.pid,
        parent: entry.parent,
        uid: entry.uid,
        name: entry.name.clone(),
        command: command.cut(COMMAND_SHOWN),
        started: entry.started,
        state: entry.state,
        in_service,
    }
}

fn shortened(mut text: String, limit: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(limit) {
        text.truncate(at);
    }
    text
}

/// A program's name without what Windows ends it in.
fn plain(name: &str) -> &str {
    name.strip_suffix(".exe").unwrap_or(name)
}

#[cfg(test)]
mod tests;
