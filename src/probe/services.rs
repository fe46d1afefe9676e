//! Services that their own text does not show to be an agent's: by a script that they start, by the
//! control groups of running agents, and by the instances that the manager has made of a template.

use super::{
    context::ProbeContext,
    deadline::known_or_default,
    environment, host, launch, misnamed,
    processes::Processes,
    unit::Unit,
    units::{self, Found},
};
use crate::{
    host::{ProbeName, Seen},
    platform::fs::Root,
    service::{
        StateQuery,
        systemd::drop_ins::{is_template, template_of},
    },
    values::Manager,
};
use std::collections::{BTreeMap, BTreeSet};

/// All services of agents; where there is none, those that were meant to be.
pub(super) fn complete(
    context: &ProbeContext,
    found: Found,
    processes: &Processes,
    undiscovered: &mut Vec<String>,
) -> Vec<Unit> {
    let units = all(context, found, processes, undiscovered);
    if !units.is_empty() || !Manager::usual(context.os).profile().starts_by_links() {
        return units;
    }
    let meant = context.start(ProbeName::Definitions, |context| misnamed::find(&context.root));
    known_or_default(meant.seen())
}

fn all(
    context: &ProbeContext,
    found: Found,
    processes: &Processes,
    undiscovered: &mut Vec<String>,
) -> Vec<Unit> {
    let Found { mut units, templates, scripts } = found;
    if !scripts.is_empty() {
        // A probe of its own: what a script is named by may hang, and hides no other service.
        let run_agents = context.start(ProbeName::Definitions, move |context| {
            let leads = |unit: &Unit| leads_to_agent(&context.root, unit);
            scripts.into_iter().filter(leads).collect::<Vec<_>>()
        });
        match run_agents.seen() {
            Seen::Known(found) => units.extend(found),
            Seen::Unseen(unseen) => undiscovered.push(unseen.why),
        }
    }
    let more = more(context, &units, &templates, processes);
    if more.is_empty() {
        return without_unused(units);
    }
    let again = context.start(ProbeName::Definitions, move |context| {
        units::find(&context.root, &more, context.soon()).units
    });
    let is_new = |unit: &Unit| units.iter().all(|known| known.name != unit.name);
    let new: Vec<Unit> = known_or_default(again.seen()).into_iter().filter(is_new).collect();
    // A template of which there are instances runs nothing by itself.
    let has_instance = |unit: &Unit| {
        new.iter().any(|instance| template_of(&instance.name).as_ref() == Some(&unit.name))
    };
    units.retain(|unit| !has_instance(unit));
    units.extend(new);
    without_unused(units)
}

/// Without templates that have no instance, where other services run agents: packages bring some.
fn without_unused(mut units: Vec<Unit>) -> Vec<Unit> {
    if units.iter().any(|unit| !is_template(&unit.name)) {
        units.retain(|unit| !is_template(&unit.name));
    }
    units
}

/// Whether a service starts an agent by a script.
fn leads_to_agent(root: &Root, unit: &Unit) -> bool {
    let of_unit = environment::of_unit(root, unit, None, Vec::new());
    !launch::of_unit(root, unit, &of_unit.set).run.words.is_empty()
}

/// Names of services that are not among those that were found.
fn more(
    context: &ProbeContext,
    units: &[Unit],
    templates: &[String],
    processes: &Processes,
) -> BTreeSet<String> {
    if !context.is_host {
        return BTreeSet::new();
    }
    let is_known = |name: &str| units.iter().any(|unit| unit.name == name);
    let is_instance =
        |name: &str| template_of(name).is_some_and(|template| templates.contains(&template));
    let (mut names, others): (BTreeSet<String>, BTreeSet<String>) = processes
        .services_with_agents()
        .filter(|name| !is_known(name))
        .map(str::to_owned)
        .partition(|name| is_instance(name));
    let manager = Manager::usual(context.os);
    if !templates.is_empty() {
        let loaded = manager.profile().instances(&context.commands, templates, context.limit);
        names.extend(loaded.into_iter().filter(|name| !is_known(name)));
    }
    names.extend(by_main_process(context, manager, others, processes));
    names
}

/// Those whose main process is an agent's, or a shell or another program that waits for an agent. An
/// agent's process anywhere else in a service, such as a job of cron, does not make it an agent's.
fn by_main_process(
    context: &ProbeContext,
    manager: Manager,
    names: BTreeSet<String>,
    processes: &Processes,
) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = names.into_iter().take(MOST).collect();
    let query = StateQuery {
        commands: &context.commands,
        services: names.iter().map(|name| (name.clone(), Default::default())).collect(),
        slices: Vec::new(),
        limit: context.limit,
        booted: context.now - host::uptime(),
        uid_of: &|_| None,
    };
    let states = match manager.profile().told(&query) {
        Seen::Known(states) => states,
        Seen::Unseen(_) => BTreeMap::new(),
    };
    let is_agents = |name: &String| {
        let main = states.get(name).and_then(|told| told.state.main_pid);
        main.is_some_and(|main| processes.waits_for_agent(main, context.soon()))
    };
    names.into_iter().filter(is_agents).collect()
}

/// Most services that the manager is asked of for that.
const MOST: usize = 32;
