//! Lines that help: what a person will paste, and so what no other account may steer.

use crate::{Command, command::is_plain};
use std::{fmt::Display, path::Path};

/// A line of help; none where a value in it could mean something to a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help(Option<String>);

impl Help {
    /// Words with a value between them. Whoever wrote the value, the line is left out unless it
    /// stands for itself in every shell.
    pub fn value(before: &'static str, value: impl Display, after: &'static str) -> Self {
        let value = value.to_string();
        Self(is_plain(&value).then(|| format!("{before}{value}{after}")))
    }

    /// A command, and what it is for.
    pub fn command(what_for: &'static str, command: &Command) -> Self {
        Self(command.line().map(|line| format!("{what_for}: {line}")))
    }

    /// A command that shows who owns what is at a path, and what it is.
    pub fn look(command: &'static str, path: &Path) -> Self {
        let command = Command::shows(command, path);
        Self::command("look at it", &command)
    }

    /// Words that hold nothing but this program's own names and numbers, or what the person who
    /// reads them typed.
    pub fn words(text: impl Into<String>) -> Self {
        Self(Some(text.into()))
    }

    pub(super) fn into_line(self) -> Option<String> {
        self.0
    }
}

impl From<&'static str> for Help {
    fn from(text: &'static str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl From<Command> for Help {
    fn from(command: Command) -> Self {
        Self(command.into_line())
    }
}
