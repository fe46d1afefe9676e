//! The agent's config file: what could be read is written so that it reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runnerup::{agent::Config, platform::Os};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(config) = Config::parse(bytes) {
        let written = config.render_redacted(Os::Linux);
        let again = Config::parse(written.as_bytes()).expect("what we write we can read");
        assert_eq!(again.render_redacted(Os::Linux), written);
    }
});
