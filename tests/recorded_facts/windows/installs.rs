//! Facts of Windows with one agent, and the parts of them that a fault changes.

use serde_json::{Value, json};

pub(super) const OURS: &str = include_str!("../../facts/windows-made.json");
pub(super) const OTHERS: &str = include_str!("../../facts/windows-installs-made.json");

pub(super) const AGENT: &str = "CircleCI Launch Agent";
pub(super) const FOLDER: &str = r"C:\Program Files\CircleCI";
pub(super) const USERS: &str = "S-1-5-32-545";

pub(super) fn ours() -> Value {
    serde_json::from_str(OURS).unwrap()
}

/// Another install in the place of ours, with the task that keeps its session.
pub(super) fn other(kind: &str, name: &str) -> Value {
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
pub(super) fn inherits(facts: &mut Value) {
    for rights in facts["host"]["windows"]["rights"]["known"].as_array_mut().unwrap() {
        rights["grants"].as_array_mut().unwrap().push(json!(
            {"sid": USERS, "name": r"BUILTIN\Users", "read": true, "write": false, "inherited": true}
        ));
    }
}

pub(super) fn documented() -> Value {
    let mut facts = other("documented", AGENT);
    inherits(&mut facts);
    facts
}

pub(super) fn machine_runner() -> Value {
    let mut facts = other("machine-runner", "CircleCI Runner Agent");
    inherits(&mut facts);
    facts
}

/// Ours with a desktop: the documented two tasks, on ground that is closed.
pub(super) fn desktop() -> Value {
    let (mut facts, ours) = (other("documented", AGENT), ours());
    for key in ["receipt", "name"] {
        facts["installs"][0][key] = ours["installs"][0][key].clone();
    }
    at_normal_priority(&mut facts);
    facts
}

pub(super) fn at_normal_priority(facts: &mut Value) {
    add(facts, "Settings", "Priority", "5");
}

/// Made by hand, and its flaws cured.
pub(super) fn documented_closed() -> Value {
    cured(other("documented", AGENT))
}

pub(super) fn runner_closed() -> Value {
    cured(other("machine-runner", "CircleCI Runner Agent"))
}

pub(super) fn cured(mut facts: Value) -> Value {
    at_normal_priority(&mut facts);
    facts["host"]["accounts"][0]["administrator"] = json!(false);
    facts
}

pub(super) fn closed(facts: &mut Value, why: &str) {
    facts["host"]["accounts"][0]["closed"] = json!(why);
    ended(facts, 0x8007_0775);
}

pub(super) fn windows<'a>(facts: &'a mut Value, key: &str) -> &'a mut Value {
    &mut facts["host"]["windows"][key]
}

pub(super) fn install<'a>(facts: &'a mut Value, key: &str) -> &'a mut Value {
    &mut facts["installs"][0][key]
}

pub(super) fn lines(facts: &mut Value) -> &mut Vec<Value> {
    facts["installs"][0]["service"]["directives"].as_array_mut().unwrap()
}

/// Sets a line of the task's definition.
pub(super) fn line(facts: &mut Value, section: &str, key: &str, value: &str) {
    let is_it = |own: &&mut Value| own["section"] == section && own["key"] == key;
    let own = lines(facts).iter_mut().find(is_it);
    own.ok_or((section, key)).unwrap()["value"] = json!(value);
}

/// Adds a line to the task's definition, in front of all others: what a trigger holds stands before it.
pub(super) fn add(facts: &mut Value, section: &str, key: &str, value: &str) {
    let line = json!({"file": "C:\\t", "line": 1, "section": section, "key": key, "value": value});
    lines(facts).insert(0, line);
}

/// Takes lines out whose section begins so, and whose key is this one.
pub(super) fn without(facts: &mut Value, section: &str, key: &str) {
    lines(facts).retain(|own| {
        !own["section"].as_str().unwrap().starts_with(section) || key != "*" && own["key"] != key
    });
}

pub(super) fn position(facts: &mut Value, section: &str, key: &str) -> usize {
    let lines = lines(facts);
    lines.iter().position(|own| own["section"] == section && own["key"] == key).unwrap()
}

/// As an earlier version of this program had it, on a host that was not started since.
pub(super) fn by_boot(facts: &mut Value) {
    without(facts, "Triggers/TimeTrigger", "*");
    let at = position(facts, "Triggers", "TimeTrigger");
    lines(facts).remove(at);
    add(facts, "Triggers/BootTrigger/Repetition", "Interval", "PT1M");
    windows(facts, "tasks")["known"][0]["next_run"] = json!(null);
}

/// How the task last ended; the agent does not run.
pub(super) fn ended(facts: &mut Value, result: u32) {
    install(facts, "processes")["known"] = json!([]);
    let state = &mut install(facts, "service")["state"]["known"];
    state["active"] = json!("inactive");
    state["sub"] = json!("Ready");
    state["main_pid"] = json!(null);
    state["exit_status"] = json!(result.cast_signed());
    windows(facts, "tasks")["known"][0]["state"] = json!("Ready");
    windows(facts, "tasks")["known"][0]["result"] = json!(result);
}

pub(super) fn grant(facts: &mut Value, at: usize, write: bool) {
    let grants = &mut windows(facts, "rights")["known"][at]["grants"];
    grants.as_array_mut().unwrap().push(json!(
        {"sid": USERS, "name": r"BUILTIN\Users", "read": true, "write": write, "inherited": false}
    ));
}

pub(super) fn setting(facts: &mut Value, key: &str, value: &str) {
    let settings = install(facts, "config")["known"]["settings"].as_array_mut().unwrap();
    let own = settings.iter_mut().find(|own| own["path"] == key).unwrap();
    own["value"]["text"]["text"] = json!(value);
}
