//! The state of the service, as its manager reports it.

use super::{log, rules};
use crate::{
    Foreign,
    agent::is_unhealthy,
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{restarted, service},
    },
    host::{
        Activity, Install, PathRole, Service, ServiceState, Survey, Unseen, Wanter, WanterState,
    },
    record::Step,
    service::Verb,
    values::Manager,
};
use std::path::Path;

/// Checks whose failure keeps an agent from running.
const CAUSES: &[&str] = &[
    "service/defined",
    "service/loaded",
    "service/lines-as-meant",
    "service/user-exists",
    "service/command-right",
    "service/environment-files",
    "service/requirements-met",
    "service/start-needs-met",
    "service/domain-right",
    "service/plist-literal",
    "service/plist-startable",
    "service/task-folder",
    "service/health-reported",
    "service/sandbox-allows-jobs",
    "permissions/binary-executable",
    "permissions/binary-is-program",
    "permissions/binary-architecture",
    "permissions/binary-filesystem",
    "permissions/selinux-allows",
    "permissions/quarantine",
    "permissions/config-readable",
    "permissions/log-writable",
    "config/exists",
    "config/parses",
    "config/keys-known",
    "config/types-right",
    "config/token-set",
    "config/name-valid",
    "config/durations-valid",
    "config/values-valid",
    "agent/label-free",
    "agent/token-accepted",
    "permissions/account-open",
    "permissions/defender-allows",
    "service/enabled",
    "service/session-kept",
    "service/task-logs-on",
];

/// Restarts that count as a crash loop.
const LOOP: u32 = 3;

/// Lines about a start that are searched for the failure of a crash loop: the run before the last one
/// may have failed, and each start has up to two lines.
const LOGGED_STARTS: usize = 3;

fn state(install: &Install) -> Result<(&Service, &ServiceState), Unseen> {
    let service = service(install)?;
    Ok((service, service.state.known()?))
}

pub(super) const RELOADED: Check = Check {
    name: "service/reloaded",
    holds: "systemd has loaded the unit that is on disk",
    why: "A change in a unit has no effect until systemd reads the unit again.",
    found: "The doctor asks systemd whether the unit's files changed since it read them.",
    cure: "Run `systemctl daemon-reload`, and start the agent again.",
    after: &["service/loaded"],
    judge: Judge::Agent(reloaded),
};

fn reloaded(_: &Survey, install: &Install) -> Judged {
    // Nothing else is asked what it has loaded.
    let service = rules::only(Manager::Systemd, install)?;
    let state = service.state.known()?;
    if !state.needs_reload {
        return Ok(Verdict::Holds("the loaded definition is the one on disk".to_owned()));
    }
    let remedy = Remedy::by_hand("Have systemd read the unit again.");
    let remedy = remedy.typed(Verb::Reload, install, service);
    Ok(Problem::warn(format!("{} has changed on disk since systemd read it", service.name))
        .seen("systemctl show: NeedDaemonReload=yes")
        .cure(restarted(remedy, install))
        .into())
}

pub(super) const ENABLED: Check = Check {
    name: "service/enabled",
    holds: "The service starts with the host",
    why: "Nothing starts the agent after the next reboot, and jobs wait in the queue.",
    found: "The doctor asks the service manager: systemd for the state of the unit file, launchd \
            for disabled services, the Task Scheduler for the state of the task. It also reads \
            what the definition says. For systemd it follows the units of the next boot from \
            default.target on to the agent's unit, and looks for conditions that do not hold, \
            conflicts, ordering cycles and file systems that the boot does not mount.",
    cure: "Enable the service, for a target that is a part of the boot.",
    after: &["service/loaded"],
    judge: Judge::Agent(enabled),
};

