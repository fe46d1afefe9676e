//! What may stand on the command line. Precedence and meaning are the business of
//! [`super::inputs`] and of [`crate::spec`]; so nothing here has a default.

// The comments on options are their help, where `[x]` is a default and no link.
#![allow(rustdoc::broken_intra_doc_links)]

use super::variables;
use crate::Result;
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use std::path::PathBuf;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "runnerup",
    version,
    about = "Gets CircleCI self-hosted runners up, and says why when they are not",
    subcommand_required = true,
    disable_help_flag = true,
    max_term_width = 100
)]
pub struct CommandLine {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// Print one JSON document, also on failure
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what is being done (-vv: more); never secrets
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// Colour: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub color: Option<When>,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Whatever the output is.
    Always,
    /// Not at all.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install an agent: plan, ask, apply, prove that it came up
    #[command(after_help = INSTALL_HELP)]
    Install(InstallArgs),
    /// Show what `install` would do; changes nothing, needs no root
    #[command(after_help = PLAN_HELP)]
    Plan(InstallArgs),
    /// Find why a runner does not run, and cure it
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Take away exactly what was installed
    #[command(after_help = UNINSTALL_HELP)]
    Uninstall(UninstallArgs),
    /// Say what an error code or a check means and how it is cured
    Explain(ExplainArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// The options of `install` and `plan`, named as in [`crate::spec::NAMES`]. They are read by
/// name, together with the variables and the answers file that have the same names.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Which agent runs the jobs [launch-agent]
    #[arg(long, value_name = "KIND", help_heading = AGENT, value_parser = choice(["launch-agent"]), hide_possible_values = true)]
    pub agent: Option<String>,
    /// latest, one in full, or server-4.6 [latest]
    #[arg(long, value_name = "VERSION", help_heading = AGENT)]
    pub version: Option<String>,
    /// Such as linux/arm64 [this host's]
    #[arg(long, value_name = "OS/ARCH", help_heading = AGENT)]
    pub platform: Option<String>,
    /// What the binary must hash to
    #[arg(long, value_name = "HEX", help_heading = AGENT)]
    pub sha256: Option<String>,
    /// Another release bucket, as a mirror
    #[arg(long, value_name = "URL", help_heading = AGENT)]
    pub release_url: Option<String>,
    /// Let the agent replace its own binary
    #[arg(long, value_name = "true|false", help_heading = AGENT, value_parser = choice(["true", "false"]), hide_possible_values = true)]
    pub auto_update: Option<String>,

    /// Name shown in CircleCI [{hostname}]
    #[arg(long, value_name = "NAME", help_heading = RUNNER)]
    pub name: Option<String>,
    /// File with the token; - is standard input
    #[arg(long, value_name = "FILE", help_heading = RUNNER, value_hint = clap::ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Where jobs run; %s makes one a job
    #[arg(long, value_name = "DIR", help_heading = RUNNER, value_hint = clap::ValueHint::DirPath)]
    pub workdir: Option<String>,
    /// Empty it after each job [true]
    #[arg(long, value_name = "true|false", help_heading = RUNNER, value_parser = choice(["true", "false"]), hide_possible_values = true)]
    pub cleanup_workdir: Option<String>,
    /// continuous or single-task [continuous]
    #[arg(long, value_name = "MODE", help_heading = RUNNER, value_parser = choice(["continuous", "single-task"]), hide_possible_values = true)]
    pub mode: Option<String>,
    /// Longest time of a job [5h]
    #[arg(long, value_name = "TIME", help_heading = RUNNER)]
    pub max_run_time: Option<String>,
    /// End after so long without a job
    #[arg(long, value_name = "TIME", help_heading = RUNNER)]
    pub idle_timeout: Option<String>,
    /// Wrap each job; quoted as in a shell
    #[arg(long, value_name = "COMMAND", help_heading = RUNNER, allow_hyphen_values = true)]
    pub command_prefix: Option<String>,
    /// Where reruns with SSH reach the host
    #[arg(long, value_name = "HOST:PORT", help_heading = RUNNER)]
    pub ssh_advertise_addr: Option<String>,
    /// Where the agent writes its log
    #[arg(long, value_name = "FILE", help_heading = RUNNER, value_hint = clap::ValueHint::FilePath)]
    pub log_file: Option<String>,

    /// Account that runs the jobs [circleci]
    #[arg(long, value_name = "NAME", help_heading = HOST, value_hint = clap::ValueHint::Username)]
    pub user: Option<String>,
    /// Fail rather than create the account
    #[arg(long, help_heading = HOST)]
    pub no_create_user: bool,
    /// Let jobs be root through sudo
    #[arg(long, help_heading = HOST)]
    pub passwordless_sudo: bool,
    /// Windows: jobs have a desktop session
    #[arg(long, help_heading = HOST)]
    pub desktop_session: bool,
    /// compatible or strict [compatible]
    #[arg(long, value_name = "HOW", help_heading = HOST, value_parser = choice(["compatible", "strict"]), hide_possible_values = true)]
    pub hardening: Option<String>,
    /// Name one of several agents on a host
    #[arg(long, value_name = "NAME", help_heading = HOST)]
    pub instance: Option<String>,
    /// systemd, launchd, task-scheduler, none
    #[arg(long, value_name = "MANAGER", help_heading = HOST, value_parser = choice(["systemd", "launchd", "task-scheduler", "none"]), hide_possible_values = true)]
    pub service: Option<String>,
    /// Install, but do not start
    #[arg(long, help_heading = HOST)]
    pub no_start: bool,
    /// Install below a folder; needs no root
    #[arg(long, value_name = "DIR", help_heading = HOST, value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Where the agent gets its jobs (api.url)
    #[arg(long, value_name = "URL", help_heading = NETWORK)]
    pub url: Option<String>,
    /// Proxy, for this tool and the agent
    #[arg(long, value_name = "URL", help_heading = NETWORK)]
    pub proxy: Option<String>,
    /// Hosts to reach without the proxy
    #[arg(long, value_name = "LIST", help_heading = NETWORK)]
    pub no_proxy: Option<String>,
    /// Further authorities to trust
    #[arg(long, value_name = "PEM", help_heading = NETWORK, value_hint = clap::ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// For each network attempt [30]
    #[arg(long, value_name = "SECONDS", help_heading = NETWORK)]
    pub timeout: Option<String>,

    /// Ask nothing, as without a terminal
    #[arg(long, help_heading = RUN)]
    pub yes: bool,
    /// Show the plan and change nothing
    #[arg(long, help_heading = RUN)]
    pub dry_run: bool,
    /// YAML: options without their dashes
    #[arg(long, value_name = "FILE", help_heading = RUN, value_hint = clap::ValueHint::FilePath)]
    pub answers: Option<PathBuf>,
}

/// The options of `uninstall`.
#[derive(Debug, Clone, Args)]
pub struct UninstallArgs {
    /// Which of several agents on this host
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// The folder that was installed into
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,
    /// Also work folders, logs and the account it created
    #[arg(long)]
    pub purge: bool,
    /// Also what was changed since the install
    #[arg(long)]
    pub force: bool,
    /// Ask nothing, as without a terminal
    #[arg(long)]
    pub yes: bool,
    /// Show what would be taken away and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The options of `doctor`.
#[derive(Debug, Clone, Default, Args)]
pub struct DoctorArgs {
    /// Only one of several agents on this host
    #[arg(long, value_name = "NAME", help_heading = EXAMINE)]
    pub instance: Option<String>,
    /// Only these checks or topics
    #[arg(long, value_name = "LIST", help_heading = EXAMINE, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Not these checks or topics
    #[arg(long, value_name = "LIST", help_heading = EXAMINE, value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Use no network
    #[arg(long, help_heading = EXAMINE)]
    pub offline: bool,
    /// For each probe [5]
    #[arg(long, value_name = "SECONDS", help_heading = EXAMINE)]
    pub timeout: Option<String>,
    /// Examine this configuration
    #[arg(long, value_name = "FILE", help_heading = EXAMINE, value_hint = clap::ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Such as storage=URL, or storage=none
    #[arg(long, value_name = "NAME=URL", help_heading = EXAMINE, value_delimiter = ',')]
    pub endpoint: Vec<String>,
    /// Ask for its runners and queue
    #[arg(long, value_name = "NS/NAME", help_heading = EXAMINE)]
    pub resource_class: Option<String>,
    /// Personal API token, else CIRCLECI_TOKEN
    #[arg(long, value_name = "FILE", help_heading = EXAMINE, value_hint = clap::ValueHint::FilePath)]
    pub api_token_file: Option<PathBuf>,
    /// Examine a folder that was installed into
    #[arg(long, value_name = "DIR", help_heading = EXAMINE, value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Show all cures, ask, apply, examine again
    #[arg(long, help_heading = CURE)]
    pub fix: bool,
    /// Ask nothing, as without a terminal
    #[arg(long, help_heading = CURE)]
    pub yes: bool,
    /// Show the cures and change nothing
    #[arg(long, help_heading = CURE)]
    pub dry_run: bool,
    /// Also what must be asked for: restart-busy
    #[arg(long, value_name = "LIST", help_heading = CURE, value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Give the agent this empty folder of yours
    #[arg(long, value_name = "PATH", help_heading = CURE, value_hint = clap::ValueHint::AnyPath)]
    pub allow_path: Vec<String>,

