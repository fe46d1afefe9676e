//! What systemd tells of its units, and what of it may be kept.

use super::{
    ProbeContext,
    candidate::{Candidate, by_name},
    environment,
    manager_settings::{self, ManagerSettings},
    scrub::Scrub,
    unit::Unit,
};
use crate::{
    host::{Assigned, Effective, Exec, Load, ProbeName, Scrubbed, Seen, ServiceState},
    platform::Os,
    service::{Told, systemd},
    text::Secrets,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most slices that are asked of: more are not one host's agents'.
const SLICES: usize = 64;

/// The slices that units may run in, by their definitions and names.
pub(super) fn slices<'a>(units: impl Iterator<Item = &'a Unit>) -> Vec<String> {
    let all: BTreeSet<String> =
        units.flat_map(|unit| systemd::slices_of(&unit.name, &unit.directives)).collect();
    all.into_iter().take(SLICES).collect()
}

/// What systemd holds for all units.
#[derive(Default)]
pub(super) struct ManagerWord {
    /// What its own configuration says.
    pub(super) settings: ManagerSettings,
    /// The environment that it gives every service.
    environment: Option<Vec<Assigned<String>>>,
}

impl ManagerWord {
    /// Reads its configuration and, on a host that it runs, asks it.
    pub(super) fn begin(context: &ProbeContext) -> super::Probe<Self> {
        context.start(ProbeName::ServiceState, |context| {
            if context.os != Os::Linux {
                return Self::default();
            }
            let asked =
                context.is_host.then(|| systemd::environment(&context.commands, context.limit));
            let environment = asked.and_then(Result::ok);
            Self { settings: ManagerSettings::read(&context.root), environment }
        })
    }
}

/// Puts what is in force in the place of what the definitions say.
pub(super) fn take_over(
    context: &ProbeContext,
    candidates: &mut Vec<Candidate>,
    states: &Seen<BTreeMap<String, Told>>,
    word: &ManagerWord,
    secrets: &Secrets,
) {
    let told = |candidate: &Candidate| {
        let name = &candidate.unit.as_ref()?.name;
        let told = states.ok()?.get(name)?;
        told.effective.clone().filter(|_| told.state.load == Load::Loaded)
    };
    let mut all: Vec<_> =
        candidates.iter().map(|candidate| (candidate.clone(), told(candidate))).collect();
    let of_image = word.settings.variables(None);
    let of_host = word.environment.as_deref().map(|told| word.settings.variables(Some(told)));
    // What a file that an account has named holds may never answer.
    let probe = context.start(ProbeName::Environments, move |context| {
        for (candidate, told) in &mut all {
            let Some(unit) = candidate.unit.clone() else { continue };
            if !unit.manager.profile().has_drop_ins() || context.is_host && told.is_none() {
                continue;
            }
            let mut base = if context.is_host { of_host.clone() } else { None }
                .unwrap_or_else(|| of_image.clone());
            if let Some(told) = told.as_ref() {
                candidate.runs_as(&by_name(&context.root, told.user.clone()));
                base.extend(manager_settings::of_process(&told.pass_environment));
            }
            let of_unit = environment::of_unit(&context.root, &unit, told.as_ref(), base);
            candidate.misread = of_unit.misread;
            candidate.misread.extend(unit.misread());
            (candidate.variables, candidate.files) = (of_unit.set, of_unit.files);
            candidate.variables.extend(candidate.started.run.variables.iter().cloned());
        }
        all.into_iter().map(|(candidate, _)| candidate).collect::<Vec<_>>()
    });
    if let Seen::Known(all) = probe.seen() {
        *candidates = all;
        candidates.iter().for_each(|candidate| candidate.tell(secrets));
    }
}

/// States without more.
pub(super) fn without(states: BTreeMap<String, ServiceState>) -> BTreeMap<String, Told> {
    states.into_iter().map(|(name, state)| (name, state.into())).collect()
}

/// A state with what is in force, as it may be told.
pub(super) fn state(told: &Told, scrub: &Scrub) -> ServiceState {
    let effective = told.effective.as_ref().map(|effective| scrubbed(effective, scrub));
    ServiceState { effective: effective.map(Box::new), ..told.state.clone() }
}

