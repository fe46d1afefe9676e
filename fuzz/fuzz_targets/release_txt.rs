//! `release.txt`: what is taken becomes part of a URL, and must stay one segment of its path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::{agent::Kind, release::newest_version};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(version) = newest_version(Kind::LaunchAgent, bytes) {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
        assert!(version.as_str().chars().all(fits) && version.as_str().len() <= 64);
    }
});
