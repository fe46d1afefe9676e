//! Scripts for the PowerShell that every Windows has.

use crate::{
    Result,
    platform::command::{Call, Commands},
};
use std::time::Duration;

/// PowerShell takes seconds to start on a busy host.
const LIMIT: Duration = Duration::from_secs(120);

/// Every error ends the script, and UTF-8 comes out.
const PREAMBLE: &str =
    "$ErrorActionPreference = 'Stop'; [Console]::OutputEncoding = [Text.Encoding]::UTF8; ";

/// Runs a script; what it printed. A script is visible to every user: never a secret in it.
///
/// # Errors
/// When it fails, with what it said.
pub fn run(commands: &dyn Commands, script: &str) -> Result<String> {
    run_within(commands, script, LIMIT)
}

/// The same, for what may take longer.
///
/// # Errors
/// When it fails or does not end in time.
pub fn run_within(commands: &dyn Commands, script: &str, limit: Duration) -> Result<String> {
    commands.run(&call(script).within(limit)).map(|answer| answer.stdout)
}

/// The call of a script.
pub fn call(script: &str) -> Call {
    let script = format!("{PREAMBLE}{script}");
    Call::new("powershell", ["-NoProfile", "-NonInteractive", "-Command", &script]).within(LIMIT)
}

/// A text as PowerShell reads it without looking into it.
pub fn literal(text: &str) -> String {
    // It takes typographic quotes for quotes too.
    let doubled: String = text
        .chars()
        .flat_map(|c| {
            let twice = matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
            std::iter::repeat_n(c, if twice { 2 } else { 1 })
        })
        .collect();
    format!("'{doubled}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        assert_eq!(literal("it's $(whoami) `n \"x\""), "'it''s $(whoami) `n \"x\"'");
        assert_eq!(literal("\u{2019}; calc"), "'\u{2019}\u{2019}; calc'");
    }
}
