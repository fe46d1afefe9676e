//! The options of `doctor`.

// The comments on options are their help, where `[x]` is a default and no link.
#![allow(rustdoc::broken_intra_doc_links)]

use crate::{Result, cli::variables::Fill};
use clap::Args;
use std::path::PathBuf;

const EXAMINE: &str = "Examine";
const CURE: &str = "Fix";
const REPORT: &str = "Report";

/// The options of `doctor`.
#[derive(Debug, Clone, Default, Args)]
pub struct DoctorArgs {
    /// Examine only this agent
    #[arg(long, value_name = "NAME", help_heading = EXAMINE)]
    pub instance: Option<String>,
    /// Run only these checks or topics
    ///
    /// Names with commas between them, such as config/token-set or connectivity. `runnerup doctor
    /// --list` has them all.
    #[arg(long, value_name = "LIST", help_heading = EXAMINE, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Do not run these checks or topics
    #[arg(long, value_name = "LIST", help_heading = EXAMINE, value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Use no network
    #[arg(long, help_heading = EXAMINE)]
    pub offline: bool,
    /// Limit of each probe [5]
    #[arg(long, value_name = "SECONDS", help_heading = EXAMINE)]
    pub timeout: Option<String>,
    /// Examine this configuration file
    #[arg(long, value_name = "FILE", help_heading = EXAMINE, value_hint = clap::ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Test another endpoint, such as storage=URL
    ///
    /// Names: api, releases, storage, vcs. NAME=none leaves one out.
    #[arg(long, value_name = "NAME=URL", help_heading = EXAMINE, value_delimiter = ',')]
    pub endpoint: Vec<String>,
    /// Ask for this class's runners and queue
    ///
    /// Needs a personal API token: --api-token-file, or the variable CIRCLECI_TOKEN.
    #[arg(long, value_name = "NS/NAME", help_heading = EXAMINE)]
    pub resource_class: Option<String>,
    /// File that holds a personal API token
    ///
    /// Default: the variable CIRCLECI_TOKEN. It is sent only to a server that root has named.
    #[arg(long, value_name = "FILE", help_heading = EXAMINE, value_hint = clap::ValueHint::FilePath)]
    pub api_token_file: Option<PathBuf>,
    /// Examine an image in this folder
    #[arg(long, value_name = "DIR", help_heading = EXAMINE, value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Show all fixes, ask, apply, examine again
    ///
    /// What a job or another account could have named is never changed.
    #[arg(long, help_heading = CURE)]
    pub fix: bool,
    /// Do not ask
    ///
    /// The default where there is no terminal.
    #[arg(long, help_heading = CURE)]
    pub yes: bool,
    /// Show the fixes and change nothing
    #[arg(long, help_heading = CURE)]
    pub dry_run: bool,
    /// Also apply fixes that need consent: restart-busy
    ///
    /// restart-busy: the agent is restarted although a job runs, or may run. The job ends first,
    /// which may take hours.
    #[arg(long, value_name = "LIST", help_heading = CURE, value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Give this empty folder to the agent
    ///
    /// A folder that only the agent's own configuration names is given to its account with this
    /// option alone, since jobs can write the configuration. Give it for a folder that you chose,
    /// once for each. A path of the system, and a folder that holds anything of others, is never
    /// given.
    #[arg(long, value_name = "PATH", help_heading = CURE, value_hint = clap::ValueHint::AnyPath)]
    pub allow_path: Vec<String>,

    /// Save what was seen, without secrets
    ///
    /// Another person can judge the file with --facts, on any host.
    #[arg(long, value_name = "FILE", help_heading = REPORT, value_hint = clap::ValueHint::FilePath)]
    pub save_facts: Option<PathBuf>,
    /// Judge facts that --save-facts saved
    #[arg(long, value_name = "FILE", help_heading = REPORT, value_hint = clap::ValueHint::FilePath)]
    pub facts: Option<PathBuf>,
    /// Exit with 1 on warnings too
    #[arg(long, help_heading = REPORT)]
    pub strict: bool,
    /// Repeat, and show what changes
    #[arg(long, help_heading = REPORT)]
    pub watch: bool,
    /// List all checks
    #[arg(long, help_heading = REPORT)]
    pub list: bool,
    /// With --list: as the page docs/checks.md
    #[arg(long, help_heading = REPORT, requires = "list")]
    pub markdown: bool,
}

impl DoctorArgs {
    /// Takes the variables where no option was given.
    ///
    /// # Errors
    /// A usage error that names the variable.
    pub fn fill(&mut self) -> Result<()> {
        self.instance.fill("instance")?;
        self.only.fill("only")?;
        self.skip.fill("skip")?;
        self.offline.fill("offline")?;
        self.timeout.fill("timeout")?;
        self.config.fill("config")?;
        self.endpoint.fill("endpoint")?;
        self.resource_class.fill("resource-class")?;
        self.api_token_file.fill("api-token-file")?;
        self.root.fill("root")?;
        self.fix.fill("fix")?;
        self.yes.fill("yes")?;
        self.dry_run.fill("dry-run")?;
        self.allow.fill("allow")?;
        self.allow_path.fill("allow-path")?;
        self.save_facts.fill("save-facts")?;
        self.facts.fill("facts")?;
        self.strict.fill("strict")?;
        self.watch.fill("watch")
    }
}
