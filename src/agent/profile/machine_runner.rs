//! Machine runner 3.
//!
//! Its documented places are a package's on Linux, a user's home on macOS, and a script's on
//! Windows. On macOS the places here are those of a daemon, beside launch-agent's.

use super::{Bucket, Drain, Key, Names, Origin, Profile, ReleaseForm};
use crate::agent::{
    Kind,
    version::{Versions, has_numbers},
};
use std::time::Duration;

/// Machine runner 3.
pub(crate) static MACHINE_RUNNER: Profile = Profile {
    kind: Kind::MachineRunner,
    name: "machine-runner",
    title: "machine runner 3",
    program: "circleci-runner",
    command: Some("machine"),
    usage: "circleci-runner machine --config FILE",
    names: Names {
        unit: "circleci-runner",
        account: "circleci",
        label: "com.circleci.runner",
        task: "CircleCI Runner Agent",
        task_definition: "runner-agent-task.xml",
        etc: "/etc",
        var: "/var/lib",
        config: ["circleci-runner-config.yaml", "config.yaml", "runner-agent-config.yaml"],
    },
    // The variables do not double the word RUNNER.
    keys: &[
        Key { path: "api.auth_token", variable: "CIRCLECI_RUNNER_API_AUTH_TOKEN" },
        Key { path: "api.url", variable: "CIRCLECI_RUNNER_API_URL" },
        Key { path: "runner.name", variable: "CIRCLECI_RUNNER_NAME" },
        Key { path: "runner.command_prefix", variable: "CIRCLECI_RUNNER_COMMAND_PREFIX" },
        Key { path: "runner.working_directory", variable: "CIRCLECI_RUNNER_WORK_DIR" },
        Key {
            path: "runner.cleanup_working_directory",
            variable: "CIRCLECI_RUNNER_CLEANUP_WORK_DIR",
        },
        Key { path: "runner.mode", variable: "CIRCLECI_RUNNER_MODE" },
        Key { path: "runner.max_run_time", variable: "CIRCLECI_RUNNER_MAX_RUN_TIME" },
        Key { path: "runner.idle_timeout", variable: "CIRCLECI_RUNNER_IDLE_TIMEOUT" },
        Key { path: "runner.ssh.advertise_addr", variable: "CIRCLECI_RUNNER_SSH_ADVERTISE_ADDR" },
        Key { path: "logging.file", variable: "CIRCLECI_RUNNER_LOGGING_FILE" },
        Key { path: "logging.level", variable: "CIRCLECI_RUNNER_LOGGING_LEVEL" },
        Key { path: "logging.format", variable: "CIRCLECI_RUNNER_LOGGING_FORMAT" },
        Key {
            path: "runner.task_agent_directory",
            variable: "CIRCLECI_RUNNER_TASK_AGENT_DIRECTORY",
        },
        Key { path: "runner.cache_task_agent", variable: "CIRCLECI_RUNNER_CACHE_TASK_AGENT" },
        Key {
            path: "runner.use_home_ssh_dir_for_checkout_keys",
            variable: "USE_HOME_SSH_DIR_FOR_CHECKOUT_KEYS",
        },
    ],
    precedence: [Origin::Flag, Origin::Variable, Origin::File],
    // Its documents do not say what it looks for.
    default_config: None,
    logs_to_dash: true,
    variable_prefix: "CIRCLECI_RUNNER_",
    workdir_blank: None,
    bucket: Bucket {
        folder: "circleci-runner",
        newest: "manifest.json",
        form: ReleaseForm::Archives,
    },
    versions: Versions {
        example: "3.1.11",
        fits: has_numbers,
        // No minimum for a release is published.
        first_server: Some("4.4"),
        of_servers: &[],
    },
    can_install: true,
    updates_itself: false,
    end_on_cloud: None,
    servers: "4.4 and later",
    drain: Drain {
        signal: "SIGTERM",
        max_run_time: "5h",
        longest_job: Duration::from_secs(5 * 3600),
        grace: Duration::from_secs(300),
    },
    health: None,
    start_text: Some("starting agent"),
    longest_name: 64,
    // Its default, `color`, puts escape sequences into the log.
    log_format: Some("text"),
    selinux_module: "circleci_runner",
    cask: Some("circleci-runner"),
};
