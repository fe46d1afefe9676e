//! One agent: what runs it, what it reads, what it started.

use super::{
    ConfigFile, HeldName, LogLine, Mount, PathRole, PathWalk, Provenance, Running, Scrubbed, Seen,
    Service, StepDown, SudoAnswer, TokenPlace, TokenShape,
};
use crate::agent::Kind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An agent on the host, found through a service definition, a running process or a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// What findings call it: the instance's name, or the service's for one made by hand.
    pub name: String,
    /// Which agent.
    pub agent: Kind,
    /// What this tool's receipt says of it.
    pub receipt: Option<Received>,
    /// Who could have named the binary, the configuration and the account: who could write the
    /// service's definition.
    #[serde(default)]
    pub named_by: Provenance,
    /// The service; `None` for an agent whose service is gone.
    pub service: Option<Service>,
    /// The account it runs as; root where its definition names none.
    pub user: Option<String>,
    /// The account that its jobs run as.
    pub task_user: Option<String>,
    /// Variables that the service gives it.
    pub environment: Vec<Variable>,
    /// The binary that it runs.
    pub binary: Option<Binary>,
    /// The configuration that it reads.
    pub config: Option<Seen<ConfigFile>>,
    /// Every other path that definition and configuration name, and what it is for.
    pub paths: Vec<Named>,
    /// What is in the work folder.
    pub workdir: Seen<Workdir>,
    /// Where the token is besides the configuration; `None` in facts of older versions, of which
    /// [`Install::token_places`] tells it.
    #[serde(default)]
    pub token_in: Option<Vec<TokenPlace>>,
    /// The shape of the token that a flag or a variable gives in place of the configuration's.
    #[serde(default)]
    pub token_given: Option<TokenShape>,
    /// The agent's process, where a service or a receipt accounts for it.
    #[serde(default)]
    pub running: Seen<Running>,
    /// The agent's process and all that it started.
    pub processes: Seen<Vec<Process>>,
    /// Processes of the jobs' account that nobody waits for any more.
    pub orphans: Seen<Vec<Process>>,
    /// How many processes there are beyond those that are listed.
    #[serde(default)]
    pub unlisted: Unlisted,
    /// The last lines of its log, oldest first: what is known of them.
    pub log: Seen<Vec<LogLine>>,
    /// What the service manager itself last said of a start that failed, as it said it.
    #[serde(default)]
    pub start_log: Vec<Scrubbed>,
    /// When its log was last written, in seconds since 1970.
    pub log_written: Option<i64>,
    /// Programs that jobs need, as the jobs' account finds them.
    pub tools: Seen<Vec<Tool>>,
    /// The command prefix's program, where that is a script.
    #[serde(default)]
    pub wrapper: Option<Wrapper>,
    /// The mounts that the agent's process sees, as far as they hold its paths, where they are not the
    /// host's.
    #[serde(default)]
    pub mounts: Seen<Vec<Mount>>,
    /// Names in the temporary folder that each job needs, where something stands there.
    #[serde(default)]
    pub held_names: Seen<Vec<HeldName>>,
    /// What sudo answers to the question whether it would do what the command prefix asks of it.
    #[serde(default)]
    pub sudo: Seen<SudoAnswer>,
}

/// What a wrapper script does with what it is given; of its text nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapper {
    /// It passes its arguments on, each as it is: `"$@"`.
    pub passes_arguments: bool,
    /// The last of it is an `exec`, so that exit code and signals are the job's.
    pub ends_in_exec: bool,
    /// By which program it starts the job as another account.
    #[serde(default)]
    pub steps_down: Option<StepDown>,
}

/// A path that a definition or a configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SavedNamed")]
pub struct Named {
    /// What it is for.
    pub role: PathRole,
    /// The way to it.
    #[serde(rename = "trail")]
    pub walk: Seen<PathWalk>,
    /// Who could have named it.
    pub named_by: Provenance,
}

/// A named path in saved facts: as it is written today, or as it once was.
#[derive(Deserialize)]
#[serde(untagged)]
enum SavedNamed {
    Today {
        #[serde(alias = "purpose")]
        role: PathRole,
        #[serde(rename = "trail")]
        walk: Seen<PathWalk>,
    },
    Pair(PathRole, Seen<PathWalk>),
}

impl From<SavedNamed> for Named {
    fn from(saved: SavedNamed) -> Self {
        let (SavedNamed::Today { role, walk } | SavedNamed::Pair(role, walk)) = saved;
        Self { role, walk, named_by: Provenance::Anybody }
    }
}

/// What a receipt says of an install.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Received {
    /// The last run came to its end.
    pub complete: bool,
    /// An agent is installed.
    pub installed: bool,
    /// The agent's version.
    pub version: Option<String>,
    /// The verified SHA-256 of its binary, in hex.
    pub sha256: Option<String>,
    /// Where its binary was placed; `None` in facts of older versions.
    pub binary: Option<PathBuf>,
    /// Whether a person chose an exact version; `None` in facts of older versions.
    pub is_pinned: Option<bool>,
    /// Whether a service was registered; `None` in facts of older versions.
    pub has_service: Option<bool>,
    /// It names a release bucket of its own; `false` in facts of older versions.
    pub has_bucket: bool,
}

/// A variable of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value where that is known to be harmless.
    pub value: Option<Scrubbed>,
    /// A secret was taken out of the value; `None` in facts of older versions.
    #[serde(default)]
    pub secret: Option<bool>,
    /// Where it is set: a file and a line.
    pub source: String,
    /// Who could have set it.
    #[serde(default)]
    pub written_by: Provenance,
}

