//! What systemd says of units: one question for all of them, and the one reader of its answer.

use crate::{
    Foreign, Result,
    host::{Activity, Load, ServiceState},
    platform::command::{Call, Commands},
};
use std::{collections::BTreeMap, time::Duration};

const PROPERTIES: &str = "Id,LoadState,LoadError,UnitFileState,ActiveState,SubState,\
                          StateChangeTimestampMonotonic,MainPID,NRestarts,Result,ExecMainStatus,\
                          StatusText,NeedDaemonReload";

/// The state of each unit, by its name. `booted` is when the host started, in seconds since 1970;
/// without it nothing is known of [`ServiceState::since`].
///
/// # Errors
/// When systemd cannot be asked, or says nothing within `limit`.
pub fn states(
    commands: &dyn Commands,
    units: &[String],
    limit: Option<Duration>,
    booted: Option<i64>,
) -> Result<BTreeMap<String, ServiceState>> {
    if units.is_empty() {
        return Ok(BTreeMap::new());
    }
    let args = ["show", "--no-pager", "--property", PROPERTIES, "--"];
    let call = Call::new("systemctl", args.into_iter().chain(units.iter().map(String::as_str)));
    let call = match limit {
        Some(limit) => call.within(limit),
        None => call,
    };
    Ok(parse(&commands.run(&call)?.stdout, units, booted))
}

/// Blocks of `Key=value`, one a unit, in the order in which they were asked for.
fn parse(shown: &str, units: &[String], booted: Option<i64>) -> BTreeMap<String, ServiceState> {
    let blocks = shown.split("\n\n").filter(|block| !block.trim().is_empty());
    units.iter().cloned().zip(blocks.map(|block| state(block, booted))).collect()
}

fn state(block: &str, booted: Option<i64>) -> ServiceState {
    let values: BTreeMap<&str, &str> =
        block.lines().filter_map(|line| line.split_once('=')).collect();
    let value = |name: &str| values.get(name).copied().unwrap_or_default();
    let enabled = value("UnitFileState");
    let since = value("StateChangeTimestampMonotonic").parse().ok().filter(|since| *since > 0);
    // `LoadError` has the form `org.freedesktop.… "words"`.
    let failure = value("LoadError").split_once('"').map(|(_, words)| words.trim_end_matches('"'));
    ServiceState {
        exit_timeout: None,
        load: Load::of(value("LoadState")),
        domain: None,
        load_error: failure.filter(|words| !words.is_empty()).map(str::to_owned),
        definition: None,
        enabled: matches!(
            enabled,
            "enabled" | "enabled-runtime" | "static" | "generated" | "alias"
        ),
        enabled_word: enabled.to_owned(),
        registered: enabled.starts_with("enabled"),
        active: Activity::of(value("ActiveState")),
        sub: value("SubState").to_owned(),
        since: booted.zip(since).map(|(booted, since): (i64, i64)| booted + since / 1_000_000),
        main_pid: value("MainPID").parse().ok().filter(|pid| *pid != 0),
        restarts: value("NRestarts").parse().unwrap_or_default(),
        result: value("Result").to_owned(),
        exit_status: value("ExecMainStatus").parse().ok(),
        health: Some(Foreign::words(value("StatusText"))).filter(|text| !text.is_empty()),
        needs_reload: value("NeedDaemonReload") == "yes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_block() {
        let shown = "Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\n\
                     StateChangeTimestampMonotonic=5000000\nMainPID=7\nUnitFileState=enabled\n\n\
                     Id=b.service\nLoadState=bad-setting\nActiveState=inactive\nMainPID=0\n\
                     LoadError=org.freedesktop.systemd1.BadUnitSetting \"it is bad\"\n";
        let units = ["a.service".to_owned(), "b.service".to_owned()];
        let states = parse(shown, &units, Some(100));
        assert_eq!(states["a.service"].since, Some(105));
        assert!(states["a.service"].enabled);
        assert_eq!(states["b.service"].load_error.as_deref(), Some("it is bad"));
        assert_eq!(states["b.service"].main_pid, None);
        assert_eq!(parse(shown, &units, None)["a.service"].since, None);
    }

    #[test]
    fn a_running_unit_reads_as_it_is_shown() {
        let shown = "MainPID=42\nNRestarts=1\nStatusText=Healthy\nLoadState=loaded\n\
                     ActiveState=active\nSubState=running\nUnitFileState=enabled\n\
                     NeedDaemonReload=no\nResult=success\nExecMainStatus=0\n";
        let state = state(shown, None);
        assert_eq!((state.main_pid, state.restarts, state.load), (Some(42), 1, Load::Loaded));
        assert!(state.registered);
        let words = state.to_string();
        assert_eq!(
            (words.as_str(), state.health.as_deref()),
            ("active (running)", Some("Healthy"))
        );
    }

    #[test]
    fn a_unit_that_is_not_there_is_neither_loaded_nor_active() {
        let shown = "LoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\n";
        let state = state(shown, None);
        assert_eq!((state.load, state.is_held(), state.main_pid), (Load::NotFound, false, None));
    }

    #[test]
    fn a_crash_loop_says_how_it_ended() {
        let shown =
            "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=203\n";
        let state = state(shown, None);
        assert!(state.is_held() && state.waits_for_restart());
        assert_eq!(state.to_string(), "activating (auto-restart), exit-code, exit status 203");
    }

    #[test]
    fn a_unit_that_cannot_be_enabled_starts_with_the_host_and_was_not_enabled() {
        let state = state("UnitFileState=static\n", None);
        assert!(state.enabled && !state.registered);
    }
}
