//! Stop and restart of a unit.

use super::{
    OnUnit,
    drop_in::{drains, drop_in},
    exec_stop,
    in_force::{in_force, is_misread, limit, line, place, time, word, word_place},
    on_unit, restart, start_limit,
};
use crate::{
    doctor::{
        Judged, Problem, Remedy, Verdict,
        change::one_shot,
        lookup::{duration, longest_job, longest_stop, shorter_jobs},
        remedy::Text,
    },
    host::{Directive, Install, Limit, Service},
};

/// Directives that limit a stop.
const KEYS: [&str; 2] = ["TimeoutStopSec", "TimeoutSec"];

/// The number of the signal that no process can hear.
const SIGKILL: i32 = 9;

/// systemd's default limit.
const DEFAULT_STOP: u64 = 90;

/// Whether systemd restarts the agent after every exit.
pub(super) fn restarts(install: &Install, service: &Service) -> Judged {
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    let restart = restart(service).unwrap_or("no");
    if restart == "always" {
        let holds = || Verdict::Holds("Restart=always".to_owned());
        if let Some(problem) = kept_down(install, service) {
            return Ok(problem.into());
        }
        return Ok(start_limit::gives_up(install, service).map_or_else(holds, Verdict::from));
    }
    let problem = match restart {
        "no" => Problem::fail("the service does not restart the agent when it ends"),
        other => {
            Problem::warn(format!("Restart={other} does not restart the agent after every exit"))
        }
    };
    let lines = "[Service]\nRestart=always\nRestartSec=5\n";
    let cure = drop_in("Set Restart=always in [Service].", install, "restart", lines);
    Ok(problem.seen(word_place(service, "Restart", restart)).cure(cure).into())
}

/// The problem of a unit that systemd does not restart after an exit with a status that agents have:
/// `systemd.service(5)`.
fn kept_down(install: &Install, service: &Service) -> Option<Problem> {
    const KEY: &str = "RestartPreventExitStatus";
    let of_agents = |line: &&Directive| {
        line.value.split_whitespace().any(|word| matches!(word, "0" | "1" | "SUCCESS" | "FAILURE"))
    };
    let line = service.directives("Service", KEY).find(of_agents)?;
    let lines = "[Service]\nRestartPreventExitStatus=\n";
    let cure =
        drop_in("Take RestartPreventExitStatus= back in [Service].", install, "restart", lines);
    Some(
        Problem::warn(
            "systemd does not restart the agent after each end, in spite of Restart=always",
        )
        .seen(format!("{}:{}: {KEY}={}", line.file.display(), line.line, line.value))
        .cure(cure),
    )
}

