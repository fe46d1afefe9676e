//! What is known of each kind of agent: one [`Profile`] for each, and the questions that are asked
//! of all of them. Facts: docs/agents.md.

mod launch_agent;
mod machine_runner;

pub(super) use launch_agent::LAUNCH_AGENT;
pub(super) use machine_runner::MACHINE_RUNNER;

use super::{Config, Kind, config::Holds, version::Versions};
use crate::platform::Os;
use std::time::Duration;

/// Linux keeps this many bytes of a process's name.
const PROCESS_NAME: usize = 15;

/// What is known of an agent.
#[derive(Debug)]
pub struct Profile {
    /// Which one it is.
    pub kind: Kind,
    /// Its name in options, receipts and reports.
    pub name: &'static str,
    /// Its name in sentences.
    pub title: &'static str,
    /// The program's file name, without the `.exe` of Windows.
    pub program: &'static str,
    /// The command that the program needs before its options.
    pub command: Option<&'static str>,
    /// The command line as a person writes it, with `FILE` for the configuration.
    pub usage: &'static str,
    /// From what the names of its instances, and so their places, are made.
    pub names: Names,
    /// The keys of the configuration that it reads, each with the variable that wins over it.
    pub keys: &'static [Key],
    /// Which of several places counts that give a key, the strongest first.
    pub precedence: [Origin; 3],
    /// The configuration that it looks for in its working directory where none is named; `None`
    /// where that is not known.
    pub default_config: Option<&'static str>,
    /// Whether it takes `-` in `logging.file` for its standard error.
    pub logs_to_dash: bool,
    /// Variables that begin so are meant for it.
    pub variable_prefix: &'static str,
    /// What stands for one job in `runner.working_directory`.
    pub workdir_blank: Option<&'static str>,
    /// Where its releases are.
    pub bucket: Bucket,
    /// Its versions.
    pub versions: Versions,
    /// Whether `install` can install it.
    pub can_install: bool,
    /// Whether it replaces its own binary on cloud, unless `runner.disable_auto_update` is true.
    pub updates_itself: bool,
    /// When CircleCI cloud stopped supporting it.
    pub end_on_cloud: Option<End>,
    /// The releases of CircleCI server that it works with.
    pub servers: &'static str,
    /// How it ends.
    pub drain: Drain,
    /// How it reports its health to systemd; `None` where it does not.
    pub health: Option<Health>,
    /// What its log has of a start, where it then tells of each request and what came of it.
    pub start_text: Option<&'static str>,
    /// Characters of the longest `runner.name` that it takes.
    pub longest_name: usize,
    /// What `logging.format` must be for a log that no terminal shows; `None`: it has no such key.
    pub log_format: Option<&'static str>,
    /// Its policy module of SELinux, with which the type of its binary's label begins.
    pub selinux_module: &'static str,
    /// Its cask of Homebrew.
    pub cask: Option<&'static str>,
}

/// From what the names of an agent's instances are made: an instance's own name follows.
#[derive(Debug)]
pub struct Names {
    /// The unit of systemd, and the folders on Linux and macOS.
    pub unit: &'static str,
    /// The account.
    pub account: &'static str,
    /// The label of launchd.
    pub label: &'static str,
    /// The scheduled task.
    pub task: &'static str,
    /// The file that the scheduled task is defined in.
    pub task_definition: &'static str,
    /// The folder of the configuration's folder on Linux.
    pub etc: &'static str,
    /// The folder of the work folder's folder on Linux.
    pub var: &'static str,
    /// The configuration's file name on Linux, macOS and Windows.
    pub config: [&'static str; 3],
}

/// A key of the configuration that an agent reads.
#[derive(Debug)]
pub struct Key {
    /// Its path, one of [`Config::KEYS`](super::Config::KEYS).
    pub path: &'static str,
    /// The variable that wins over it.
    pub variable: &'static str,
}

/// Where a key of an agent's configuration can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A flag of its command line.
    Flag,
    /// A variable.
    Variable,
    /// The configuration.
    File,
}

/// Where the bucket has an agent's releases.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// The folder below the bucket's URL.
    pub folder: &'static str,
    /// The file in that folder that names the newest version.
    pub newest: &'static str,
    /// How a release is read.
    pub form: ReleaseForm,
}

/// How a release is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseForm {
    /// The newest version is a line of text; each version has `checksums.txt` and the binaries.
    Binaries,
    /// A manifest has the URL and the checksum of each version's `.tar.gz`.
    Archives,
}

