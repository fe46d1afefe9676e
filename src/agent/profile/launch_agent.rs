//! Launch-agent 1.x.

use super::{Bucket, Drain, End, Health, Key, Names, Origin, Profile, ReleaseForm};
use crate::agent::{
    Kind,
    version::{Versions, has_commit},
};
use std::time::Duration;

/// Launch-agent 1.x.
pub(crate) static LAUNCH_AGENT: Profile = Profile {
    kind: Kind::LaunchAgent,
    name: "launch-agent",
    title: "launch-agent",
    program: "circleci-launch-agent",
    command: None,
    usage: "circleci-launch-agent --config FILE",
    names: Names {
        unit: "circleci",
        account: "circleci",
        label: "com.circleci.runner",
        task: "CircleCI Launch Agent",
        task_definition: "launch-agent-task.xml",
        etc: "/etc/opt",
        var: "/var/opt",
        config: ["launch-agent-config.yaml"; 3],
    },
    keys: &[
        Key { path: "api.auth_token", variable: "LAUNCH_AGENT_API_AUTH_TOKEN" },
        Key { path: "api.url", variable: "LAUNCH_AGENT_API_URL" },
        Key { path: "runner.name", variable: "LAUNCH_AGENT_RUNNER_NAME" },
        Key { path: "runner.command_prefix", variable: "LAUNCH_AGENT_RUNNER_COMMAND_PREFIX" },
        Key { path: "runner.working_directory", variable: "LAUNCH_AGENT_RUNNER_WORK_DIR" },
        Key {
            path: "runner.cleanup_working_directory",
            variable: "LAUNCH_AGENT_RUNNER_CLEANUP_WORK_DIR",
        },
        Key { path: "runner.mode", variable: "LAUNCH_AGENT_RUNNER_MODE" },
        Key { path: "runner.max_run_time", variable: "LAUNCH_AGENT_RUNNER_MAX_RUN_TIME" },
        Key { path: "runner.idle_timeout", variable: "LAUNCH_AGENT_RUNNER_IDLE_TIMEOUT" },
        Key {
            path: "runner.disable_auto_update",
            variable: "LAUNCH_AGENT_RUNNER_DISABLE_AUTO_UPDATE",
        },
        Key {
            path: "runner.ssh.advertise_addr",
            variable: "LAUNCH_AGENT_RUNNER_SSH_ADVERTISE_ADDR",
        },
        Key { path: "logging.file", variable: "LAUNCH_AGENT_LOGGING_FILE" },
    ],
    // As its own help says.
    precedence: [Origin::Flag, Origin::Variable, Origin::File],
    default_config: Some("launch-agent-config.yaml"),
    logs_to_dash: false,
    variable_prefix: "LAUNCH_AGENT_",
    workdir_blank: Some("%s"),
    bucket: Bucket {
        folder: "circleci-launch-agent",
        newest: "release.txt",
        form: ReleaseForm::Binaries,
    },
    versions: Versions {
        example: "1.1.73189-8792751",
        fits: has_commit,
        first_server: None,
        of_servers: &[
            ("3.1", "1.0.11147-881b608"),
            ("3.2", "1.0.19813-e9e1cd9"),
            ("3.3", "1.0.29477-605777e"),
            ("3.4", "1.1.73695-40bf772"),
            ("4.0", "1.1.73695-40bf772"),
            ("4.1", "1.1.73695-40bf772"),
            ("4.2", "1.1.73695-40bf772"),
            ("4.3", "1.1.73189-8792751"),
            ("4.4", "1.1.73189-8792751"),
            ("4.5", "1.1.73189-8792751"),
            ("4.6", "1.1.73189-8792751"),
            ("4.7", "1.1.73189-8792751"),
        ],
    },
    can_install: true,
    updates_itself: true,
    end_on_cloud: Some(End { at: 1_722_384_000, day: "2024-07-31" }),
    servers: "4.0 to 4.7",
    drain: Drain {
        signal: "SIGTERM",
        max_run_time: "5h",
        longest_job: Duration::from_secs(5 * 3600),
        grace: Duration::from_secs(300),
    },
    health: Some(Health { healthy: "Healthy", unhealthy: "Unhealthy" }),
    start_text: None,
    longest_name: 255,
    log_format: None,
    selinux_module: "circleci_launch_agent",
    cask: None,
};
