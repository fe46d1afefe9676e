//! Answers files.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = runnerup::settings::answers::parse(bytes, "answers.yaml");
});
