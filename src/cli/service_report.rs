//! A service in the documents that people's programs read.

use crate::host::{Activity, Load, ServiceState};
use serde::Serialize;
use std::path::Path;

/// What a service manager says about one service.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Status"))]
pub(super) struct ServiceReport<'a> {
    /// Its definition is known to the manager.
    loaded: bool,
    /// It starts with the host.
    enabled: bool,
    /// It runs, is starting, stopping, or waits to be started again.
    active: bool,
    /// It was told to stop, and drains.
    stopping: bool,
    /// The manager's own words, such as `active (running)`.
    words: String,
    /// The main process, while there is one.
    main_pid: Option<u32>,
    /// How often the manager started it again.
    restarts: u32,
    /// The agent's own health text, such as `Healthy`.
    health: Option<&'a str>,
    /// The definition on disk is newer than what the manager read.
    needs_reload: bool,
    /// The file that the manager read, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definition: Option<&'a Path>,
}

impl<'a> From<&'a ServiceState> for ServiceReport<'a> {
    fn from(state: &'a ServiceState) -> Self {
        Self {
            loaded: state.load == Load::Loaded,
            enabled: state.registered,
            active: state.is_held(),
            stopping: state.active == Activity::Deactivating,
            words: state.to_string(),
            main_pid: state.main_pid,
            restarts: state.restarts,
            health: state.health.as_deref(),
            needs_reload: state.needs_reload,
            definition: state.definition.as_deref(),
        }
    }
}
