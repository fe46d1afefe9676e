//! The definition of a scheduled task: its limits, its instances, its priority.

use super::{cure::changed, task, triggers};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Verdict},
    host::{Directive, Install, Service, Survey, Unseen},
    service::task_scheduler::times::duration,
};

pub(super) const SETTINGS: &str = "Settings";

/// A task's definition.
///
/// # Errors
/// When something else runs the agent, or the definition could not be read.
pub(super) fn of(install: &Install) -> Result<&Service, Unseen> {
    let service = task(install)?;
    match service.directives.iter().any(|directive| directive.section == SETTINGS) {
        true => Ok(service),
        false => Err(Unseen::not_examined("the task's definition was not read")),
    }
}

/// Whether the definition disables the task.
pub(super) fn is_switched_off(service: &Service) -> bool {
    setting(service, "Enabled") == Some("false")
}

/// The task that keeps the agent's session open.
pub(super) fn keeper(service: &Service) -> Option<&str> {
    service.value("", "SessionKeeper")
}

pub(super) fn setting<'a>(service: &'a Service, key: &str) -> Option<&'a str> {
    service.value(SETTINGS, key)
}

pub(super) fn place(line: Option<&Directive>, missing: &str) -> String {
    line.map_or_else(
        || missing.to_owned(),
        |line| format!("{} {} in {}:{}", line.key, line.value, line.file.display(), line.line),
    )
}

pub(in crate::doctor::service) const UNLIMITED: Check = Check {
    name: "service/task-unlimited",
    holds: "The task has no time limit",
    why: "The scheduler ends a task without an explicit limit after three days, even during a job.",
    found: "The doctor reads ExecutionTimeLimit of the task and of its triggers (no value for the \
            task means PT72H, PT0S means no limit), and StopAtDurationEnd of a repetition.",
    cure: "Set ExecutionTimeLimit to PT0S.",
    after: &["service/loaded"],
    judge: Judge::Agent(unlimited),
};

fn unlimited(_: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let written = service.directive(SETTINGS, "ExecutionTimeLimit");
    let limit = written.map_or("PT72H", |directive| directive.value.as_str());
    let mut problems = Vec::new();
    if !is_none(limit) {
        let change = "$task.Settings.ExecutionTimeLimit = 'PT0S'";
        problems.push(
            Problem::fail(format!("the scheduler ends the agent after {limit}, even during a job"))
                .seen(place(written, "the task has no ExecutionTimeLimit: the default is PT72H"))
                .cure(changed(install, service, "Remove the time limit.", change)),
        );
    }
    for trigger in triggers::enabled(service) {
        let limit = trigger.limit().filter(|limit| !is_none(&limit.value));
        problems.extend(limit.map(|limit| {
            let change = "$task.Triggers | ForEach-Object { $_.ExecutionTimeLimit = $null }";
            let (kind, value) = (trigger.kind, &limit.value);
            Problem::fail(format!("the scheduler ends what the {kind} started after {value}"))
                .seen(place(Some(limit), ""))
                .cure(changed(install, service, "Remove the time limit.", change))
        }));
        problems.extend(trigger.stops().map(|line| {
            let change =
                "$task.Triggers | ForEach-Object { $_.Repetition.StopAtDurationEnd = $false }";
            Problem::fail(format!("the scheduler ends the agent after {}", line.value))
                .seen(format!("{}, and StopAtDurationEnd is true", place(Some(line), "")))
                .cure(changed(install, service, "Let the agent run on.", change))
        }));
    }
    Ok(Verdict::of(problems, "the task has no time limit"))
}

/// Whether a duration is 0, which means no limit.
fn is_none(text: &str) -> bool {
    duration(text) == Some(0)
}

pub(in crate::doctor::service) const ONE_INSTANCE: Check = Check {
    name: "service/task-one-instance",
    holds: "The scheduler runs one instance of the task, and does not end it to start another one",
    why: "Two agents of the same task claim jobs under the same name. If the scheduler ends the \
          agent to start it again, the running job is lost.",
    found: "The doctor reads MultipleInstancesPolicy of the task.",
    cure: "Set MultipleInstancesPolicy to IgnoreNew.",
    after: &["service/loaded"],
    judge: Judge::Agent(one_instance),
};

fn one_instance(_: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let policy = setting(service, "MultipleInstancesPolicy").unwrap_or("IgnoreNew");
    let what = match policy {
        "Parallel" => "the scheduler starts a second agent while the first one runs",
        "StopExisting" => "the scheduler ends the agent and its job to start it again",
        _ => return Ok(Verdict::Holds(policy.to_owned())),
    };
    let change = "$task.Settings.MultipleInstances = 'IgnoreNew'";
    Ok(Problem::fail(what)
        .seen(place(service.directive(SETTINGS, "MultipleInstancesPolicy"), ""))
        .cure(changed(install, service, "Ignore a second start.", change))
        .into())
}

