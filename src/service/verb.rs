//! What a person does with a service, and whether root may have its manager do it.

use crate::{
    host::{Install, Provenance, Service, Trail},
    platform::fs::Meta,
};

/// What a person does with a service by a command of its manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Have it start with the host.
    Enable,
    /// Start what does not run.
    Start,
    /// End it and start it again.
    Restart,
    /// Have the manager read the definition again.
    Reload,
    /// Show how it stands.
    Inspect,
    /// Show its definition with all that adds to it.
    ShowDefinition,
    /// Show what it wrote, where the manager keeps that.
    ShowLog,
}

impl Verb {
    /// Whether it shows more of a problem and changes nothing.
    pub(crate) fn only_shows(self) -> bool {
        matches!(self, Self::Inspect | Self::ShowDefinition | Self::ShowLog)
    }
}

/// Whether root may have the system's manager act by what defines a service: another account that
/// can write a part of it says what root's manager runs, and what tools of root's read. Saved facts
/// must at least claim that nobody else can.
pub(super) fn is_roots(install: &Install, service: &Service) -> bool {
    match install.named_by {
        Provenance::Root => true,
        Provenance::Account(_) => false,
        Provenance::Anybody => {
            service.definitions.iter().all(|definition| is_closed(&definition.trail))
        }
    }
}

/// Whether modes and owners claim that root alone can change it.
pub(crate) fn is_closed(trail: &Trail) -> bool {
    let is_closed = |meta: &Meta| meta.is_of(0) && meta.has_none(0o022);
    trail.end.is_none_or(|end| is_closed(&end))
        && trail.passed.iter().all(|passed| is_closed(&passed.meta))
}
