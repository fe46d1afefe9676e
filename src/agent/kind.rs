//! The two agents.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which agent runs the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `circleci-launch-agent` 1.x: CircleCI server 4.0 to 4.7, and legacy cloud installs.
    #[default]
    LaunchAgent,
    /// `circleci-runner` 3.x: cloud, and CircleCI server from 4.4 on.
    MachineRunner,
}

impl Kind {
    /// The name of the binary, without the `.exe` of Windows.
    pub fn binary_name(self) -> &'static str {
        match self {
            Self::LaunchAgent => "circleci-launch-agent",
            Self::MachineRunner => "circleci-runner",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LaunchAgent => "launch-agent",
            Self::MachineRunner => "machine-runner",
        })
    }
}
