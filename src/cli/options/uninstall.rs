//! The options of `uninstall`.

use crate::{Result, cli::variables::Fill};
use clap::Args;
use std::path::PathBuf;

/// The options of `uninstall`.
#[derive(Debug, Clone, Args)]
pub struct UninstallArgs {
    /// Name of one agent among several on this host
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Folder that was installed into
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,
    /// Also remove work folders, logs and the account
    ///
    /// Only an account that runnerup created is removed, with its home and its processes.
    #[arg(long)]
    pub purge: bool,
    /// Also remove what was changed since the install
    ///
    /// Without it, a file whose content is not what was installed stays, and is named.
    #[arg(long)]
    pub force: bool,
    /// Do not ask
    ///
    /// The default where there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// Show what would be removed and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl UninstallArgs {
    /// Takes the variables where no option was given.
    ///
    /// # Errors
    /// A usage error that names the variable.
    pub fn fill(&mut self) -> Result<()> {
        self.instance.fill("instance")?;
        self.root.fill("root")?;
        self.purge.fill("purge")?;
        self.force.fill("force")?;
        self.yes.fill("yes")?;
        self.dry_run.fill("dry-run")
    }
}
