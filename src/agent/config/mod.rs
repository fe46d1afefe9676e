//! `launch-agent-config.yaml`, the one file that an agent reads. Machine runner 3 reads the same
//! format with a few keys more.
//!
//! Reading is strict about the shape (a mapping where one belongs, `true` or `false` where one
//! belongs) and takes every text as it stands, so that an install made by hand can be read and
//! judged, placeholders and misspelt durations included. Whether a text is right is for the value
//! types of [`crate::values`].

mod read;
mod write;

pub use crate::text::yaml::truth;
pub use read::{Document, KeyRead};

use super::Token;
use serde::{Deserialize, Serialize};

/// The keys of `launch-agent-config.yaml`. `None` is a key that the file does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `api`: who the agent is, and to whom.
    pub api: Api,
    /// `runner`: how jobs are run.
    pub runner: Runner,
    /// `logging`: where the agent's own log goes.
    pub logging: Logging,
}

/// `api`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Api {
    /// The resource class token, as it stands in the file. The agent needs one.
    pub auth_token: Option<Token>,
    /// The runner API; without it [`CLOUD_URL`](crate::agent::CLOUD_URL).
    pub url: Option<String>,
}

/// `runner`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Runner {
    /// The runner's unique name. The agent needs one.
    pub name: Option<String>,
    /// A command that wraps the task-agent and forwards its exit code.
    pub command_prefix: Option<Vec<String>>,
    /// Where jobs work. Launch-agent puts a value unique to each job in place of `%s`.
    pub working_directory: Option<String>,
    /// Whether the working directory is emptied after a job; without it `false`.
    pub cleanup_working_directory: Option<bool>,
    /// `continuous`, also without it, or `single-task`.
    pub mode: Option<String>,
    /// The longest a job may run; without it `5h`.
    pub max_run_time: Option<String>,
    /// The agent ends after this time without a job; without it never.
    pub idle_timeout: Option<String>,
    /// Launch-agent only: whether it keeps to its version; without it `false`.
    pub disable_auto_update: Option<bool>,
    /// `runner.ssh`.
    pub ssh: Ssh,
    /// Machine runner 3 only: where the task-agent's binary goes.
    pub task_agent_directory: Option<String>,
    /// Machine runner 3 only: whether the task-agent's binary is kept between jobs.
    pub cache_task_agent: Option<bool>,
    /// Machine runner 3 only: whether checkout keys go to `~/.ssh`.
    pub use_home_ssh_dir_for_checkout_keys: Option<bool>,
}

/// `runner.ssh`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ssh {
    /// `host:port` where people reach a job that was rerun with SSH; enables such reruns.
    pub advertise_addr: Option<String>,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// The log file; without it the agent's standard output.
    pub file: Option<String>,
    /// Machine runner 3 only: `debug`, `info`, `warn` or `error`.
    pub level: Option<String>,
    /// Machine runner 3 only: `color`, `text`, `json` or `none`.
    pub format: Option<String>,
}

/// The kind of value that a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// `true` or `false`.
    Truth,
    /// A list of texts.
    List,
    /// Other keys.
    Section,
}

impl Config {
    /// The path of every key that an agent reads, in the order in which they are written.
    pub const KEYS: [&'static str; 17] = [
        "api.auth_token",
        "api.url",
        "runner.name",
        "runner.working_directory",
        "runner.cleanup_working_directory",
        "runner.mode",
        "runner.max_run_time",
        "runner.idle_timeout",
        "runner.disable_auto_update",
        "runner.command_prefix",
        "runner.ssh.advertise_addr",
        "runner.task_agent_directory",
        "runner.cache_task_agent",
        "runner.use_home_ssh_dir_for_checkout_keys",
        "logging.file",
        "logging.level",
        "logging.format",
    ];

    /// The key of the token.
    pub const TOKEN: &'static str = "api.auth_token";

    /// The keys without which an agent ends.
    pub const NEEDED: [&'static str; 2] = [Self::TOKEN, "runner.name"];

    /// The sections.
    pub const SECTIONS: [&'static str; 4] = ["api", "runner", "runner.ssh", "logging"];

    /// The kind of value that a key or a section holds; `None` for one that no agent reads.
    pub fn holds(path: &str) -> Option<Holds> {
        match path {
            "runner.cleanup_working_directory"
            | "runner.disable_auto_update"
            | "runner.cache_task_agent"
            | "runner.use_home_ssh_dir_for_checkout_keys" => Some(Holds::Truth),
            "runner.command_prefix" => Some(Holds::List),
            path if Self::SECTIONS.contains(&path) => Some(Holds::Section),
            path => Self::KEYS.contains(&path).then_some(Holds::Text),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Configs with any texts, those that YAML would take for something else before all.
    pub(crate) fn any_config() -> impl Strategy<Value = Config> {
        let api = (option(text().prop_map(Token::as_found)), option(text()))
            .prop_map(|(auth_token, url)| Api { auth_token, url });
        let logging = (option(text()), option(text()), option(text()))
            .prop_map(|(file, level, format)| Logging { file, level, format });
        let texts = prop::array::uniform7(option(text()));
        let truths = prop::array::uniform4(option(any::<bool>()));
        let prefix = option(prop::collection::vec(text(), 0..5));
        let runner = (texts, truths, prefix).prop_map(|(texts, truths, command_prefix)| {
            let [name, working_directory, mode, max_run_time, idle_timeout, address, folder] =
                texts;
            let [cleanup_working_directory, disable_auto_update, cache_task_agent, home] = truths;
            Runner {
                name,
                command_prefix,
                working_directory,
                cleanup_working_directory,
                mode,
                max_run_time,
                idle_timeout,
                disable_auto_update,
                ssh: Ssh { advertise_addr: address },
                task_agent_directory: folder,
                cache_task_agent,
                use_home_ssh_dir_for_checkout_keys: home,
            }
        });
        (api, runner, logging).prop_map(|(api, runner, logging)| Config { api, runner, logging })
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(TRICKY).prop_map(str::to_owned),
            any::<String>(),
            "[ -~]{0,12}",
            "/[a-z%]{1,8}/[a-z ]{0,8}",
        ]
    }

    fn option<T: std::fmt::Debug>(
        strategy: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Option<T>> {
        prop::option::of(strategy)
    }

    pub(crate) const TRICKY: &[&str] = &[
        "yes",
        "No",
        "null",
        "~",
        "0x1f",
        "0o17",
        "017",
        "1e3",
        ".inf",
        "1_000",
        "12:30",
        "%s",
        "- a",
        "a: b",
        "a #b",
        "#",
        "''",
        "\"",
        "it's",
        "{{ x }}",
        "[a]",
        "*x",
        "&x",
        "!x",
        "@",
        "`",
        " a",
        "a ",
        "\u{fffe}",
        "",
        "\u{85}",
        "\u{2028}",
        "é",
        "日本",
        "🚀",
        "C:\\Program Files\\x",
        "a\nb",
        "a\r\nb",
        "\t",
        "---",
        "=",
        "<<",
        "2001-12-14",
        "--",
    ];

    #[test]
    fn facts_hold_no_token() {
        let mut config = Config::default();
        config.api.auth_token = Some(Token::as_found("s3cr3t"));
        let json = serde_json::to_string(&config).unwrap();
        assert!(!json.contains("s3cr3t"));
        let back: Config = serde_json::from_str(&json).unwrap();
        assert_eq!(back.api.auth_token.unwrap().expose(), "***");
        assert!(!format!("{config:?}").contains("s3cr3t"));
    }
}