pub(in crate::doctor::service) const PRIORITY: Check = Check {
    name: "service/task-priority",
    holds: "The scheduler gives the agent and its jobs the priority of other programs",
    why: "A task without an explicit priority runs below normal, with low priority for disk and \
          memory too, and so does every job that the agent starts: builds take longer without an error.",
    found: "The doctor reads Priority of the task: no value means 7; 4 to 6 are normal, 7 and 8 below \
            normal, 9 and 10 idle, 2 and 3 above normal, 0 and 1 before the system's own work.",
    cure: "Set Priority to 5.",
    after: &["service/loaded"],
    judge: Judge::Agent(priority),
};

fn priority(_: &Survey, install: &Install) -> Judged {
    /// The scheduler's own (Microsoft Learn, "TaskSettings.Priority").
    const DEFAULT: u32 = 7;
    let service = of(install)?;
    let written = service.directive(SETTINGS, "Priority");
    let number = written.and_then(|line| line.value.parse().ok()).unwrap_or(DEFAULT);
    let what = match number {
        2..=6 => return Ok(Verdict::Holds(format!("Priority is {number}"))),
        0 | 1 => "jobs run before the system's own work, which they can keep from running",
        7 | 8 => "jobs run with a priority below normal",
        _ => "jobs run only while nothing else does",
    };
    let missing = format!("the task has no Priority: the default is {DEFAULT}");
    let change = "$task.Settings.Priority = 5";
    Ok(Problem::warn(what)
        .seen(place(written, &missing))
        .cure(changed(install, service, "Set the priority to 5, which is normal.", change))
        .into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn only_a_duration_of_nothing_is_no_limit() {
        for (duration, none) in [
            ("PT0S", true),
            ("P0D", true),
            ("PT72H", false),
            ("P3D", false),
            ("", false),
            ("P", false),
        ] {
            assert_eq!(super::is_none(duration), none, "{duration}");
        }
    }

    #[test]
    fn what_is_not_written_has_the_schedulers_own_value() {
        let survey = with(&[("Settings", "Enabled", "true")]);
        assert_eq!(status(&survey, "service/task-unlimited"), Status::Fail);
        assert_eq!(status(&survey, "service/task-triggered"), Status::Fail);
        assert_eq!(status(&survey, "service/task-unconditional"), Status::Warn);
        assert_eq!(status(&survey, "service/task-one-instance"), Status::Pass);
        assert_eq!(status(&survey, "service/task-priority"), Status::Warn);
    }

    #[test]
    fn a_trigger_has_a_limit_of_its_own() {
        let none = ("Settings", "ExecutionTimeLimit", "PT0S");
        let boot = ("Triggers", "BootTrigger", "enabled");
        let repeats = |key, value| ("Triggers/BootTrigger/Repetition", key, value);
        let stops = repeats("StopAtDurationEnd", "true");
        let judged = |lines: &[_]| status(&with(lines), "service/task-unlimited");
        assert_eq!(judged(&[none, boot]), Status::Pass);
        let limit = ("Triggers/BootTrigger", "ExecutionTimeLimit", "PT30M");
        assert_eq!(judged(&[none, limit, boot]), Status::Fail);
        assert_eq!(judged(&[none, repeats("Duration", "P1D"), stops, boot]), Status::Fail);
        // Without an end of the repetition there is nothing to stop at.
        assert_eq!(judged(&[none, stops, boot]), Status::Pass);
    }

    #[test]
    fn a_priority_is_told_by_what_the_scheduler_makes_of_it() {
        let any = ("Settings", "ExecutionTimeLimit", "PT0S");
        for (number, words) in [
            ("0", "before the system"),
            ("1", "before the system"),
            ("7", "below normal"),
            ("8", "below normal"),
            ("10", "nothing else"),
        ] {
            let found =
                finding(&with(&[any, ("Settings", "Priority", number)]), "service/task-priority");
            assert_eq!(found.status, Status::Warn, "{number}");
            assert!(found.summary.contains(words), "{number}: {found:?}");
        }
        for number in ["2", "4", "5", "6"] {
            let survey = with(&[any, ("Settings", "Priority", number)]);
            assert_eq!(status(&survey, "service/task-priority"), Status::Pass, "{number}");
        }
        let found = finding(&with(&[any]), "service/task-priority");
        assert!(found.evidence.contains("the default is 7"), "{found:?}");
    }
}
