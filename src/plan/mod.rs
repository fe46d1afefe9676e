//! Plan: pure functions from what should be and what is to the steps between them.

mod compare;
mod config;
mod desired;
mod desktop;
mod install;
mod notes;
mod places;
mod unconfirmed;
mod uninstall;

pub use install::{install, known_artifact, queries, refuse_unfit};
pub use uninstall::{Leave, purged_folders, uninstall, uninstall_queries};

use crate::{
    record::{Receipt, Step},
    spec::Source,
};
use serde::Serialize;

/// Steps, and what to say about them.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The instance that it is about.
    pub instance: String,
    /// What will be done, in order; nothing when the host is as it should be.
    pub steps: Vec<Step>,
    /// What a person should know before saying yes.
    pub notes: Vec<String>,
    /// Every setting with its value and source; secrets as `***`.
    pub settings: Vec<Setting>,
    /// A run before this one was cut off: even without steps its journal has to be settled.
    pub unfinished: bool,
    /// The service to prove healthy afterwards.
    pub prove: Option<String>,
    /// What the receipt is to say.
    #[serde(skip)]
    pub receipt: Receipt,
}

impl Plan {
    /// Whether the host is as it should be.
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
    /// Where that came from.
    pub source: Source,
}
