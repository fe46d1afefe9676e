//! Service managers: what the steps and the proof ask of any of them, and a folder for each with its
//! profile, how it is controlled and how its definitions are written and read.

mod common;
pub mod environment;
pub(crate) mod host_end;
pub mod launchd;
mod parts;
mod profile;
mod query;
pub mod systemd;
pub mod task_scheduler;
mod trust;
mod verb;

pub(crate) use common::{description, drain};
pub(crate) use environment::unquoted;
pub(crate) use host_end::host_ends;
pub(crate) use parts::{DefinitionFile, Parts};
pub(crate) use profile::Profile;
pub(crate) use query::{StartLine, StartQuery, StateQuery, Told, Unread};
pub(crate) use trust::is_closed;
pub(crate) use verb::Verb;

use crate::{
    Result,
    host::{Effective, ServiceState},
    platform::fs::Root,
};
use std::{collections::BTreeMap, path::Path, time::Duration};

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
    /// Refuses to have the manager act as root by what another account could have defined.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`](crate::Code::UntrustedPath) with what is not root's alone.
    fn refuse_strange(&self, _root: &Root, _service: &str) -> Result<()> {
        Ok(())
    }
    /// What the manager says about the service.
    fn state(&self, service: &str) -> Result<ServiceState>;
    /// The values of the service that are in force, whatever file they come from. `None` where the
    /// manager adds nothing to a definition.
    ///
    /// # Errors
    /// When the manager cannot be asked.
    fn effective(&self, _service: &str) -> Result<Option<Effective<String>>> {
        Ok(None)
    }
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
    /// How long a service that was started may seem not to run: of a manager that only takes the start
    /// on, and whose state is that of before until then.
    fn begins_within(&self) -> Duration {
        Duration::ZERO
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
