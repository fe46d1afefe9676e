//! The head of a binary: one without a known magic number is never taken.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::platform::{Platform, executable::check_executable};

fuzz_target!(|head: &[u8]| {
    for platform in Platform::ALL {
        if check_executable(head, platform).is_ok() {
            let magics: [&[u8]; 4] =
                [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"];
            assert!(magics.iter().any(|magic| head.starts_with(magic)));
        }
    }
});
