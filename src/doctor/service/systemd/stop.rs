//! Stop and restart of a unit.

use super::{
    drop_in::{drains, drop_in},
    on_unit,
};
use crate::{
    doctor::{
        Judged, Problem, Remedy, Verdict,
        change::one_shot,
        lookup::{duration, longest_job, longest_stop, shorter_jobs},
        remedy::Text,
    },
    host::{Install, Service},
    service::systemd::time_span::time_span,
};

/// systemd's default limit.
const DEFAULT_STOP: u64 = 90;

/// Whether systemd restarts the agent after every exit.
pub(super) fn restarts(install: &Install, service: &Service) -> Judged {
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    let restart = service.value("Service", "Restart").unwrap_or("no");
    if restart == "always" {
        return Ok(Verdict::Holds("Restart=always".to_owned()));
    }
    let problem = match restart {
        "no" => Problem::fail("the service does not restart the agent when it ends"),
        other => {
            Problem::warn(format!("Restart={other} does not restart the agent after every exit"))
        }
    };
    let lines = "[Service]\nRestart=always\nRestartSec=5\n";
    let cure = drop_in("Set Restart=always in [Service].", install, "restart", lines);
    Ok(problem.seen(format!("Restart={restart} in the unit")).cure(cure).into())
}

/// Whether a stop waits for the longest job, and ends nothing else.
pub(super) fn stop(install: &Install, service: &Service) -> Judged {
    let longest = longest_job(install);
    let mut problems = Vec::new();
    let line = ["TimeoutStopSec", "TimeoutSec"]
        .into_iter()
        .find_map(|key| Some((key, service.value("Service", key)?)));
    let seconds = match line {
        None => Some(DEFAULT_STOP),
        Some((_, "infinity")) => None,
        Some((key, text)) => match time_span(text) {
            // 0 means no limit.
            Some(limit) => Some(limit.as_secs()).filter(|_| !limit.is_zero()),
            None => {
                let remedy = Remedy::by_hand([
                    "Set ",
                    key,
                    "= in [Service] to seconds, such as 18300, or to a time span as in \
                     systemd.time(7).",
                ]);
                problems.push(
                    Problem::fail(format!("{key}={text} is not a time span"))
                        .seen(format!("{key}={text} in the unit"))
                        .cure(remedy.command(on_unit("systemctl edit --full", install, service))),
                );
                None
            }
        },
    };
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
            .seen(line.map_or(
                "the unit has no TimeoutStopSec=: the default is 90 s".to_owned(),
                |(key, value)| format!("{key}={value} in the unit"),
            ))
            .cure(cure),
        );
    }
    if let Some(signal @ ("SIGKILL" | "KILL" | "9")) = service.value("Service", "KillSignal") {
        let lines = "[Service]\nKillSignal=SIGTERM\n";
        problems.push(
            Problem::fail("a stop kills the agent and its job at once")
                .seen(format!("KillSignal={signal} in the unit"))
                .cure(drop_in("Set KillSignal=SIGTERM in [Service].", install, "signal", lines)),
        );
    }
    if service.value("Service", "KillMode") == Some("none") {
        let lines = "[Service]\nKillMode=mixed\n";
        problems.push(
            Problem::warn("a stop leaves processes of the agent running")
                .seen("KillMode=none in the unit")
                .cure(drop_in("Set KillMode=mixed in [Service].", install, "kill", lines)),
        );
    }
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
}
