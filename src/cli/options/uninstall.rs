//! The options of `uninstall`.

use crate::{Result, cli::variables};
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
