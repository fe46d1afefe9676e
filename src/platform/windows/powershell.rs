//! Scripts for the PowerShell that every Windows has.

use crate::{
    Result,
    platform::command::{Answer, Call, Commands},
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
    let call = call(script).within(limit);
    let answer = commands.answer(&call)?;
    match answer.code {
        Some(0) => Ok(answer.stdout),
        _ if is_constrained(&answer) => Err(answer
            .failure(&call)
            .help(CONSTRAINED)
            .help("have the policy allow scripts of administrators")),
        _ => Err(answer.failure(&call)),
    }
}

/// What a host has whose PowerShell refuses most of the language.
pub(super) const CONSTRAINED: &str = "a policy of this host (App Control or AppLocker) keeps PowerShell in Constrained Language Mode";

/// Whether an answer is that refusal. The words are of the host's language, the numbers of errors are not:
/// `MethodInvocationNotSupportedInConstrainedLanguage` and its like (PowerShell's own sources).
pub(super) fn is_constrained(answer: &Answer) -> bool {
    [&answer.stderr, &answer.stdout].iter().any(|text| text.contains("ConstrainedLanguage"))
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
    use crate::platform::command::{OF_WINDOWS, Recorded};

    /// The names behind `$env:` in a text.
    fn read_of_environment(text: &str) -> Vec<&str> {
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        text.split("$env:").skip(1).filter_map(|rest| rest.split(is_end).next()).collect()
    }

    /// Programs get a clean environment: what else a script reads is empty.
    #[test]
    fn no_script_reads_a_variable_that_is_not_set_for_it() {
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for folder in ["src/platform/windows", "src/service/task_scheduler", "tests/calls"] {
            for entry in std::fs::read_dir(sources.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                let scripts = text.split("#[cfg(test)]").next().unwrap();
                for name in read_of_environment(scripts) {
                    let is_set = OF_WINDOWS.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
                    assert!(is_set, "{}: {name}", path.display());
                    count += 1;
                }
            }
        }
        assert!(count > 1, "{count}");
        assert_eq!(read_of_environment("a $env:B + $env:C_1;"), ["B", "C_1"]);
    }

    #[test]
    fn a_mode_of_the_language_that_refuses_scripts_is_named() {
        let output =
            "No.\n    + FullyQualifiedErrorId : MethodInvocationNotSupportedInConstrainedLanguage";
        let error = run(&Recorded::answering(1, output), "x").unwrap_err();
        assert!(error.help_lines()[0].contains("Constrained Language Mode"), "{error}");
        let error = run(&Recorded::answering(1, "No."), "x").unwrap_err();
        assert!(error.help_lines().is_empty(), "{error}");
    }

    #[test]
    fn a_text_stays_a_text() {
        assert_eq!(literal("it's $(whoami) `n \"x\""), "'it''s $(whoami) `n \"x\"'");
        assert_eq!(literal("\u{2019}; calc"), "'\u{2019}\u{2019}; calc'");
    }
}
