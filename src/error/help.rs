//! Lines that help: what a person will paste, and so what no other account may steer.

use crate::text::{Command, is_plain};
use std::{fmt::Display, path::Path};

/// A line of help; none where a value in it could mean something to a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help(Option<Line>);

/// A line as it is kept until it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Words(String),
    /// A command of this program, which acts where the run acted that it is told by.
    Own {
        command: Command,
        why: &'static str,
    },
}

impl Help {
    /// Words with a value between them. Whoever wrote the value, the line is left out unless it
    /// stands for itself in every shell.
    pub fn value(before: &'static str, value: impl Display, after: &'static str) -> Self {
        let value = value.to_string();
        Self(is_plain(&value).then(|| Line::Words(format!("{before}{value}{after}"))))
    }

    /// A command, and what it is for.
    pub fn command(what_for: &'static str, command: &Command) -> Self {
        Self(command.line().map(|line| Line::Words(format!("{what_for}: {line}"))))
    }

    /// A command of this program that acts on a host, and what it does. Where the run was about the
    /// folder of an image, it is told with that folder: without it, it would act on the host.
    pub fn own(command: Command, why: &'static str) -> Self {
        Self(Some(Line::Own { command, why }))
    }

    /// A command that shows who owns what is at a path, and what it is.
    pub fn look(command: &'static str, path: &Path) -> Self {
        let command = Command::shows(command, path);
        Self::command("look at it", &command)
    }

    /// A command that shows each link on the way to a path. What a link says, whoever made it wrote.
    pub fn way(path: &Path) -> Self {
        Self::command("look at it", &Command::shows("namei -l", path).then("| cat -v"))
    }

    /// Words that hold nothing but this program's own names and numbers, or what the person who
    /// reads them typed.
    pub fn words(text: impl Into<String>) -> Self {
        Self(Some(Line::Words(text.into())))
    }

    pub(super) fn into_line(self) -> Option<Line> {
        self.0
    }
}

impl Line {
    /// As it is told by a run about the folder of an image, or about the host.
    pub(super) fn told(&self, base: Option<&Path>) -> Option<String> {
        match self {
            Self::Words(text) => Some(text.clone()),
            Self::Own { command, why } => {
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
    use std::fs;

    #[test]
    fn a_command_of_ours_is_told_with_the_image_of_the_run() {
        let own = Help::own(Command::fixed("runnerup uninstall --purge"), "goes on from here");
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
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
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
}
