//! What goes wrong on Windows: each fault, what it is planted in, and the one check that finds it.

use super::installs::*;
use serde_json::{Value, json};

pub(super) type Plant = fn(&mut Value);

/// A fault: what it is, in which install, and the one check that finds it.
pub(super) struct Fault(
    pub(super) &'static str,
    pub(super) fn() -> Value,
    pub(super) Plant,
    pub(super) &'static str,
);

pub(super) const HOST: [Fault; 9] = [
    Fault(
        "a domain controller",
        ours,
        |facts| *windows(facts, "domain_controller") = json!(true),
        "host/not-domain-controller",
    ),
    Fault(
        "short paths",
        ours,
        |facts| *windows(facts, "long_paths") = json!(false),
        "host/long-paths",
    ),
    Fault(
        "no Remote Desktop",
        desktop,
        |facts| *windows(facts, "remote_desktop_off") = json!(true),
        "host/desktop-session",
    ),
    Fault(
        "no credential",
        desktop,
        |facts| *windows(facts, "saved_credential") = json!(false),
        "host/desktop-session",
    ),
    Fault(
        "no time service",
        ours,
        |facts| facts["host"]["clock"]["known"] = json!({"synchronized": false, "by": "w32time"}),
        "host/clock-synchronized",
    ),
    Fault(
        "a full disk",
        ours,
        |facts| facts["host"]["volumes"][0]["bytes_free"] = json!(1000),
        "host/disk-space",
    ),
    Fault(
        "little memory",
        ours,
        |facts| facts["host"]["memory"]["known"]["available"] = json!(1000),
        "host/memory",
    ),
    Fault(
        "git is missing",
        ours,
        |facts| install(facts, "tools")["known"][0]["path"] = json!(null),
        "host/job-tools",
    ),
    Fault(
        "a proxy of WinHTTP alone",
        ours,
        |facts| *windows(facts, "winhttp_proxy") = json!("proxy.example.com:3128"),
        "connectivity/winhttp-proxy-given",
    ),
];

