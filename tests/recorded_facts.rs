//! Facts of macOS and Windows, made by hand from what is known of the two, judged by the program
//! as facts that were saved elsewhere are. No Mac and no Windows was there to take them.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

#[path = "recorded_facts/mac.rs"]
mod mac;
#[path = "recorded_facts/report.rs"]
mod report;
#[path = "recorded_facts/windows.rs"]
mod windows;

use serde_json::Value;
use std::{fs, process::Command};

/// Judges facts: the report, and the exit code.
fn judge(facts: &Value) -> (Value, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.json");
    fs::write(&file, facts.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(["doctor", "--json", "--facts"])
        .arg(&file)
        .output()
        .unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code().unwrap())
}

/// The checks that fail, warn or break, and the exit code.
fn problems(facts: &Value) -> (Vec<String>, i32) {
    let (report, code) = judge(facts);
    let findings = report["findings"].as_array().unwrap().iter();
    let bad =
        findings.filter(|own| matches!(own["status"].as_str(), Some("fail" | "warn" | "error")));
    (bad.map(|own| own["check"].as_str().unwrap().to_owned()).collect(), code)
}

/// Every command that the report tells a person to type.
fn commands(facts: &Value) -> Vec<String> {
    let (report, _) = judge(facts);
    let findings = report["findings"].as_array().unwrap().iter();
    let lines = findings.filter_map(|own| own["remedy"]["commands"].as_array());
    lines.flatten().map(|line| line.as_str().unwrap().to_owned()).collect()
}
