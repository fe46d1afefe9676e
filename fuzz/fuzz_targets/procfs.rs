//! What `/proc` says of a process: what is kept of it is short, and no path makes a process that
//! an account manages one of the system's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::probe::procfs::{COMMAND_LIMIT, ControlGroups, ManagedBy, command_line, real_uid, stat};

fuzz_target!(|bytes: &[u8]| {
    if let Some(stat) = stat(bytes) {
        assert!(stat.name.len() <= 15);
    }
    real_uid(bytes);
    // What is no UTF-8 takes three bytes in place of one.
    let length: usize = command_line(bytes).words.iter().map(String::len).sum();
    assert!(length <= 3 * COMMAND_LIMIT);
    for groups in [ControlGroups::default(), ControlGroups::of_init(bytes)] {
        if let ManagedBy::System(unit) = groups.managed_by(bytes) {
            assert!(unit.ends_with(".service") && !unit.starts_with("user@"));
            assert!(!unit.contains('/'));
        }
    }
});
