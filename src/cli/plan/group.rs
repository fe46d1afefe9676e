//! What the steps of a plan are about.

use crate::record::{Step, Target};

/// What a step is about, in the order in which a person reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Group {
    Binary,
    Configuration,
    Account,
    Service,
    System,
    Folders,
}

impl Group {
    pub(super) const ALL: [Self; 6] = [
        Self::Binary,
        Self::Configuration,
        Self::Account,
        Self::Service,
        Self::System,
        Self::Folders,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Binary => "Binary",
            Self::Configuration => "Configuration",
            Self::Account => "Account",
            Self::Service => "Service",
            Self::System => "System",
            Self::Folders => "Folders",
        }
    }

    /// What a step is about.
    pub(in crate::cli) fn of(step: &Step) -> Self {
        match step {
            Step::Binary(_) => Self::Binary,
            Step::File(file) if file.definition => Self::Service,
            Step::File(_) => Self::Configuration,
            Step::Account(_) | Step::EndProcesses { .. } => Self::Account,
            Step::Link { .. } | Step::Enable { .. } | Step::Start { .. } | Step::Stop { .. } => {
                Self::Service
            }
            Step::Registry(_) => Self::System,
            Step::Folder(_) | Step::SetPermissions(_) | Step::Close { .. } => Self::Folders,
            Step::Restore { target, .. } => Self::of_target(target),
        }
    }

    fn of_target(target: &Target) -> Self {
        match target {
            Target::File(_) => Self::Configuration,
            Target::Account(_) | Target::Processes(_) => Self::Account,
            Target::Link(_) | Target::Enabled(_) | Target::Running(_) => Self::Service,
            Target::Registry(_) => Self::System,
            Target::Folder(_) => Self::Folders,
        }
    }
}
