//! The agent's config file as the doctor reads and judges it: without a panic, and what is told of
//! each check is short.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::{doctor::{Selection, judge}, host::{Provenance, Seen, Survey, PathWalk}, probe::config};

/// The host that has the configuration.
const FACTS: &str = include_str!("../../tests/facts/linux-recorded.json");

/// Longest finding, in bytes of JSON.
const LIMIT: usize = 64 << 10;

fuzz_target!(|bytes: &[u8]| {
    let mut survey: Survey = serde_json::from_str(FACTS).expect("the recorded facts are facts");
    let (file, _) = config::read(PathWalk::default(), bytes, Provenance::Root, b"salt");
    for install in &mut survey.installs {
        install.config = Some(Seen::Known(file.clone()));
    }
    for finding in judge(&survey, &Selection::default()) {
        let told = serde_json::to_vec(&finding).expect("a finding is JSON");
        assert!(told.len() <= LIMIT, "{} bytes of {}", told.len(), finding.check);
    }
});
