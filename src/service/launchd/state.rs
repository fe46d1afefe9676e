//! What `launchctl print` says of a job.

use crate::host::{AUTO_RESTART, Activity, Load, ServiceState};
use std::path::PathBuf;

/// The state of a label that no domain has loaded.
pub(super) fn not_loaded(is_enabled: bool) -> ServiceState {
    ServiceState {
        load: Load::NotFound,
        active: Activity::Inactive,
        sub: "not loaded".to_owned(),
        ..with_enabled(is_enabled)
    }
}

/// Reads `launchctl print`: lines of `key = value`, those of the job itself one tab deep.
pub(super) fn loaded(printed: &str, domain: &str, is_enabled: bool) -> ServiceState {
    let value = |key: &str| {
        printed.lines().find_map(|line| {
            let (name, value) = line.strip_prefix('\t')?.split_once(" = ")?;
            (name == key).then(|| value.trim())
        })
    };
    let state = value("state").unwrap_or_default();
    let main_pid = value("pid").and_then(|pid| pid.parse().ok());
    let runs: u32 = value("runs").and_then(|runs| runs.parse().ok()).unwrap_or_default();
    // `1`, `78: EX_CONFIG`, `(never exited)`.
    let code = value("last exit code").and_then(|code| code.split(':').next()?.parse().ok());
    let code = code.filter(|code: &i32| *code != 0);
    // `Killed: 9`.
    let signal = value("last terminating signal");
    let result = match (signal, code) {
        (Some(_), _) => "signal",
        (None, Some(_)) => "exit-code",
        (None, None) => "success",
    };
    // It waits for ThrottleInterval to pass.
    let is_scheduled = main_pid.is_none() && state.starts_with("spawn scheduled");
    let (active, sub) = match main_pid {
        _ if state.contains("SIGTERM") => (Activity::Deactivating, state),
        Some(_) => (Activity::Active, state),
        None if is_scheduled && result != "success" => (Activity::Activating, AUTO_RESTART),
        None if is_scheduled => (Activity::Activating, state),
        None => (Activity::Inactive, state),
    };
    ServiceState {
        load: Load::Loaded,
        domain: Some(domain.to_owned()),
        definition: value("path").map(PathBuf::from),
        active,
        sub: sub.to_owned(),
        main_pid,
        restarts: runs.saturating_sub(1),
        result: result.to_owned(),
        exit_status: match signal {
            Some(signal) => signal.rsplit(": ").next().and_then(|number| number.parse().ok()),
            None => code,
        },
        ..with_enabled(is_enabled)
    }
}

fn with_enabled(is_enabled: bool) -> ServiceState {
    let word = if is_enabled { "enabled" } else { "disabled" };
    ServiceState {
        enabled: is_enabled,
        enabled_word: word.to_owned(),
        registered: is_enabled,
        ..ServiceState::default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// After `launchctl print` of macOS 14, shortened.
    pub(in super::super) const RUNNING: &str = "system/com.circleci.runner = {\n\tactive count = 1\n\tpath = \
        /Library/LaunchDaemons/com.circleci.runner.plist\n\ttype = LaunchDaemon\n\tstate = running\n\n\
        \tprogram = /opt/circleci/circleci-launch-agent\n\tinherited environment = {\n\t\tstate = \
        other\n\t}\n\truns = 3\n\tpid = 412\n\tlast exit code = 1\n}\n";

    #[test]
    fn a_running_job_reads_as_it_is_printed() {
        let state = loaded(RUNNING, "system", true);
        assert_eq!((state.main_pid, state.restarts), (Some(412), 2));
        assert_eq!(state.to_string(), "active (running), exit-code, exit status 1");
        let file = super::super::definition("com.circleci.runner");
        assert_eq!(state.definition, Some(file));
    }

    #[test]
    fn a_job_that_was_killed_says_by_what() {
        let printed = RUNNING.replace("last exit code = 1", "last terminating signal = Killed: 9");
        let state = loaded(&printed, "system", true);
        assert_eq!((state.result.as_str(), state.exit_status), ("signal", Some(9)));
    }

    #[test]
    fn what_is_loaded_is_held_though_it_does_not_run() {
        let state = loaded("a = {\n\tstate = not running\n\truns = 0\n}\n", "system", true);
        assert_eq!(state.active, Activity::Inactive);
        assert!(state.is_held());
    }
}
