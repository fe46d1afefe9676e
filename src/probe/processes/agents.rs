//! Processes with an agent's name, which any user can give to any process: those that an install may
//! have come first, and no user's take the place of all others.

use super::{Details, Entry, Index, Processes, look_closer};
use crate::probe::procfs::ManagedBy;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Instant,
};

/// Most processes with an agent's name that are looked at.
pub(crate) const AGENTS_LIMIT: usize = 32;

/// A process that has an agent's name.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) managed: ManagedBy,
    /// Its command line, as far as it was read; its user has chosen it.
    pub(crate) words: Vec<String>,
    /// The program that it runs, where that is known.
    pub(crate) program: Option<PathBuf>,
}

/// What the agents that are to be examined run as.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Their services.
    pub(crate) units: HashSet<String>,
    /// The numbers of their accounts.
    pub(crate) uids: HashSet<u32>,
}

/// How much a process is wanted, and whose share it takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Share<'a> {
    Unit(&'a str),
    Account(u32),
    Other(u32),
}

impl<'a> Share<'a> {
    fn of(entry: &'a Entry, wanted: &Wanted) -> Self {
        match entry.managed.system_unit() {
            Some(unit) if wanted.units.contains(unit) => Self::Unit(unit),
            _ if wanted.uids.contains(&entry.uid) => Self::Account(entry.uid),
            _ => Self::Other(entry.uid),
        }
    }

    fn class(&self) -> u8 {
        match self {
            Self::Unit(_) => 0,
            Self::Account(_) => 1,
            Self::Other(_) => 2,
        }
    }
}

impl Processes {
    /// Processes with an agent's name that no other such process started, at most
    /// [`AGENTS_LIMIT`] of them.
    pub(crate) fn agents(&self, wanted: &Wanted, until: Instant) -> Vec<Agent> {
        let chosen = chosen(self.index.topmost_agents(), wanted);
        let mut details = look_closer(chosen.iter().copied(), until);
        let agent = |entry: &Entry| {
            let Details { command, program, .. } = details.remove(&entry.pid).unwrap_or_default();
            Agent {
                pid: entry.pid,
                uid: entry.uid,
                managed: entry.managed.clone(),
                words: command.words,
                program: entry.program.clone().or(program),
            }
        };
        chosen.into_iter().map(agent).collect()
    }

    /// How many more there are.
    pub(crate) fn agents_beyond(&self) -> usize {
        self.index.topmost_agents().count().saturating_sub(AGENTS_LIMIT)
    }
}

/// Of each share in turn the one that was started first.
fn chosen<'a>(agents: impl Iterator<Item = &'a Entry>, wanted: &Wanted) -> Vec<&'a Entry> {
    let mut agents: Vec<&Entry> = agents.collect();
    agents.sort_unstable_by_key(|entry| (entry.started, entry.pid));
    let mut taken: HashMap<Share<'_>, usize> = HashMap::new();
    let mut ranked: Vec<_> = agents
        .into_iter()
        .map(|entry| {
            let share = Share::of(entry, wanted);
            let rank = taken.entry(share.clone()).or_default();
            *rank += 1;
            (share.class(), *rank, entry)
        })
        .collect();
    // Stable: of one rank the first that was started comes first.
    ranked.sort_by_key(|(class, rank, _)| (*class, *rank));
    ranked.into_iter().take(AGENTS_LIMIT).map(|(_, _, entry)| entry).collect()
}

/// Of each service of the system's manager the agent's process that was started first.
pub(super) fn of_services(index: &Index) -> HashMap<String, u32> {
    let mut first: HashMap<&str, &Entry> = HashMap::new();
    for entry in index.topmost_agents() {
        let Some(unit) = entry.managed.system_unit() else { continue };
        let known = first.entry(unit).or_insert(entry);
        if (entry.started, entry.pid) < (known.started, known.pid) {
            *known = entry;
        }
    }
    first.into_iter().map(|(unit, entry)| (unit.to_owned(), entry.pid)).collect()
}
