//! What a failure leads to if nothing is done.
//!
//! Only a check whose failures all lead to the same has a row here. Of the others the reason of the
//! check may be untrue of one finding, and nothing is said.

use super::{Finding, Status};

const ENDS_AT_NEXT_START: &str = "After its next start the agent claims no job.";
const DOES_NOT_START: &str = "The next start of the service fails.";
const JOBS_FAIL: &str = "Every job fails at its start.";
const NOT_REACHED: &str =
    "Whatever needs these servers fails; without the server of its API the agent claims no job.";
const MAC_ENDS_IT: &str = "macOS kills the agent when it starts.";

/// Checks that fail, and what comes of each.
const OF_FAILURES: &[(&str, &str)] = &[
    ("host/disk-space", "Jobs hang or fail, and the agent cannot write its log."),
    ("host/inodes", "Jobs fail, because no file can be created."),
    ("host/job-tools", "Jobs that need these programs fail."),
    ("service/defined", "Nothing starts the agent after the next reboot."),
    ("service/loaded", DOES_NOT_START),
    ("service/environment-files", DOES_NOT_START),
    ("service/start-needs-met", DOES_NOT_START),
    ("service/plist-startable", DOES_NOT_START),
    ("service/task-folder", DOES_NOT_START),
    ("service/task-logs-on", DOES_NOT_START),
    ("service/task-triggered", "After a reboot the agent does not start by itself."),
    ("service/stop-waits", "A stop of the service, as in every shutdown, kills the running job."),
    (
        "service/enabled",
        "Nothing starts the agent after the next reboot, and jobs wait in the queue.",
    ),
    (
        "service/running",
        "No job of the resource class is claimed on this host while the agent does not run.",
    ),
    ("service/not-crash-looping", "The agent ends again and again, and claims no job."),
    ("service/healthy", "The agent runs, but claims no jobs."),
    ("permissions/binary-executable", "Jobs hang in \"Preparing Environment\" without an error."),
    ("permissions/binary-is-program", DOES_NOT_START),
    ("permissions/binary-architecture", DOES_NOT_START),
    ("permissions/binary-filesystem", DOES_NOT_START),
    ("permissions/quarantine", MAC_ENDS_IT),
    ("permissions/gatekeeper", MAC_ENDS_IT),
    ("permissions/config-readable", ENDS_AT_NEXT_START),
    (
        "permissions/config-private",
        "Whoever reads the token can claim the jobs of the resource class and read their secrets.",
    ),
    (
        "permissions/definition-trusted",
        "Whoever can modify these files can run any program as root.",
    ),
    ("permissions/workdir-usable", "Jobs fail at their start."),
    ("permissions/temporary-folder-usable", "Steps of jobs fail with \"permission denied\"."),
    ("permissions/log-writable", ENDS_AT_NEXT_START),
    ("permissions/prefix-allowed", JOBS_FAIL),
    ("permissions/sudo-works", JOBS_FAIL),
    ("config/exists", ENDS_AT_NEXT_START),
    ("config/parses", ENDS_AT_NEXT_START),
    ("config/types-right", ENDS_AT_NEXT_START),
    ("config/token-set", ENDS_AT_NEXT_START),
    ("config/name-valid", ENDS_AT_NEXT_START),
    ("config/durations-valid", ENDS_AT_NEXT_START),
    ("config/prefix-ends-options", JOBS_FAIL),
    ("config/prefix-runs", JOBS_FAIL),
    ("connectivity/resolver-configured", "No server can be reached by its name."),
    ("connectivity/names-resolve", NOT_REACHED),
    ("connectivity/reachable", NOT_REACHED),
    ("connectivity/proxy-works", NOT_REACHED),
    ("connectivity/tls-trusted", NOT_REACHED),
    ("connectivity/api-answers", "The agent claims no job."),
    ("connectivity/releases-answer", "Jobs hang in \"Preparing Environment\"."),
    ("connectivity/storage-answers", "Jobs fail when they restore a cache or store an artifact."),
    ("connectivity/vcs-answers", "Jobs fail at checkout."),
    ("agent/nothing-shared", "Jobs of the two agents delete each other's files."),
    ("agent/token-accepted", "The agent runs, but never claims a job."),
];

/// Checks that warn, and what comes of each.
const OF_WARNINGS: &[(&str, &str)] = &[
    ("service/reloaded", "The change in the unit has no effect."),
    (
        "service/oom-spares-agent",
        "When the kernel kills one program of a job, systemd ends the agent and the whole job.",
    ),
];

/// What comes of a finding, in one sentence; `None` where that depends on more than the check.
pub fn consequence(finding: &Finding) -> Option<&'static str> {
    let rows = match finding.status {
        Status::Fail => OF_FAILURES,
        Status::Warn => OF_WARNINGS,
        Status::Pass | Status::Skip | Status::NotApplicable | Status::Error => return None,
    };
    rows.iter().find(|(check, _)| *check == finding.check).map(|(_, sentence)| *sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{CHECKS, fixtures::*};

    #[test]
    fn a_row_is_of_a_check_and_a_sentence() {
        for (check, sentence) in OF_FAILURES.iter().chain(OF_WARNINGS) {
            assert!(CHECKS.iter().any(|known| known.name == *check), "{check}");
            assert!(sentence.ends_with('.') && !sentence.contains(". "), "{check}: {sentence}");
        }
    }

    /// `Type=forking` was said to show no health, and a shell in front of the agent to end it at once.
    #[test]
    fn nothing_is_said_where_failures_of_a_check_differ() {
        let mut survey = healthy();
        directive(&mut survey, "Service", "Type", "forking");
        let found = finding(&survey, "service/health-reported");
        assert!(found.is_problem());
        assert_eq!(consequence(&found), None);
        config_of(&mut survey).state = crate::host::ConfigState::Broken("line 3".into());
        assert!(consequence(&finding(&survey, "config/parses")).is_some());
    }
}