fn enabled(survey: &Survey, install: &Install) -> Judged {
    let unit = service(install)?;
    if let Some(problem) = rules(unit.manager).disabled(install, unit) {
        return Ok(problem.into());
    }
    let at_boot = rules(unit.manager).at_boot(install, unit);
    if !at_boot.is_empty() {
        return Ok(Verdict::Broken(at_boot));
    }
    let boot = unit.boot.ok();
    let is_reached = boot.map(|boot| boot.is_reached);
    if survey.host.image && is_reached == Some(true) {
        return Ok(Verdict::Holds("the boot of the image starts it".to_owned()));
    }
    if survey.host.image && is_reached == Some(false) && install.named_by.is_root() {
        let remedy = Remedy::by_hand("Enable the service.").typed(Verb::Enable, install, unit);
        let problem = Problem::fail(format!("{} does not start with the host", unit.name));
        return Ok(problem.seen("no unit of the boot starts it").cure(remedy).into());
    }
    let (service, state) = state(install)?;
    let name = &service.name;
    if state.enabled {
        return Ok(Verdict::Holds(state.enabled_word.clone()));
    }
    // A timer or another unit starts it, without a link of its own; or the link is one of a package's.
    let starts = |wanter: &&Wanter| wanter.by_package && wanter.state == WanterState::Reached;
    if let Some(boot) = boot.filter(|boot| boot.is_reached) {
        if let Some(wanter) = boot.wanters.iter().find(starts) {
            return Ok(Verdict::Holds(format!("{} starts it", wanter.name)));
        }
        if boot.wanters.is_empty() {
            return Ok(Verdict::Holds(state.enabled_word.clone()));
        }
    }
    let profile = service.manager.profile();
    let remedy = Remedy::by_hand("Enable the service.").typed(Verb::Enable, install, service);
    let remedy = match install.named_by.is_root() {
        true if profile.is_reached(service) => remedy.step(Step::Enable { service: name.clone() }),
        false if survey.is_saved => remedy.without_proof(),
        false if profile.has_drop_ins() => Remedy::by_hand(
            "Make root the only owner of the definition, which jobs can change now; then enable the service.",
        ),
        _ => remedy,
    };
    let word = if state.enabled_word.is_empty() { "not enabled" } else { &state.enabled_word };
    Ok(Problem::fail(format!("{name} does not start with the host")).seen(word).cure(remedy).into())
}

pub(super) const RUNNING: Check = Check {
    name: "service/running",
    holds: "The agent is running",
    why: "No job of the resource class is claimed on this host while the agent does not run.",
    found: "The doctor reads the state that the service manager reports, and explains its exit \
            status.",
    cure: "Remove the cause that the exit status names, then start the service.",
    after: CAUSES,
    judge: Judge::Agent(running),
};

fn running(survey: &Survey, install: &Install) -> Judged {
    let (service, state) = state(install)?;
    let profile = service.manager.profile();
    match state.active {
        Activity::Active if state.has_exited() && install.main_process().is_none() => {
            let what = format!("{} is active, but its agent has ended", service.name);
            let text = "Remove RemainAfterExit= from the unit, so that the agent is started again; then \
                        restart the service.";
            let remedy = Remedy::by_hand(text).afterwards(Verb::Restart, install, service);
            return Ok(Problem::fail(what).seen(profile.words(state)).cure(remedy).into());
        }
        Activity::Active => return Ok(Verdict::Holds(profile.words(state))),
        Activity::Deactivating => {
            return Ok(Verdict::Holds("the service is stopping and waits for the job".to_owned()));
        }
        Activity::Activating if !state.waits_for_restart() => {
            return Ok(Verdict::Holds(state.to_string()));
        }
        _ => {}
    }
    if rules(service.manager).is_between_jobs(survey, install, service) {
        return Ok(Verdict::Holds(
            "the agent has ended with its job and will be started again".to_owned(),
        ));
    }
    let mut seen = format!("state of the service: {}", profile.words(state));
    if let Some(meaning) = profile.meaning(state) {
        seen = format!("{seen}; {meaning}");
    }
    // What was said of a start counts until one has succeeded.
    let is_good = matches!(state.result.as_str(), "" | "success");
    let of_start: &[_] = if is_good { &[] } else { &install.start_log };
    if !of_start.is_empty() {
        let lines: Vec<&str> = of_start.iter().map(crate::host::Scrubbed::as_str).collect();
        seen = format!("{seen}\n{}", Foreign::new(&lines.join("\n")).marked());
    }
    if rules(service.manager).has_given_up(service, state) {
        return Ok(given_up(install, service, &seen).into());
    }
    if let Some((line, cause)) = log::last_failure(install, 1) {
        return Ok(Problem::fail(format!("{} is not running", service.name))
            .seen(format!("{}\n{seen}", logged(line, cause)))
            .cure(cause_first(cause, survey, install, service))
            .into());
    }
    if let Some(last) = log::last_known(install, 1).filter(|_| of_start.is_empty()) {
        seen = format!("{seen}\n{last}");
    }
    if let Some(remedy) = rules(service.manager).after_end(state) {
        let problem = Problem::fail(format!("{} is not running", service.name));
        return Ok(problem.seen(seen).cure(remedy).into());
    }
    let text = match profile.commands(Verb::ShowLog, install, service).is_empty() {
        true => "Start the service.",
        false => "Start the service, and read its log.",
    };
    let remedy = Remedy::by_hand(text).typed(Verb::Start, install, service);
    let remedy = remedy.typed(Verb::ShowLog, install, service);
    // In an image nothing runs.
    let remedy = if survey.host.image { remedy } else { restarted(remedy, install) };
    Ok(Problem::fail(format!("{} is not running", service.name)).seen(seen).cure(remedy).into())
}

