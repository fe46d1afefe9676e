//! What a person does with a service.

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
    /// Every verb.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] = [
        Self::Enable,
        Self::Start,
        Self::Restart,
        Self::Reload,
        Self::Inspect,
        Self::ShowDefinition,
        Self::ShowLog,
    ];

    /// Whether it shows more of a problem and changes nothing.
    pub(crate) fn only_shows(self) -> bool {
        matches!(self, Self::Inspect | Self::ShowDefinition | Self::ShowLog)
    }
}
