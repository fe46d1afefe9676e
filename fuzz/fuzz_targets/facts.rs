//! Saved facts: they are judged without a panic, and what is told of each check is short.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::{doctor::{Selection, judge}, host::Survey};

/// Longest finding, in bytes of JSON.
const LIMIT: usize = 64 << 10;

fuzz_target!(|bytes: &[u8]| {
    let Ok(survey) = serde_json::from_slice::<Survey>(bytes) else { return };
    for finding in judge(&survey, &Selection::default()) {
        let told = serde_json::to_vec(&finding).expect("a finding is JSON");
        assert!(told.len() <= LIMIT, "{} bytes of {}", told.len(), finding.check);
    }
});
