//! What systemd made of a unit: the values in force, whatever file or default they come from.

use super::Scrubbed;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// The values of a unit that are in force; before they are scrubbed, of `String`. What a version of
/// systemd does not tell is empty or unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Effective<T = Scrubbed> {
    /// The file of the unit; none for one that is masked or not there.
    pub fragment: Option<PathBuf>,
    /// The file that a generator made the unit from, such as a script of SysV.
    pub source: Option<PathBuf>,
    /// Every drop-in that was read, in order.
    pub drop_ins: Vec<PathBuf>,
    /// What `Environment=` sets: neither the environment files nor the manager's own environment.
    pub environment: Vec<Assigned<T>>,
    /// The environment files, in order; patterns as they are written.
    pub environment_files: Vec<EnvironmentFile>,
    /// Variables that are taken over from the manager's own process.
    pub pass_environment: Vec<String>,
    /// Variables that are taken out at the end, or assignments.
    pub unset_environment: Vec<String>,
    /// Empty: root.
    pub user: String,
    /// Empty: the group of [`user`](Self::user).
    pub group: String,
    /// The further groups.
    pub supplementary_groups: Vec<String>,
    /// With a dash or an exclamation mark in front where it may be missing; empty: `/`.
    pub working_directory: T,
    /// What is run in turn.
    pub exec_start_pre: Vec<Exec<T>>,
    /// The main command.
    pub exec_start: Vec<Exec<T>>,
    /// What is run once it has started.
    pub exec_start_post: Vec<Exec<T>>,
    /// What is run for a stop.
    pub exec_stop: Vec<Exec<T>>,
    /// What is run once it has ended, for whatever reason.
    pub exec_stop_post: Vec<Exec<T>>,
    /// Microseconds.
    pub timeout_start: Limit,
    /// Microseconds.
    pub timeout_stop: Limit,
    /// Microseconds.
    pub runtime_max: Limit,
    /// Such as `mixed`.
    pub kill_mode: String,
    /// The number of the signal that begins a stop.
    pub kill_signal: Option<i32>,
    /// SIGKILL follows when the time for a stop is over.
    pub send_sigkill: Option<bool>,
    /// Such as `always`.
    pub restart: String,
    /// The pause before a restart, in microseconds.
    pub restart_pause: Limit,
    /// The time in which starts are counted, in microseconds; 0: they are not.
    pub start_limit_interval: Limit,
    /// How many starts are allowed in that time.
    pub start_limit_burst: Limit,
    /// Processes and threads.
    pub tasks_max: Limit,
    /// Bytes.
    pub memory_max: Limit,
    /// Bytes.
    pub memory_high: Limit,
    /// Open files of a process: the soft limit.
    pub open_files: Limit,
    /// Processes of the account: the soft limit.
    pub processes: Limit,
    /// Bytes of addresses: the soft limit.
    pub address_space: Limit,
    /// Bytes of a file: the soft limit.
    pub file_size: Limit,
    /// Seconds of computing: the soft limit.
    pub cpu_seconds: Limit,
    /// Such as `stop`.
    pub oom_policy: String,
    /// As it is set; other directives may imply it.
    pub no_new_privileges: Option<bool>,
    /// Such as `simple`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `exec`.
    pub notify_access: String,
    /// From -20 to 19.
    pub nice: Option<i32>,
    /// `sched_setscheduler(2)`: 0 other, 3 batch, 5 idle.
    pub cpu_policy: Option<i32>,
    /// `ioprio_set(2)`: 0 none, 1 realtime, 2 best effort, 3 idle.
    pub io_class: Option<i32>,
    /// Such as `journal`.
    pub standard_output: String,
    /// Such as `inherit`.
    pub standard_error: String,
    /// The slice that it runs in.
    pub slice: String,
    /// That slice and those above it, the nearest first, as far as they were asked for.
    pub slices: Vec<SliceLimits>,
    /// Units that want it.
    pub wanted_by: Vec<String>,
    /// Units that require it.
    pub required_by: Vec<String>,
    /// Units that it requires; defaults included.
    pub requires: Vec<String>,
    /// Units that it wants; defaults included.
    pub wants: Vec<String>,
    /// Units that it ends with.
    pub binds_to: Vec<String>,
    /// Units that it is stopped and restarted with.
    pub part_of: Vec<String>,
    /// Units that it is started after.
    pub after: Vec<String>,
    /// Each directive of the sandbox that concerns folders, with its words, what others imply
    /// included; empty in facts of older versions.
    pub sandbox: BTreeMap<String, Vec<T>>,
    /// Whether its conditions held at the last start; `None`: none was tried.
    pub conditions_held: Option<bool>,
    /// Whether its assertions held at the last start; `None`: none was tried.
    pub assertions_held: Option<bool>,
}

/// A variable that a unit sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned<T = Scrubbed> {
    /// Its name.
    pub name: String,
    /// Its value, where it may be told.
    pub value: Option<T>,
}

/// A file of variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFile {
    /// The path; it may be a pattern.
    pub path: PathBuf,
    /// It may be missing.
    pub optional: bool,
}

/// A command of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec<T = Scrubbed> {
    /// The program.
    pub path: T,
    /// Its words with blanks between: systemd does not tell where one ends.
    pub words: T,
    /// Its failure is none of the unit's.
    pub ignores_failure: bool,
}

/// The limits of a slice, for all that runs in it together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SliceLimits {
    /// Its name.
    pub name: String,
    /// Its file, where it has one.
    pub fragment: Option<PathBuf>,
    /// Its drop-ins.
    pub drop_ins: Vec<PathBuf>,
    /// Processes and threads.
    pub tasks_max: Limit,
    /// Bytes.
    pub memory_max: Limit,
    /// Bytes.
    pub memory_high: Limit,
}

/// A limit in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The manager did not say.
    #[default]
    Unknown,
    /// There is none.
    Infinity,
    /// So many.
    Of(u64),
}

impl Limit {
    /// The number, where there is a limit.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Of(number) => Some(number),
            Self::Unknown | Self::Infinity => None,
        }
    }

    /// The seconds of one in microseconds.
    pub fn seconds(self) -> Option<u64> {
        self.number().map(|micros| micros / 1_000_000)
    }

    /// Whether the manager told it.
    pub fn is_known(self) -> bool {
        self != Self::Unknown
    }
}
