//! The options of `bundle create`.

// The comments on options are their help, where `[x]` is a default and no link.
#![allow(rustdoc::broken_intra_doc_links)]

use super::agents;
use crate::{Result, cli::variables::Fill};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `bundle`.
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BundleCommand,
}

/// What can be done with bundles.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Download and verify agents, and put them into one file
    Create(BundleCreateArgs),
}

/// The options of `bundle create`.
#[derive(Debug, Clone, Args)]
pub struct BundleCreateArgs {
    /// File to write
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// launch-agent or machine-runner
    ///
    /// Default: machine-runner, or the one that has the version.
    #[arg(long, value_name = "KIND", value_parser = agents(), hide_possible_values = true)]
    pub agent: Option<String>,
    /// `latest`, an exact version, or `server-X.Y` [latest]
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Platforms, such as linux/amd64,linux/arm64
    ///
    /// Default: the platform of this host.
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',')]
    pub platform: Vec<String>,
    /// Release bucket to download from
    #[arg(long, value_name = "URL")]
    pub release_url: Option<String>,
    /// Proxy for the download
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Hosts that are reached without it
    #[arg(long, value_name = "LIST")]
    pub no_proxy: Option<String>,
    /// Further certificate authorities, in PEM form
    #[arg(long, value_name = "PEM", value_hint = clap::ValueHint::FilePath)]
    pub ca_file: Option<String>,
    /// Connections for one large file, from 1 to 4 [4]
    #[arg(long, value_name = "N")]
    pub connections: Option<String>,
    /// Seconds for each network attempt [30]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<String>,
}

impl BundleCreateArgs {
    /// Takes the variables where no option was given.
    ///
    /// # Errors
    /// A usage error that names the variable.
    pub fn fill(&mut self) -> Result<()> {
        self.out.fill("out")?;
        self.platform.fill("platform")?;
        for (name, value) in self.settings_mut() {
            value.fill(name)?;
        }
        Ok(())
    }

    /// The options that are settings of an install too, by name.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut own = self.clone();
        let given = own.settings_mut().into_iter();
        given.filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }

    fn settings_mut(&mut self) -> [(&'static str, &mut Option<String>); 8] {
        [
            ("agent", &mut self.agent),
            ("version", &mut self.version),
            ("release-url", &mut self.release_url),
            ("proxy", &mut self.proxy),
            ("no-proxy", &mut self.no_proxy),
            ("ca-file", &mut self.ca_file),
            ("connections", &mut self.connections),
            ("timeout", &mut self.timeout),
        ]
    }
}
