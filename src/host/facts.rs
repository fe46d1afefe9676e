//! All that a planner may know of a host. Secrets never enter it.

use super::{AccountFacts, Directive, HostEnd, PathFact, ServiceState};
use crate::{
    agent::Kind,
    platform::windows::registry::{Place, Value},
    record::{Receipt, Unfinished},
    release::Artifact,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// All that planners may know.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Facts {
    /// The host's name.
    pub hostname: String,
    /// A random word, for names that want one.
    pub random: String,
    /// The tool runs as root (on Windows: elevated).
    pub privileged: bool,
    /// The root is this host and no image.
    pub is_host: bool,
    /// systemd started this host.
    pub systemd_runs: bool,
    /// Windows: it keeps the accounts of a domain, and has none of its own.
    pub domain_controller: bool,
    /// Windows: programs that jobs need and that are not on the machine's Path.
    pub job_tools_missing: Vec<&'static str>,
    /// A Mac: who is logged in at the screen.
    pub console_user: Option<String>,
    /// A Mac: what launchd is to run of agents, whoever defined it.
    pub launchd: Vec<Defined>,
    /// Programs of the system that were looked for and found.
    pub tools: BTreeSet<String>,
    /// The root keeps accounts; a bare folder does not.
    pub keeps_accounts: bool,
    /// Accounts by name; `None` when there is none of the name.
    pub accounts: BTreeMap<String, Option<AccountFacts>>,
    /// What stands where.
    pub paths: BTreeMap<PathBuf, PathFact>,
    /// What the service manager says.
    pub services: BTreeMap<String, ServiceState>,
    /// What the definition of each service that runs does to the host when it ends, by the service's
    /// name.
    #[serde(skip)]
    pub host_ends: BTreeMap<String, Vec<HostEnd>>,
    /// The account that each service of the manager runs as, by the service's name.
    pub service_users: BTreeMap<String, String>,
    /// Values of the Windows registry, by their place in words.
    pub registry: BTreeMap<String, Value>,
    /// Credential Guard of Windows runs.
    pub credential_guard: bool,
    /// What an earlier install of this instance made.
    pub receipt: Option<Receipt>,
    /// The other instances' receipts.
    pub others: Vec<Receipt>,
    /// What is a part of what defines the service, and could be another account's than root's.
    pub strange_parts: Vec<PathBuf>,
    /// What systemd has of the unit's name besides what an install writes.
    #[serde(skip)]
    pub unit: UnitParts,
    /// The first thing in the home of the account that is to be made, or the home itself, that
    /// others than root could have put there or changed.
    pub strange_in_home: Option<PathBuf>,
    /// A run that was cut off.
    pub unfinished: Option<Unfinished>,
    /// What the release bucket offers.
    pub release: Option<Artifact>,
    /// The content of `--ca-file`.
    pub ca: Option<String>,
    /// The key of the fingerprints of files with a secret.
    #[serde(skip)]
    pub key: Vec<u8>,
}

impl Facts {
    /// What stands at `path`, which a [`Query`](super::Query) named.
    ///
    /// One that nobody looked at would pass for one where nothing is, and make a wrong plan of it: a
    /// debug build, as tests run it, ends there.
    pub fn path(&self, path: &std::path::Path) -> &PathFact {
        static NOTHING: PathFact = PathFact::NOTHING;
        let fact = self.paths.get(path);
        debug_assert!(fact.is_some(), "nobody looked at {}", path.display());
        fact.unwrap_or(&NOTHING)
    }

    /// The account called `name`.
    pub fn account(&self, name: &str) -> Option<&AccountFacts> {
        self.accounts.get(name)?.as_ref()
    }

    /// The value of the registry at `place`.
    pub fn registry_value(&self, place: &Place) -> Option<&Value> {
        self.registry.get(&place.to_string())
    }
}

/// What systemd has of a unit's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitParts {
    /// Its files, the one that counts first.
    pub places: Vec<PathBuf>,
    /// The lines of its drop-ins, those of all services included, in the order in which they count.
    pub added: Vec<Directive<String>>,
}

/// A definition of launchd's that runs an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defined {
    /// Its label.
    pub label: String,
    /// Where it stands.
    pub file: PathBuf,
    /// Which agent it runs.
    pub agent: Kind,
}
