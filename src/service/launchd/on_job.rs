//! What a person does with a job by a command, and what runs meanwhile.

use super::domain;
use crate::{
    Command,
    host::{Install, Provenance, Service},
    platform::macos::SYSTEM,
    service::trust::is_roots,
    text::Effect,
};
use std::path::Path;

/// A command of root's on a job that launchd knows by its domain and its label, without these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnJob {
    /// Have it start with the host.
    Enable,
    /// End it, and forget its definition.
    Bootout,
    /// Show how it stands.
    Print,
}

impl OnJob {
    /// On the job of this label.
    pub(crate) fn of(self, domain: &str, label: &str, named_by: Provenance) -> Command {
        let (text, effect) = match self {
            Self::Enable => ("launchctl enable", Effect::Nothing),
            Self::Bootout => ("launchctl bootout", Effect::Service(label.to_owned())),
            Self::Print => ("launchctl print", Effect::Nothing),
        };
        Command::root(text).job(domain, label, named_by).with_effect(effect)
    }
}

/// A command of root's on the job of an agent. One that a user's launchd runs has no more rights than
/// that user.
pub(crate) fn on_job(what: OnJob, install: &Install, service: &Service) -> Command {
    match domain(service) != SYSTEM || is_roots(install, service) {
        true => what.of(domain(service), &service.name, install.named_by),
        false => Command::left_out(),
    }
}

/// The command that has launchd load the definition of an agent, and start it.
pub(crate) fn bootstrap(install: &Install, service: &Service) -> Command {
    let Some(file) = service.file() else { return Command::left_out() };
    bootstrap_in(domain(service), &file.path, install, service)
}

/// The same in another domain than the one that has it.
pub(crate) fn bootstrap_in(
    domain: &str,
    file: &Path,
    install: &Install,
    service: &Service,
) -> Command {
    Command::root("launchctl bootstrap")
        .domain(domain, install.named_by)
        .path(file, install.named_by)
        .with_effect(Effect::Service(service.name.clone()))
}

/// The commands that have launchd read a definition again. The first one comes back while the agent
/// waits for its job to end, and a definition whose job is still there is refused.
pub(crate) fn reload(install: &Install, service: &Service) -> [Command; 3] {
    let wait = Command::fixed("while sudo launchctl print")
        .job(domain(service), &service.name, install.named_by)
        .then(">/dev/null 2>&1; do sleep 5; done")
        .with_effect(Effect::Service(service.name.clone()));
    [on_job(OnJob::Bootout, install, service), wait, bootstrap(install, service)]
}

#[cfg(test)]
impl OnJob {
    /// Every command.
    pub(crate) const ALL: [Self; 3] = [Self::Enable, Self::Bootout, Self::Print];
}
