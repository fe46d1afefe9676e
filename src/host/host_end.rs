//! What becomes of the host when a service ends: a one-shot host ends with its agent.

use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// A part of a service's definition that ends the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEnd {
    /// What names it.
    pub by: EndedBy,
    /// What it does.
    pub ending: Ending,
    /// The file of the definition.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// A directive by which a service can end its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// The program that the service runs, or a script in front of the agent.
    Command,
    /// systemd's `ExecStop=`, which also runs after the agent has ended by itself.
    ExecStop,
    /// systemd's `ExecStopPost=`.
    ExecStopPost,
    /// systemd's `SuccessAction=`.
    SuccessAction,
    /// systemd's `FailureAction=`.
    FailureAction,
    /// systemd's `OnSuccess=`.
    OnSuccess,
    /// systemd's `OnFailure=`.
    OnFailure,
    /// systemd's `StartLimitAction=`.
    StartLimitAction,
    /// systemd's `JobTimeoutAction=`.
    JobTimeoutAction,
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}

/// What becomes of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It is powered off or halted.
    PowerOff,
    /// It boots again.
    Reboot,
    /// Its provider stops or deletes it.
    Terminate,
    /// All of its services end that a target does not want, such as those of the rescue mode.
    Isolate,
    /// It sleeps.
    Sleep,
    /// What a program does that runs at the end is not known, or a script could not be read.
    Unread,
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}

impl EndedBy {
    /// By the name of a directive of systemd.
    pub fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "ExecStart" => Self::Command,
            "ExecStop" => Self::ExecStop,
            "ExecStopPost" => Self::ExecStopPost,
            "SuccessAction" => Self::SuccessAction,
            "FailureAction" => Self::FailureAction,
            "OnSuccess" => Self::OnSuccess,
            "OnFailure" => Self::OnFailure,
            "StartLimitAction" => Self::StartLimitAction,
            "JobTimeoutAction" => Self::JobTimeoutAction,
            _ => return None,
        })
    }

    /// As a definition writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "the command of the service",
            Self::ExecStop => "ExecStop=",
            Self::ExecStopPost => "ExecStopPost=",
            Self::SuccessAction => "SuccessAction=",
            Self::FailureAction => "FailureAction=",
            Self::OnSuccess => "OnSuccess=",
            Self::OnFailure => "OnFailure=",
            Self::StartLimitAction => "StartLimitAction=",
            Self::JobTimeoutAction => "JobTimeoutAction=",
            Self::Unknown => "a directive",
        }
    }

    /// Whether it acts when an agent ends that has done its work.
    pub fn follows_success(self) -> bool {
        matches!(
            self,
            Self::Command
                | Self::ExecStop
                | Self::ExecStopPost
                | Self::SuccessAction
                | Self::OnSuccess
        )
    }
}

impl Ending {
    /// What it does, with the host as its object.
    pub fn words(self) -> &'static str {
        match self {
            Self::PowerOff => "powers the host off",
            Self::Reboot => "reboots the host",
            Self::Terminate => "has the host's provider stop or delete it",
            Self::Isolate => "stops the host's other services",
            Self::Sleep => "suspends the host",
            Self::Unread => "runs a program that this one does not know",
            Self::Unknown => "ends the host",
        }
    }
}

/// For a person: `ExecStopPost= powers the host off (/etc/…/circleci.service:6)`.
impl fmt::Display for HostEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, ending, file, line } = self;
        write!(f, "{} {} ({}:{line})", by.name(), ending.words(), file.display())
    }
}
