//! The options of `install` and `plan`.

// The comments on options are their help, where `[x]` is a default and no link.
#![allow(rustdoc::broken_intra_doc_links)]

use super::{agents, choice};
use crate::values::Manager;
use clap::Args;
use std::path::PathBuf;

const AGENT: &str = "Agent";
const RUNNER: &str = "Runner";
const HOST: &str = "Host";
const NETWORK: &str = "Network";
const RUN: &str = "Run";

/// The options of `install` and `plan`, named as in [`crate::settings::table::SETTINGS`]. They are read by
/// name, together with the variables and the answers file that have the same names.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// launch-agent or machine-runner
    ///
    /// launch-agent is the agent of CircleCI server up to 4.7. machine-runner is machine runner 3, the
    /// agent of CircleCI cloud and of server from 4.4 on. Default: the one that is installed; else
    /// machine-runner on cloud and on server from 4.8 on, launch-agent on an older server and on one
    /// whose version is not given by --version.
    #[arg(long, value_name = "KIND", help_heading = AGENT, value_parser = agents(), hide_possible_values = true)]
    pub agent: Option<String>,
    /// `latest`, an exact version, or `server-X.Y`
    ///
    /// `latest` is the newest version in the release bucket; for machine-runner it is called `current`
    /// too. `server-4.6` is the version that CircleCI server 4.6 works with. An exact version of
    /// launch-agent includes the commit, such as 1.1.73189-8792751; one of machine-runner is such as
    /// 3.1.11. Default: latest.
    #[arg(long, value_name = "VERSION", help_heading = AGENT)]
    pub version: Option<String>,
    /// Platform of the binary, such as linux/arm64
    ///
    /// Default: the platform of this host. Another one makes sense with --root, for an image.
    #[arg(long, value_name = "OS/ARCH", help_heading = AGENT)]
    pub platform: Option<String>,
    /// Expected SHA-256 of the binary
    ///
    /// For machine-runner that of its .tar.gz. Without it, the checksum is taken from the release
    /// bucket. A binary with another checksum is
    /// deleted without being run.
    #[arg(long, value_name = "HEX", help_heading = AGENT)]
    pub sha256: Option<String>,
    /// Release bucket to download from
    ///
    /// A mirror of the release bucket, with the same paths. Plain http is accepted only for this
    /// host, or with --sha256.
    #[arg(long, value_name = "URL", help_heading = AGENT)]
    pub release_url: Option<String>,
    /// Install from a bundle, without the network
    ///
    /// A file that `runnerup bundle create` has written. Nothing is downloaded before the agent starts. A
    /// bundle of which one byte was changed is refused.
    #[arg(long, value_name = "FILE", help_heading = AGENT, value_hint = clap::ValueHint::FilePath)]
    pub bundle: Option<PathBuf>,
    /// Whether the agent replaces its own binary
    ///
    /// With true, the account that runs jobs can replace the binary that it runs as. Default: true for
    /// the latest launch-agent on CircleCI cloud, else false; machine-runner never does.
    #[arg(long, value_name = "true|false", help_heading = AGENT, value_parser = choice(["true", "false"]), hide_possible_values = true)]
    pub auto_update: Option<String>,

    /// Name shown in CircleCI [{hostname}]
    ///
    /// {hostname} and {random} are filled in. Two runners of one name overwrite each other in the
    /// inventory.
    #[arg(long, value_name = "NAME", help_heading = RUNNER)]
    pub name: Option<String>,
    /// File with the token; - reads stdin
    ///
    /// The token of the resource class. It is written into the configuration of the agent, which
    /// only root and the account can read. Alternatively the variable RUNNERUP_TOKEN. There is no
    /// option that takes the token itself: other users could read it in the process list.
    #[arg(long, value_name = "FILE", help_heading = RUNNER, value_hint = clap::ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Folder that jobs run in
    ///
    /// %s in the name makes a folder for each job of launch-agent. Default on Linux:
    /// /var/opt/circleci/workdir, for machine-runner /var/lib/circleci-runner/workdir.
    #[arg(long, value_name = "DIR", help_heading = RUNNER, value_hint = clap::ValueHint::DirPath)]
    pub workdir: Option<String>,
    /// Empty it after each job [true]
    #[arg(long, value_name = "true|false", help_heading = RUNNER, value_parser = choice(["true", "false"]), hide_possible_values = true)]
    pub cleanup_workdir: Option<String>,
    /// continuous or single-task [continuous]
    ///
    /// single-task: the agent ends after one job, as on a machine that is made for each job.
    #[arg(long, value_name = "MODE", help_heading = RUNNER, value_parser = choice(["continuous", "single-task"]), hide_possible_values = true)]
    pub mode: Option<String>,
    /// Longest time of a job [5h]
    ///
    /// A number with a unit: 30m, 12h. When the service is stopped, it waits this long and five minutes
    /// more for the running job.
    #[arg(long, value_name = "TIME", help_heading = RUNNER)]
    pub max_run_time: Option<String>,
    /// Exit after this idle time
    ///
    /// A number with a unit. The agent ends when it had no job for so long, as on a machine that is
    /// paid for by the hour.
    #[arg(long, value_name = "TIME", help_heading = RUNNER)]
    pub idle_timeout: Option<String>,
    /// Command that each job is started with
    ///
    /// Words are quoted as in a shell: --command-prefix "sudo -niHu ci --". The command has to
    /// forward arguments and signals.
    #[arg(long, value_name = "COMMAND", help_heading = RUNNER, allow_hyphen_values = true)]
    pub command_prefix: Option<String>,
    /// Address for reruns with SSH
    ///
    /// The address that a person uses to reach this host, where that is not the address of the host
    /// itself.
    #[arg(long, value_name = "HOST:PORT", help_heading = RUNNER)]
    pub ssh_advertise_addr: Option<String>,
    /// File for the agent's log
    ///
    /// Default: the log of the service manager, where it keeps one.
    #[arg(long, value_name = "FILE", help_heading = RUNNER, value_hint = clap::ValueHint::FilePath)]
    pub log_file: Option<String>,

    /// Account that jobs run as [circleci]
    ///
    /// It is created where it does not exist. Jobs have all rights of this account.
    #[arg(long, value_name = "NAME", help_heading = HOST, value_hint = clap::ValueHint::Username)]
    pub user: Option<String>,
    /// Fail if the account does not exist
    #[arg(long, help_heading = HOST)]
    pub no_create_user: bool,
    /// Let jobs become root with sudo
    ///
    /// Every job can then do everything on this host, and stay there after it has ended.
    #[arg(long, help_heading = HOST)]
    pub passwordless_sudo: bool,
    /// Windows: give jobs a desktop session
    ///
    /// The account stays logged on in a Remote Desktop session of the host to itself, so Remote Desktop
    /// must be allowed.
    #[arg(long, help_heading = HOST)]
    pub desktop_session: bool,
    /// compatible or strict [compatible]
    ///
    /// strict is for jobs that never become root: they have no capabilities, cannot run programs that
    /// change the user, and cannot write to /usr and /boot.
    #[arg(long, value_name = "HOW", help_heading = HOST, value_parser = choice(["compatible", "strict"]), hide_possible_values = true)]
    pub hardening: Option<String>,
    /// Name of one agent among several on this host
    ///
    /// An instance has an account, folders and a service of its own, with this name at the end.
    #[arg(long, value_name = "NAME", help_heading = HOST)]
    pub instance: Option<String>,
    /// systemd, launchd, task-scheduler or none
    ///
    /// Default: the service manager of this host. none: nothing is started at boot; the plan shows
    /// the agent's command.
    #[arg(long, value_name = "MANAGER", help_heading = HOST, value_parser = choice(Manager::ALL.map(Manager::name)), hide_possible_values = true)]
    pub service: Option<String>,
    /// Install without starting the agent
    #[arg(long, help_heading = HOST)]
    pub no_start: bool,
    /// Install into this folder instead of the host
    ///
    /// For a mounted image or a scratch folder: every path is below DIR, and nothing is started.
    /// Without root, accounts are made at the first boot of the image.
    #[arg(long, value_name = "DIR", help_heading = HOST, value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// URL of CircleCI server (api.url)
    ///
    /// Default: CircleCI cloud. https, or http on this host.
    #[arg(long, value_name = "URL", help_heading = NETWORK)]
    pub url: Option<String>,
    /// Proxy for this tool and for the agent
    ///
    /// http, https, socks5 or socks5h, with a login where it needs one:
    /// http://USER:PASSWORD@HOST:PORT.
    #[arg(long, value_name = "URL", help_heading = NETWORK)]
    pub proxy: Option<String>,
    /// Hosts to reach without the proxy
    ///
    /// Names, addresses and networks with commas between them. .example.com means its subdomains
    /// only; example.com means both.
    #[arg(long, value_name = "LIST", help_heading = NETWORK)]
    pub no_proxy: Option<String>,
    /// Certificate authorities to trust (PEM)
    ///
    /// Added to those of the system, for this tool and for the agent. The certificates are copied;
    /// a private key in the file is not.
    #[arg(long, value_name = "PEM", help_heading = NETWORK, value_hint = clap::ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// Connections for a large download, 1 to 4 [4]
    ///
    /// What is larger than 8 MiB, and comes slower than this host takes it in, comes in parts over
    /// several connections, where the server sends parts. 1: one stream.
    #[arg(long, hide_short_help = true, value_name = "N", help_heading = NETWORK)]
    pub connections: Option<String>,
    /// Limit of each network attempt [30]
    #[arg(long, value_name = "SECONDS", help_heading = NETWORK)]
    pub timeout: Option<String>,

    /// Do not ask
    ///
    /// The default where there is no terminal.
    #[arg(long, help_heading = RUN)]
    pub yes: bool,
    /// Show the plan and change nothing
    #[arg(long, help_heading = RUN)]
    pub dry_run: bool,
    /// YAML file with options
    ///
    /// The keys are the options without their dashes. Precedence: option, variable, this file,
    /// existing install, question, default.
    #[arg(long, value_name = "FILE", help_heading = RUN, value_hint = clap::ValueHint::FilePath)]
    pub answers: Option<PathBuf>,
}
