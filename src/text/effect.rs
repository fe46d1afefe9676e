//! What a command that a person is shown does to what runs.

/// What a command does to what runs on a host; set where the command is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Effect {
    /// What runs stays as it is.
    #[default]
    Nothing,
    /// It starts, stops or restarts the service of this name, or is of use only between two that do.
    Service(String),
    /// It ends processes.
    Processes,
    /// This program installs the agent that the command is advised for, and starts its service.
    Install,
}
