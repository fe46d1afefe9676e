//! What the doctor asks a service manager.

use crate::{
    host::{Effective, ServiceState},
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
