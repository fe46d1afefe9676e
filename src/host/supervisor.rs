//! What keeps a process that no service of the system's manager is known for.

use serde::{Deserialize, Serialize};

/// What runs a process. Names are the process's account's words where it chose them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supervisor {
    /// Nothing that is known.
    #[default]
    Nothing,
    /// A service of an account's own manager, `systemd --user`.
    UserManager {
        /// The service.
        unit: String,
        /// Whether the account's manager runs while the account is not logged in.
        lingers: Option<bool>,
    },
    /// A session of an account, which ends when it logs out.
    Session,
    /// A service of the system that is not the agent's own, such as `cron.service`.
    Service(String),
    /// A program that starts others.
    Program(Keeper),
    /// The first process of a container.
    Container {
        /// Its name.
        init: String,
    },
}

/// Programs that start others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// `supervisord`.
    Supervisord,
    /// runit's `runsv`.
    Runit,
    /// `s6-supervise`.
    S6,
    /// daemontools' `supervise`.
    Daemontools,
    /// `monit`.
    Monit,
    /// pm2, a manager of Node.js programs.
    Pm2,
    /// `cron`, by a line with `@reboot`.
    Cron,
    /// `tmux` or `screen`.
    Terminal,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

impl Keeper {
    /// The one whose process has this name.
    pub fn of_process(name: &str) -> Option<Self> {
        Some(match name {
            "supervisord" => Self::Supervisord,
            "runsv" => Self::Runit,
            "s6-supervise" => Self::S6,
            "supervise" => Self::Daemontools,
            "monit" => Self::Monit,
            "cron" | "crond" | "anacron" => Self::Cron,
            name if name.starts_with("PM2 ") => Self::Pm2,
            name if name.starts_with("tmux") || name.eq_ignore_ascii_case("screen") => {
                Self::Terminal
            }
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supervisord => "supervisord",
            Self::Runit => "runit",
            Self::S6 => "s6",
            Self::Daemontools => "daemontools",
            Self::Monit => "monit",
            Self::Pm2 => "pm2",
            Self::Cron => "cron",
            Self::Terminal => "a terminal multiplexer",
            Self::Other => "another program",
        }
    }

    /// Whether one of root's runs what root has set, and nothing that another account asks for.
    pub fn runs_roots_choice(self) -> bool {
        !matches!(self, Self::Cron | Self::Terminal | Self::Other)
    }

    /// What it does not do for an agent as it is usually set up: from the manual of each.
    pub fn lacks(self) -> &'static str {
        match self {
            Self::Supervisord => {
                "it kills the agent and its job 10 s after a stop, unless stopwaitsecs is set as long \
                 as a job may take"
            }
            Self::Runit => "`sv stop` gives up after 7 s, and `sv force-stop` kills the agent then",
            Self::S6 => "it kills the agent after timeout-kill, if that is set shorter than a job",
            Self::Daemontools => "`svc -d` does not wait until the job has ended",
            Self::Monit => "it gives up after its timeout, and does not wait for a job",
            Self::Pm2 => "it kills the agent 1.6 s after a stop, unless kill_timeout is set",
            Self::Cron => "it starts the agent at boot and does not start it again",
            Self::Terminal => "the agent does not start at boot and is not started again",
            Self::Other => "whether it starts the agent again is not known",
        }
    }
}
