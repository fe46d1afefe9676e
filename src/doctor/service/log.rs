//! Known errors in the log of an agent.

use crate::{
    Foreign,
    agent::log_texts::{ERRORS, FAILURES, STARTS, SUCCESSES},
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, LogLine, Survey},
};

pub(super) const EXPLAINED: Check = Check {
    name: "service/log-explained",
    holds: "The last lines of the agent's log contain no known error",
    why: "The agent reports only in its log what it cannot do, and nobody may see it there.",
    found: "The doctor searches the errors in the last lines of the log for known failures.",
    cure: "The finding explains the line.",
    after: &[
        "config/token-set",
        "connectivity/names-resolve",
        "connectivity/reachable",
        "connectivity/proxy-works",
        "connectivity/tls-trusted",
        "connectivity/api-answers",
        "agent/token-accepted",
        "permissions/sudo-works",
        "permissions/config-readable",
        "permissions/workdir-usable",
        "permissions/temporary-folder-usable",
        "permissions/log-writable",
        "host/disk-space",
        "service/running",
        "service/not-crash-looping",
        "service/healthy",
    ],
    judge: Judge::Agent(explained),
};

fn explained(_: &Survey, install: &Install) -> Judged {
    // Errors before the last start may be fixed.
    let recent = since_start(install.log.known()?, 1);
    if let Some((line, meaning)) = recent.iter().rev().find_map(meaning_of) {
        return Ok(Problem::warn(format!("the log of the agent has an error: {meaning}"))
            .seen(Foreign::new(line).marked())
            .cure(Remedy::by_hand(
                "Remove the cause. After a start without this error the finding disappears.",
            ))
            .into());
    }
    Ok(Verdict::Holds(format!("{} lines without a known error", recent.len())))
}

/// The line of a known failure that no request has succeeded after, and what it means; `starts` of
/// the agent are searched. An agent that ends has ended because of it.
pub(super) fn last_failure(install: &Install, starts: usize) -> Option<(&str, &'static str)> {
    let is_success = |line: &&LogLine| {
        let small = line.as_str().to_lowercase();
        SUCCESSES.iter().any(|text| small.contains(text)) && meaning_of(line).is_none()
    };
    let recent = since_start(install.log.ok()?, starts).iter().rev();
    recent.take_while(|line| !is_success(line)).find_map(meaning_of)
}

/// The lines of the last starts. systemd and the agent write one line each about a start.
fn since_start(lines: &[LogLine], starts: usize) -> &[LogLine] {
    let is_start = |line: &LogLine| STARTS.iter().any(|text| line.as_str().contains(text));
    let found = lines.iter().enumerate().rev().filter(|(_, line)| is_start(line));
    let from = found.take(starts).last().map_or(0, |(at, _)| at);
    lines.get(from..).unwrap_or_default()
}

/// The line and the meaning of a known failure.
fn meaning_of(line: &LogLine) -> Option<(&str, &'static str)> {
    let small = line.as_str().to_lowercase();
    let is_error = ERRORS.iter().any(|text| small.contains(text));
    let known = FAILURES.iter().find(|(text, _)| is_error && small.contains(text))?;
    Some((line.as_str(), known.1))
}

/// The last known messages, at most `count`, and the number of other lines. `None` without any line.
pub(super) fn last_known(install: &Install, count: usize) -> Option<String> {
    let lines = install.log.ok().filter(|lines| !lines.is_empty())?;
    let known: Vec<&str> =
        lines.iter().filter(|line| line.is_known()).map(LogLine::as_str).collect();
    let others = lines.len() - known.len();
    let last = known.get(known.len().saturating_sub(count)..).unwrap_or_default();
    let of_others = match others {
        0 => String::new(),
        1 => " (1 other line is not shown)".to_owned(),
        others => format!(" ({others} other lines are not shown)"),
    };
    Some(match last {
        [] => format!("no line of the log is a known message{of_others}"),
        last => format!(
            "last known messages in the log{of_others}:\n{}",
            Foreign::new(&last.join("\n")).marked()
        ),
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::Seen,
    };

    fn with(lines: &[&str]) -> Status {
        let mut survey = healthy();
        agent(&mut survey).log = Seen::Known(lines.iter().copied().map(Into::into).collect());
        status(&survey, "service/log-explained")
    }

    #[test]
    fn lines_of_another_form_are_counted() {
        let mut survey = healthy();
        let mut last = |lines: &[&str]| {
            let install = agent(&mut survey);
            install.log = Seen::Known(lines.iter().copied().map(Into::into).collect());
            super::last_known(install, 1)
        };
        assert_eq!(last(&[]), None);
        assert_eq!(
            last(&["PIN=4711"]).unwrap(),
            "no line of the log is a known message (1 other line is not shown)"
        );
        let text = last(&["error: no such host", "error: connection refused", "a b", "c"]).unwrap();
        assert!(text.contains("2 other lines are not shown"), "{text}");
        assert!(text.ends_with("| error: connection refused"), "{text}");
    }

    #[test]
    fn a_failure_that_has_passed_is_no_cause() {
        let mut survey = healthy();
        let mut cause = |lines: &[&str], starts| {
            let install = agent(&mut survey);
            install.log = Seen::Known(lines.iter().copied().map(Into::into).collect());
            super::last_failure(install, starts).map(|(_, meaning)| meaning)
        };
        let failure = "error=\"no such host\"";
        assert_eq!(cause(&[failure, "Stopped"], 1), Some("a name cannot be resolved"));
        assert_eq!(cause(&[failure, "GET /api/v2/task/config result=success"], 1), None);
        let again = [failure, "Started", "starting agent"];
        assert_eq!(cause(&again, 1), None);
        assert!(cause(&["starting agent", failure, "Started", "starting agent"], 3).is_some());
    }

    #[test]
    fn known_failures_are_told_and_idle_agents_are_not() {
        assert_eq!(
            with(&[
                "ERRO[0151] error running task    error=\"unexpected error claiming task: server supplied detail: invalid bearer token (401-Unauthorized)\""
            ]),
            Status::Warn
        );
        assert_eq!(
            with(&["x error=\"dial tcp: lookup runner.circleci.com: no such host\""]),
            Status::Warn
        );
        for line in [
            "x worker loop: claim: 401 Unauthorized",
            "x POST /api/v3/runner/claim http.response.status_code=401",
            "x proxyconnect tcp: 407 Proxy Authentication Required",
            "x 410 Gone",
        ] {
            assert_eq!(with(&[line]), Status::Warn, "{line}");
        }
        let idle = "06:00:08 a8093 22.942ms POST /api/v3/runner/claim app.loop_name=claim worker loop: claim:  app.backoff_ms=5000";
        assert_eq!(with(&[idle]), Status::Pass);
        let cured =
            ["x error=\"no such host\"", "20:04:58 f0666 0.004ms starting agent mode=agent"];
        assert_eq!(with(&cured), Status::Pass);
    }
}