/// Of a service that its manager starts no more.
fn given_up(install: &Install, service: &Service, seen: &str) -> Problem {
    let failure = log::last_failure(install, LOGGED_STARTS);
    let seen = match failure {
        Some((line, cause)) => format!("{}\n{seen}", logged(line, cause)),
        None => seen.to_owned(),
    };
    let cause = failure.map_or("the log of the agent and the state name it", |(_, cause)| cause);
    let text = ["Remove the cause: ", cause, ". Then have the failures forgotten, and start it."];
    let remedy = rules(service.manager).started_anew(Remedy::by_hand(text), install, service);
    Problem::fail(format!("{} was given up: it ended too often in a short time", service.name))
        .seen(seen)
        .cure(remedy.typed(Verb::ShowLog, install, service))
}

pub(super) const NOT_LOOPING: Check = Check {
    name: "service/not-crash-looping",
    holds: "The agent does not restart again and again",
    why: "Restart=always hides an agent that ends every few seconds. The service looks active most \
          of the time, but claims no job.",
    found: "The doctor reads how often systemd or launchd has restarted the agent, and how long \
            it has run since the last restart.",
    cure: "Remove the cause that the log and the exit status name.",
    after: CAUSES,
    judge: Judge::Agent(not_looping),
};

fn not_looping(survey: &Survey, install: &Install) -> Judged {
    let (service, state) = state(install)?;
    // launchd does not report the start time; the process has it.
    let started = install.main_process().map(|process| process.started);
    let since = state.since.or(started).map(|since| survey.age(since));
    if rules(service.manager).has_given_up(service, state) {
        return Err(Unseen::not_applicable("the service was given up, and is not restarted"));
    }
    let waits = state.waits_for_restart() && state.restarts > 0;
    let is_new = since.is_some_and(|seconds| seconds < 60);
    if waits || state.restarts >= LOOP && is_new {
        let mut seen = format!("{} restarts; state of the service: {state}", state.restarts);
        if let Some(meaning) = service.manager.profile().meaning(state) {
            seen = format!("{seen}; {meaning}");
        }
        if let Some((line, cause)) = log::last_failure(install, LOGGED_STARTS) {
            let summary = format!("{} ends and restarts again and again", service.name);
            return Ok(Problem::fail(summary)
                .seen(format!("{}\n{seen}", logged(line, cause)))
                .cure(cause_first(cause, survey, install, service))
                .into());
        }
        if let Some(last) = log::last_known(install, 3) {
            seen = format!("{seen}\n{last}");
        }
        let remedy = rules(service.manager).after_end(state).unwrap_or_else(|| {
            let text = "Read what the agent logs before it ends, and remove the cause.";
            listened(Remedy::by_hand(text), install)
        });
        return Ok(Problem::fail(format!("{} ends and restarts again and again", service.name))
            .seen(seen)
            .cure(remedy)
            .into());
    }
    Ok(Verdict::Holds(match (state.restarts, since) {
        (0, _) => "no restart".to_owned(),
        (count, Some(seconds)) => format!("{count} restarts, the last {seconds} s ago"),
        (count, None) => format!("{count} restarts"),
    }))
}

