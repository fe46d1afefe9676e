//! `checksums.txt`: what is taken must stand there, for exactly the path that was asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::{agent::Kind, platform::Platform, release::checksum_for};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for platform in Platform::ALL {
        if let Ok(sum) = checksum_for(bytes, Kind::LaunchAgent, platform) {
            let stands_there = text.lines().any(|line| {
                let path = line.strip_prefix(&sum.to_string());
                path.is_some_and(|path| path.contains(&platform.to_string()))
            });
            assert!(stands_there);
        }
    }
});
