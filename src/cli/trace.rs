//! `-v`: what is being done, on standard error.

use super::{Output, Secrets};
use std::io::{self, Write};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{self, MakeWriter},
    prelude::*,
};

/// Starts telling, if `-v` was given. Only this crate is heard: what HTTP libraries tell holds
/// headers, and with them tokens.
pub(super) fn start(out: &Output) {
    let level = match out.manner().verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let layer = fmt::layer()
        .with_writer(Scrubbed(out.secrets().clone()))
        .with_ansi(out.has_note_colour())
        .without_time()
        .with_filter(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level));
    // Only a second start could fail, and there is none.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// Standard error without the known secrets.
struct Scrubbed(Secrets);

impl Write for Scrubbed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().lock().write_all(self.0.scrub(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

impl<'a> MakeWriter<'a> for Scrubbed {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self(self.0.clone())
    }
}
