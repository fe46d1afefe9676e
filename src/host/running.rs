//! An agent as it runs: what its process says, and what the kernel says of that process.
//!
//! Only of an agent that a service or a receipt accounts for; any other process is a
//! [`Stray`](super::Stray). Command line, folder and environment are the words of the process's
//! account, which may change them at any time: [`Running::named_by`].

use super::{Provenance, Scrubbed, Seen, Variable};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A running agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The number of the agent's own process: behind wrappers that is not the service's main one.
    pub pid: u32,
    /// When it was started, in seconds since 1970.
    pub started: i64,
    /// Whether it can run at all.
    pub condition: Condition,
    /// Who could have chosen command, folder and environment.
    pub named_by: Provenance,
    /// Its command line, as far as it was read.
    pub command: Vec<Scrubbed>,
    /// Its working directory.
    pub folder: Seen<PathBuf>,
    /// Its variables; values as in [`Variable`].
    pub environment: Seen<Vec<Variable>>,
    /// The number of its account.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// Its supplementary groups, which it got when it was started.
    pub groups: Vec<u32>,
    /// `no_new_privs` is set: neither sudo nor any other program gains privileges below it.
    pub no_new_privs: Option<bool>,
    /// Its effective capabilities, as bits.
    pub capabilities: Option<u64>,
    /// What it may use at most.
    pub limits: Option<Limits>,
    /// The program that it runs.
    pub program: Seen<RunningProgram>,
    /// Which service manager it is under, by its control group.
    pub managed: ManagedBy,
    /// The processes above it, its parent first: up to the service's main process, or to what
    /// supervises it.
    pub above: Vec<Above>,
}

/// Whether a process can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The kernel's letter: `R` and `S` of one that runs, `D` of one that waits in the kernel and
    /// hears no signal, `T` of one that a signal stopped, `t` of one that a debugger stopped, `Z`
    /// of one that has ended.
    pub state: char,
    /// The process that traces it, such as a debugger or `strace`.
    pub tracer: Option<u32>,
}

/// The soft limits of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Open files; `None`: unlimited.
    pub files: Option<u64>,
    /// Processes of its account; `None`: unlimited.
    pub processes: Option<u64>,
}

/// The program that a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningProgram {
    /// Where it was when it was started.
    pub path: PathBuf,
    /// What is at that path now.
    pub on_disk: OnDisk,
}

/// What is at the path of a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDisk {
    /// The same file, by device and inode.
    Same,
    /// Another file.
    Replaced,
    /// Nothing.
    Deleted,
}

/// Which service manager a process is under, by its control group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManagedBy {
    /// A service of the system's manager.
    System(String),
    /// A session of an account, or a service of its own manager (`systemd --user`).
    User {
        /// The account's number.
        uid: Option<u32>,
        /// The service, whose name the account has chosen.
        unit: Option<String>,
    },
    /// None that is known.
    #[default]
    Nobody,
}

impl ManagedBy {
    /// The service of the system's manager.
    pub fn system_unit(&self) -> Option<&str> {
        match self {
            Self::System(unit) => Some(unit),
            _ => None,
        }
    }
}

/// A process above an agent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Above {
    /// Its number.
    pub pid: u32,
    /// The number of its account.
    pub uid: u32,
    /// Its name, at most 15 characters: of a script that of the file.
    pub name: String,
    /// The name of the program that it runs, such as `bash`.
    #[serde(default)]
    pub program: Option<String>,
    /// The script that it runs, of one that is a shell.
    pub script: Option<Scrubbed>,
    /// It catches TERM or waits for it. One that does not cannot pass it on.
    #[serde(default)]
    pub hears_term: Option<bool>,
}

/// Shells, by the names of their processes.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "ash", "ksh", "busybox"];

impl Above {
    /// Whether it is a shell: it waits for the agent, and the service's manager takes it for the agent.
    pub fn is_shell(&self) -> bool {
        SHELLS.contains(&self.program())
    }

    /// The name of its program; where that is not known, its own.
    pub fn program(&self) -> &str {
        self.program.as_deref().unwrap_or(&self.name)
    }
}
