//! The kinds of agents. What each of them is stands in its [`Profile`].

use super::profile::{LAUNCH_AGENT, MACHINE_RUNNER, Profile};
use crate::{Code, Error, Help, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Which agent runs the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `circleci-launch-agent` 1.x: CircleCI server up to 4.7, and legacy cloud installs.
    #[default]
    LaunchAgent,
    /// `circleci-runner` 3.x: cloud, and CircleCI server from 4.4 on.
    MachineRunner,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::LaunchAgent, Self::MachineRunner];

    /// What is known of it.
    pub fn profile(self) -> &'static Profile {
        match self {
            Self::LaunchAgent => &LAUNCH_AGENT,
            Self::MachineRunner => &MACHINE_RUNNER,
        }
    }

    /// The agent of which this is the program's file name, without the `.exe` of Windows.
    pub fn of_program(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.profile().program == name)
    }

    /// The agent whose program a text names. Folders are called so too: the last name counts.
    pub fn named_in(text: &str) -> Option<Self> {
        let named = |kind: Self| Some((text.rfind(kind.profile().program)?, kind));
        let last = Self::ALL.into_iter().filter_map(named).max_by_key(|(at, _)| *at);
        last.map(|(_, kind)| kind)
    }

    /// The agents that `install` can install.
    pub fn installable() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.profile().can_install)
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.profile().name == text).ok_or_else(|| {
            let names = Self::ALL.map(|kind| kind.profile().name).join(", ");
            Error::new(Code::ValueInvalid, format!("there is no agent {text:?}"))
                .help(Help::words(format!("agents: {names}")))
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.profile().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_profile_of_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.profile().kind, kind);
            assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.profile().name);
        }
        assert!("agent".parse::<Kind>().is_err());
    }

    #[test]
    fn the_program_counts_and_not_its_folder() {
        for (text, kind) in [
            ("/opt/circleci-runner/circleci-launch-agent", Some(Kind::LaunchAgent)),
            ("/opt/circleci-launch-agent/circleci-runner", Some(Kind::MachineRunner)),
            ("/opt/circleci/agent", None),
        ] {
            assert_eq!(Kind::named_in(text), kind, "{text}");
        }
        assert_eq!(Kind::of_program("circleci-runner"), Some(Kind::MachineRunner));
        assert_eq!(Kind::of_program("circleci-runner.yaml"), None);
    }
}
