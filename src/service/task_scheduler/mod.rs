//! Scheduled tasks, through PowerShell's own commands, whose answers are the same in every
//! language.

pub mod definition;
mod on_task;
mod profile;
pub(crate) mod results;
mod scripts;
pub mod session;
pub(crate) mod times;
pub(crate) mod xml;

pub(crate) use on_task::{OnTask, named};
pub(crate) use profile::TaskSchedulerProfile;

use crate::{
    Code, Error, Result,
    host::{Activity, Load, ServiceState},
    platform::{
        command::Commands,
        windows::powershell::{literal, run, run_within},
    },
    service::{Hints, Services},
    text::shown,
};
use scripts::{KEEPER, layout};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// A script that makes an account's profile, or waits for its session, takes minutes on a busy host.
const LONG: Duration = Duration::from_secs(300);

/// How long a task may take from its start to its program: the first logon of an account makes its
/// profile.
const BEGINS_WITHIN: Duration = Duration::from_secs(30);

/// `SCHED_S_TASK_RUNNING` and `SCHED_S_TASK_HAS_NOT_RUN`: no failures.
const RUNNING: u32 = 0x41301;
pub(crate) const NEVER_RAN: u32 = 0x41303;

/// `ERROR_REQUEST_REFUSED` and `SCHED_E_ALREADY_RUNNING`: a second start was refused while the task
/// ran, which a trigger that repeats each minute does all the time (last results of running tasks in
/// public issue threads).
pub(crate) const REFUSED: [u32; 2] = [0x8007_10E0, 0x8004_131F];

/// The host's task scheduler.
pub struct Tasks<'a> {
    commands: &'a dyn Commands,
}

/// What the script of [`Tasks::state`] prints.
#[derive(Debug, Deserialize)]
struct Answer {
    state: String,
    result: u32,
    pid: Option<u32>,
    stale: bool,
}

impl<'a> Tasks<'a> {
    /// The scheduler as reached through `commands`.
    pub fn new(commands: &'a dyn Commands) -> Self {
        Self { commands }
    }
}

impl Services for Tasks<'_> {
    fn reload(&self) -> Result<()> {
        // A definition is read when it is registered, and only then.
        Ok(())
    }

    fn enable(&self, task: &str) -> Result<()> {
        run_within(self.commands, &scripts::register(task), LONG).map(drop)
    }

    fn disable(&self, task: &str) -> Result<()> {
        run_within(self.commands, &scripts::unregister(task), LONG).map(drop)
    }

    fn start(&self, task: &str) -> Result<()> {
        run_within(self.commands, &scripts::start(task), LONG).map(drop)
    }

    /// A task cannot be told to drain: it is kept from being started again, and ended once the
    /// agent has no child, which is a job. It stays so until it is started or registered again.
    fn stop(&self, task: &str, drain: Duration) -> Result<()> {
        let limit = drain.saturating_add(Duration::from_secs(120));
        run_within(self.commands, &scripts::stop(task, drain), limit).map(drop)
    }

    fn state(&self, task: &str) -> Result<ServiceState> {
        let printed = run(self.commands, &scripts::status(task))?;
        if printed.trim().is_empty() {
            return Ok(not_registered(None));
        }
        let answer: Answer = serde_json::from_str(printed.trim()).map_err(|error| {
            Error::new(Code::StepFailed, format!("PowerShell said of {task}: {printed} ({error})"))
        })?;
        let state = state(&answer.state, answer.result, answer.pid);
        Ok(ServiceState { needs_reload: answer.stale, ..state })
    }

    fn begins_within(&self) -> Duration {
        BEGINS_WITHIN
    }

    fn last_lines(&self, task: &str, count: usize) -> Result<String> {
        let log = layout(task).log.map(shown).unwrap_or_default();
        let log = literal(&log);
        let script = format!(
            "if (Test-Path -LiteralPath {log}) {{ Get-Content -LiteralPath {log} -Tail {count} }}"
        );
        run(self.commands, &script)
    }

    fn is_running(&self) -> bool {
        cfg!(windows)
    }

    fn hints(&self, task: &str) -> Hints {
        let log = layout(task).log.map(shown).unwrap_or_default();
        Hints {
            inspect: format!("Get-ScheduledTaskInfo -TaskName {}", literal(task)),
            follow: format!("Get-Content -Wait -Tail 20 -LiteralPath {}", literal(&log)),
        }
    }
}

/// The task that keeps the logon session open in which `task` runs.
pub fn keeper(task: &str) -> String {
    format!("{task}{KEEPER}")
}

/// Where a task of ours is defined.
pub fn definition_path(task: &str) -> PathBuf {
    scripts::definition_path(task)
}

