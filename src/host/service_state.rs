//! A service as its manager sees it: one type for systemd, launchd and the task scheduler.

use super::Effective;
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// What a service manager says of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceState {
    /// Whether the manager has its definition.
    pub load: Load,
    /// launchd: the domain that it is loaded in, such as `system` or `gui/501`.
    pub domain: Option<String>,
    /// Why it could not be loaded.
    #[serde(rename = "load_trouble")]
    pub load_error: Option<String>,
    /// The file that the manager read, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<PathBuf>,
    /// It starts with the host.
    pub enabled: bool,
    /// The manager's word for that, such as `enabled` or `linked`.
    pub enabled_word: String,
    /// It was enabled, and `disable` takes that back: not so of a unit that is `static`, and still
    /// so of a task that a stop has disabled until the next start.
    pub registered: bool,
    /// What it does now.
    pub active: Activity,
    /// The manager's closer word, such as `running` or [`AUTO_RESTART`].
    pub sub: String,
    /// Seconds since 1970 when it came into this state.
    pub since: Option<i64>,
    /// The main process, while there is one.
    pub main_pid: Option<u32>,
    /// How often the manager started it again.
    pub restarts: u32,
    /// How it last ended, such as `exit-code`, `signal`, `oom-kill`, `start-limit-hit`; of launchd
    /// also the kernel's reason, such as `OS_REASON_CODESIGNING`.
    pub result: String,
    /// Its last exit status, or the signal that ended it; 203 of systemd: it could not be executed.
    /// Of a task an `HRESULT`.
    pub exit_status: Option<i32>,
    /// launchd: how many seconds a stop waits before it kills, as launchd has it; 0: without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_timeout: Option<u64>,
    /// The agent's own health text, such as `Healthy`.
    pub health: Option<String>,
    /// The definition on disk is newer than what the manager read.
    pub needs_reload: bool,
    /// systemd: what is in force for it, whatever file it comes from; `None` in facts of older
    /// versions, of an image, and of other managers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Box<Effective>>,
}

/// [`ServiceState::sub`] of a service that has ended and waits to be started again.
pub const AUTO_RESTART: &str = "auto-restart";

/// Whether a manager has a definition: systemd's `LoadState`, and its like of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// The manager did not say.
    #[default]
    #[serde(rename = "")]
    Unknown,
    /// It has.
    Loaded,
    /// It knows none: no unit, a label that is not loaded, a task that is not registered.
    NotFound,
    /// A line of it is wrong.
    BadSetting,
    /// It could not be read.
    Error,
    /// Nothing can start it.
    Masked,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

/// What a service does: systemd's `ActiveState`, and its like of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// The manager did not say.
    #[default]
    #[serde(rename = "")]
    Unknown,
    /// It runs.
    Active,
    /// It is being started, or waits to be started again.
    Activating,
    /// It was told to stop, and drains.
    Deactivating,
    /// It does not run.
    Inactive,
    /// It ended with an error, and is not started again.
    Failed,
    /// A word that this version does not know, such as `reloading`: it runs in some way.
    #[serde(other)]
    Other,
}

impl ServiceState {
    /// The manager holds it: it runs, starts, stops, or waits to be started again. launchd does so
    /// with all that is loaded.
    pub fn is_held(&self) -> bool {
        let is_idle =
            matches!(self.active, Activity::Unknown | Activity::Inactive | Activity::Failed);
        self.domain.is_some() || !is_idle
    }

    /// systemd counts it as active though its main process has ended (`RemainAfterExit=`).
    pub fn has_exited(&self) -> bool {
        self.active == Activity::Active && self.sub == "exited"
    }

    /// It has ended, and waits to be started again.
    pub fn waits_for_restart(&self) -> bool {
        self.active == Activity::Activating && self.sub == AUTO_RESTART
    }
}

/// For a person: `active (running)`, `failed (failed), exit-code, exit status 203`.
impl fmt::Display for ServiceState {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({})", self.active, self.sub)?;
        let is_good = matches!(self.result.as_str(), "" | "success");
        if !is_good {
            write!(to, ", {}", self.result)?;
        }
        match self.exit_status {
            Some(status @ 1..=255) => write!(to, ", exit status {status}"),
            // An `HRESULT`: of one that has not ended a success.
            Some(status) if status != 0 && !is_good => write!(to, ", exit status 0x{status:08X}"),
            _ => Ok(()),
        }
    }
}

impl Load {
    /// The state of this word of systemd's.
    pub fn of(word: &str) -> Self {
        let all = [Self::Loaded, Self::NotFound, Self::BadSetting, Self::Error, Self::Masked];
        let unknown = if word.is_empty() { Self::Unknown } else { Self::Other };
        all.into_iter().find(|load| load.word() == word).unwrap_or(unknown)
    }

    /// systemd's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Loaded => "loaded",
            Self::NotFound => "not-found",
            Self::BadSetting => "bad-setting",
            Self::Error => "error",
            Self::Masked => "masked",
            Self::Other => "other",
        }
    }
}

impl Activity {
    /// The state of this word of systemd's.
    pub fn of(word: &str) -> Self {
        let all =
            [Self::Active, Self::Activating, Self::Deactivating, Self::Inactive, Self::Failed];
        let unknown = if word.is_empty() { Self::Unknown } else { Self::Other };
        all.into_iter().find(|activity| activity.word() == word).unwrap_or(unknown)
    }

    /// systemd's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Active => "active",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.word())
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_word_is_what_the_manager_said() {
        for word in ["loaded", "not-found", "bad-setting", "error", "masked"] {
            let load = Load::of(word);
            assert_eq!(serde_json::to_value(load).unwrap(), word);
            assert_eq!(load.word(), word);
        }
        for word in ["active", "activating", "deactivating", "inactive", "failed"] {
            let activity = Activity::of(word);
            assert_eq!(serde_json::to_value(activity).unwrap(), word);
            assert_eq!(activity.word(), word);
        }
    }

    #[test]
    fn a_word_of_a_later_version_loads() {
        let text = r#"{"load": "stub", "active": "reloading", "sub": "reload"}"#;
        let state: ServiceState = serde_json::from_str(text).unwrap();
        assert_eq!((state.load, state.active), (Load::Other, Activity::Other));
        assert_eq!((Load::of("stub"), Activity::of("reloading")), (Load::Other, Activity::Other));
        assert!(state.is_held());
        let text = r#"{"load": "", "active": ""}"#;
        let state: ServiceState = serde_json::from_str(text).unwrap();
        assert_eq!(state, ServiceState::default());
        assert!(!state.is_held());
    }

    #[test]
    fn an_end_is_told_with_its_status() {
        let mut state = ServiceState {
            active: Activity::Inactive,
            sub: "Ready".to_owned(),
            result: "exit-code".to_owned(),
            exit_status: Some(0xC000_013A_u32.cast_signed()),
            ..ServiceState::default()
        };
        assert_eq!(state.to_string(), "inactive (Ready), exit-code, exit status 0xC000013A");
        (state.result, state.exit_status) = ("success".to_owned(), Some(0x41301));
        assert_eq!(state.to_string(), "inactive (Ready)");
    }
}
