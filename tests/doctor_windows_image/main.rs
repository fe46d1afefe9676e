//! The doctor's looks at Windows, on a folder that holds what the system's drive of one does:
//! agents are found by the scheduler's own files. What only runs is not in it.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod forms;
mod image;
#[path = "../support/mod.rs"]
mod support;

use image::{Image, Kind};
use serde_json::Value;
use std::fs;

fn found<'a>(report: &'a Value, check: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|own| own["check"] == check).unwrap()
}

#[test]
fn every_documented_install_is_found_and_healthy() {
    for (kind, name) in [
        (Kind::Ours, "CircleCI Launch Agent"),
        (Kind::OursWithProxy, "CircleCI Launch Agent"),
        (Kind::Documented, "CircleCI Launch Agent"),
        (Kind::MachineRunner, "CircleCI Runner Agent"),
    ] {
        let image = Image::new(kind);
        let report = image.doctor(&[]);
        // Those that are documented leave the priority to the scheduler, whose own is below normal.
        let flaws: &[&str] = match kind {
            Kind::Ours | Kind::OursWithProxy => &[],
            Kind::Documented | Kind::MachineRunner => &["service/task-priority"],
        };
        assert_eq!(image.problems(), flaws, "{name}: {report:#}");
        for check in ["service/task-triggered", "service/restarts", "config/parses"] {
            let own = found(&report, check);
            assert_eq!((&own["status"], &own["instance"]), (&"pass".into(), &name.into()));
        }
        let passed = report["summary"]["pass"].as_u64().unwrap();
        assert!(passed > 18, "{passed}: {report:#}");
    }
}

#[test]
fn the_environment_is_what_our_script_sets() {
    let image = Image::new(Kind::OursWithProxy);
    let file = image.path("facts.json");
    image.doctor(&["--save-facts", &file.display().to_string()]);
    let facts: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let install = &facts["installs"][0];
    let variable = &install["environment"][0];
    assert_eq!(variable["value"], "http://me:***@proxy.example.com:3128", "{install:#}");
    assert!(variable["source"].as_str().unwrap().ends_with(".cmd:2"), "{variable}");
    let config = r"C:\Program Files\CircleCI\launch-agent-config.yaml";
    assert_eq!(install["service"]["command"][2], config);
    assert_eq!(install["config"]["known"]["trail"]["path"], config);
    assert_eq!(install["user"], "circleci");
}
