//! The table of processes, by number and by parent.

use super::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

/// Most processes above an agent's that are followed.
const ABOVE: usize = 64;

/// All processes.
#[derive(Debug, Default)]
pub(super) struct Index {
    all: HashMap<u32, Entry>,
    children: HashMap<u32, Vec<u32>>,
    agents: HashSet<u32>,
    /// What agents' processes started, at any depth.
    below_agents: HashSet<u32>,
    /// What started agents' processes within the same service, and what that started beside them.
    above_agents: HashSet<u32>,
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
        let above: HashSet<u32> =
            index.topmost_agents().flat_map(|entry| index.above(entry)).collect();
        index.above_agents = index.walk(above.iter().copied()).map(|entry| entry.pid).collect();
        index
    }

    /// What started a process: within its service, or, where none of the system's manager runs it,
    /// as its account.
    fn above(&self, of: &Entry) -> Vec<u32> {
        let unit = of.managed.system_unit();
        let is_with = |parent: &&Entry| {
            parent.pid != 1
                && match unit {
                    Some(_) => parent.managed.system_unit() == unit,
                    None => parent.uid == of.uid,
                }
        };
        let parent = |entry: &&Entry| {
            let parent = self.all.get(&entry.parent).filter(|parent| parent.pid != entry.pid);
            parent.filter(is_with)
        };
        let above = std::iter::successors(Some(of), parent).skip(1).take(ABOVE);
        above.map(|entry| entry.pid).collect()
    }

    /// Whether it has started an agent's process, or was started beside one.
    pub(super) fn is_above(&self, pid: u32) -> bool {
        self.above_agents.contains(&pid)
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
