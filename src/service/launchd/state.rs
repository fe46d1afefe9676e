//! What `launchctl print` says of a job.

use super::end::{End, SPAWN_FAILED};
use crate::host::{AUTO_RESTART, Activity, Load, ServiceState};
use std::path::PathBuf;

/// Runs of a job that does not run, from which on it is started again and again.
const LOOP: u32 = 3;

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
    let runs: u32 = value("runs").and_then(|runs| runs.parse().ok()).unwrap_or_default();
    // What launchd runs to become the job: its number is the job's only once the job runs.
    let is_proxy = state == "xpcproxy";
    let main_pid = value("pid").and_then(|pid| pid.parse().ok()).filter(|_| !is_proxy);
    let end = End::of(value);
    let result = match end.result() {
        "success" if value("job state") == Some(SPAWN_FAILED) => SPAWN_FAILED,
        result => result,
    };
    let failed = result != "success";
    // It waits for ThrottleInterval to pass.
    let is_scheduled = main_pid.is_none() && (is_proxy || state.starts_with("spawn scheduled"));
    // A job that is started again and again ends, whatever launchd says of how.
    let is_again = if is_proxy { failed && runs >= LOOP } else { failed || runs >= LOOP };
    let (active, sub) = match main_pid {
        _ if state.contains("SIGTERM") => (Activity::Deactivating, state),
        Some(_) => (Activity::Active, state),
        None if is_scheduled && is_again => (Activity::Activating, AUTO_RESTART),
        None if is_scheduled => (Activity::Activating, state),
        None if failed => (Activity::Failed, state),
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
        exit_status: end.status(),
        exit_timeout: value("exit timeout").and_then(|seconds| seconds.parse().ok()),
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

    /// After a job whose binary had lost its signature, macOS 14.
    const UNSIGNED: &str = "system/org.example.agent = {\n\tactive count = 0\n\tpath = \
        /Library/LaunchDaemons/org.example.agent.plist\n\ttype = LaunchDaemon\n\tstate = spawn \
        scheduled\n\n\tprogram = /opt/x/agent\n\targuments = {\n\t\tagent\n\t}\n\n\tdefault \
        environment = {\n\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin\n\t}\n\n\tdomain = \
        system\n\tminimum runtime = 3\n\texit timeout = 18300\n\truns = 2380\n\tlast exit reason = \
        OS_REASON_CODESIGNING\n\n\tspawn type = interactive (4)\n\tjetsam priority = 40\n\tjob \
        state = spawn failed\n\tproperties = keepalive | runatload | inferred program\n}\n";

    #[test]
    fn a_job_that_never_ran_is_no_start() {
        let state = loaded(UNSIGNED, "system", true);
        assert!(state.waits_for_restart(), "{state:?}");
        assert_eq!((state.result.as_str(), state.restarts), ("OS_REASON_CODESIGNING", 2379));
        assert_eq!(state.exit_timeout, Some(18300));
        // Whatever the line of its end says, it does not run and is started for the 2380th time.
        for end in [
            "last exit code = (never exited)",
            "last exit code = 0",
            "last exit code = (abandoned)",
        ] {
            let printed = UNSIGNED.replace("last exit reason = OS_REASON_CODESIGNING", end);
            assert!(loaded(&printed, "system", true).waits_for_restart(), "{end}");
        }
        let first = UNSIGNED.replace("runs = 2380", "runs = 1");
        assert!(loaded(&first, "system", true).waits_for_restart());
        let fresh = first
            .replace("last exit reason = OS_REASON_CODESIGNING", "last exit code = (never exited)");
        assert_eq!(loaded(&fresh, "system", true).result, SPAWN_FAILED);
        let fresh = fresh.replace("spawn failed", "uninitialized");
        let state = loaded(&fresh, "system", true);
        assert_eq!((state.active, state.result.as_str()), (Activity::Activating, "success"));
        assert!(!state.waits_for_restart());
    }

    #[test]
    fn a_job_that_ended_badly_and_stays_away_has_failed() {
        let ended = UNSIGNED.replace("state = spawn scheduled", "state = not running");
        let state = loaded(&ended, "system", true);
        assert_eq!(state.active, Activity::Failed);
        assert_eq!(state.to_string(), "failed (not running), OS_REASON_CODESIGNING");
    }

    /// Between the start of a job and its program launchd shows its own helper, with a number.
    #[test]
    fn what_starts_a_job_is_not_the_job() {
        let begins = RUNNING.replace("state = running", "state = xpcproxy");
        let state = loaded(&begins.replace("= 1\n}", "= 0\n}"), "system", true);
        assert_eq!((state.active, state.main_pid), (Activity::Activating, None));
        assert!(!state.waits_for_restart());
        assert!(loaded(&begins, "system", true).waits_for_restart());
    }
}
