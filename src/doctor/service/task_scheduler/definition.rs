//! The definition of a scheduled task.

use super::task;
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict, change::one_shot},
    host::{Directive, Install, Service, Survey, Unseen},
};

const SETTINGS: &str = "Settings";

/// A task's definition.
///
/// # Errors
/// When something else runs the agent, or the definition could not be read.
fn of(install: &Install) -> Result<&Service, Unseen> {
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

fn setting<'a>(service: &'a Service, key: &str) -> Option<&'a str> {
    service.value(SETTINGS, key)
}

/// Triggers that are not disabled, by kind.
fn triggers(service: &Service) -> Vec<&Directive> {
    let all = service.directives.iter().filter(|directive| directive.section == "Triggers");
    all.filter(|trigger| trigger.value == "enabled").collect()
}

fn place(line: Option<&Directive>, missing: &str) -> String {
    line.map_or_else(
        || missing.to_owned(),
        |line| format!("{} {} in {}:{}", line.key, line.value, line.file.display(), line.line),
    )
}

/// Changes one setting of a task through PowerShell, which keeps the others.
fn changed(
    install: &Install,
    service: &Service,
    text: &'static str,
    change: &'static str,
) -> Remedy {
    Remedy::by_hand(text).command(
        Command::fixed("$task = Get-ScheduledTask")
            .task(&service.name, install.named_by)
            .then(";")
            .then(change)
            .then("; Set-ScheduledTask -InputObject $task"),
    )
}

pub(in crate::doctor::service) const TRIGGERED: Check = Check {
    name: "service/task-triggered",
    holds: "The task starts after the host has started",
    why: "A task without a trigger at start-up does not run after a reboot. A task with a logon \
          trigger does not run until a user logs on.",
    found: "The doctor reads the triggers and the logon type of the task. For a logon trigger it \
            also reads the task that keeps the session open.",
    cure: "Add a trigger at start-up.",
    after: &["service/loaded"],
    judge: Judge::Agent(triggered),
};

fn triggered(_: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let triggers = triggers(service);
    let has = |kind: &str| triggers.iter().any(|trigger| trigger.key == kind);
    let kinds: Vec<&str> = triggers.iter().map(|trigger| trigger.key.as_str()).collect();
    let logon = service.value("Principals/Principal", "LogonType").unwrap_or("InteractiveToken");
    let needs_session = logon == "InteractiveToken";
    let remedy = changed(
        install,
        service,
        "Add a trigger at start-up.",
        "$task.Triggers += New-ScheduledTaskTrigger -AtStartup",
    );
    let problem = if kinds.is_empty() {
        Problem::fail(format!("nothing starts the task {}", service.name))
            .seen("the task has no enabled trigger")
    } else if has("LogonTrigger") && keeper(service).is_some() {
        return Ok(Verdict::Holds("starts when its session is opened".to_owned()));
    } else if has("BootTrigger") && needs_session {
        Problem::fail("the task starts with the host, but can run only while a user is logged on")
            .seen(place(service.directive("Principals/Principal", "LogonType"), "no LogonType"))
    } else if has("BootTrigger") {
        return Ok(Verdict::Holds("starts with the host".to_owned()));
    } else if has("LogonTrigger") {
        Problem::warn("the task waits for a logon, and no user logs on after a reboot")
            .seen(kinds.join(", "))
    } else {
        Problem::warn("after a reboot the task waits for its scheduled time").seen(kinds.join(", "))
    };
    Ok(problem.cure(remedy).into())
}

pub(in crate::doctor::service) const UNLIMITED: Check = Check {
    name: "service/task-unlimited",
    holds: "The task has no time limit",
    why: "The scheduler ends a task without an explicit limit after three days, even during a job.",
    found: "The doctor reads ExecutionTimeLimit of the task: no value means PT72H, PT0S means no \
            limit.",
    cure: "Set ExecutionTimeLimit to PT0S.",
    after: &["service/loaded"],
    judge: Judge::Agent(unlimited),
};

fn unlimited(_: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let written = service.directive(SETTINGS, "ExecutionTimeLimit");
    let limit = written.map_or("PT72H", |directive| directive.value.as_str());
    if is_none(limit) {
        return Ok(Verdict::Holds("the task has no time limit".to_owned()));
    }
    let remedy = changed(
        install,
        service,
        "Remove the time limit.",
        "$task.Settings.ExecutionTimeLimit = 'PT0S'",
    );
    Ok(Problem::fail(format!("the scheduler ends the agent after {limit}, even during a job"))
        .seen(place(written, "the task has no ExecutionTimeLimit: the default is PT72H"))
        .cure(remedy)
        .into())
}

/// Whether a duration is 0, which means no limit.
fn is_none(duration: &str) -> bool {
    let digits = duration.chars().filter(char::is_ascii_digit);
    duration.starts_with('P')
        && digits.clone().count() > 0
        && digits.clone().all(|digit| digit == '0')
}

pub(in crate::doctor::service) const UNCONDITIONAL: Check = Check {
    name: "service/task-unconditional",
    holds: "The task runs without conditions",
    why: "By default the scheduler does not start a task on battery power, and ends it when mains \
          power fails. Other conditions start it only while the host is idle.",
    found: "The doctor reads the conditions of the task; for a condition that is not set it takes \
            the scheduler's default.",
    cure: "Remove the conditions.",
    after: &["service/loaded"],
    judge: Judge::Agent(unconditional),
};