fn scrubbed(told: &Effective<String>, scrub: &Scrub) -> Effective {
    let text = |text: &String| Scrubbed::text(text, scrub);
    let commands = |all: &[Exec<String>]| {
        let command = |exec: &Exec<String>| {
            let words: Vec<String> = exec.words.split(' ').map(str::to_owned).collect();
            let words: Vec<String> =
                Scrubbed::words(&words, scrub).into_iter().map(String::from).collect();
            Exec {
                path: text(&exec.path),
                words: Scrubbed::text(&words.join(" "), scrub),
                ignores_failure: exec.ignores_failure,
            }
        };
        all.iter().map(command).collect::<Vec<_>>()
    };
    let assigned = |set: &Assigned<String>| Assigned {
        name: set.name.clone(),
        value: set.value.as_ref().and_then(|value| Scrubbed::variable(&set.name, value, scrub)),
    };
    let told = told.clone();
    Effective {
        environment: told.environment.iter().map(assigned).collect(),
        working_directory: text(&told.working_directory),
        exec_start_pre: commands(&told.exec_start_pre),
        exec_start: commands(&told.exec_start),
        exec_start_post: commands(&told.exec_start_post),
        exec_stop: commands(&told.exec_stop),
        exec_stop_post: commands(&told.exec_stop_post),
        fragment: told.fragment,
        source: told.source,
        drop_ins: told.drop_ins,
        environment_files: told.environment_files,
        pass_environment: told.pass_environment,
        unset_environment: told.unset_environment.into_iter().map(name_only).collect(),
        user: told.user,
        group: told.group,
        supplementary_groups: told.supplementary_groups,
        timeout_start: told.timeout_start,
        timeout_stop: told.timeout_stop,
        runtime_max: told.runtime_max,
        kill_mode: told.kill_mode,
        kill_signal: told.kill_signal,
        send_sigkill: told.send_sigkill,
        restart: told.restart,
        restart_pause: told.restart_pause,
        start_limit_interval: told.start_limit_interval,
        start_limit_burst: told.start_limit_burst,
        tasks_max: told.tasks_max,
        memory_max: told.memory_max,
        memory_high: told.memory_high,
        open_files: told.open_files,
        processes: told.processes,
        address_space: told.address_space,
        file_size: told.file_size,
        cpu_seconds: told.cpu_seconds,
        oom_policy: told.oom_policy,
        no_new_privileges: told.no_new_privileges,
        kind: told.kind,
        notify_access: told.notify_access,
        nice: told.nice,
        cpu_policy: told.cpu_policy,
        io_class: told.io_class,
        standard_output: told.standard_output,
        standard_error: told.standard_error,
        slice: told.slice,
        slices: told.slices,
        wanted_by: told.wanted_by,
        required_by: told.required_by,
        requires: told.requires,
        wants: told.wants,
        binds_to: told.binds_to,
        part_of: told.part_of,
        after: told.after,
        sandbox: told
            .sandbox
            .iter()
            .map(|(key, words)| (key.clone(), words.iter().map(text).collect()))
            .collect(),
        conditions_held: told.conditions_held,
        assertions_held: told.assertions_held,
    }
}

/// The name of an assignment.
fn name_only(assignment: String) -> String {
    match assignment.split_once('=') {
        Some((name, _)) => name.to_owned(),
        None => assignment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_unit_is_kept() {
        let assigned = |name: &str, value: &str| Assigned {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        };
        let words = "/opt/x --api.auth_token hunter2 --config /c".to_owned();
        let exec = Exec { path: "/opt/x".to_owned(), words, ignores_failure: false };
        let effective = Effective {
            environment: vec![
                assigned("LAUNCH_AGENT_API_AUTH_TOKEN", "hunter2"),
                assigned("HTTPS_PROXY", "http://u:hunter2@h:1"),
                assigned("OTHER", "hunter2"),
                assigned("TZ", "UTC"),
            ],
            exec_start: vec![exec],
            unset_environment: vec!["A=hunter2".to_owned(), "B".to_owned()],
            ..Effective::default()
        };
        let told = Told { state: ServiceState::default(), effective: Some(effective) };
        let state = state(&told, &Scrub::default());
        let text = serde_json::to_string(&state).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        let effective = state.effective.unwrap();
        assert_eq!(effective.environment[3].value.as_deref(), Some("UTC"));
        assert!(effective.exec_start[0].words.ends_with("--config /c"));
        assert_eq!(effective.unset_environment, ["A", "B"]);
    }
}
