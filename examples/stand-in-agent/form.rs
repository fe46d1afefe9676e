//! What the two agents show differently: machine runner 3 has a command, other variables, another
//! address to claim at, a log of another form, and nothing to say to the service manager.

use std::time::Duration;

/// The version that the stand-in for machine runner 3 calls its own.
const RUNNER_VERSION: &str = "3.1.4-7421-b48991f";

/// Which agent this is, by the name that it was started under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    LaunchAgent,
    MachineRunner,
}

impl Form {
    pub(crate) fn of_program() -> Self {
        let own = std::env::args().next().unwrap_or_default();
        match own.trim_end_matches(".exe").ends_with("circleci-runner") {
            true => Self::MachineRunner,
            false => Self::LaunchAgent,
        }
    }

    /// The variable of a key, which machine runner 3 has without the section `runner`.
    pub(crate) fn variable(self, key: &str) -> Option<String> {
        let name = key.replace('.', "_").to_uppercase();
        std::env::var(match self {
            Self::LaunchAgent => format!("LAUNCH_AGENT_{name}"),
            Self::MachineRunner => {
                format!("CIRCLECI_RUNNER_{}", name.strip_prefix("RUNNER_").unwrap_or(&name))
            }
        })
        .ok()
    }

    pub(crate) fn claims_at(self) -> &'static str {
        match self {
            Self::LaunchAgent => "/api/v2/runner/claim",
            Self::MachineRunner => "/api/v3/runner/claim",
        }
    }

    /// Whether it reports its health to the service manager.
    pub(crate) fn notifies(self) -> bool {
        self == Self::LaunchAgent
    }

    /// A line of its log, in the form of docs/agents.md, Log.
    pub(crate) fn line(
        self,
        uptime: Duration,
        (level, message): (&str, &str),
        (key, value): (&str, &str),
    ) -> String {
        if self == Self::LaunchAgent {
            return format!("{level}[{:04}] {message}    {key}={value:?}\n", uptime.as_secs());
        }
        let seconds = uptime.as_secs();
        let (hour, minute) = (20 + seconds / 3600 % 4, seconds / 60 % 60);
        let time = format!("{hour:02}:{minute:02}:{:02} f0666 0.004ms", seconds % 60);
        let rest = match (message, key) {
            ("starting agent", _) => format!(
                "starting agent app.date=2025-05-07 app.version={RUNNER_VERSION} mode=agent \
                 service.name=circleci-runner"
            ),
            ("status", _) => "POST /api/v3/runner/claim app.loop_name=claim \
                 http.response.status_code=204 result=success"
                .to_owned(),
            ("error running task", "error") if value.contains("401") => format!(
                "POST /api/v3/runner/claim error={value:?} http.response.status_code=401 \
                 result=error"
            ),
            (message, "error") => format!("{message} error={value:?} result=error"),
            (message, key) => format!("{message} {key}={value:?}"),
        };
        format!("{time} {rest}\n")
    }
}
