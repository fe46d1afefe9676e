//! Which service manager runs an agent.

use crate::{Code, Error, Help, Result, platform::Os};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

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

impl Manager {
    /// Every one; of those of one system the usual one first.
    pub const ALL: [Self; 4] = [Self::Systemd, Self::Launchd, Self::TaskScheduler, Self::None];

    /// As `--service` and receipts name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Launchd => "launchd",
            Self::TaskScheduler => "task-scheduler",
            Self::None => "none",
        }
    }

    /// The system that it exists on; `None`: on each.
    const fn os(self) -> Option<Os> {
        match self {
            Self::Systemd => Some(Os::Linux),
            Self::Launchd => Some(Os::Darwin),
            Self::TaskScheduler => Some(Os::Windows),
            Self::None => None,
        }
    }

    /// Those that exist on a system, the usual one first.
    pub fn all_of(os: Os) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |manager| manager.os().is_none_or(|manager_os| manager_os == os))
    }

    /// The usual one of a system.
    pub fn usual(os: Os) -> Self {
        Self::all_of(os).next().unwrap_or(Self::None)
    }
}

impl FromStr for Manager {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|manager| manager.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::new(Code::ValueInvalid, format!("there is no service manager {text:?}"))
                .help(Help::words(format!("service managers: {names}")))
        })
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_saved_as_it_is_written() {
        for manager in Manager::ALL {
            assert_eq!(manager.to_string().parse::<Manager>().unwrap(), manager);
            assert_eq!(serde_json::to_value(manager).unwrap(), manager.name());
        }
        let help = "upstart".parse::<Manager>().unwrap_err().help_lines().join(" ");
        assert!(Manager::ALL.iter().all(|manager| help.contains(manager.name())), "{help}");
    }

    #[test]
    fn each_system_has_its_own_and_none() {
        for (os, usual) in [
            (Os::Linux, Manager::Systemd),
            (Os::Darwin, Manager::Launchd),
            (Os::Windows, Manager::TaskScheduler),
        ] {
            assert_eq!(Manager::usual(os), usual);
            assert!(Manager::all_of(os).any(|manager| manager == Manager::None));
            assert_eq!(Manager::all_of(os).filter(|manager| *manager == usual).count(), 1);
        }
    }
}
