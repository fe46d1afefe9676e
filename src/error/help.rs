//! Lines of help. A person may paste them, so no other account may influence them.

use crate::text::{Command, is_plain};
use std::{fmt::Display, path::Path};

/// A line of help; empty where a value in it could have a meaning to a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help(Option<Line>);

/// A line as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Words(String),
    /// A command of this program, for the host or image of the run.
    OfProgram {
        command: Command,
        why: &'static str,
    },
}

impl Help {
    /// Text with a value in it. The line is left out if a shell could read more than text in the value.
    pub fn value(before: &'static str, value: impl Display, after: &'static str) -> Self {
        let value = value.to_string();
        Self(is_plain(&value).then(|| Line::Words(format!("{before}{value}{after}"))))
    }

    /// A command and its purpose.
    pub fn command(what_for: &'static str, command: &Command) -> Self {
        Self(command.line().map(|line| Line::Words(format!("{what_for}: {line}"))))
    }

    /// A command of this program and what it does. In a run on an image it is shown with `--root`, because
    /// without it the command would act on the host.
    pub fn of_program(command: Command, why: &'static str) -> Self {
        Self(Some(Line::OfProgram { command, why }))
    }

    /// A command that shows owner and kind of a path.
    pub fn inspect(command: &'static str, path: &Path) -> Self {
        let command = Command::shows(command, path);
        Self::command("examine it", &command)
    }

    /// A command that shows each link in a path. Its output holds text of whoever made the links.
    pub fn way(path: &Path) -> Self {
        Self::command("examine it", &Command::shows("namei -l", path).then("| cat -v"))
    }

    /// Text of this program's own words and numbers, or of what the person typed.
    pub fn words(text: impl Into<String>) -> Self {
        Self(Some(Line::Words(text.into())))
    }

    pub(super) fn into_line(self) -> Option<Line> {
        self.0
    }
}

impl Line {
    /// The line for a run on the image in a folder, or on the host.
    pub(super) fn text(&self, base: Option<&Path>) -> Option<String> {
        match self {
            Self::Words(text) => Some(text.clone()),
            Self::OfProgram { command, why } => {
                let command = command.clone().of_image(base).into_line()?;
                Some(if why.is_empty() { command } else { format!("{command}   # {why}") })
            }
        }
    }
}

impl From<&'static str> for Help {
    fn from(text: &'static str) -> Self {
        Self::words(text)
    }
}

impl From<Command> for Help {
    fn from(command: Command) -> Self {
        Self(command.into_line().map(Line::Words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Error};

    #[test]
    fn a_command_of_ours_is_told_with_the_image_of_the_run() {
        let own =
            Help::of_program(Command::fixed("runnerup uninstall --purge"), "goes on from here");
        let error = Error::new(Code::StepFailed, "x").help(own).help("look");
        assert_eq!(
            error.help_lines(),
            ["runnerup uninstall --purge   # goes on from here", "look"]
        );
        assert_eq!(
            error.help_in(Some(Path::new("/srv/an image"))),
            ["runnerup uninstall --purge --root '/srv/an image'   # goes on from here", "look"]
        );
        // What cannot be typed is left out; the host is never meant instead.
        assert_eq!(error.help_in(Some(Path::new("/srv/a\nb"))), ["look"]);
    }

    /// Plain words as help would be told without the image of the run.
    #[test]
    fn no_help_names_a_command_of_ours_in_plain_words() {
        const VERBS: [&str; 5] = ["install", "uninstall", "plan", "doctor", "status"];
        // Before a command line is understood, there is no image.
        const EARLY: [&str; 4] =
            ["cli/early.rs", "cli/usage.rs", "cli/doctor/facts.rs", "error/help.rs"];
        for (path, text) in crate::text::sources::below("") {
            for line in text.split(".help(").skip(1).filter(|line| line.starts_with('"')) {
                let line = line.split('"').nth(1).unwrap_or_default();
                let rest = line.split("runnerup ").nth(1).unwrap_or_default();
                let is_list = rest.ends_with("--list") || rest.contains("--help");
                let acts = VERBS.iter().any(|verb| rest.starts_with(verb)) && !is_list;
                let is_early = EARLY.iter().any(|file| path.ends_with(file));
                assert!(!acts || is_early, "{}: {line}", path.display());
            }
        }
    }
}
