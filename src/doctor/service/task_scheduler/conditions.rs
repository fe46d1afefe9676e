//! Conditions under which a task does not start, or is ended.

use super::{
    cure::changed,
    definition::{SETTINGS, of, place, setting},
    triggers,
};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Verdict},
    host::{Install, Survey},
};

pub(in crate::doctor::service) const UNCONDITIONAL: Check = Check {
    name: "service/task-unconditional",
    holds: "The task runs without conditions",
    why: "By default the scheduler does not start a task on battery power, and ends it when mains \
          power fails. Other conditions start it only while the host is idle or has a network, or \
          from one date to another.",
    found: "The doctor reads the conditions of the task and the dates of its triggers; for a \
            condition that is not set it takes the scheduler's default.",
    cure: "Remove the conditions.",
    after: &["service/loaded"],
    judge: Judge::Agent(unconditional),
};

/// A condition: key, the value that hinders, the scheduler's default (Microsoft Learn, "Task Scheduler
/// Schema Elements"), effect, and the command that removes it.
struct Condition(&'static str, &'static str, &'static str, &'static str, &'static str);

const CONDITIONS: [Condition; 5] = [
    Condition(
        "DisallowStartIfOnBatteries",
        "true",
        "true",
        "does not start on battery power",
        "$task.Settings.DisallowStartIfOnBatteries = $false",
    ),
    Condition(
        "StopIfGoingOnBatteries",
        "true",
        "true",
        "is ended when mains power fails, even during a job",
        "$task.Settings.StopIfGoingOnBatteries = $false",
    ),
    Condition(
        "RunOnlyIfIdle",
        "true",
        "false",
        "starts only while the host is idle, and is ended when a person uses it",
        "$task.Settings.RunOnlyIfIdle = $false",
    ),
    Condition(
        "RunOnlyIfNetworkAvailable",
        "true",
        "false",
        "does not start while Windows sees no network",
        "$task.Settings.RunOnlyIfNetworkAvailable = $false",
    ),
    Condition(
        "AllowStartOnDemand",
        "false",
        "true",
        "cannot be started by a person",
        "$task.Settings.AllowDemandStart = $true",
    ),
];

fn unconditional(survey: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let mut problems = Vec::new();
    for Condition(key, hinders, usual, what, change) in CONDITIONS {
        if setting(service, key).unwrap_or(usual) == hinders {
            let missing = format!("the task has no {key}: the default is {usual}");
            problems.push(
                Problem::warn(format!("the task {what}"))
                    .seen(place(service.directive(SETTINGS, key), &missing))
                    .cure(changed(install, service, "Remove the condition.", change)),
            );
        }
    }
    if let Some(delete) = service.directive(SETTINGS, "DeleteExpiredTaskAfter") {
        problems.push(
            Problem::warn("the scheduler deletes the task once its triggers have ended")
                .seen(place(Some(delete), ""))
                .cure(changed(
                    install,
                    service,
                    "Keep the task.",
                    "$task.Settings.DeleteExpiredTaskAfter = $null",
                )),
        );
    }
    let begin =
        "$task.Triggers | ForEach-Object { $_.StartBoundary = (Get-Date).Date.ToString('s') }";
    let end = "$task.Triggers | ForEach-Object { $_.EndBoundary = $null }";
    for trigger in triggers::enabled(service) {
        let kind = trigger.kind;
        if trigger.is_future(survey.taken) {
            problems.push(
                Problem::fail(format!("the {kind} of the task counts only from a later date on"))
                    .seen(place(trigger.start(), ""))
                    .cure(changed(install, service, "Let the trigger count from today on.", begin)),
            );
        }
        let Some(line) = trigger.end() else { continue };
        let problem = match trigger.is_past(survey.taken) {
            true => Problem::fail(format!("the {kind} of the task has ended")),
            false => Problem::warn(format!("the {kind} of the task ends on a date")),
        };
        let remedy = changed(install, service, "Remove the date.", end);
        problems.push(problem.seen(place(Some(line), "")).cure(remedy));
    }
    Ok(Verdict::of(problems, "the task has no condition"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use crate::doctor::{Status, fixtures::*};

    const CHECK: &str = "service/task-unconditional";
    const NONE: [(&str, &str, &str); 2] = [
        ("Settings", "DisallowStartIfOnBatteries", "false"),
        ("Settings", "StopIfGoingOnBatteries", "false"),
    ];

    fn found(lines: &[(&str, &str, &str)]) -> (Status, String) {
        let found = finding(&with(&[&NONE, lines].concat()), CHECK);
        (found.status, found.summary)
    }

    #[test]
    fn each_condition_is_told_and_a_default_that_is_none_is_not() {
        let boot = ("Triggers", "BootTrigger", "enabled");
        let line = |key, value| ("Triggers/BootTrigger", key, value);
        assert_eq!(found(&[boot]).0, Status::Pass);
        assert_eq!(found(&[line("StartBoundary", "2020-01-01T00:00:00"), boot]).0, Status::Pass);
        for (lines, expected, words) in [
            (vec![("Settings", "RunOnlyIfNetworkAvailable", "true")], Status::Warn, "no network"),
            (vec![("Settings", "RunOnlyIfIdle", "true")], Status::Warn, "idle"),
            (vec![("Settings", "AllowStartOnDemand", "false")], Status::Warn, "by a person"),
            (vec![("Settings", "DeleteExpiredTaskAfter", "PT0S")], Status::Warn, "deletes"),
            (vec![line("StartBoundary", "2099-01-01T00:00:00"), boot], Status::Fail, "later date"),
            (vec![line("EndBoundary", "2021-01-01T00:00:00"), boot], Status::Fail, "has ended"),
            (vec![line("EndBoundary", "2099-01-01T00:00:00"), boot], Status::Warn, "ends on"),
        ] {
            let (status, summary) = found(&lines);
            assert_eq!(status, expected, "{lines:?}");
            assert!(summary.contains(words), "{summary}");
        }
        // Of a trigger that is disabled the dates mean nothing; nor do these settings.
        let off = ("Triggers", "BootTrigger", "disabled");
        let more = [("Settings", "WakeToRun", "true"), ("Settings", "Hidden", "true")];
        let lines = [&more[..], &[line("StartBoundary", "2099-01-01T00:00:00"), off]].concat();
        assert_eq!(found(&lines).0, Status::Pass);
    }
}
