//! What a path is for that a definition or a configuration names.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a named path is for. In saved facts it is a word; older versions saved a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathRole {
    /// `runner.working_directory`.
    #[serde(alias = "the work folder")]
    WorkFolder,
    /// `logging.file`.
    #[serde(alias = "the log file")]
    LogFile,
    /// `TMPDIR`, or what the system has for it.
    #[serde(alias = "the temporary folder")]
    TemporaryFolder,
    /// `runner.task_agent_directory`.
    #[serde(alias = "the task agent's folder")]
    TaskAgentFolder,
    /// `SSL_CERT_FILE`.
    #[serde(alias = "the certificates")]
    Certificates,
    /// launchd's `StandardErrorPath`.
    #[serde(alias = "the service's output")]
    ServiceOutput,
    /// `WorkingDirectory` of systemd and of launchd.
    #[serde(alias = "the service's own folder")]
    ServiceFolder,
    /// launchd's `RootDirectory`.
    #[serde(alias = "the service's own root folder")]
    ServiceRoot,
    /// launchd's `KeepAlive` with `PathState`: whether something stands there decides on a start.
    #[serde(alias = "a path that a start depends on")]
    StartCondition,
    /// The program of `runner.command_prefix`.
    #[serde(alias = "the command prefix")]
    CommandPrefix,
    /// systemd's `EnvironmentFile`.
    #[serde(alias = "an environment file")]
    EnvironmentFile,
    /// systemd's `EnvironmentFile` with a `-`: the service starts without it too.
    #[serde(alias = "an optional environment file")]
    OptionalEnvironmentFile,
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}

impl PathRole {
    /// Whether systemd takes variables of the service from it.
    pub fn is_environment(self) -> bool {
        matches!(self, Self::EnvironmentFile | Self::OptionalEnvironmentFile)
    }

    /// Whether the agent and its jobs write there.
    pub fn is_written(self) -> bool {
        matches!(
            self,
            Self::WorkFolder | Self::TemporaryFolder | Self::LogFile | Self::TaskAgentFolder
        )
    }
}

impl fmt::Display for PathRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WorkFolder => "the work folder",
            Self::LogFile => "the log file",
            Self::TemporaryFolder => "the temporary folder",
            Self::TaskAgentFolder => "the task agent's folder",
            Self::Certificates => "the certificates",
            Self::ServiceOutput => "the service's output",
            Self::ServiceFolder => "the service's own folder",
            Self::ServiceRoot => "the service's own root folder",
            Self::StartCondition => "a path that a start depends on",
            Self::CommandPrefix => "the command prefix",
            Self::EnvironmentFile => "an environment file",
            Self::OptionalEnvironmentFile => "an optional environment file",
            Self::Unknown => "another path",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Named, Seen};
    use serde_json::json;

    #[test]
    fn words_are_saved_and_the_phrases_of_older_versions_are_read() {
        for (role, word) in [
            (PathRole::WorkFolder, "work-folder"),
            (PathRole::LogFile, "log-file"),
            (PathRole::TemporaryFolder, "temporary-folder"),
            (PathRole::TaskAgentFolder, "task-agent-folder"),
            (PathRole::Certificates, "certificates"),
            (PathRole::ServiceOutput, "service-output"),
            (PathRole::ServiceFolder, "service-folder"),
            (PathRole::CommandPrefix, "command-prefix"),
            (PathRole::ServiceRoot, "service-root"),
            (PathRole::StartCondition, "start-condition"),
            (PathRole::EnvironmentFile, "environment-file"),
            (PathRole::OptionalEnvironmentFile, "optional-environment-file"),
        ] {
            assert_eq!(serde_json::to_value(role).unwrap(), word);
            let walk = serde_json::to_value(Seen::<()>::not("x")).unwrap();
            for saved in [
                json!({"role": word, "trail": walk}),
                json!({"purpose": role.to_string(), "trail": walk}),
                json!([role.to_string(), walk]),
            ] {
                let read: Named = serde_json::from_value(saved.clone()).unwrap();
                assert_eq!(read.role, role, "{saved}");
            }
        }
        let role: PathRole = serde_json::from_value("a folder of tomorrow".into()).unwrap();
        assert_eq!(role, PathRole::Unknown);
    }
}