pub(super) const HEALTHY: Check = Check {
    name: "service/healthy",
    holds: "The agent reports that it is healthy",
    why: "An agent that reports that it is unhealthy runs, but claims no jobs.",
    found: "The doctor reads the status text that the agent sends to the service manager.",
    cure: "Read the agent's log and remove the cause; usual causes are the network and the token.",
    after: &[
        "service/loaded",
        "config/token-set",
        "connectivity/names-resolve",
        "connectivity/reachable",
        "connectivity/proxy-works",
        "connectivity/tls-trusted",
        "connectivity/api-answers",
        "agent/token-accepted",
        "service/running",
        "service/not-crash-looping",
    ],
    judge: Judge::Agent(healthy),
};

fn healthy(_: &Survey, install: &Install) -> Judged {
    let (_, state) = state(install)?;
    match state.health.as_deref() {
        None => Err(Unseen::not_examined("the agent has not reported its health")),
        Some(text) if is_unhealthy(text) => {
            let remedy = listened(
                Remedy::by_hand("Read the log of the agent, and remove the cause."),
                install,
            );
            Ok(Problem::fail("the agent reports that it is unhealthy")
                .seen(text)
                .cure(remedy)
                .into())
        }
        Some(text) => Ok(Verdict::Holds(text.to_owned())),
    }
}

/// The failure in the log, for evidence.
fn logged(line: &str, cause: &str) -> String {
    format!("the log of the agent has an error: {cause}\n{}", Foreign::new(line).marked())
}

/// First the cause that the log names, then a start: a start alone fails again.
fn cause_first(
    cause: &'static str,
    survey: &Survey,
    install: &Install,
    service: &Service,
) -> Remedy {
    let text = ["Remove the cause that the log names: ", cause, ". Then start the service again."];
    let remedy = listened(Remedy::by_hand(text), install);
    match survey.host.image {
        true => remedy,
        false => remedy.afterwards(Verb::Restart, install, service),
    }
}