impl Variable {
    /// Whether its value, as it is set, holds a secret.
    pub fn holds_secret(&self) -> bool {
        let was_cut = || self.value.as_ref().is_some_and(|value| !value.is_whole());
        self.secret.unwrap_or_else(was_cut)
    }
}

/// The agent's binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// The way to it.
    #[serde(rename = "trail")]
    pub walk: Seen<PathWalk>,
    /// What its first bytes say it is.
    pub program: Seen<Program>,
    /// Its SHA-256 in hex, where a receipt has one to compare it with.
    pub sha256: Seen<String>,
    /// SELinux's label of it.
    pub label: Option<String>,
    /// macOS: it carries `com.apple.quarantine`.
    pub quarantined: bool,
    /// macOS: what Gatekeeper says; `None` elsewhere.
    pub gatekeeper: Option<String>,
}

/// What the first bytes of a file say it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Program {
    /// A program for an operating system and processors, by Go's names.
    Native {
        /// `linux`, `darwin` or `windows`.
        os: String,
        /// Such as `amd64`; more than one in a universal binary.
        machines: Vec<String>,
    },
    /// A script, and its interpreter.
    Script {
        /// What stands behind `#!`.
        interpreter: String,
    },
    /// HTML, XML or JSON: a server's page that was saved.
    Page,
    /// Compressed: what the release bucket sends to those who do not decode it.
    Gzip,
    /// Nothing.
    Empty,
    /// Something else.
    Other,
}

/// A work folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Workdir {
    /// The folder; of one with `%s` the part before it.
    pub folder: PathBuf,
    /// How many things are in it at the top.
    pub entries: usize,
    /// The greatest of them, by what was counted within the probe's time.
    pub greatest: Vec<Leftover>,
    /// Things that the jobs' account does not own and could not remove.
    pub foreign: Vec<Leftover>,
    /// The newest change in it, in seconds since 1970.
    pub changed: Option<i64>,
    /// Not everything was counted.
    pub cut_short: bool,
}

/// A thing that a job left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// Where.
    pub path: PathBuf,
    /// Bytes, as far as they were counted.
    pub bytes: u64,
    /// The owner's number, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// When it was last changed, in seconds since 1970.
    pub changed: i64,
}

/// A process; before its command line is scrubbed, of a `String`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process<T = Scrubbed> {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// The number of its account.
    pub uid: u32,
    /// Its name, at most 15 characters on Linux.
    pub name: String,
    /// Its program, and how many words its command line has; of an agent what names its
    /// configuration.
    pub command: T,
    /// When it was started, in seconds since 1970.
    pub started: i64,
    /// `Z` for one that has ended and that nobody fetched; else the system's letter.
    pub state: char,
    /// It belongs to the service, by its control group.
    pub in_service: bool,
}

/// How many processes are not listed, because others fill the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unlisted {
    /// Of the agent's process and all that it started, those that have not ended.
    pub processes: usize,
    /// Of those that jobs left, those that have not ended.
    pub orphans: usize,
    /// Of both, those that have ended.
    pub zombies: usize,
}

/// A program that jobs need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Such as `git`.
    pub name: String,
    /// Where it was found; `None`: nowhere in the account's path.
    pub path: Option<PathBuf>,
    /// Where it is, of one that is not in the account's path but in a usual folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<PathBuf>,
}

impl Install {
    /// A variable that the service gives, by name; the last one counts.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.environment.iter().rev().find(|variable| variable.name == name)
    }

    /// Who could have named an account: the definition for the one that the agent runs as, the
    /// configuration for another one that its command prefix names.
    pub fn account_by(&self, account: &super::AccountFacts) -> Provenance {
        let by_prefix = self.settings().by("runner.command_prefix");
        match self.user.as_deref() == Some(account.name.as_str()) {
            true => self.named_by,
            false => self.named_by.and(by_prefix),
        }
    }

    /// By which program the command prefix, or its script, starts jobs as another account.
    pub fn steps_down(&self) -> Option<StepDown> {
        let prefix = self.settings().list("runner.command_prefix");
        let direct = prefix.as_deref().and_then(StepDown::of);
        direct.or_else(|| self.wrapper.as_ref()?.steps_down.clone())
    }

    /// A path by what it is for.
    pub fn path(&self, role: PathRole) -> Option<&Seen<PathWalk>> {
        self.named(role).map(|named| &named.walk)
    }

    /// A path by what it is for, with who named it.
    pub fn named(&self, role: PathRole) -> Option<&Named> {
        self.paths.iter().find(|named| named.role == role)
    }

    /// The agent's own process.
    pub fn main_process(&self) -> Option<&Process> {
        self.processes.ok()?.first()
    }

    /// Whether it is known that no job runs, so that a stop of the service ends none. What could not
    /// be looked at may run one.
    pub fn is_free(&self) -> bool {
        let state = self.service.as_ref().map(|service| &service.state);
        let was_not_asked = |unseen: &super::Unseen| !unseen.is_failure();
        match (state, &self.processes) {
            (Some(Seen::Known(state)), _) if state.main_pid.is_none() => true,
            // Of an image, in which nothing runs.
            (_, Seen::Unseen(unseen)) => was_not_asked(unseen),
            // No manager runs that could have started an agent.
            (Some(Seen::Unseen(unseen)), Seen::Known(processes)) if processes.is_empty() => {
                was_not_asked(unseen)
            }
            _ => self.runs_job() == Some(false),
        }
    }

    /// Whether a job runs: see [`Install::jobs`]. `None` where that is not known, or no agent runs.
    pub fn runs_job(&self) -> Option<bool> {
        Some(self.jobs()?.next().is_some())
    }
}
