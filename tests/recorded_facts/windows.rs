//! Windows: our own install with and without a desktop, and both agents as documented.

use super::problems;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

const OURS: &str = include_str!("../facts/windows-made.json");
const OTHERS: &str = include_str!("../facts/windows-installs-made.json");

const AGENT: &str = "CircleCI Launch Agent";
const FOLDER: &str = r"C:\Program Files\CircleCI";
const USERS: &str = "S-1-5-32-545";

/// What the documented installs leave, and why each of it is told.
const DOCUMENTED_FLAWS: [(&str, &str); 3] = [
    ("service/task-priority", "the scheduler's own priority is below normal"),
    ("permissions/config-private", "the program folder lets every user read what is put into it"),
    ("permissions/power-known", "the account is made an administrator"),
];

fn ours() -> Value {
    serde_json::from_str(OURS).unwrap()
}

/// Another install in the place of ours, with the task that keeps its session.
fn other(kind: &str, name: &str) -> Value {
    let (mut facts, others) = (ours(), serde_json::from_str::<Value>(OTHERS).unwrap());
    facts["installs"][0] = others[kind].clone();
    let task = |name: &str| json!({"name": name, "state": "Running", "result": 0x41301});
    let keeper = format!("{name} session keeper");
    facts["host"]["windows"]["tasks"]["known"] = json!([task(name), task(&keeper)]);
    let config = &facts["installs"][0]["config"]["known"]["trail"]["path"];
    facts["host"]["windows"]["rights"]["known"][0]["path"] = config.clone();
    let binary = &facts["installs"][0]["binary"]["trail"]["known"]["path"];
    facts["host"]["windows"]["rights"]["known"][1]["path"] = binary.clone();
    facts
}

/// What Program Files gives every user.
fn inherits(facts: &mut Value) {
    for rights in facts["host"]["windows"]["rights"]["known"].as_array_mut().unwrap() {
        rights["grants"].as_array_mut().unwrap().push(json!(
            {"sid": USERS, "name": r"BUILTIN\Users", "read": true, "write": false, "inherited": true}
        ));
    }
}

fn documented() -> Value {
    let mut facts = other("documented", AGENT);
    inherits(&mut facts);
    facts
}

fn machine_runner() -> Value {
    let mut facts = other("machine-runner", "CircleCI Runner Agent");
    inherits(&mut facts);
    facts
}

/// Ours with a desktop: the documented two tasks, on ground that is closed.
fn desktop() -> Value {
    let (mut facts, ours) = (other("documented", AGENT), ours());
    for key in ["receipt", "name"] {
        facts["installs"][0][key] = ours["installs"][0][key].clone();
    }
    at_normal_priority(&mut facts);
    facts
}

fn at_normal_priority(facts: &mut Value) {
    add(facts, "Settings", "Priority", "5");
}

#[test]
fn our_own_have_no_finding() {
    for facts in [ours(), desktop()] {
        assert_eq!(problems(&facts), (Vec::new(), 0));
    }
}

#[test]
fn those_made_by_hand_have_the_flaws_that_are_documented_and_no_other() {
    for facts in [documented(), machine_runner()] {
        let flaws: Vec<_> = DOCUMENTED_FLAWS.iter().map(|own| own.0.to_owned()).collect();
        assert_eq!(problems(&facts), (flaws, 0));
    }
}

fn windows<'a>(facts: &'a mut Value, key: &str) -> &'a mut Value {
    &mut facts["host"]["windows"][key]
}

fn install<'a>(facts: &'a mut Value, key: &str) -> &'a mut Value {
    &mut facts["installs"][0][key]
}

fn lines(facts: &mut Value) -> &mut Vec<Value> {
    facts["installs"][0]["service"]["directives"].as_array_mut().unwrap()
}

/// Sets a line of the task's definition.
fn line(facts: &mut Value, section: &str, key: &str, value: &str) {
    let is_it = |own: &&mut Value| own["section"] == section && own["key"] == key;
    let own = lines(facts).iter_mut().find(is_it);
    own.ok_or((section, key)).unwrap()["value"] = json!(value);
}

/// Adds a line to the task's definition, in front of all others: what a trigger holds stands before it.
fn add(facts: &mut Value, section: &str, key: &str, value: &str) {
    let line = json!({"file": "C:\\t", "line": 1, "section": section, "key": key, "value": value});
    lines(facts).insert(0, line);
}

/// Takes lines out whose section begins so, and whose key is this one.
fn without(facts: &mut Value, section: &str, key: &str) {
    lines(facts).retain(|own| {
        !own["section"].as_str().unwrap().starts_with(section) || key != "*" && own["key"] != key
    });
}

fn position(facts: &mut Value, section: &str, key: &str) -> usize {
    let lines = lines(facts);
    lines.iter().position(|own| own["section"] == section && own["key"] == key).unwrap()
}

/// As an earlier version of this program had it, on a host that was not started since.
fn by_boot(facts: &mut Value) {
    without(facts, "Triggers/TimeTrigger", "*");
    let at = position(facts, "Triggers", "TimeTrigger");
    lines(facts).remove(at);
    add(facts, "Triggers/BootTrigger/Repetition", "Interval", "PT1M");
    windows(facts, "tasks")["known"][0]["next_run"] = json!(null);
}