    /// Save what was seen, without secrets
    #[arg(long, value_name = "FILE", help_heading = REPORT, value_hint = clap::ValueHint::FilePath)]
    pub save_facts: Option<PathBuf>,
    /// Judge saved facts, of any host
    #[arg(long, value_name = "FILE", help_heading = REPORT, value_hint = clap::ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Warnings count as failures too
    #[arg(long, help_heading = REPORT)]
    pub strict: bool,
    /// Repeat, and show what changes
    #[arg(long, help_heading = REPORT)]
    pub watch: bool,
    /// List every check
    #[arg(long, help_heading = REPORT)]
    pub list: bool,
    /// With --list: the page docs/checks.md
    #[arg(long, help_heading = REPORT, requires = "list")]
    pub markdown: bool,
}

/// The options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Such as E4006, or config/token-set
    #[arg(required_unless_present = "list")]
    pub code: Option<String>,
    /// Every code in one line
    #[arg(long, conflicts_with = "code")]
    pub list: bool,
}

/// The options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

impl DoctorArgs {
    /// The same, with the variables where no option was given.
    ///
    /// # Errors
    /// A usage error that names the variable.
    pub fn filled(&self) -> Result<Self> {
        let text = |given: &Option<String>, name| match given {
            Some(given) => Ok(Some(given.clone())),
            None => variables::text(name),
        };
        let path = |given: &Option<PathBuf>, name| match given {
            Some(given) => Ok(Some(given.clone())),
            None => variables::text(name).map(|text| text.map(PathBuf::from)),
        };
        let list = |given: &[String], name| -> Result<Vec<String>> {
            let text = if given.is_empty() { variables::text(name)? } else { None };
            let listed = text.iter().flat_map(|text| text.split(',')).map(str::to_owned);
            Ok(given.iter().cloned().chain(listed).collect())
        };
        Ok(Self {
            instance: text(&self.instance, "instance")?,
            only: list(&self.only, "only")?,
            skip: list(&self.skip, "skip")?,
            offline: self.offline || variables::switch("offline")?,
            timeout: text(&self.timeout, "timeout")?,
            config: path(&self.config, "config")?,
            endpoint: list(&self.endpoint, "endpoint")?,
            resource_class: text(&self.resource_class, "resource-class")?,
            api_token_file: path(&self.api_token_file, "api-token-file")?,
            root: path(&self.root, "root")?,
            fix: self.fix || variables::switch("fix")?,
            yes: self.yes || variables::switch("yes")?,
            dry_run: self.dry_run || variables::switch("dry-run")?,
            allow: list(&self.allow, "allow")?,
            allow_path: list(&self.allow_path, "allow-path")?,
            save_facts: path(&self.save_facts, "save-facts")?,
            facts: path(&self.facts, "facts")?,
            strict: self.strict || variables::switch("strict")?,
            watch: self.watch || variables::switch("watch")?,
            list: self.list,
            markdown: self.markdown,
        })
    }
}

impl UninstallArgs {
    /// The same, with the variables where no option was given.
    ///
    /// # Errors
    /// A usage error that names the variable.
    pub fn filled(&self) -> Result<Self> {
        Ok(Self {
            instance: match self.instance.clone() {
                Some(given) => Some(given),
                None => variables::text("instance")?,
            },
            root: match self.root.clone() {
                Some(given) => Some(given),
                None => variables::text("root")?.map(PathBuf::from),
            },
            purge: self.purge || variables::switch("purge")?,
            force: self.force || variables::switch("force")?,
            yes: self.yes || variables::switch("yes")?,
            dry_run: self.dry_run || variables::switch("dry-run")?,
        })
    }
}

const AGENT: &str = "Agent";
const RUNNER: &str = "Runner";
const HOST: &str = "Host";
const NETWORK: &str = "Network";
const RUN: &str = "Run";
const EXAMINE: &str = "Examine";
const CURE: &str = "Cure";
const REPORT: &str = "Report";

const INSTALL_HELP: &str = "\
The token: --token-file, or the variable RUNNERUP_TOKEN; never an argument.
Options are variables too (RUNNERUP_MAX_RUN_TIME), and keys of --answers.

Without options it asks. Unattended:
  runnerup install --yes --token-file token --answers runner.yaml";

const PLAN_HELP: &str = "\
The token and the options are those of install; root is not needed.
Options are variables too (RUNNERUP_MAX_RUN_TIME), and keys of --answers.

Example:
  runnerup plan --json --token-file token --answers runner.yaml";

const DOCTOR_HELP: &str = "\
Exit code 1 when something fails. Every check: runnerup doctor --list
Options are variables too (RUNNERUP_OFFLINE).
What --fix did to an agent that runnerup did not install is taken back by:
runnerup uninstall --instance doctor
A folder that only the agent's own configuration names is given to its account
with --allow-path alone, since jobs can write the configuration: give it for a
folder that you chose, once for each. A path of the system, and a folder that
holds anything of others, is never given.

Examples:
  sudo runnerup doctor              # what is wrong, and the exact cure
  sudo runnerup doctor --fix        # cures what it safely can
  runnerup doctor --facts host.json # judges what --save-facts wrote elsewhere";

const UNINSTALL_HELP: &str = "\
Options are variables too (RUNNERUP_INSTANCE).

Examples:
  runnerup uninstall --dry-run
  runnerup uninstall --instance gpu --purge";

fn choice<const N: usize>(values: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::NAMES;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn install_and_plan_take_exactly_the_settings() {
        let command = CommandLine::command();
        let not_settings = ["help", "quiet", "verbose", "color"];
        for name in ["install", "plan"] {
            let sub = command.find_subcommand(name).unwrap();
            let options: BTreeSet<_> = sub
                .get_arguments()
                .chain(command.get_arguments().filter(|arg| arg.is_global_set()))
                .filter_map(clap::Arg::get_long)
                .filter(|long| !not_settings.contains(long))
                .collect();
            assert_eq!(options, BTreeSet::from(NAMES), "{name}");
        }
    }

    /// Whatever a text tells people to type is there: nothing is offered that is not built.
    #[test]
    fn no_text_offers_a_command_or_an_option_that_is_not_there() {
        let command = CommandLine::command();
        let subs: Vec<_> = command.get_subcommands().collect();
        let longs = |of: &clap::Command| {
            of.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect()
        };
        let mut options: BTreeSet<String> = longs(&command);
        options.extend(subs.iter().flat_map(|sub| longs(sub)));
        options.insert("help".to_owned());
        let names: BTreeSet<&str> = subs.iter().map(|sub| sub.get_name()).collect();

        let entries = crate::Code::ALL.iter().map(|entry| entry.text.to_owned());
        let checks = crate::doctor::CHECKS.iter();
        let checks = checks.flat_map(|own| [own.why, own.found, own.cure]).map(str::to_owned);
        let helps = subs.iter().map(|sub| (*sub).clone().render_long_help().to_string());
        let (mut told, mut missing) = (0, BTreeSet::new());
        for text in entries.chain(checks).chain(helps) {
            for word in text.split("--").skip(1) {
                let is_end = |c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-';
                let option = word.split(is_end).next().unwrap().trim_end_matches('-');
                let is_there = options.contains(option) || FOREIGN.contains(&option);
                told += 1;
                missing.extend((!option.is_empty() && !is_there).then(|| option.to_owned()));
            }
            for rest in text.split("`runnerup ").skip(1) {
                let name = rest.split([' ', '`']).next().unwrap();
                let is_there = name == "help" || name.starts_with('-') || names.contains(name);
                told += 1;
                missing.extend((!is_there).then(|| name.to_owned()));
            }
        }
        assert_eq!(missing, BTreeSet::new());
        assert!(told > 50, "{told}");
    }

    /// Of other programs: docker.
    const FOREIGN: [&str; 1] = ["init"];
}
