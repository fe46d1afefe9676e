//! What the service managers are asked, and what they say.

use super::{
    IMAGE, ProbeContext, boot, candidate::Candidate, deadline::Probe, effective, host, mac,
    manager_settings::ManagerSettings, objections::Objections, uid_of, unit::Unit,
};
use crate::{
    host::{Boot, ProbeName, Seen},
    service::{StateQuery, Told, systemd::drop_ins::is_template},
    values::Manager,
};
use std::collections::BTreeMap;

/// The answer of a manager, which others may have waited for.
pub(super) enum Answer {
    Begun(Probe<Seen<BTreeMap<String, Told>>>),
    Done(Seen<BTreeMap<String, Told>>),
}

impl Answer {
    pub(super) fn done(self) -> Seen<BTreeMap<String, Told>> {
        match self {
            Self::Begun(probe) => probe.flat(),
            Self::Done(told) => told,
        }
    }
}

/// What the managers say of the services.
pub(super) struct ManagerAnswers {
    pub(super) states: Seen<BTreeMap<String, Told>>,
    pub(super) objections: Objections,
    pub(super) settings: ManagerSettings,
    pub(super) boots: Seen<BTreeMap<String, Boot>>,
}

/// Foresees the next boot of the units of systemd.
pub(super) fn next_boot(
    context: &ProbeContext,
    candidates: &[Candidate],
) -> Probe<Seen<BTreeMap<String, Boot>>> {
    let units = candidates.iter().filter_map(|candidate| candidate.unit.as_ref());
    let units = units.filter(|unit| unit.manager.profile().starts_by_links());
    let units: Vec<_> = units.map(|unit| (unit.name.clone(), unit.provenance())).collect();
    context.start(ProbeName::NextBoot, move |context| {
        boot::examine(&context.root, &units, context.soon())
    })
}

/// Asks the manager of the agents' services for their states; Windows tells of tasks with all else.
pub(super) fn service_states(
    context: &ProbeContext,
    candidates: &[Candidate],
) -> Probe<Seen<BTreeMap<String, Told>>> {
    let units = candidates.iter().filter_map(|candidate| candidate.unit.as_ref());
    let manager = units.clone().next().map_or(Manager::usual(context.os), |unit| unit.manager);
    let service = |unit: &Unit| {
        let file = unit.definitions.first()?.walk.path.clone();
        let is_asked = unit.manager == manager && !is_template(&unit.name);
        is_asked.then(|| (unit.name.clone(), file))
    };
    let slices = effective::slices(units.clone());
    let services = units.filter_map(service).collect();
    let booted = context.now - host::uptime();
    context.start(ProbeName::ServiceState, move |context| {
        if !context.is_host {
            return Seen::not_applicable(IMAGE);
        }
        let ProbeContext { root, commands, limit, .. } = context;
        let uid_of = |name: &str| match name {
            StateQuery::CONSOLE => mac::console(root)?.uid(),
            name => uid_of(root, name),
        };
        let query =
            StateQuery { commands, services, slices, limit: *limit, booted, uid_of: &uid_of };
        manager.profile().told(&query)
    })
}
