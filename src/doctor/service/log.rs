//! Lines of an agent's log that are known.

use crate::{
    Foreign,
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    facts::survey::{Install, Survey},
};

/// What a line holds, and what it means: facts, section 6. The first that fits counts.
const KNOWN: [(&str, &str); 13] = [
    ("invalid bearer token", "the token is wrong, or its resource class was deleted"),
    ("401-unauthorized", "the token is wrong, or its resource class was deleted"),
    (
        "x509: certificate has expired or is not yet valid",
        "a certificate is out of date, or this host's clock is",
    ),
    (
        "x509:",
        "the server's certificate is not trusted: something intercepts, or an authority is missing",
    ),
    ("no such host", "a name cannot be resolved"),
    ("connection refused", "something refuses the connection: a firewall, or a proxy that is down"),
    ("i/o timeout", "no answer came: a firewall drops the connection"),
    ("no space left", "a disk is full"),
    ("permission denied", "the account lacks a right"),
    ("platform is required", "this agent is too old for the server"),
    ("410-gone", "this agent is too old for the server"),
    ("password is required", "sudo of the command prefix wants a password"),
    ("you must have a tty", "sudo of the command prefix wants a terminal"),
];

pub(super) const EXPLAINED: Check = Check {
    name: "service/log-explained",
    holds: "The last lines of the agent's log hold no failure that is known",
    why: "An agent says in its log what it cannot do; nobody sees it there.",
    found: "The last lines are searched for failures that are known, errors alone.",
    cure: "The finding says what the line means.",
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
    // What came after the last start is about this agent; what was before may be cured.
    let from =
        lines.iter().rposition(|line| line.contains("Started ") || line.contains("starting agent"));
    let recent = lines.get(from.unwrap_or_default()..).unwrap_or_default();
    for line in recent.iter().rev() {
        let small = line.to_lowercase();
        let is_error = ["erro", "error=", "fatal", "result=error", "permission denied", "sudo:"]
            .iter()
            .any(|word| small.contains(word));
        if !is_error {
            continue;
        }
        if let Some((_, meaning)) = KNOWN.iter().find(|(text, _)| small.contains(text)) {
            return Ok(Problem::warn(format!("the agent's log tells of a failure: {meaning}"))
                .seen(Foreign::new(line).marked())
                .cure(Remedy::by_hand(
                    "Fix the cause; the line is not repeated once the agent starts well.",
                ))
                .into());
        }
    }
    Ok(Verdict::Holds(format!("{} lines, no failure that is known", recent.len())))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, sample::*},
        facts::survey::Seen,
    };

    fn with(lines: &[&str]) -> Status {
        let mut survey = healthy();
        agent(&mut survey).log = Seen::Known(lines.iter().map(ToString::to_string).collect());
        status(&survey, "service/log-explained")
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