/// The end of support.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// In seconds since 1970.
    pub at: i64,
    /// The day, such as `2024-07-31`.
    pub day: &'static str,
}

/// How an agent ends: the first signal has it take no further job and end with the one that it has;
/// a second one, or the longest run time, ends the job.
#[derive(Debug, Clone, Copy)]
pub struct Drain {
    /// The signal, by the name that systemd takes.
    pub signal: &'static str,
    /// What `runner.max_run_time` is where nothing is said, in Go's notation.
    pub max_run_time: &'static str,
    /// The same.
    pub longest_job: Duration,
    /// What the agent needs beyond the longest job until it has ended.
    pub grace: Duration,
}

/// How an agent reports its health: by the status text of `sd_notify`.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    /// The text of an agent that claims jobs.
    pub healthy: &'static str,
    /// The text of one that does not.
    pub unhealthy: &'static str,
}

impl Profile {
    /// The words behind the program: `config` is the configuration's path.
    pub fn arguments<'a>(&self, config: &'a str) -> impl Iterator<Item = &'a str> {
        self.command.into_iter().chain(["--config", config])
    }

    /// [`usage`](Self::usage) without the program.
    pub fn usage_arguments(&self) -> &'static str {
        self.usage.strip_prefix(self.program).unwrap_or(self.usage).trim_start()
    }

    /// The program's file name on `os`.
    pub fn program_file(&self, os: Os) -> String {
        let ending = if os == Os::Windows { ".exe" } else { "" };
        format!("{}{ending}", self.program)
    }

    /// Whether it reads a key of the configuration.
    pub fn reads(&self, path: &str) -> bool {
        self.variable(path).is_some()
    }

    /// The variable that wins over a key of the configuration.
    pub fn variable(&self, path: &str) -> Option<&'static str> {
        self.keys.iter().find(|key| key.path == path).map(|key| key.variable)
    }

    /// Whether `logging.file` names no file but a stream of the service's, which the manager keeps.
    pub fn logs_to_stream(&self, file: &str) -> bool {
        let streams = ["/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/"];
        file.is_empty()
            || file == "-" && self.logs_to_dash
            || streams.iter().any(|stream| file.starts_with(stream))
    }

    /// What it takes for a key that nothing gives; `None` where that is nothing, or not known.
    pub fn default_of(&self, path: &str) -> Option<&'static str> {
        match path {
            _ if !self.reads(path) => None,
            "api.url" => Some(super::CLOUD_URL),
            "runner.mode" => Some("continuous"),
            "runner.max_run_time" => Some(self.drain.max_run_time),
            "logging.level" => Some("info"),
            "logging.format" => Some("color"),
            path if Config::holds(path) == Some(Holds::Truth) => Some("false"),
            _ => None,
        }
    }

    /// The key of the configuration that a variable wins over.
    pub fn key_of(&self, variable: &str) -> Option<&'static str> {
        self.keys.iter().find(|key| key.variable == variable).map(|key| key.path)
    }

    /// A sign in the path of a work folder that looks as if the agent put something else in its place.
    pub fn unreplaced(&self, workdir: &str) -> Option<char> {
        let rest =
            self.workdir_blank.map_or(workdir.to_owned(), |blank| workdir.replace(blank, ""));
        rest.chars().find(|c| matches!(c, '%' | '$' | '~' | '{'))
    }

    /// How long it may take to end, by the longest job that its configuration allows.
    pub fn drain_time(&self, longest_job: Duration) -> Duration {
        longest_job.saturating_add(self.drain.grace)
    }

    /// How long it may take to end where its configuration says nothing.
    pub fn usual_drain_time(&self) -> Duration {
        self.drain_time(self.drain.longest_job)
    }

    /// What the documentation's name of a service says of the instance; `None` where the name is the
    /// agent's without one, or another.
    pub fn instance_of<'a>(&self, service: &'a str) -> Option<&'a str> {
        let names = &self.names;
        let unit = service.strip_suffix(".service").unwrap_or(service);
        let named = |name: &'a str, base: &str, between: char| {
            name.strip_prefix(base)?.strip_prefix(between).filter(|rest| !rest.is_empty())
        };
        let label = || named(service, names.label, '.');
        let task = || named(service, names.task, ' ');
        named(unit, names.unit, '-').or_else(label).or_else(task)
    }

    /// The process's name, as Linux keeps it.
    fn process_name(&self) -> &'static str {
        self.program.get(..PROCESS_NAME).unwrap_or(self.program)
    }
}