/// Each condition: key, default, effect, and the command that removes it.
const CONDITIONS: [(&str, &str, &str, &str); 3] = [
    (
        "DisallowStartIfOnBatteries",
        "true",
        "does not start on battery power",
        "$task.Settings.DisallowStartIfOnBatteries = $false",
    ),
    (
        "StopIfGoingOnBatteries",
        "true",
        "is ended when mains power fails, even during a job",
        "$task.Settings.StopIfGoingOnBatteries = $false",
    ),
    (
        "RunOnlyIfIdle",
        "false",
        "starts only while the host is idle",
        "$task.Settings.RunOnlyIfIdle = $false",
    ),
];

fn unconditional(_: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let mut problems = Vec::new();
    for (key, usual, what, change) in CONDITIONS {
        if setting(service, key).unwrap_or(usual) == "true" {
            let missing = format!("the task has no {key}: the default is {usual}");
            problems.push(
                Problem::warn(format!("the task {what}"))
                    .seen(place(service.directive(SETTINGS, key), &missing))
                    .cure(changed(install, service, "Remove the condition.", change)),
            );
        }
    }
    let ends = service.directives.iter().filter(|directive| directive.key == "EndBoundary");
    problems.extend(ends.filter(|end| end.section.starts_with("Triggers/")).map(|end| {
        Problem::warn("the trigger of the task ends on a date").seen(place(Some(end), "")).cure(
            changed(
                install,
                service,
                "Remove the date.",
                "$task.Triggers | ForEach-Object { $_.EndBoundary = $null }",
            ),
        )
    }));
    Ok(Verdict::of(problems, "the task has no condition"))
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

/// Whether the scheduler restarts the agent after it has ended.
pub(super) fn restarts(install: &Install) -> Judged {
    let service = of(install)?;
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    let repeats = |directive: &&Directive| {
        directive.key == "Interval"
            && directive.section.starts_with("Triggers/")
            && directive.section.ends_with("/Repetition")
    };
    if let Some(interval) = service.directives.iter().find(repeats) {
        return Ok(Verdict::Holds(format!("a trigger restarts it every {}", interval.value)));
    }
    if keeper(service).is_some()
        && triggers(service).iter().any(|trigger| trigger.key == "LogonTrigger")
    {
        return Ok(Verdict::Holds("restarts with its session, which is opened again".to_owned()));
    }
    let count = service.value("Settings/RestartOnFailure", "Count");
    let remedy = changed(
        install,
        service,
        "Start the task again when it ends.",
        "$task.Settings.RestartCount = 999; $task.Settings.RestartInterval = 'PT1M'",
    );
    match count {
        Some(count) => {
            Ok(Verdict::Holds(format!("the scheduler restarts it {count} times after a failure")))
        }
        None => Ok(Problem::fail("the scheduler does not restart the agent when it ends")
            .seen("the task has neither RestartOnFailure nor a repeating trigger")
            .cure(remedy)
            .into()),
    }
}

/// Whether the agent has ended after a job, and a trigger starts it soon.
pub(super) fn is_between_jobs(survey: &Survey, install: &Install, service: &Service) -> bool {
    let task = survey.host.windows.as_ref().and_then(|windows| windows.task(&service.name));
    let is_single = install.settings().text("runner.mode") == Some("single-task");
    let soon = |next: i64| next - survey.taken <= 300;
    is_single
        && task.is_some_and(|task| {
            task.state == "Ready" && task.result == 0 && task.next_run.is_some_and(soon)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        values::Manager,
    };

    fn with(lines: &[(&str, &str, &str)]) -> Survey {
        let mut survey = healthy();
        let service = service_of(&mut survey);
        service.manager = Manager::TaskScheduler;
        service.directives.clear();
        for (section, key, value) in lines {
            directive(&mut survey, section, key, value);
        }
        survey
    }

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
            assert_eq!(is_none(duration), none, "{duration}");
        }
    }

    #[test]
    fn what_is_not_written_has_the_schedulers_own_value() {
        let survey = with(&[("Settings", "Enabled", "true")]);
        assert_eq!(status(&survey, "service/task-unlimited"), Status::Fail);
        assert_eq!(status(&survey, "service/task-triggered"), Status::Fail);
        assert_eq!(status(&survey, "service/task-unconditional"), Status::Warn);
        assert_eq!(status(&survey, "service/task-one-instance"), Status::Pass);
    }

    #[test]
    fn a_logon_needs_one_who_makes_it() {
        let logon = ("Triggers", "LogonTrigger", "enabled");
        let settings = ("Settings", "ExecutionTimeLimit", "PT0S");
        assert_eq!(status(&with(&[logon, settings]), "service/task-triggered"), Status::Warn);
        let keeper = ("", "SessionKeeper", "keeper");
        let kept = with(&[logon, settings, keeper]);
        assert_eq!(status(&kept, "service/task-triggered"), Status::Pass);
        assert_eq!(status(&kept, "service/restarts"), Status::Pass);
    }
}
