//! `-v`: what is being done, on standard error.

use super::Output;
use std::io::{self, Write};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{self, MakeWriter},
    prelude::*,
};

/// Starts telling, if `-v` was given. Only this crate is heard: what HTTP libraries tell holds
/// headers, and with them tokens.
pub(super) fn start(out: &Output) {
    let level = match out.options().verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let layer = fmt::layer()
        .with_writer(Exit(out.clone()))
        .with_ansi(false)
        .without_time()
        .with_filter(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level));
    // Only a second start could fail, and there is none.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// Hands each event to the exit as one row, whatever is in its values.
#[derive(Clone)]
struct Exit(Output);

impl Write for Exit {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        // The level stands first, blanks before it.
        let blanks = text.len() - text.trim_start().len();
        let end = text.get(blanks..).and_then(|rest| rest.find(' ')).unwrap_or_default();
        let (level, rest) = text.split_at(blanks + end);
        self.0.trace(level, rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Exit {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
