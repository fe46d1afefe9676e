//! The last result of a scheduled task, and the task that keeps its session open.

use super::{
    cure::{registered_anew, registered_anew_as},
    definition::keeper,
    task,
};
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict, lookup::service},
    host::{Install, Survey, TaskState, Unseen},
    service::task_scheduler::{
        OnTask, named,
        results::{LOGON, last},
    },
};

pub(in crate::doctor::service) const LOGS_ON: Check = Check {
    name: "service/task-logs-on",
    holds: "The scheduler can log on with the task's account",
    why: "Every start fails before the agent begins, and only the last result of the task shows \
          it. The scheduler cannot log on if the password or the rights of the account changed \
          after the task was registered.",
    found: "The doctor reads the last result of the task.",
    cure: "Give the scheduler the account's current password.",
    after: &["service/loaded", "service/user-exists", "permissions/account-open"],
    judge: Judge::Agent(logs_on),
};

fn logs_on(_: &Survey, install: &Install) -> Judged {
    let service = task(install)?;
    let state = service.state.known()?;
    let code = state.exit_status.unwrap_or_default().cast_unsigned();
    // A running task has logged on.
    if state.main_pid.is_some() {
        return Ok(Verdict::Holds("the task has logged on and is running".to_owned()));
    }
    let Some((_, why)) = LOGON.iter().find(|(known, _)| *known == code) else {
        return Ok(Verdict::Holds("the last start did not fail at the logon".to_owned()));
    };
    let remedy = match install.receipt {
        Some(_) => registered_anew(
            Remedy::by_hand("Register the task again: its account gets a new password."),
            install,
            service,
        ),
        None => Remedy::by_hand(
            "Give the scheduler the account's current password; the command asks for it.",
        )
        .command(OnTask::Change.of(&service.name, install.named_by).then("/RP *")),
    };
    Ok(Problem::fail(format!("the task cannot log on: {why}"))
        .seen(format!("last result of the task: 0x{code:08X}"))
        .cure(remedy)
        .into())
}

pub(in crate::doctor::service) const SESSION_KEPT: Check = Check {
    name: "service/session-kept",
    holds: "The task that keeps the agent's session open is running",
    why: "The next logoff or reboot closes the session and ends the agent. An agent with a desktop \
          runs in a session that another task opens and holds.",
    found: "The doctor reads definition and state of the task that keeps the session open.",
    cure: "Enable and start the task.",
    after: &["service/loaded", "host/desktop-session"],
    judge: Judge::Agent(session_kept),
};

fn session_kept(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    let Some(name) = keeper(service) else {
        return Err(Unseen::not_applicable("no task keeps a session open for the agent"));
    };
    let start = Remedy::by_hand("Enable and start the task.")
        .command(named(Command::fixed("Enable-ScheduledTask"), name, install.named_by))
        .command(OnTask::Run.of(name, install.named_by));
    let of = |section: &str, key: &str| service.value(&format!("SessionKeeper/{section}"), key);
    let account = |text: &str| text.rsplit('\\').next().unwrap_or_default().to_lowercase();
    let theirs = of("Principals/Principal", "UserId").map(account);
    let ours = service.value("Principals/Principal", "UserId").map(account);
    // One may be given by its name, the other by its SID.
    let is_number = |text: &str| text.starts_with("s-1-");
    if let (Some(theirs), Some(ours)) = (&theirs, &ours)
        && is_number(theirs) == is_number(ours)
        && theirs != ours
    {
        let remedy = Remedy::by_hand("Run both tasks as the same account.");
        let remedy = match install.receipt {
            Some(_) => registered_anew_as(remedy, install, name),
            None => {
                remedy.command(OnTask::Change.of(name, install.named_by).then("/RU").windows_user(
                    ours,
                    "",
                    install.named_by,
                ))
            }
        };
        return Ok(Problem::fail(format!(
            "{name} keeps the session of {theirs} open, not of {ours}"
        ))
        .seen("UserId of the two tasks differs")
        .cure(remedy)
        .into());
    }
    let is_off = of("Settings", "Enabled") == Some("false");
    let windows = survey.host.windows.as_ref();
    match windows.map(|windows| windows.tasks.known().map(|_| windows.task(name))) {
        None | Some(Err(_)) if !is_off => {
            Err(Unseen::not_examined("the state of the task is not known"))
        }
        Some(Ok(Some(task))) if task.state == "Running" => {
            Ok(Verdict::Holds(format!("{name} is running")))
        }
        Some(Ok(Some(task))) => Ok(Problem::fail(format!("{name} is not running"))
            .seen(described(task))
            .cure(start)
            .into()),
        Some(Ok(None)) => Ok(Problem::fail(format!("the task {name} is not registered"))
            .seen("the definition of the task is on disk, but not registered")
            .cure(start)
            .into()),
        _ => Ok(Problem::fail(format!("{name} is disabled"))
            .seen(format!("Enabled is false in the settings of the task {name}"))
            .cure(start)
            .into()),
    }
}

fn described(task: &TaskState) -> String {
    format!("{}, {}", task.state, last(task.result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Activity, Seen},
        values::Manager,
    };

    fn ended(code: u32) -> Survey {
        let mut survey = healthy();
        let service = service_of(&mut survey);
        service.manager = Manager::TaskScheduler;
        if let Seen::Known(state) = &mut service.state {
            state.active = Activity::Inactive;
            state.sub = "Ready".into();
            state.main_pid = None;
            state.exit_status = Some(code.cast_signed());
        }
        survey
    }

    #[test]
    fn a_result_is_told_with_its_meaning() {
        let found = finding(&ended(0xC000_013A), "service/running");
        assert_eq!(found.status, Status::Fail);
        assert!(found.evidence.contains("0xC000013A: Ctrl-C, a logoff"), "{found:?}");
        let unknown = finding(&ended(0x1234), "service/running");
        assert!(unknown.evidence.contains("0x00001234"), "{unknown:?}");
    }

    #[test]
    fn nobody_is_asked_for_a_password_that_nobody_knows() {
        let commands = |survey: &Survey| {
            let remedy = finding(survey, "service/task-logs-on").remedy.unwrap();
            remedy.commands().join("\n")
        };
        let mut survey = ended(LOGON[0].0);
        service_of(&mut survey).name = "CircleCI Launch Agent".into();
        survey.host.os = crate::platform::Os::Windows;
        let ours = commands(&survey);
        assert!(!ours.contains("/RP") && ours.ends_with("runnerup install"), "{ours}");
        assert!(ours.starts_with("schtasks /Delete /TN"), "{ours}");
        agent(&mut survey).receipt = None;
        assert!(commands(&survey).contains("/RP *"));
    }

    #[test]
    fn a_logon_that_fails_is_the_cause() {
        for (code, _) in LOGON {
            let survey = ended(code);
            assert_eq!(status(&survey, "service/task-logs-on"), Status::Fail, "{code:X}");
        }
        assert_eq!(status(&healthy(), "service/task-logs-on"), Status::NotApplicable);
    }
}
