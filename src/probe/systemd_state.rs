//! What systemd says of the units of agents: one question for all of them.

use crate::{
    Foreign,
    host::{Seen, State},
    platform::command::{Call, Commands},
};
use std::{collections::BTreeMap, time::Duration};

const PROPERTIES: &str = "Id,LoadState,LoadError,UnitFileState,ActiveState,SubState,\
                          StateChangeTimestampMonotonic,MainPID,NRestarts,Result,ExecMainStatus,\
                          StatusText,NeedDaemonReload";

/// The state of each unit, by its name. `now` and `uptime` are in seconds.
pub(super) fn states(
    commands: &dyn Commands,
    units: &[String],
    limit: Duration,
    now: i64,
    uptime: i64,
) -> Seen<BTreeMap<String, State>> {
    if units.is_empty() {
        return Seen::Known(BTreeMap::new());
    }
    let args = ["show", "--no-pager", "--property", PROPERTIES, "--"];
    let args = args.into_iter().map(str::to_owned).chain(units.iter().cloned());
    let call = Call::new("systemctl", args).within(limit);
    match commands.run(&call) {
        Ok(answer) => Seen::Known(parse(&answer.stdout, units, now - uptime)),
        Err(error) => Seen::broken(error.message()),
    }
}

/// Blocks of `Key=value`, one a unit, in the order in which they were asked for.
fn parse(shown: &str, units: &[String], booted: i64) -> BTreeMap<String, State> {
    let blocks = shown.split("\n\n").filter(|block| !block.trim().is_empty());
    units.iter().cloned().zip(blocks.map(|block| state(block, booted))).collect()
}

fn state(block: &str, booted: i64) -> State {
    let values: BTreeMap<&str, &str> =
        block.lines().filter_map(|line| line.split_once('=')).collect();
    let value = |name: &str| values.get(name).copied().unwrap_or_default();
    let enabled = value("UnitFileState");
    let since = value("StateChangeTimestampMonotonic").parse().ok().filter(|since| *since > 0);
    // `LoadError` has the form `org.freedesktop.… "words"`.
    let trouble = value("LoadError").split_once('"').map(|(_, words)| words.trim_end_matches('"'));
    State {
        load: value("LoadState").to_owned(),
        domain: None,
        load_trouble: trouble.filter(|words| !words.is_empty()).map(str::to_owned),
        enabled: matches!(
            enabled,
            "enabled" | "enabled-runtime" | "static" | "generated" | "alias"
        ),
        enabled_word: enabled.to_owned(),
        active: value("ActiveState").to_owned(),
        sub: value("SubState").to_owned(),
        since: since.map(|since: i64| booted + since / 1_000_000),
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
        let states = parse(shown, &["a.service".to_owned(), "b.service".to_owned()], 100);
        assert_eq!(states["a.service"].since, Some(105));
        assert!(states["a.service"].enabled);
        assert_eq!(states["b.service"].load_trouble.as_deref(), Some("it is bad"));
        assert_eq!(states["b.service"].main_pid, None);
    }
}
