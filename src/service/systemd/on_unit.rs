//! What a person does with a unit by a command, and what runs meanwhile.

use crate::{
    Command,
    host::{Install, Provenance, Service},
    service::trust::is_roots,
    text::Effect,
};

/// A command on a unit, without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnUnit {
    /// Have it start with the host.
    Enable,
    /// The same, and start it.
    EnableNow,
    /// Have another target start it.
    AddWants,
    /// Start what does not run.
    Start,
    /// End it and start it again.
    Restart,
    /// Forget how it failed.
    ResetFailed,
    /// Remove the mask.
    Unmask,
    /// Write a drop-in.
    Edit,
    /// Write the unit itself.
    EditFull,
    /// Show what systemd objects to.
    Verify,
    /// Show how it stands.
    Status,
    /// Show its files.
    Cat,
    /// Show what it wrote.
    Log,
}

impl OnUnit {
    /// On the unit of this name.
    pub(crate) fn of(self, unit: &str, named_by: Provenance) -> Command {
        let acts = || Effect::Service(unit.to_owned());
        let (command, effect) = match self {
            Self::Enable => (Command::root("systemctl enable"), Effect::Nothing),
            Self::EnableNow => (Command::root("systemctl enable --now"), acts()),
            Self::AddWants => {
                (Command::root("systemctl add-wants multi-user.target"), Effect::Nothing)
            }
            Self::Start => (Command::root("systemctl start"), acts()),
            Self::Restart => (Command::root("systemctl restart"), acts()),
            Self::ResetFailed => (Command::root("systemctl reset-failed"), Effect::Nothing),
            Self::Unmask => (Command::root("systemctl unmask"), Effect::Nothing),
            Self::Edit => (Command::root("systemctl edit"), Effect::Nothing),
            Self::EditFull => (Command::root("systemctl edit --full"), Effect::Nothing),
            Self::Verify => (Command::root("systemd-analyze --man=no verify"), Effect::Nothing),
            Self::Status => (Command::fixed("systemctl status"), Effect::Nothing),
            Self::Cat => (Command::root("systemctl cat"), Effect::Nothing),
            Self::Log => (Command::fixed("journalctl --lines 50 --unit"), Effect::Nothing),
        };
        command.unit(unit, named_by).with_effect(effect)
    }
}

/// A command of root's on the unit of an agent.
pub(crate) fn on_unit(what: OnUnit, install: &Install, service: &Service) -> Command {
    match is_roots(install, service) {
        true => what.of(&service.name, install.named_by),
        false => Command::left_out(),
    }
}

/// Has systemd read the files of its units again.
pub(crate) fn reload(install: &Install, service: &Service) -> Command {
    match is_roots(install, service) {
        true => Command::root("systemctl daemon-reload"),
        false => Command::left_out(),
    }
}

#[cfg(test)]
impl OnUnit {
    /// Every command.
    pub(crate) const ALL: [Self; 13] = [
        Self::Enable,
        Self::EnableNow,
        Self::AddWants,
        Self::Start,
        Self::Restart,
        Self::ResetFailed,
        Self::Unmask,
        Self::Edit,
        Self::EditFull,
        Self::Verify,
        Self::Status,
        Self::Cat,
        Self::Log,
    ];
}
