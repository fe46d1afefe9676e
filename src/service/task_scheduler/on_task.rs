//! What a person does with a task by a command, and what runs meanwhile.

use crate::{Command, host::Provenance, text::Effect};

/// A command on a task, without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTask {
    /// Start it.
    Run,
    /// End it.
    End,
    /// Change its account or its password.
    Change,
    /// Delete it; what runs goes on.
    Delete,
    /// Show how it stands.
    Query,
}

impl OnTask {
    /// On the task of this name.
    pub(crate) fn of(self, task: &str, named_by: Provenance) -> Command {
        let acts = || Effect::Service(task.to_owned());
        let (text, effect) = match self {
            Self::Run => ("schtasks /Run /TN", acts()),
            Self::End => ("schtasks /End /TN", acts()),
            Self::Change => ("schtasks /Change /TN", Effect::Nothing),
            Self::Delete => ("schtasks /Delete /TN", Effect::Nothing),
            Self::Query => ("schtasks /Query /TN", Effect::Nothing),
        };
        Command::fixed(text).task(task, named_by).with_effect(effect)
    }
}

/// With the task's name as commands of PowerShell take it: its folder apart.
pub(crate) fn named(command: Command, task: &str, named_by: Provenance) -> Command {
    match task.rsplit_once('\\') {
        Some((folder, name)) => command
            .then("-TaskPath")
            .task(&format!(r"\{folder}\"), named_by)
            .then("-TaskName")
            .task(name, named_by),
        None => command.task(task, named_by),
    }
}

#[cfg(test)]
impl OnTask {
    /// Every command.
    pub(crate) const ALL: [Self; 5] =
        [Self::Run, Self::End, Self::Change, Self::Delete, Self::Query];
}
