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
    /// Its words before the name.
    fn begin(self) -> Command {
        match self {
            Self::Enable => Command::root("systemctl enable"),
            Self::EnableNow => Command::root("systemctl enable --now"),
            Self::AddWants => Command::root("systemctl add-wants multi-user.target"),
            Self::Start => Command::root("systemctl start"),
            Self::Restart => Command::root("systemctl restart"),
            Self::ResetFailed => Command::root("systemctl reset-failed"),
            Self::Unmask => Command::root("systemctl unmask"),
            Self::Edit => Command::root("systemctl edit"),
            Self::EditFull => Command::root("systemctl edit --full"),
            Self::Verify => Command::root("systemd-analyze --man=no verify"),
            Self::Status => Command::fixed("systemctl status"),
            Self::Cat => Command::root("systemctl cat"),
            Self::Log => Command::fixed("journalctl --lines 50 --unit"),
        }
    }

    fn starts_or_stops(self) -> bool {
        match self {
            Self::EnableNow | Self::Start | Self::Restart => true,
            Self::Enable
            | Self::AddWants
            | Self::ResetFailed
            | Self::Unmask
            | Self::Edit
            | Self::EditFull
            | Self::Verify
            | Self::Status
            | Self::Cat
            | Self::Log => false,
        }
    }

    /// On the unit of this name.
    pub(crate) fn of(self, unit: &str, named_by: Provenance) -> Command {
        let command = self.begin().unit(unit, named_by);
        match self.starts_or_stops() {
            true => command.with_effect(Effect::Service(unit.to_owned())),
            false => command,
        }
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