/// With the commands that show the log of the agent.
fn listened(remedy: Remedy, install: &Install) -> Remedy {
    let Some(service) = install.service.as_ref() else { return remedy };
    if !service.manager.profile().commands(Verb::ShowLog, install, service).is_empty() {
        return remedy.typed(Verb::ShowLog, install, service);
    }
    let remedy = remedy.typed(Verb::Inspect, install, service);
    let logs = [PathRole::LogFile, PathRole::ServiceOutput].into_iter();
    let logs = logs.filter_map(|what| {
        let named = install.named(what)?;
        let walk = named.walk.ok().filter(|walk| walk.path != Path::new("/dev/null"))?;
        Some((walk, named.named_by))
    });
    logs.fold(remedy, |remedy, (walk, named_by)| {
        remedy.inspect(Command::fixed("tail -n 50").path(&walk.path, named_by).then("| cat -v"))
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Activity, Load, Provenance, Seen, ServiceState, Survey},
        values::Manager,
    };

    /// A check, and the state in which it fails.
    type Fault = (&'static str, fn(&mut ServiceState));

    fn with(change: impl FnOnce(&mut ServiceState)) -> Survey {
        let mut survey = healthy();
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            change(state);
        }
        survey
    }

    #[test]
    fn each_state_is_told() {
        assert_eq!(status(&with(|s| s.needs_reload = true), "service/reloaded"), Status::Warn);
        assert_eq!(status(&with(|s| s.enabled = false), "service/enabled"), Status::Fail);
        assert_eq!(
            status(&with(|s| s.active = Activity::Inactive), "service/running"),
            Status::Fail
        );
        assert_eq!(
            status(&with(|s| s.health = Some("Unhealthy".into())), "service/healthy"),
            Status::Fail
        );
        // RemainAfterExit=yes: nothing runs, and systemd starts nothing again.
        let mut survey = with(|s| s.sub = "exited".into());
        assert_eq!(status(&survey, "service/running"), Status::Pass);
        agent(&mut survey).processes = Seen::Known(Vec::new());
        assert_eq!(status(&survey, "service/running"), Status::Fail);
    }

    /// It would be made what runs: a command on a unit is for a unit that is root's as a whole.
    #[test]
    fn no_command_has_the_manager_act_by_what_an_account_defined() {
        let changed: [Fault; 4] = [
            ("service/reloaded", |state| state.needs_reload = true),
            ("service/loaded", |state| state.load = Load::BadSetting),
            ("service/enabled", |state| state.enabled = false),
            ("service/running", |state| state.active = Activity::Inactive),
        ];
        for (check, change) in changed {
            let mut survey = with(change);
            let has_some = |survey: &Survey| {
                let remedy = finding(survey, check).remedy.unwrap();
                remedy.commands().iter().any(|line| line.contains("systemctl "))
            };
            assert!(has_some(&survey));
            survey.installs[0].named_by = Provenance::Account(990);
            assert!(!has_some(&survey));
        }
    }

    #[test]
    fn saved_facts_do_not_say_that_jobs_can_change_the_definition() {
        let mut survey = with(|state| state.enabled = false);
        survey.installs[0].named_by = Provenance::Anybody;
        survey.is_saved = true;
        let text = finding(&survey, "service/enabled").remedy.unwrap().text().to_owned();
        assert!(text.starts_with("Enable the service. From saved facts"), "{text}");
    }

    #[test]
    fn the_cause_in_the_log_is_told_before_a_restart() {
        let line = "ERRO[0151] error=\"invalid bearer token (401-Unauthorized)\"";
        let changed: [Fault; 2] = [
            ("service/running", |state| state.active = Activity::Failed),
            ("service/not-crash-looping", |state| {
                state.restarts = 40;
                state.since = Some(TAKEN - 2);
            }),
        ];
        for (check, change) in changed {
            let mut survey = with(change);
            agent(&mut survey).log = Seen::Known(vec![line.into()]);
            let found = finding(&survey, check);
            assert!(found.evidence.starts_with("the log of the agent has an error: the token is"));
            let remedy = found.remedy.unwrap();
            assert!(remedy.text().contains("the token is wrong"), "{}", remedy.text());
            assert_eq!(remedy.first_cure(), None);
            assert!(!remedy.fixable);
            let last = remedy.commands().last().map(ToString::to_string);
            assert_eq!(last.as_deref(), Some("sudo systemctl restart circleci.service"));
        }
    }

    #[test]
    fn what_only_systemd_is_asked_is_not_judged_of_others() {
        for manager in Manager::ALL {
            let mut survey = healthy();
            service_of(&mut survey).manager = manager;
            let expected = match manager {
                Manager::Systemd => Status::Pass,
                _ => Status::NotApplicable,
            };
            assert_eq!(status(&survey, "service/reloaded"), expected, "{manager}");
        }
    }

    #[test]
    fn a_loop_is_told_from_a_restart_long_ago() {
        let looping = with(|state| {
            state.restarts = 40;
            state.since = Some(TAKEN - 2);
        });
        assert_eq!(status(&looping, "service/not-crash-looping"), Status::Fail);
        let once = with(|state| state.restarts = 40);
        assert_eq!(status(&once, "service/not-crash-looping"), Status::Pass);
    }

    #[test]
    fn systemds_own_exit_status_is_explained() {
        let survey = with(|state| {
            state.active = Activity::Failed;
            state.result = "exit-code".into();
            state.exit_status = Some(203);
        });
        assert!(finding(&survey, "service/running").evidence.contains("cannot be executed"));
    }
}
