//! Planners: pure functions from settings and facts to steps.

mod compare;
mod config;
mod desired;
mod desktop;
mod host_end;
mod install;
mod notes;
mod other_agents;
mod places;
mod real_path;
mod unconfirmed;
mod uninstall;

pub use host_end::refuse_host_end;
pub use install::{install, known_artifact, queries, refuse_unfit};
pub use uninstall::{UninstallOptions, purged_folders, uninstall, uninstall_queries};

use crate::{
    record::{Receipt, Step},
    settings::Source,
};
use serde::Serialize;

/// Steps, with notes and settings.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The instance that it is about.
    pub instance: String,
    /// What will be done, in order; empty when nothing has to change.
    pub steps: Vec<Step>,
    /// Notes that a person should read before confirming.
    pub notes: Vec<String>,
    /// Every setting with its value and source; secrets as `***`.
    pub settings: Vec<Setting>,
    /// An earlier run was cut off: even without steps its journal must be completed.
    pub unfinished: bool,
    /// The service to verify afterwards.
    pub prove: Option<String>,
    /// The new receipt.
    #[serde(skip)]
    pub receipt: Receipt,
}

impl Plan {
    /// Whether nothing has to change.
    pub fn is_satisfied(&self) -> bool {
        self.steps.is_empty() && !self.unfinished
    }
}

/// A setting, for people to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting {
    /// The option's name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// The source of the value.
    pub source: Source,
}
