//! What stands between a service's definition and the agent, by the text of both.

use super::Scrubbed;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The way from a service's command to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Launch {
    /// The agent's command line behind all that stands in front of it; empty where it was not found.
    pub command: Vec<Scrubbed>,
    /// What stands in front of it, in the order in which it is started.
    pub links: Vec<Link>,
    /// Why the agent's command line is not known, or not all of it.
    pub unread: Option<String>,
}

/// A program in front of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// Its name.
    pub program: String,
    /// What it does while the agent runs.
    pub way: Way,
    /// The script that it runs, of a shell.
    pub script: Option<PathBuf>,
    /// The line of the script that starts the agent or the next link, counted from 1.
    pub line: Option<usize>,
    /// That line starts it in the background: an `exec` there changes nothing.
    pub background: bool,
}

/// What a program does while the program that it started runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It has made way for it, in the same process.
    Replaces,
    /// It waits for it, and ends at a signal that it does not pass on.
    Waits,
    /// It waits for it, and passes signals on.
    Forwards,
    /// It passes TERM on, and does not wait until it has ended: its service manager, or it itself,
    /// kills it then.
    Leaves,
    /// Its text does not tell.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Launch {
    /// The agent is what the service's command names, with nothing in front of it.
    pub fn is_direct(&self) -> bool {
        self.links.is_empty() && self.unread.is_none()
    }
}
