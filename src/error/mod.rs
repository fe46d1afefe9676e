//! The error type of the program: a code for `explain`, one sentence, and commands that help.

mod catalogue;
mod foreign;
mod help;
mod inkless;

pub use catalogue::{Code, Entry};
pub use foreign::Foreign;
pub use help::Help;
pub(crate) use inkless::is_inkless;

use std::{fmt, path::Path};

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and what to do about it. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    /// The sentence, then the output of another program, in one line.
    message: String,
    /// Length of the sentence in it, in bytes.
    sentence: usize,
    said: Foreign,
    help: Vec<help::Line>,
}

impl Error {
    /// An error of the kind `code`; `message` is one sentence that names the place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let sentence = message.len();
        Self { code, message, sentence, said: Foreign::default(), help: Vec::new() }
    }

    /// Adds the output of another program. The sentence should end with a colon.
    #[must_use]
    pub fn output(mut self, said: Foreign) -> Self {
        self.message.truncate(self.sentence);
        if !said.is_empty() {
            self.message = format!("{} {said}", self.message);
        }
        self.said = said;
        self
    }

    /// Adds a line of help: the exact command, or the option to change.
    #[must_use]
    pub fn help(mut self, line: impl Into<Help>) -> Self {
        self.help.extend(line.into().into_line());
        self
    }

    /// Adds the help of another error.
    #[must_use]
    pub fn help_of(mut self, other: &Self) -> Self {
        self.help.extend(other.help.iter().cloned());
        self
    }

    /// Puts the current action before the sentence.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        let before = self.message.len();
        self.message = format!("{doing}: {}", self.message);
        self.sentence += self.message.len() - before;
        self
    }

    /// The same error with another code.
    #[must_use]
    pub fn recode(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// The code that `runnerup explain` takes.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence and the output of another program, in one line, without code and help.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The sentence alone.
    pub fn sentence(&self) -> &str {
        self.message.get(..self.sentence).unwrap_or(&self.message)
    }

    /// The output of another program.
    pub fn foreign(&self) -> &Foreign {
        &self.said
    }

    /// The lines of help, for a run on the host itself.
    pub fn help_lines(&self) -> Vec<String> {
        self.help_in(None)
    }

    /// The same for a run on the image in a folder.
    pub fn help_in(&self, base: Option<&Path>) -> Vec<String> {
        self.help.iter().filter_map(|line| line.text(base)).collect()
    }

    /// The process's exit code for this error.
    pub fn exit(&self) -> u8 {
        self.code.exit()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_goes_in_front_and_keeps_code_and_help() {
        let error = Error::new(Code::ValueInvalid, "no such thing").help("try x").context("a.yaml");
        assert_eq!(error.to_string(), "a.yaml: no such thing");
        assert_eq!(error.exit(), 2);
        assert_eq!(error.help_lines(), ["try x"]);
    }

    #[test]
    fn what_another_program_said_stays_apart_from_the_sentence() {
        let error = Error::new(Code::StepFailed, "`x` failed; it said:")
            .output(Foreign::new("no\nhelp: run this"))
            .context("step 1");
        assert_eq!(error.sentence(), "step 1: `x` failed; it said:");
        assert_eq!(error.foreign().lines(), ["no", "help: run this"]);
        assert_eq!(error.message(), r#"step 1: `x` failed; it said: "no / help: run this""#);
    }
}
