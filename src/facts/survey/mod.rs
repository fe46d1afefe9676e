//! All that the doctor knows of a host, as one value: it serializes, and is judged anywhere.
//!
//! Nothing here is a secret. A token is its length, its alphabet and a fingerprint that means
//! something within one survey only; a text that may hold one is scrubbed before it comes here.

mod agent;
mod config;
mod host;
pub mod limits;
mod log_line;
mod network;
mod path;
mod queue;
mod role;
mod service;
mod token_place;
mod windows;

pub use super::examine::Scrubbed;
pub use agent::{
    Binary, Install, Leftover, Named, Process, Program, Received, Tool, Unlisted, Variable,
    Workdir, Wrapper,
};
pub use config::{ConfigFile, ConfigState, Setting, TokenShape, Written};
pub use host::{AccountFacts, Clock, Host, Mac, Memory, Mount, Resolver, Selinux, Sudo, Volume};
pub use log_line::LogLine;
pub use network::{Answered, Attempt, Endpoint, Network, Proxied, Route, Side, Tls};
pub use path::{Access, Denied, Passed, Provenance, Strange, Stranger, Trail};
pub use queue::{Queue, Runner};
pub use role::PathRole;
pub use service::{Definition, Directive, Service, State};
pub use token_place::TokenPlace;
pub use windows::{Grant, Rights, TaskState, Windows, same};

use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// The form of saved facts.
pub const SCHEMA_VERSION: u32 = 1;

/// What the doctor learned of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Survey {
    /// The form of this document; 1.
    pub schema_version: u32,
    /// The version of `runnerup` that took it.
    pub tool_version: String,
    /// When it was taken, in seconds since 1970.
    pub taken: i64,
    /// The host itself.
    pub host: Host,
    /// Every agent that was found, however it was installed.
    pub installs: Vec<Install>,
    /// Why there may be more agents than these.
    #[serde(default)]
    pub undiscovered: Vec<String>,
    /// The network, as each agent would use it.
    pub network: Seen<Network>,
    /// What the runner API says of the resource class, where it was asked.
    pub queue: Seen<Queue>,
    /// Agents' processes that no service, receipt or definition accounts for: told, and nothing
    /// else. Whatever they claim was said by whoever started them.
    #[serde(default)]
    pub strays: Strays,
    /// Paths that the person at this run allows to be given to an agent's account.
    #[serde(skip)]
    pub allowed: Vec<PathBuf>,
    /// The folder of an image; `None` for a host, and for facts that were saved.
    #[serde(skip)]
    pub base: Option<PathBuf>,
    /// It was saved before, of whichever host.
    #[serde(skip)]
    pub is_saved: bool,
}

/// Processes that look like an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Strays {
    /// The first of them.
    pub shown: Vec<Stray>,
    /// How many there are.
    pub count: usize,
    /// Why there may be others, where the processes could not be listed.
    pub unseen: Option<Unseen>,
}

/// A process that looks like an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// The process; its name and command line are its own words.
    pub process: Process,
    /// The account that started it.
    pub account: Option<String>,
    /// The unit of the system that it runs in, of an agent that the unit does not name.
    pub unit: Option<String>,
}

/// A fact, or why it is not known. A probe that fails or hangs hides nothing but itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen<T> {
    /// It was seen.
    Known(T),
    /// It was not.
    Unseen(Unseen),
}

/// Why something was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// In one sentence.
    pub why: String,
    /// The probe itself broke or hung; else it was not asked for, or not allowed.
    pub broke: bool,
}

impl<T> Seen<T> {
    /// Not looked at, for this reason.
    pub fn not(why: impl Into<String>) -> Self {
        Self::Unseen(Unseen { why: why.into(), broke: false })
    }

    /// The probe broke.
    pub fn broken(why: impl fmt::Display) -> Self {
        Self::Unseen(Unseen { why: why.to_string(), broke: true })
    }

    /// The fact, or why there is none.
    ///
    /// # Errors
    /// The reason, which makes a check that needs the fact a skipped one.
    pub fn known(&self) -> Result<&T, Unseen> {
        match self {
            Self::Known(fact) => Ok(fact),
            Self::Unseen(unseen) => Err(unseen.clone()),
        }
    }

    /// The fact, if it is known.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unseen(_) => None,
        }
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self::not("it was not looked at")
    }
}

impl<T> From<crate::Result<T>> for Seen<T> {
    fn from(result: crate::Result<T>) -> Self {
        match result {
            Ok(fact) => Self::Known(fact),
            // Who may not look, or does not for another's sake, has not found anything broken.
            Err(error)
                if matches!(error.code(), crate::Code::NeedsRoot | crate::Code::GroundUnsafe) =>
            {
                Self::not(error.message())
            }
            Err(error) => Self::broken(error.message()),
        }
    }
}

impl Survey {
    /// How long ago something was when the survey was taken, in seconds; what a clock puts into the
    /// future was just now.
    pub fn age(&self, since: i64) -> i64 {
        self.taken.saturating_sub(since).max(0)
    }

    /// The account that is called `name`.
    pub fn account(&self, name: &str) -> Option<&AccountFacts> {
        self.host.accounts.iter().find(|account| account.name == name)
    }

    /// The account that an agent runs as.
    pub fn account_of(&self, install: &Install) -> Option<&AccountFacts> {
        self.account(install.user.as_deref()?)
    }

    /// The account that an agent's jobs run as: another one where the command prefix says so.
    pub fn task_account_of(&self, install: &Install) -> Option<&AccountFacts> {
        self.account(install.task_user.as_deref()?)
    }
}
