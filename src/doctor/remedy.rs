//! What cures a finding: words, commands, and steps for the engine where that is safe.

use crate::apply::Step;
use serde::Serialize;

/// A cure.
#[derive(Debug, Clone, Serialize)]
pub struct Remedy {
    /// In a sentence or two.
    pub text: String,
    /// The exact commands, as a person would type them.
    pub commands: Vec<String>,
    /// Whether `doctor --fix` does it.
    pub fixable: bool,
    /// What it does.
    #[serde(skip)]
    pub steps: Vec<Step>,
    /// What must be asked for in so many words.
    #[serde(skip)]
    pub consent: Option<Consent>,
}

/// What `--fix` does only when it is asked for in so many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consent {
    /// Starting a service again while a job runs: it ends first, which may take hours.
    RestartBusy,
}

impl Remedy {
    /// Something that a person has to do.
    pub fn by_hand(text: impl Into<String>) -> Self {
        let (commands, steps) = (Vec::new(), Vec::new());
        Self { text: text.into(), commands, fixable: false, steps, consent: None }
    }

    /// With a command.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// With a step that `--fix` does; what is offered as a step must be safe to do.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self.fixable = true;
        self
    }

    /// Done only when asked for.
    #[must_use]
    pub fn asks(mut self, consent: Consent) -> Self {
        self.consent = Some(consent);
        self
    }
}

/// Programs of other systems, which no command for Windows names.
const ELSEWHERE: [&str; 22] = [
    "apt-get",
    "chmod",
    "chown",
    "df",
    "du",
    "fallocate",
    "id",
    "install",
    "journalctl",
    "kill",
    "launchctl",
    "ls",
    "mkhomedir_helper",
    "ps",
    "rm",
    "ss",
    "sudo",
    "systemctl",
    "systemd-analyze",
    "timedatectl",
    "useradd",
    "visudo",
];

impl Remedy {
    /// The same as a person at Windows types it, who has no sudo there.
    #[must_use]
    pub(super) fn on_windows(mut self) -> Self {
        for command in &mut self.commands {
            if let Some(file) = command.strip_prefix("sudoedit ") {
                *command = format!("notepad {file}");
            } else if let Some(rest) = command.strip_prefix("sudo ") {
                *command = rest.to_owned();
            }
        }
        let is_there = |command: &String| {
            command.split_whitespace().next().is_some_and(|word| !ELSEWHERE.contains(&word))
        };
        self.commands.retain(is_there);
        self
    }
}

impl Consent {
    /// The word that `--allow` takes.
    pub fn word(self) -> &'static str {
        match self {
            Self::RestartBusy => "restart-busy",
        }
    }

    /// The question.
    pub fn question(self) -> &'static str {
        match self {
            Self::RestartBusy => {
                "A job runs. Let it end, however long it takes, and start the agent again then?"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_for_windows_has_no_sudo() {
        let remedy = Remedy::by_hand("x")
            .command("sudo runnerup install")
            .command("sudo systemctl restart x")
            .command("sudoedit C:\\x.yaml")
            .command("schtasks /Run /TN x");
        let commands = ["runnerup install", "notepad C:\\x.yaml", "schtasks /Run /TN x"];
        assert_eq!(remedy.on_windows().commands, commands);
    }
}