/// Whether a stop waits for the longest job, and ends nothing else.
pub(super) fn stop(install: &Install, service: &Service) -> Judged {
    let longest = longest_job(install);
    let mut problems = Vec::new();
    let told = in_force(service).map_or(Limit::Unknown, |unit| unit.timeout_stop);
    let set = line(service, &KEYS);
    let limit = match limit(service, &KEYS, told, time) {
        Limit::Unknown if set.is_none() => Limit::Of(DEFAULT_STOP * 1_000_000),
        limit => limit,
    };
    let wrong = set.filter(|line| time(&line.value) == Limit::Unknown);
    // What a comment behind it makes of it is told with the comment.
    let wrong = wrong.filter(|_| !KEYS.iter().any(|key| is_misread(service, key)));
    if let Some(Directive { key, value, .. }) = wrong {
        let known = KEYS.into_iter().find(|known| known == key).unwrap_or("DefaultTimeoutStopSec");
        let remedy = Remedy::by_hand([
            "Set ",
            known,
            "= to seconds, such as 18300, or to a time span as in systemd.time(7).",
        ]);
        problems.push(
            Problem::fail(format!("{key}={value} is not a time span"))
                .seen(place(service, &KEYS, Limit::Unknown, time))
                .cure(remedy.command(on_unit(OnUnit::EditFull, install, service))),
        );
    }
    let seconds = limit.seconds().filter(|_| problems.is_empty());
    if let Some(seconds) = seconds.filter(|seconds| *seconds < longest) {
        let wanted = longest + 300;
        let lines = Text::number("[Service]\nTimeoutStopSec=", wanted, "\n");
        let lines = if drains(service) { lines } else { lines.then("KillMode=mixed\n") };
        let cure = match longest > longest_stop(install) {
            true => shorter_jobs(install),
            false => {
                let text = Text::number(
                    "Set TimeoutStopSec=",
                    wanted,
                    " in [Service], the seconds of the longest job and five minutes.",
                );
                drop_in(text, install, "stop", lines)
            }
        };
        problems.push(
            Problem::warn(format!(
                "a stop kills a job after {}; jobs may take {}",
                duration(seconds),
                duration(longest)
            ))
            .seen(place(service, &KEYS, limit, time))
            .cure(cure),
        );
    }
    let told = in_force(service).and_then(|unit| unit.kill_signal).map(|signal| signal == SIGKILL);
    let written = service.value("Service", "KillSignal");
    if told.unwrap_or(matches!(written, Some("SIGKILL" | "KILL" | "9"))) {
        let lines = "[Service]\nKillSignal=SIGTERM\n";
        problems.push(
            Problem::fail("a stop kills the agent and its job at once")
                .seen("KillSignal=SIGKILL is in force")
                .cure(drop_in("Set KillSignal=SIGTERM in [Service].", install, "signal", lines)),
        );
    }
    if word(service, "KillMode", |unit| &unit.kill_mode) == Some("none") {
        let lines = "[Service]\nKillMode=mixed\n";
        problems.push(
            Problem::warn("a stop leaves processes of the agent running")
                .seen(word_place(service, "KillMode", "none"))
                .cure(drop_in("Set KillMode=mixed in [Service].", install, "kill", lines)),
        );
    }
    problems.extend(exec_stop::problem(install, service));
    Ok(Verdict::of(problems, "a stop waits for the longest job"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::Provenance,
        record::Step,
    };

    #[test]
    fn every_time_span_of_systemd_is_one() {
        for (value, expected) in [
            ("5.5h", Status::Pass),
            ("1month", Status::Pass),
            ("0s", Status::Pass),
            ("10minutes", Status::Warn),
            ("500ms", Status::Warn),
            ("soon", Status::Fail),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", "TimeoutStopSec", value);
            let found = finding(&survey, "service/stop-waits");
            assert_eq!(found.status, expected, "{value}");
            assert_eq!(found.evidence.is_empty(), expected == Status::Pass, "{value}");
        }
    }

    #[test]
    fn a_stop_waits_no_longer_by_the_accounts_word_than_by_default() {
        for (by, time, fixable) in [
            (Provenance::Account(UID), "167h", false),
            (Provenance::Account(UID), "5h1s", false),
            (Provenance::Anybody, "167h", false),
            (Provenance::Account(UID), "5h", true),
            (Provenance::Root, "167h", true),
            (Provenance::Root, "169h", false),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", "TimeoutStopSec", "90");
            set(&mut survey, "runner.max_run_time", Some(time));
            config_of(&mut survey).written_by = by;
            let remedy = finding(&survey, "service/stop-waits").remedy.unwrap();
            assert_eq!(remedy.fixable, fixable, "{by:?} {time}");
            assert!(fixable || remedy.text().contains("max_run_time"), "{}", remedy.text());
        }
        // Nor does a start that another finding asks for.
        let mut survey = healthy();
        directive(&mut survey, "Service", "Restart", "no");
        set(&mut survey, "runner.max_run_time", Some("167h"));
        let remedy = finding(&survey, "service/restarts").remedy.unwrap();
        let drain = remedy.steps().iter().find_map(|step| match step {
            Step::Start { drain, .. } => Some(drain.as_secs()),
            _ => None,
        });
        assert_eq!(drain, Some(18300));
    }

    #[test]
    fn what_to_set_is_told_without_a_command_too() {
        for by in [Provenance::Root, Provenance::Account(UID), Provenance::Anybody] {
            let mut survey = healthy();
            survey.installs[0].named_by = by;
            directive(&mut survey, "Service", "Restart", "no");
            directive(&mut survey, "Service", "TimeoutStopSec", "90");
            let text = |check| finding(&survey, check).remedy.unwrap().text().to_owned();
            assert!(text("service/restarts").contains("Set Restart=always"));
            let text = text("service/stop-waits");
            assert!(text.contains("Set TimeoutStopSec=18300 in [Service]"), "{by:?}: {text}");
            let summary = finding(&survey, "service/stop-waits").summary;
            assert!(summary.ends_with("after 90 s; jobs may take 18000 s (5 h)"), "{summary}");
        }
    }

    #[test]
    fn a_stop_that_waits_signals_the_agent_alone() {
        let written = |survey: &crate::host::Survey| {
            let remedy = finding(survey, "service/stop-waits").remedy.unwrap();
            let file = remedy.steps().iter().find_map(|step| match step {
                Step::File(file) => Some(file.content.shown().to_owned()),
                _ => None,
            });
            file.unwrap()
        };
        let mut survey = healthy();
        directive(&mut survey, "Service", "TimeoutStopSec", "90");
        assert!(!written(&survey).contains("KillMode"));
        directive(&mut survey, "Service", "KillMode", "control-group");
        assert!(written(&survey).ends_with("TimeoutStopSec=18300\nKillMode=mixed\n"));
    }

    #[test]
    fn an_exit_status_that_prevents_the_restart_is_told() {
        for (value, expected) in
            [("1", Status::Warn), ("78 FAILURE", Status::Warn), ("255", Status::Pass)]
        {
            let mut survey = healthy();
            directive(&mut survey, "Service", "RestartPreventExitStatus", value);
            assert_eq!(finding(&survey, "service/restarts").status, expected, "{value}");
            directive(&mut survey, "Service", "RestartPreventExitStatus", "");
            assert_eq!(finding(&survey, "service/restarts").status, Status::Pass);
        }
    }
}
