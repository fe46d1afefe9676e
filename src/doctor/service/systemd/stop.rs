//! Stop and restart of a unit.

use super::drop_in::{drains, drop_in};
use crate::{
    doctor::{
        Judged, Problem, Remedy, Verdict,
        lookup::{duration, longest_job, longest_stop, shorter_jobs},
        remedy::Text,
    },
    host::{Install, Service},
};

/// systemd's default limit.
const DEFAULT_STOP: u64 = 90;

/// Whether systemd restarts the agent after every exit.
pub(super) fn restarts(install: &Install, service: &Service) -> Judged {
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
    let line = service
        .value("Service", "TimeoutStopSec")
        .or_else(|| service.value("Service", "TimeoutSec"));
    let seconds = match line {
        None => Some(DEFAULT_STOP),
        Some("infinity" | "0") => None,
        Some(text) => match span(text) {
            Some(seconds) => Some(seconds),
            None => {
                problems.push(
                    Problem::fail(format!("TimeoutStopSec={text} is not a time span"))
                        .cure(Remedy::by_hand("Set TimeoutStopSec= to seconds, such as 18300.")),
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
                |value| format!("TimeoutStopSec={value} in the unit"),
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

/// A time span of `systemd.time(7)` in whole seconds.
fn span(text: &str) -> Option<u64> {
    let mut seconds = 0_u64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            "ms" | "msec" | "us" | "usec" => 0,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after.trim_start();
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::span;
    use crate::{doctor::fixtures::*, host::Provenance, record::Step};

    #[test]
    fn spans_are_read_as_systemd_reads_them() {
        assert_eq!(span("18300"), Some(18300));
        assert_eq!(span("5h 5min"), Some(18300));
        assert_eq!(span("1d2h"), Some(93600));
        assert_eq!(span("soon"), None);
        assert_eq!(span(""), None);
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
