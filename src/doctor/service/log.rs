//! Known errors in the log of an agent.

use crate::{
    Foreign,
    agent::log_texts::{ERRORS, FAILURES, STARTS},
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
    let lines = install.log.known()?;
    // Errors before the last start may be fixed.
    let from =
        lines.iter().rposition(|line| STARTS.iter().any(|text| line.as_str().contains(text)));
    let recent = lines.get(from.unwrap_or_default()..).unwrap_or_default();
    for line in recent.iter().rev() {
        let small = line.as_str().to_lowercase();
        if !ERRORS.iter().any(|text| small.contains(text)) {
            continue;
        }
        if let Some((_, meaning)) = FAILURES.iter().find(|(text, _)| small.contains(text)) {
            return Ok(Problem::warn(format!("the log of the agent has an error: {meaning}"))
                .seen(Foreign::new(line.as_str()).marked())
                .cure(Remedy::by_hand(
                    "Remove the cause. After a start without this error the finding disappears.",
                ))
                .into());
        }
    }
    Ok(Verdict::Holds(format!("{} lines without a known error", recent.len())))
}

/// The last lines of known form, at most `count`, and the number of other lines. `None` without any line.
pub(super) fn last_known(install: &Install, count: usize) -> Option<String> {
    let lines = install.log.ok().filter(|lines| !lines.is_empty())?;
    let known: Vec<&str> =
        lines.iter().filter(|line| line.is_known()).map(LogLine::as_str).collect();
    let others = lines.len() - known.len();
    let last = known.get(known.len().saturating_sub(count)..).unwrap_or_default();
    let of_others = match others {
        0 => String::new(),
        1 => " (1 line of unknown form is left out)".to_owned(),
        others => format!(" ({others} lines of unknown form are left out)"),
    };
    Some(match last {
        [] => format!("the log has no line of known form{of_others}"),
        last => format!(
            "last lines of known form in the log{of_others}:\n{}",
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
            "the log has no line of known form (1 line of unknown form is left out)"
        );
        let text = last(&["error: no such host", "error: connection refused", "a b", "c"]).unwrap();
        assert!(text.contains("2 lines of unknown form are left out"), "{text}");
        assert!(text.ends_with("| error: connection refused"), "{text}");
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
        let idle = "06:00:08 a8093 22.942ms POST /api/v3/runner/claim app.loop_name=claim worker loop: claim:  app.backoff_ms=5000";
        assert_eq!(with(&[idle]), Status::Pass);
        let cured =
            ["x error=\"no such host\"", "20:04:58 f0666 0.004ms starting agent mode=agent"];
        assert_eq!(with(&cured), Status::Pass);
    }
}
