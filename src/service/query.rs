//! What the doctor asks a service manager.

use crate::{
    host::{Directive, Effective, ServiceState},
    platform::command::Commands,
};
use std::{path::PathBuf, time::Duration};

/// The question for the states of services on this host.
pub(crate) struct StateQuery<'a> {
    /// How the manager is reached.
    pub(crate) commands: &'a dyn Commands,
    /// Each service by its name, with the file that defines it.
    pub(crate) services: Vec<(String, PathBuf)>,
    /// systemd: the slices that any of them may run in.
    pub(crate) slices: Vec<String>,
    /// How long an answer may take.
    pub(crate) limit: Duration,
    /// When the host started, in seconds since 1970.
    pub(crate) booted: i64,
    /// The number of a user of this host, or of [`CONSOLE`](Self::CONSOLE).
    pub(crate) uid_of: &'a dyn Fn(&str) -> Option<u32>,
}

impl StateQuery<'_> {
    /// Whoever is logged in at the screen, in place of a name.
    pub(crate) const CONSOLE: &'static str = "";
}

/// What a manager says of a service, secrets included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Its state; what is in force stands not in it but beside it.
    pub(crate) state: ServiceState,
    /// What is in force, where the manager tells that.
    pub(crate) effective: Option<Effective<String>>,
}

impl From<ServiceState> for Told {
    fn from(state: ServiceState) -> Self {
        Self { state, effective: None }
    }
}

/// The question for the command that a definition has the manager run.
pub(crate) struct StartQuery<'a> {
    pub(crate) service: &'a str,
    pub(crate) directives: &'a [Directive<String>],
    /// The words of the definition, as they stand in it.
    pub(crate) words: Vec<String>,
    /// systemd: what a specifier stands for that differs from host to host.
    pub(crate) specifier: &'a dyn Fn(char) -> Option<String>,
    /// What a variable stands for.
    pub(crate) variable: &'a mut dyn FnMut(&str) -> Option<String>,
}

/// The command that a manager runs.
#[derive(Debug, Default)]
pub(crate) struct StartLine {
    pub(crate) words: Vec<String>,
    /// Its working directory.
    pub(crate) folder: Option<PathBuf>,
}

/// A definition that its manager never reads.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) file: PathBuf,
    /// The service that it was meant to define.
    pub(crate) service: String,
}