/// The profile of every kind.
pub fn profiles() -> impl Iterator<Item = &'static Profile> {
    Kind::ALL.into_iter().map(Kind::profile)
}

/// Whether documentation gives this name to an agent's launchd job or scheduled task.
pub fn is_job_name(name: &str) -> bool {
    profiles().any(|profile| [profile.names.label, profile.names.task].contains(&name))
}

/// Every variable that an agent reads.
pub fn variables() -> impl Iterator<Item = &'static str> {
    profiles().flat_map(|profile| profile.keys).map(|key| key.variable)
}

/// The variables of all agents that hold the token in place of the configuration.
pub fn token_variables() -> impl Iterator<Item = &'static str> {
    profiles().filter_map(|profile| profile.variable("api.auth_token"))
}

/// Whether a variable holds the token of an agent, whichever.
pub fn is_token_variable(name: &str) -> bool {
    token_variables().any(|variable| variable == name)
}

/// Whether a variable is meant for an agent: one that it reads, or one that begins as those do.
pub fn is_agents_variable(name: &str) -> bool {
    profiles().any(|profile| name.starts_with(profile.variable_prefix))
        || variables().any(|variable| variable == name)
}

/// Whether a process is called as an agent's is, without the `.exe` of Windows.
pub fn is_process_name(name: &str) -> bool {
    profiles().any(|profile| name == profile.program || name == profile.process_name())
}

/// Whether a program's file name begins as an agent's process is called.
pub fn is_like_process_name(name: &str) -> bool {
    profiles().any(|profile| name.starts_with(profile.process_name()))
}

/// Whether an agent calls itself unhealthy by this status text of its service.
pub fn is_unhealthy(status: &str) -> bool {
    profiles().filter_map(|profile| profile.health).any(|health| status.contains(health.unhealthy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::GoDuration;

    #[test]
    fn what_a_profile_says_twice_is_the_same() {
        for profile in profiles() {
            let words: Vec<_> =
                [profile.program].into_iter().chain(profile.arguments("FILE")).collect();
            assert_eq!(words.join(" "), profile.usage);
            assert_eq!(words[1..].join(" "), profile.usage_arguments());
            let longest: GoDuration = profile.drain.max_run_time.parse().unwrap();
            assert_eq!(longest.seconds(), profile.drain.longest_job.as_secs());
        }
    }

    #[test]
    fn agents_read_known_keys_and_no_variable_is_of_two() {
        let mut seen = std::collections::BTreeSet::new();
        for profile in profiles() {
            for key in profile.keys {
                assert!(Config::KEYS.contains(&key.path), "{}", key.path);
                assert!(seen.insert(key.variable), "{}", key.variable);
                assert_eq!(profile.key_of(key.variable), Some(key.path));
                assert!(is_agents_variable(key.variable));
            }
            for needed in ["api.auth_token", "api.url", "runner.name"] {
                assert!(profile.reads(needed), "{needed}");
            }
        }
        for key in Config::KEYS {
            assert!(profiles().any(|profile| profile.reads(key)), "{key}");
        }
    }

    #[test]
    fn a_service_tells_its_instance() {
        let of = |kind: Kind, service| kind.profile().instance_of(service);
        assert_eq!(of(Kind::LaunchAgent, "circleci-gpu.service"), Some("gpu"));
        assert_eq!(of(Kind::LaunchAgent, "com.circleci.runner.gpu"), Some("gpu"));
        assert_eq!(of(Kind::LaunchAgent, "CircleCI Launch Agent gpu"), Some("gpu"));
        assert_eq!(of(Kind::MachineRunner, "circleci-runner-gpu.service"), Some("gpu"));
        assert_eq!(of(Kind::MachineRunner, "CircleCI Runner Agent gpu"), Some("gpu"));
        for service in ["circleci.service", "com.circleci.runner", "circleci-.service", "ssh"] {
            assert_eq!(of(Kind::LaunchAgent, service), None, "{service}");
        }
    }

    #[test]
    fn processes_are_known_by_what_linux_keeps_of_their_names() {
        for name in ["circleci-launch", "circleci-launch-agent", "circleci-runner"] {
            assert!(is_process_name(name) && is_like_process_name(name), "{name}");
        }
        assert!(!is_process_name("circleci-runner-x") && !is_process_name("circleci"));
    }
}
