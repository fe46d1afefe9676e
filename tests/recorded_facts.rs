//! Facts of macOS and Windows, made by hand from what is known of the two, judged by the program
//! as facts that were saved elsewhere are. No Mac and no Windows was there to take them.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

#[path = "recorded_facts/windows.rs"]
mod windows;

use serde_json::{Value, json};
use std::{fs, process::Command};

const MAC: &str = include_str!("facts/macos-made.json");

/// Judges facts with a value changed; the checks that fail or warn, and the exit code.
fn judged(facts: &str, changes: &[(&str, Value)]) -> (Vec<String>, i32) {
    let mut facts: Value = serde_json::from_str(facts).unwrap();
    for (pointer, value) in changes {
        *facts.pointer_mut(pointer).ok_or(pointer).unwrap() = value.clone();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.json");
    fs::write(&file, facts.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(["doctor", "--json", "--facts"])
        .arg(&file)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let bad =
        findings.filter(|own| matches!(own["status"].as_str(), Some("fail" | "warn" | "error")));
    let names = bad.map(|own| own["check"].as_str().unwrap().to_owned()).collect();
    (names, output.status.code().unwrap())
}

#[test]
fn healthy_ones_have_no_finding() {
    assert_eq!(judged(MAC, &[]), (Vec::new(), 0));
}

#[test]
fn faults_of_a_mac_are_found() {
    let end = "/installs/0/binary/trail/known/end/mode";
    for (what, pointer, value, check) in [
        ("the documented hang", end, json!(0o644), "permissions/binary-executable"),
        ("quarantine", "/installs/0/binary/quarantined", json!(true), "permissions/quarantine"),
        (
            "Gatekeeper",
            "/installs/0/binary/gatekeeper",
            json!("rejected"),
            "permissions/gatekeeper",
        ),
        (
            "no Rosetta needed, none there",
            "/host/machine",
            json!("x86_64"),
            "permissions/binary-architecture",
        ),
        (
            "a page",
            "/installs/0/binary/program/known",
            json!({"kind": "page"}),
            "permissions/binary-is-program",
        ),
        (
            "a prefix without --",
            "/installs/0/config/known/settings/3/value/list",
            json!(["sudo", "-niHu", "ci"]),
            "config/prefix-ends-options",
        ),
        (
            "an open configuration",
            "/installs/0/config/known/trail/end/mode",
            json!(0o644),
            "permissions/config-private",
        ),
        (
            "a work folder in Documents",
            "/installs/0/paths/0/1/known/path",
            json!("/Users/ci/Documents/work"),
            "permissions/privacy-folders",
        ),
        (
            "a work folder of another's",
            "/installs/0/paths/0/1/known/end/uid",
            json!(0),
            "permissions/workdir-usable",
        ),
        (
            "not loaded",
            "/installs/0/service/state/known/active",
            json!("inactive"),
            "service/running",
        ),
        ("not enabled", "/installs/0/service/state/known/enabled", json!(false), "service/enabled"),
        (
            "a placeholder",
            "/installs/0/config/known/token/unusable",
            json!("a placeholder"),
            "config/token-set",
        ),
        ("a full disk", "/host/volumes/0/bytes_free", json!(1000), "host/disk-space"),
        (
            "a stop that kills jobs",
            "/installs/0/service/directives/6/value",
            json!("600"),
            "service/stop-waits",
        ),
        (
            "no start after an end",
            "/installs/0/service/directives/3/value",
            json!("false"),
            "service/restarts",
        ),
        (
            "a misspelt key",
            "/installs/0/service/directives/4/key",
            json!("ProcesType"),
            "service/directives-known",
        ),
        (
            "a plist that is not root's",
            "/installs/0/service/definitions/0/trail/end/uid",
            json!(502),
            "service/definition-mode",
        ),
        (
            "a wrapper that splits arguments",
            "/installs/0/wrapper",
            json!({"passes_arguments": false, "ends_in_exec": true}),
            "config/prefix-forwards",
        ),
    ] {
        let (found, code) = judged(MAC, &[(pointer, value)]);
        assert_eq!(found, [check], "{what}");
        let only_warns =
            ["permissions/gatekeeper", "service/stop-waits", "service/directives-known"];
        assert_eq!(code, i32::from(!only_warns.contains(&check)), "{what}");
    }
}
