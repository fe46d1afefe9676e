//! The journal that a killed run left.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::record::Unfinished;

fuzz_target!(|bytes: &[u8]| {
    let _ = Unfinished::read(bytes);
});
