//! All that the doctor knows of a host, as one value: it serializes, and is judged anywhere.
//!
//! Nothing here is a secret. A token is its length, its alphabet and a fingerprint that means
//! something within one survey only; a text that may hold one is scrubbed before it comes here.

mod agent;
mod boot;
mod command_prefix;
mod config;
mod effective;
pub(crate) mod facts;
mod host_end;
mod jobs;
mod launch;
pub mod limits;
mod log_line;
mod machine;
mod misread;
mod mounts;
mod network;
mod packages;
mod path;
mod paths;
mod probes;
mod queue;
mod role;
mod running;
mod scrubbed;
mod seen;
mod service;
mod service_state;
mod settings;
mod start_lack;
mod starting;
mod step_down;
mod sudo;
mod supervisor;
mod token_place;
mod upgrades;
mod value_kind;
mod windows;

pub use agent::{
    Binary, Install, Leftover, Named, Process, Program, Received, Tool, Unlisted, Variable,
    Workdir, Wrapper,
};
pub use boot::{Boot, ConditionFault, Requirement, UnitCondition, Wanter, WanterState};
pub use command_prefix::prefix_lacks_end;
pub use config::{Around, ConfigFile, ConfigState, Setting, TokenShape, Written};
pub use effective::{Assigned, Effective, EnvironmentFile, Exec, Limit, SliceLimits};
pub use facts::{Defined, Facts, UnitParts};
pub use host_end::{EndedBy, Ending, HostEnd};
pub use launch::{Launch, Link, Way};
pub use log_line::LogLine;
pub use machine::{
    AccountFacts, Clock, Host, Mac, Memory, Mount, POWERFUL, Resolver, SYSTEM_SID, Selinux, Volume,
};
pub use misread::{Misread, Misreading};
pub use mounts::{HeldName, PlannedMount};
pub use network::{Answered, Attempt, Endpoint, Network, Proxied, Route, Side, Tls};
pub use packages::{PackageFault, PackageManager};
pub use path::{Access, Denied, PathPart, PathWalk, Provenance, Strange, Stranger};
pub use paths::{Fingerprint, PathFact, Query};
pub use probes::{ProbeName, ProbeSet};
pub use queue::{Queue, Runner};
pub use role::PathRole;
pub use running::{Above, Condition, Limits, ManagedBy, OnDisk, Running, RunningProgram};
pub use scrubbed::Scrubbed;
pub use seen::{Reason, Seen, Unseen};
pub use service::{Definition, Directive, Objection, Service};
pub use service_state::{AUTO_RESTART, Activity, Load, ServiceState};
pub(crate) use settings::counted;
pub use settings::{Given, Resolved, Settings, Source, Value};
pub use start_lack::{Lack, StartLack, StartNeed};
pub use starting::Starting;
pub use step_down::{Starts, StepDown, StepTool, is_plain_user};
pub use sudo::{At, Ignored, Refusal, Ruling, Sudo, SudoAnswer, Target, TargetDefault};
pub use supervisor::{Keeper, Supervisor};
pub use token_place::TokenPlace;
pub use upgrades::{Place, Upgrades};
pub use value_kind::ValueKind;
pub use windows::{Grant, Rights, TaskState, Windows, same};

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
    /// What keeps it.
    #[serde(default)]
    pub supervisor: Supervisor,
    /// Nobody but root could have had it kept so.
    #[serde(default)]
    pub is_kept_by_root: bool,
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
