//! Processes of agents that no service and no receipt accounts for.

use super::{
    candidate::Candidate,
    processes::{Agent, Processes, Wanted},
    scrub::Scrub,
};
use crate::{
    host::{Stray, Strays, Unseen},
    platform::{accounts, fs::Root},
};
use std::time::Instant;

/// Most strays that are shown; the rest are counted.
const STRAYS: usize = 8;

/// No strays but those that were not looked at.
pub(super) fn none_yet(processes: &Processes) -> Strays {
    let unseen = processes.fault().map(|fault| Unseen::not_examined(fault.why.clone()));
    Strays { shown: Vec::new(), count: processes.agents_beyond(), unseen }
}

/// Notes an agent's process that nothing accounts for.
pub(super) fn stray(
    strays: &mut Strays,
    agent: &Agent,
    processes: &Processes,
    root: Option<&Root>,
    scrub: &Scrub,
) {
    strays.count += 1;
    if strays.shown.len() < STRAYS
        && let Some(process) = processes.agent_process(agent, scrub)
    {
        let account = accounts::name_of(agent.uid);
        let unit = agent.managed.system_unit().map(str::to_owned);
        let (supervisor, is_kept_by_root) = processes.supervisor(agent, root);
        strays.shown.push(Stray { process, account, unit, supervisor, is_kept_by_root });
    }
}

/// Agents that run though no task of the candidates runs them.
pub(super) fn by_hand(
    found: &[Candidate],
    processes: &Processes,
    root: &Root,
    scrub: &Scrub,
) -> Strays {
    let is_found = |pid: &u32| {
        let of = |candidate: &Candidate| {
            candidate.binary.as_ref().and_then(|path| processes.running(path))
        };
        found.iter().filter_map(of).any(|(running, _)| running == *pid)
    };
    let mut strays = none_yet(processes);
    let agents = processes.agents(&Wanted::default(), Instant::now());
    for agent in agents.iter().filter(|agent| !is_found(&agent.pid)) {
        stray(&mut strays, agent, processes, Some(root), scrub);
    }
    strays
}