/// How the task last ended; the agent does not run.
fn ended(facts: &mut Value, result: u32) {
    install(facts, "processes")["known"] = json!([]);
    let state = &mut install(facts, "service")["state"]["known"];
    state["active"] = json!("inactive");
    state["sub"] = json!("Ready");
    state["main_pid"] = json!(null);
    state["exit_status"] = json!(result.cast_signed());
    windows(facts, "tasks")["known"][0]["state"] = json!("Ready");
    windows(facts, "tasks")["known"][0]["result"] = json!(result);
}

fn grant(facts: &mut Value, at: usize, write: bool) {
    let grants = &mut windows(facts, "rights")["known"][at]["grants"];
    grants.as_array_mut().unwrap().push(json!(
        {"sid": USERS, "name": r"BUILTIN\Users", "read": true, "write": write, "inherited": false}
    ));
}

fn setting(facts: &mut Value, key: &str, value: &str) {
    let settings = install(facts, "config")["known"]["settings"].as_array_mut().unwrap();
    let own = settings.iter_mut().find(|own| own["path"] == key).unwrap();
    own["value"]["text"]["text"] = json!(value);
}

type Plant = fn(&mut Value);

/// A fault: what it is, in which install, and the one check that finds it.
struct Fault(&'static str, fn() -> Value, Plant, &'static str);

const HOST: [Fault; 9] = [
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

const TASK: [Fault; 31] = [
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

const RIGHTS: [Fault; 13] = [
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

const AGENTS: [Fault; 8] = [
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

/// Made by hand, and its flaws cured.
fn documented_closed() -> Value {
    cured(other("documented", AGENT))
}

fn runner_closed() -> Value {
    cured(other("machine-runner", "CircleCI Runner Agent"))
}

fn cured(mut facts: Value) -> Value {
    at_normal_priority(&mut facts);
    facts["host"]["accounts"][0]["administrator"] = json!(false);
    facts
}

fn closed(facts: &mut Value, why: &str) {
    facts["host"]["accounts"][0]["closed"] = json!(why);
    ended(facts, 0x8007_0775);
}

#[test]
fn each_fault_is_found_by_its_check_alone() {
    let mut count = 0;
    for Fault(what, healthy, plant, check) in HOST.iter().chain(&TASK).chain(&RIGHTS).chain(&AGENTS)
    {
        let mut facts = healthy();
        assert!(!problems(&facts).0.iter().any(|own| own == check), "{what}: before it");
        plant(&mut facts);
        assert_eq!(problems(&facts).0, [*check], "{what}");
        count += 1;
    }
    assert!(count >= 25, "{count}");
}

#[test]
fn an_agent_between_two_jobs_is_well() {
    let mut facts = ours();
    ended(&mut facts, 0);
    assert_eq!(problems(&facts).0, Vec::<String>::new());
    windows(&mut facts, "tasks")["known"][0]["next_run"] = json!(null);
    assert_eq!(problems(&facts).0, ["service/running"]);
}

/// A trigger that repeats each minute is refused while the agent runs.
#[test]
fn a_task_whose_second_start_was_refused_is_well() {
    let mut facts = ours();
    windows(&mut facts, "tasks")["known"][0]["result"] = json!(2_147_946_720_u32);
    let state = &mut install(&mut facts, "service")["state"]["known"];
    state["exit_status"] = json!(2_147_946_720_u32.cast_signed());
    state["main_pid"] = json!(null);
    assert_eq!(problems(&facts).0, Vec::<String>::new());
}

/// The host of the agent's console is a child of it; an agent that is idle has no other.
#[test]
fn a_console_is_no_job() {
    let mut facts = ours();
    let processes = install(&mut facts, "processes")["known"].as_array_mut().unwrap();
    let mut console = processes[0].clone();
    console["pid"] = json!(412);
    console["parent"] = processes[0]["pid"].clone();
    console["name"] = json!("conhost.exe");
    console["started"] = json!(1_793_400_000);
    processes.push(console);
    assert_eq!(problems(&facts).0, Vec::<String>::new());
}

/// Every command that a fault of Windows is answered with, for whoever reads them and for the grammar of
/// PowerShell (ci/check-powershell). `RUNNERUP_BLESS=1 cargo test --test recorded_facts` writes them anew.
#[test]
fn every_cure_is_one_that_windows_has() {
    let mut cures = BTreeSet::new();
    for Fault(_, healthy, plant, _) in HOST.iter().chain(&TASK).chain(&RIGHTS).chain(&AGENTS) {
        for is_ours in [true, false] {
            let mut facts = healthy();
            plant(&mut facts);
            if !is_ours {
                facts["installs"][0]["receipt"] = json!(null);
            }
            cures.extend(super::commands(&facts));
        }
    }
    let text: String = cures.iter().map(|line| format!("{line}\n")).collect();
    for word in ["sudo", "tail", "systemctl", "Administrators"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/windows-cures.txt");
    if std::env::var_os("RUNNERUP_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default() == text, "the cures are now:\n{text}");
}

/// Nobody knows the password of an account that was made with a random one.
#[test]
fn no_cure_of_our_own_install_asks_for_a_password() {
    for Fault(what, healthy, plant, _) in HOST.iter().chain(&TASK).chain(&RIGHTS) {
        let mut facts = healthy();
        if facts["installs"][0]["receipt"].is_null() {
            continue;
        }
        plant(&mut facts);
        for line in super::commands(&facts) {
            let asks = ["/RP", "/pass", "Get-Credential", "Read-Host"];
            assert!(!asks.iter().any(|word| line.contains(word)), "{what}: {line}");
        }
    }
}
