//! Which service manager runs an agent.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The service managers that an agent can run under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// Linux with systemd.
    #[default]
    Systemd,
    /// macOS.
    Launchd,
    /// Windows.
    TaskScheduler,
    /// None: the plan says how to run the agent.
    None,
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Systemd => "systemd",
            Self::Launchd => "launchd",
            Self::TaskScheduler => "task-scheduler",
            Self::None => "none",
        })
    }
}