/// The state of a task that is registered, by the scheduler's word for it, such as `Ready`, the last
/// result, and the agent's process.
pub fn state(word: &str, result: u32, main_pid: Option<u32>) -> ServiceState {
    let runs = main_pid.is_some() || word == "Running";
    let is_good = matches!(result, 0 | RUNNING | NEVER_RAN) || runs && REFUSED.contains(&result);
    ServiceState {
        load: Load::Loaded,
        enabled: word != "Disabled",
        enabled_word: word.to_owned(),
        // What a stop disabled is enabled by the next start.
        registered: true,
        active: match word {
            _ if runs => Activity::Active,
            "Queued" => Activity::Activating,
            _ => Activity::Inactive,
        },
        sub: word.to_owned(),
        main_pid,
        result: if is_good { "success" } else { "exit-code" }.to_owned(),
        exit_status: Some(result.cast_signed()),
        ..ServiceState::default()
    }
}

/// The state of a task that the scheduler does not know.
pub fn not_registered(main_pid: Option<u32>) -> ServiceState {
    let is_up = main_pid.is_some();
    ServiceState {
        load: Load::NotFound,
        active: if is_up { Activity::Active } else { Activity::Inactive },
        sub: "not registered".to_owned(),
        main_pid,
        ..ServiceState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Recorded;

    const TASK: &str = "CircleCI Launch Agent";

    #[test]
    fn a_task_is_registered_from_its_definition_and_started() {
        let recorded = Recorded::default();
        Tasks::new(&recorded).start(TASK).unwrap();
        let calls = recorded.calls();
        let at = |part: &str| calls[0].find(part).unwrap_or_else(|| panic!("{part}: {calls:?}"));
        assert!(at("launch-agent-task.xml") < at("Set-LocalUser"));
        assert!(at("Register-ScheduledTask") < at("Start-ScheduledTask"));
    }

    #[test]
    fn an_instance_has_a_definition_of_its_own() {
        assert_eq!(
            shown(definition_path("CircleCI Launch Agent gpu")),
            r"C:\Program Files\CircleCI gpu\launch-agent-task.xml"
        );
    }

    #[test]
    fn a_stop_waits_for_the_job_and_ends_in_time() {
        let recorded = Recorded::default();
        Tasks::new(&recorded).stop(TASK, Duration::from_secs(18300)).unwrap();
        let calls = recorded.calls();
        let at = |part: &str| calls[0].find(part).unwrap_or_else(|| panic!("{part}: {calls:?}"));
        assert!(at("AddSeconds(18300)") < at("Disable-ScheduledTask"));
        assert!(at("ParentProcessId") < at("Stop-ScheduledTask"));
        // Every program of the console has that child, which never ends before it.
        assert!(at("Name<>'\\''conhost.exe'\\''") < at("Stop-ScheduledTask"));
        assert!(at("CreationDate -ge $agent.CreationDate") < at("Stop-ScheduledTask"));
    }

    #[test]
    fn what_the_scheduler_says_is_read() {
        let read = |text: &str| Tasks::new(&Recorded::answering(0, text)).state(TASK).unwrap();
        let none = read("\r\n");
        assert!(none.load == Load::NotFound && !none.registered && !none.is_held());
        let runs = read("{\"state\":\"Running\",\"result\":267009,\"pid\":42,\"stale\":false}\r\n");
        assert_eq!((runs.main_pid, runs.is_held()), (Some(42), true));
        assert_eq!(runs.to_string(), "active (Running)");
        let failed =
            read("{\"state\":\"Ready\",\"result\":3221225786,\"pid\":null,\"stale\":true}");
        assert_eq!(failed.to_string(), "inactive (Ready), exit-code, exit status 0xC000013A");
        assert!(failed.registered && !failed.is_held() && failed.needs_reload);
        let off = read("{\"state\":\"Disabled\",\"result\":267011,\"pid\":null,\"stale\":false}");
        assert!(off.registered && !off.enabled && !off.is_held());
        // A trigger that repeats while the task runs is refused each time.
        let busy =
            read("{\"state\":\"Running\",\"result\":2147946720,\"pid\":null,\"stale\":false}");
        assert_eq!(busy.to_string(), "active (Running)");
        let over = read("{\"state\":\"Ready\",\"result\":2147946720,\"pid\":null,\"stale\":false}");
        assert_eq!(over.result, "exit-code");
        let queued = read("{\"state\":\"Queued\",\"result\":267011,\"pid\":null,\"stale\":false}");
        assert!(queued.is_held(), "{queued}");
        let odd = Recorded::answering(0, "PS C:\\> ");
        assert!(Tasks::new(&odd).state(TASK).is_err());
    }
}
