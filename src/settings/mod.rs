//! What should be: settings, their sources and precedence, validation.

pub mod answers;
mod given;
mod resolve;
pub mod table;
mod token_source;

pub use given::{SettingValue, Settings, Source};
pub use resolve::{HostDefaults, agent_of};
pub use token_source::token_from_file;

use crate::{
    agent::{Kind, Layout, Token, VersionChoice},
    platform::Platform,
    values::{
        AbsolutePath, AccountName, Connections, GoDuration, HostPort, InstanceName, Manager, Mode,
        ProxyUrl, RunnerNameTemplate, Sha256,
    },
};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};
use url::Url;

/// What an install is to be, every value checked.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // Each field is the option of its name; `install --help` says what it means.
pub struct Spec {
    pub agent: Kind,
    pub version: VersionChoice,
    pub platform: Platform,
    pub sha256: Option<Sha256>,
    pub release_url: Url,
    pub bundle: Option<PathBuf>,
    pub url: Option<Url>,
    pub proxy: Option<ProxyUrl>,
    pub no_proxy: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub name: RunnerNameTemplate,
    pub token: Option<Token>,
    pub workdir: AbsolutePath,
    pub cleanup_workdir: bool,
    pub mode: Mode,
    pub max_run_time: GoDuration,
    pub idle_timeout: Option<GoDuration>,
    pub command_prefix: Vec<String>,
    pub ssh_advertise_addr: Option<HostPort>,
    pub log_file: Option<AbsolutePath>,
    pub auto_update: bool,
    pub user: AccountName,
    pub create_user: bool,
    pub instance: Option<InstanceName>,
    pub service: Manager,
    pub start: bool,
    pub hardening: Hardening,
    pub passwordless_sudo: bool,
    pub desktop_session: bool,
    pub root: Option<PathBuf>,
    pub connections: Connections,
    pub timeout: Duration,
    /// Where things go; follows from platform and instance.
    pub layout: Layout,
}

/// `--hardening`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hardening {
    /// As documented: jobs may do whatever their account may.
    #[default]
    Compatible,
    /// Shuts what jobs do not need.
    Strict,
}

impl Spec {
    /// The instance's name in receipts.
    pub fn instance_name(&self) -> &str {
        self.instance.as_ref().map_or("default", InstanceName::as_str)
    }

    /// Whether jobs are started through sudo.
    pub fn prefix_has_sudo(&self) -> bool {
        let is_sudo = |word: &String| word == "sudo" || word.ends_with("/sudo");
        self.command_prefix.iter().any(is_sudo)
    }

    /// Whether everything goes into a folder that is not this host.
    pub fn is_image(&self) -> bool {
        self.root.is_some()
    }
}
