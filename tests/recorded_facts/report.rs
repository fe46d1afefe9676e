//! The report that a person reads: what is counted, and what its last line names.

use serde_json::{Value, json};
use std::{fs, process::Command};

const RECORDED: &str = include_str!("../facts/linux-recorded.json");

fn recorded() -> Value {
    serde_json::from_str(RECORDED).unwrap()
}

/// The text of the report.
fn report(facts: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.json");
    fs::write(&file, facts.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(["doctor", "--color", "never", "--facts"])
        .arg(&file)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What the last line names, its folds undone.
fn next(report: &str) -> String {
    let lines: Vec<&str> = report.lines().map(str::trim).collect();
    lines.join(" ").rsplit_once("Next, by hand: ").unwrap().1.to_owned()
}

/// An endpoint whose name has no address.
fn without_address(name: &str, host: &str, is_needed: bool) -> Value {
    json!({"name": name, "install": "default", "url": format!("https://{host}"),
        "required": is_needed, "purpose": "a purpose", "side": "service", "proxy": null,
        "resolved": {"ms": 4, "outcome": {"Err": "no name server"}, "route": "no-name"},
        "v4": null, "v6": null, "tunnel": null, "tls": null, "answer": null})
}

/// A host without DNS: one cause, and no command can remove it.
#[test]
fn the_last_line_names_what_removes_the_first_failure() {
    let mut facts = recorded();
    let endpoints: Vec<Value> = ["api", "releases", "storage"]
        .iter()
        .map(|name| without_address(name, &format!("{name}.example.com"), *name == "api"))
        .collect();
    facts["network"] = json!({"known": {"timeout": 5, "endpoints": endpoints, "newest": null}});
    let text = report(&facts);
    assert_eq!(next(&text), "Correct the DNS resolver, or the host name.", "{text}");
    // The cause is told once, with its endpoints.
    assert_eq!(text.matches("no name server").count(), 1, "{text}");
    assert!(text.contains("releases.example.com"), "{text}");
}

/// What is about other systems, or about what is not used, is not counted to a person.
#[test]
fn what_does_not_apply_is_a_status_of_its_own_and_is_not_counted() {
    let facts = recorded();
    let (json, _) = super::judge(&facts);
    let summary = &json["summary"];
    let status = |check: &str| {
        let mut findings = json["findings"].as_array().unwrap().iter();
        findings.find(|own| own["check"] == check).unwrap()["status"].clone()
    };
    assert_eq!(status("host/stays-awake"), "not_applicable");
    assert_eq!(status("config/prefix-runs"), "not_applicable");
    assert_eq!(status("connectivity/reachable"), "skip");
    let skipped = summary["skip"].as_u64().unwrap();
    assert!(summary["not_applicable"].as_u64().unwrap() > skipped, "{summary}");
    assert!(report(&facts).contains(&format!("{skipped} were skipped.")));
}
