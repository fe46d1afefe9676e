//! The table of processes, by number and by parent.

use super::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

/// All processes.
#[derive(Debug, Default)]
pub(super) struct Index {
    all: HashMap<u32, Entry>,
    children: HashMap<u32, Vec<u32>>,
    agents: HashSet<u32>,
    /// What agents' processes started, at any depth.
    below_agents: HashSet<u32>,
    /// Entries that were passed over, for the tests on cost.
    #[cfg(test)]
    pub(super) steps: std::sync::atomic::AtomicUsize,
}

impl Index {
    /// Puts them in order, and follows what those that `is_agent` started.
    pub(super) fn new(all: Vec<Entry>, is_agent: impl Fn(&Entry) -> bool) -> Self {
        let mut index = Self::default();
        for entry in all {
            if is_agent(&entry) {
                index.agents.insert(entry.pid);
            }
            index.children.entry(entry.parent).or_default().push(entry.pid);
            index.all.insert(entry.pid, entry);
        }
        index.children.values_mut().for_each(|children| children.sort_unstable());
        let children = index.agents.iter().flat_map(|pid| index.children_of(*pid));
        index.below_agents = index.walk(children.copied()).map(|entry| entry.pid).collect();
        index
    }

    /// Every process, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.all.values().inspect(|_| self.step())
    }

    /// A process.
    pub(super) fn get(&self, pid: u32) -> Option<&Entry> {
        self.all.get(&pid)
    }

    /// Whether it has an agent's name.
    pub(super) fn is_agent(&self, pid: u32) -> bool {
        self.agents.contains(&pid)
    }

    /// Agents' processes that no other agent's process started.
    pub(super) fn topmost_agents(&self) -> impl Iterator<Item = &Entry> {
        let topmost = self.agents.iter().filter(|pid| !self.below_agents.contains(pid));
        topmost.filter_map(|pid| self.all.get(pid))
    }

    /// Whether it is an agent's process or one that such a process started.
    pub(super) fn is_agents(&self, pid: u32) -> bool {
        self.below_agents.contains(&pid) || self.agents.contains(&pid)
    }

    /// A process, its children, their children, and so on.
    pub(super) fn tree(&self, pid: u32) -> impl Iterator<Item = &Entry> {
        self.walk(std::iter::once(pid))
    }

    /// Each process once, though the parents that are told go round in a circle.
    fn walk(&self, begin: impl Iterator<Item = u32>) -> impl Iterator<Item = &Entry> {
        let mut ahead: VecDeque<u32> = begin.collect();
        let mut seen = HashSet::new();
        std::iter::from_fn(move || {
            loop {
                let pid = ahead.pop_front()?;
                self.step();
                if let Some(entry) = self.all.get(&pid).filter(|_| seen.insert(pid)) {
                    ahead.extend(self.children_of(pid));
                    return Some(entry);
                }
            }
        })
    }

    fn children_of(&self, pid: u32) -> &[u32] {
        self.children.get(&pid).map(Vec::as_slice).unwrap_or_default()
    }

    #[cfg(test)]
    fn step(&self) {
        self.steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests count here")]
    fn step(&self) {}
}
