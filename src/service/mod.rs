//! Service managers: what the steps and the proof ask of any of them, and a folder for each with how
//! it is controlled and how its definitions are written and read.

mod drain;
pub mod environment;
pub mod launchd;
pub mod systemd;
pub mod task_scheduler;

pub(crate) use drain::drain;
pub(crate) use environment::unquoted;

use crate::Result;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a service manager says about one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Status {
    /// Its definition is known to the manager.
    pub loaded: bool,
    /// It starts with the host.
    pub enabled: bool,
    /// It runs, is starting, stopping, or waits to be started again.
    pub active: bool,
    /// It was told to stop, and drains.
    pub stopping: bool,
    /// The manager's own words, such as `active (running)`.
    pub words: String,
    /// The main process, while there is one.
    pub main_pid: Option<u32>,
    /// How often the manager started it again.
    pub restarts: u32,
    /// The agent's own health text, such as `Healthy`.
    pub health: Option<String>,
    /// The definition on disk is newer than what the manager read.
    pub needs_reload: bool,
    /// The file that the manager read, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<PathBuf>,
}

/// Commands with which a person goes on from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hints {
    /// Shows how the service stands.
    pub inspect: String,
    /// Shows what it writes, as it writes it.
    pub follow: String,
}

/// Registers, starts and stops services.
pub trait Services {
    /// Makes the manager read its definitions again.
    fn reload(&self) -> Result<()>;
    /// Has the service start with the host.
    fn enable(&self, service: &str) -> Result<()>;
    /// Has the service no longer start with the host.
    fn disable(&self, service: &str) -> Result<()>;
    /// Starts the service; returns when the manager has taken it on.
    fn start(&self, service: &str) -> Result<()>;
    /// Asks the service to drain and stop; returns at once.
    fn stop(&self, service: &str, drain: Duration) -> Result<()>;
    /// What the manager says about the service.
    fn status(&self, service: &str) -> Result<Status>;
    /// Whether an agent that the service runs has a job: a child that has not ended. `None` where
    /// that cannot be told.
    ///
    /// # Errors
    /// When the manager cannot be asked.
    fn runs_job(&self, _service: &str) -> Result<Option<bool>> {
        Ok(None)
    }
    /// The services that the manager knows with the account, by name or number, that each runs as.
    /// None where the manager keeps no such list.
    fn users(&self) -> Result<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }
    /// The last lines that the service wrote.
    fn last_lines(&self, service: &str, count: usize) -> Result<String>;
    /// Whether the manager runs on this host.
    fn is_running(&self) -> bool;
    /// What a person would type to look at the service.
    fn hints(&self, service: &str) -> Hints;
}

/// Whether systemd started this host; the test that `sd_booted(3)` documents.
pub fn systemd_runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}