pub(super) const TASK: [Fault; 31] = [
    Fault(
        "a limit of three days",
        ours,
        |facts| line(facts, "Settings", "ExecutionTimeLimit", "PT72H"),
        "service/task-unlimited",
    ),
    Fault(
        "the scheduler's own limit",
        ours,
        |facts| without(facts, "Settings", "ExecutionTimeLimit"),
        "service/task-unlimited",
    ),
    Fault("no trigger", ours, |facts| without(facts, "Triggers", "*"), "service/task-triggered"),
    Fault(
        "a trigger that is switched off",
        ours,
        |facts| {
            line(facts, "Triggers", "BootTrigger", "disabled");
            line(facts, "Triggers", "TimeTrigger", "disabled");
        },
        "service/task-triggered",
    ),
    Fault(
        "a start-up without a session",
        ours,
        |facts| line(facts, "Principals/Principal", "LogonType", "InteractiveToken"),
        "service/task-triggered",
    ),
    Fault(
        "no start after an end",
        ours,
        |facts| {
            without(facts, "Triggers/TimeTrigger/Repetition", "*");
            without(facts, "Settings/RestartOnFailure", "*");
        },
        "service/restarts",
    ),
    Fault(
        "restarts of starts that fail alone",
        ours,
        |facts| {
            without(facts, "Triggers/TimeTrigger/Repetition", "*");
            line(facts, "Settings/RestartOnFailure", "Count", "3");
        },
        "service/restarts",
    ),
    Fault("a repetition from the next start of the system on", ours, by_boot, "service/restarts"),
    Fault(
        "a repetition by the clock of a day",
        ours,
        |facts| {
            let at = position(facts, "Triggers/TimeTrigger/Repetition", "Interval");
            lines(facts).insert(at, json!({"file": "C:\\t", "line": 1, "section": "Triggers/TimeTrigger/Repetition", "key": "Duration", "value": "P1D"}));
        },
        "service/restarts",
    ),
    Fault(
        "the scheduler's own priority",
        ours,
        |facts| without(facts, "Settings", "Priority"),
        "service/task-priority",
    ),
    Fault(
        "a priority below normal",
        ours,
        |facts| line(facts, "Settings", "Priority", "7"),
        "service/task-priority",
    ),
    Fault(
        "a start only with a network",
        ours,
        |facts| line(facts, "Settings", "RunOnlyIfNetworkAvailable", "true"),
        "service/task-unconditional",
    ),
    Fault(
        "a trigger of the future",
        ours,
        |facts| add(facts, "Triggers/BootTrigger", "StartBoundary", "2099-01-01T00:00:00"),
        "service/task-unconditional",
    ),
    Fault(
        "a trigger of the past",
        ours,
        |facts| add(facts, "Triggers/BootTrigger", "EndBoundary", "2021-01-01T00:00:00"),
        "service/task-unconditional",
    ),
    Fault(
        "a task that deletes itself",
        ours,
        |facts| add(facts, "Settings", "DeleteExpiredTaskAfter", "PT0S"),
        "service/task-unconditional",
    ),
    Fault(
        "a limit of the trigger",
        ours,
        |facts| add(facts, "Triggers/BootTrigger", "ExecutionTimeLimit", "PT12H"),
        "service/task-unlimited",
    ),
    Fault(
        "a folder in quotes",
        ours,
        |facts| line(facts, "Actions/Exec", "WorkingDirectory", r#""C:\Program Files\CircleCI""#),
        "service/task-folder",
    ),
    Fault(
        "a folder that is not there",
        ours,
        |facts| {
            line(facts, "Actions/Exec", "WorkingDirectory", r"D:\ci");
            let walk = &mut install(facts, "paths")[2][1]["known"];
            walk["path"] = json!(r"D:\ci");
            walk["end"] = json!(null);
            walk["stopped"] = json!("it is not there");
        },
        "service/task-folder",
    ),
    Fault(
        "no start on battery power",
        ours,
        |facts| line(facts, "Settings", "DisallowStartIfOnBatteries", "true"),
        "service/task-unconditional",
    ),
    Fault(
        "an end when the mains fail",
        ours,
        |facts| without(facts, "Settings", "StopIfGoingOnBatteries"),
        "service/task-unconditional",
    ),
    Fault(
        "two agents at once",
        ours,
        |facts| line(facts, "Settings", "MultipleInstancesPolicy", "Parallel"),
        "service/task-one-instance",
    ),
    Fault(
        "an agent that is ended for the next",
        documented_closed,
        |facts| line(facts, "Settings", "MultipleInstancesPolicy", "StopExisting"),
        "service/task-one-instance",
    ),
    Fault(
        "a disabled task",
        ours,
        |facts| {
            ended(facts, 0x41302);
            install(facts, "service")["state"]["known"]["enabled"] = json!(false);
        },
        "service/enabled",
    ),
    Fault(
        "a task that is not registered",
        ours,
        |facts| install(facts, "service")["state"]["known"]["load"] = json!("not-found"),
        "service/loaded",
    ),
    Fault("a logoff", ours, |facts| ended(facts, 0xC000_013A), "service/running"),
    Fault("a run that was never", ours, |facts| ended(facts, 0x41303), "service/running"),
    Fault("a changed password", ours, |facts| ended(facts, 0x8007_052E), "service/task-logs-on"),
    Fault(
        "a right that is missing",
        ours,
        |facts| ended(facts, 0x8007_0569),
        "service/task-logs-on",
    ),
    Fault(
        "a keeper that has ended",
        desktop,
        |facts| windows(facts, "tasks")["known"][1]["state"] = json!("Ready"),
        "service/session-kept",
    ),
    Fault(
        "a keeper of another's session",
        desktop,
        |facts| line(facts, "SessionKeeper/Principals/Principal", "UserId", r"WIN-1\bob"),
        "service/session-kept",
    ),
    Fault(
        "a keeper that is not registered",
        desktop,
        |facts| drop(windows(facts, "tasks")["known"].as_array_mut().unwrap().pop()),
        "service/session-kept",
    ),
];

pub(super) const RIGHTS: [Fault; 13] = [
    Fault("an account that is locked", ours, |facts| closed(facts, "it is locked"), OPEN),
    Fault("an account that is disabled", ours, |facts| closed(facts, "it is disabled"), OPEN),
    Fault("an account that has expired", ours, |facts| closed(facts, "it has expired"), OPEN),
    Fault("a password that has expired", ours, |facts| closed(facts, "its password"), OPEN),
    Fault("no account", ours, |facts| facts["host"]["accounts"] = json!([]), "service/user-exists"),
    Fault(
        "a configuration for all users",
        ours,
        |facts| grant(facts, 0, false),
        "permissions/config-private",
    ),
    Fault(
        "a configuration that others may change unread",
        ours,
        |facts| {
            grant(facts, 0, true);
            let grants = &mut windows(facts, "rights")["known"][0]["grants"];
            grants.as_array_mut().unwrap().last_mut().unwrap()["read"] = json!(false);
        },
        "permissions/config-private",
    ),
    Fault(
        "a configuration that the account may not read",
        ours,
        |facts| {
            let account = &mut facts["host"]["accounts"][0];
            account["administrator"] = json!(false);
            account["sid"] = json!("S-1-5-21-1-2-3-1002");
            for rights in windows(facts, "rights")["known"].as_array_mut().unwrap() {
                rights["grants"].as_array_mut().unwrap().pop();
            }
        },
        "permissions/config-readable",
    ),
    Fault(
        "a binary that all may change",
        ours,
        |facts| grant(facts, 1, true),
        "permissions/binary-not-writable",
    ),
    Fault(
        "a folder that all may change",
        ours,
        |facts| grant(facts, 2, true),
        "permissions/binary-not-writable",
    ),
    Fault(
        "a binary in quarantine",
        ours,
        |facts| {
            let found = format!(r"{}\CIRCLECI-launch-agent.exe", FOLDER.to_lowercase());
            windows(facts, "quarantined")["known"] = json!([found]);
            let walk = &mut install(facts, "binary")["trail"]["known"];
            walk["end"] = json!(null);
            walk["stopped"] = json!("it is not there");
            ended(facts, 0x8007_0002);
        },
        "permissions/defender-allows",
    ),
    Fault(
        "a binary that is not there",
        ours,
        |facts| {
            install(facts, "binary")["trail"]["known"]["end"] = json!(null);
            ended(facts, 0x8007_0002);
        },
        "permissions/binary-executable",
    ),
    Fault(
        "an administrator where none was asked for",
        documented_closed,
        |facts| facts["host"]["accounts"][0]["administrator"] = json!(true),
        "permissions/power-known",
    ),
];

const OPEN: &str = "permissions/account-open";

pub(super) const AGENTS: [Fault; 8] = [
    Fault(
        "continuous mode",
        ours,
        |facts| setting(facts, "runner.mode", "continuous"),
        "config/mode-fits",
    ),
    Fault(
        "a relative work folder",
        ours,
        |facts| setting(facts, "runner.working_directory", "Workdir"),
        "config/values-valid",
    ),
    Fault(
        "a binary for Linux",
        ours,
        |facts| install(facts, "binary")["program"]["known"]["os"] = json!("linux"),
        "permissions/binary-architecture",
    ),
    Fault(
        "a page",
        ours,
        |facts| install(facts, "binary")["program"]["known"] = json!({"kind": "page"}),
        "permissions/binary-is-program",
    ),
    Fault(
        "another checksum",
        ours,
        |facts| install(facts, "binary")["sha256"]["known"] = json!("cd".repeat(32)),
        "permissions/binary-as-verified",
    ),
    Fault(
        "a key that is misspelt",
        ours,
        |facts| {
            install(facts, "config")["known"]["settings"][2]["path"] = json!("runner.nmae");
        },
        "config/keys-known",
    ),
    Fault(
        "a command that machine runner 3 has not",
        runner_closed,
        |facts| install(facts, "service")["command"][1] = json!("start"),
        "service/command-right",
    ),
    Fault(
        "a blank that machine runner 3 does not fill",
        runner_closed,
        |facts| setting(facts, "runner.working_directory", r"C:\jobs\%s"),
        "config/workdir-per-job",
    ),
];
