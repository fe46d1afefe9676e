//! What systemd says of units: one question for all of them, and the one reader of its answer.

use super::{
    sandbox,
    show::{self, Block},
};
use crate::{
    Foreign, Result,
    host::{Activity, Assigned, Directive, Load, ServiceState, SliceLimits},
    platform::command::{Call, Commands},
    service::Told,
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
    let shown = ask(commands, PROPERTIES, units, limit)?;
    let blocks = units.iter().cloned().zip(blocks(&shown));
    Ok(blocks.map(|(unit, block)| (unit, state(&block, booted))).collect())
}

/// The state of each unit, by its name, with all that is in force for it; `slices` are those that
/// any of them may run in.
///
/// # Errors
/// As [`states`].
pub(super) fn told(
    commands: &dyn Commands,
    units: &[String],
    slices: &[String],
    limit: Duration,
    booted: i64,
) -> Result<BTreeMap<String, Told>> {
    if units.is_empty() {
        return Ok(BTreeMap::new());
    }
    let properties = [PROPERTIES, show::PROPERTIES, &sandbox::KEYS.join(",")].join(",");
    let all: Vec<String> = units.iter().chain(slices).cloned().collect();
    let shown = ask(commands, &properties, &all, Some(limit))?;
    let mut blocks: Vec<Block<'_>> = blocks(&shown).collect();
    let slices: Vec<SliceLimits> =
        blocks.split_off(units.len().min(blocks.len())).iter().map(show::slice).collect();
    let told = |block: &Block<'_>| {
        let mut effective = show::effective(block);
        let of_unit = with_parents(&effective.slice);
        effective.slices = of_unit
            .filter_map(|name| slices.iter().find(|slice| slice.name == name).cloned())
            .collect();
        Told { state: state(block, Some(booted)), effective: Some(effective) }
    };
    Ok(units.iter().cloned().zip(blocks.iter().map(told)).collect())
}

/// The environment that systemd gives every service: of `DefaultEnvironment=`, of what was set by
/// `systemctl set-environment`, and of its own.
///
/// # Errors
/// As [`states`].
pub(crate) fn environment(
    commands: &dyn Commands,
    limit: Duration,
) -> Result<Vec<Assigned<String>>> {
    let call = Call::new("systemctl", ["show", "--no-pager", "--property", "Environment"]);
    let shown = commands.run(&call.within(limit))?.stdout;
    Ok(show::assigned(show::words(Block::read(&shown).value("Environment"))))
}

/// A slice and those above it, the nearest first, but for the root of all.
pub(super) fn with_parents(slice: &str) -> impl Iterator<Item = String> {
    let stem = slice.strip_suffix(".slice").filter(|stem| *stem != "-").unwrap_or_default();
    let ends = stem.match_indices('-').map(|(at, _)| at).rev();
    let ends = std::iter::once(stem.len()).chain(ends).filter(|end| *end > 0);
    ends.filter_map(|end| Some(format!("{}.slice", stem.get(..end)?)))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The slices that a unit may run in by its name and its lines, with those above them.
pub(crate) fn slices_of(unit: &str, directives: &[Directive<String>]) -> Vec<String> {
    let is_slice = |line: &&Directive<String>| line.section == "Service" && line.key == "Slice";
    let named = directives.iter().rev().find(is_slice).map(|line| line.value.clone());
    let template = unit.split_once('@').map(|(template, _)| format!("system-{template}.slice"));
    let slice = named.filter(|name| is_slice_name(name)).or(template);
    with_parents(&slice.unwrap_or_else(|| "system.slice".to_owned())).collect()
}

/// Whether systemd may be asked for it by this name.
fn is_slice_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\".contains(&byte);
    name.len() <= 255
        && name.strip_suffix(".slice").is_some_and(|stem| !stem.is_empty())
        && name.bytes().all(fits)
}

fn ask(
    commands: &dyn Commands,
    properties: &str,
    units: &[String],
    limit: Option<Duration>,
) -> Result<String> {
    if units.is_empty() {
        return Ok(String::new());
    }
    let args = ["show", "--no-pager", "--property", properties, "--"];
    let call = Call::new("systemctl", args.into_iter().chain(units.iter().map(String::as_str)));
    let call = match limit {
        Some(limit) => call.within(limit),
        None => call,
    };
    Ok(commands.run(&call)?.stdout)
}

/// The blocks, one a unit, in the order in which they were asked for.
fn blocks(shown: &str) -> impl Iterator<Item = Block<'_>> {
    shown.split("\n\n").filter(|block| !block.trim().is_empty()).map(Block::read)
}

fn state(block: &Block<'_>, booted: Option<i64>) -> ServiceState {
    let value = |name: &str| block.value(name);
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
        effective: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(shown: &str, units: &[String], booted: Option<i64>) -> BTreeMap<String, ServiceState> {
        let states = blocks(shown).map(|block| super::state(&block, booted));
        units.iter().cloned().zip(states).collect()
    }

    fn state(shown: &str, booted: Option<i64>) -> ServiceState {
        super::state(&Block::read(shown), booted)
    }

    #[test]
    fn a_slice_has_parents_by_its_name() {
        let all = |slice: &str| with_parents(slice).collect::<Vec<_>>();
        assert_eq!(all("ci-a-b.slice"), ["ci-a-b.slice", "ci-a.slice", "ci.slice"]);
        assert_eq!(all("system.slice"), ["system.slice"]);
        for none in ["-.slice", "", "x.service"] {
            assert_eq!(all(none), [""; 0], "{none}");
        }
    }

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
