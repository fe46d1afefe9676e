//! Variables of the service that are settings of an agent.

use crate::{
    agent::Kind,
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Survey},
    text::nearest,
};

/// Each variable with its key: docs/agents.md, Configuration.
const LAUNCH_AGENT: [(&str, &str); 12] = [
    ("LAUNCH_AGENT_API_AUTH_TOKEN", "api.auth_token"),
    ("LAUNCH_AGENT_API_URL", "api.url"),
    ("LAUNCH_AGENT_RUNNER_NAME", "runner.name"),
    ("LAUNCH_AGENT_RUNNER_COMMAND_PREFIX", "runner.command_prefix"),
    ("LAUNCH_AGENT_RUNNER_WORK_DIR", "runner.working_directory"),
    ("LAUNCH_AGENT_RUNNER_CLEANUP_WORK_DIR", "runner.cleanup_working_directory"),
    ("LAUNCH_AGENT_RUNNER_MODE", "runner.mode"),
    ("LAUNCH_AGENT_RUNNER_MAX_RUN_TIME", "runner.max_run_time"),
    ("LAUNCH_AGENT_RUNNER_IDLE_TIMEOUT", "runner.idle_timeout"),
    ("LAUNCH_AGENT_RUNNER_DISABLE_AUTO_UPDATE", "runner.disable_auto_update"),
    ("LAUNCH_AGENT_RUNNER_SSH_ADVERTISE_ADDR", "runner.ssh.advertise_addr"),
    ("LAUNCH_AGENT_LOGGING_FILE", "logging.file"),
];

const MACHINE_RUNNER: [(&str, &str); 16] = [
    ("CIRCLECI_RUNNER_API_AUTH_TOKEN", "api.auth_token"),
    ("CIRCLECI_RUNNER_API_URL", "api.url"),
    ("CIRCLECI_RUNNER_NAME", "runner.name"),
    ("CIRCLECI_RUNNER_COMMAND_PREFIX", "runner.command_prefix"),
    ("CIRCLECI_RUNNER_WORK_DIR", "runner.working_directory"),
    ("CIRCLECI_RUNNER_CLEANUP_WORK_DIR", "runner.cleanup_working_directory"),
    ("CIRCLECI_RUNNER_MODE", "runner.mode"),
    ("CIRCLECI_RUNNER_MAX_RUN_TIME", "runner.max_run_time"),
    ("CIRCLECI_RUNNER_IDLE_TIMEOUT", "runner.idle_timeout"),
    ("CIRCLECI_RUNNER_SSH_ADVERTISE_ADDR", "runner.ssh.advertise_addr"),
    ("CIRCLECI_RUNNER_LOGGING_FILE", "logging.file"),
    ("CIRCLECI_RUNNER_LOGGING_LEVEL", "logging.level"),
    ("CIRCLECI_RUNNER_LOGGING_FORMAT", "logging.format"),
    ("CIRCLECI_RUNNER_TASK_AGENT_DIRECTORY", "runner.task_agent_directory"),
    ("CIRCLECI_RUNNER_CACHE_TASK_AGENT", "runner.cache_task_agent"),
    ("USE_HOME_SSH_DIR_FOR_CHECKOUT_KEYS", "runner.use_home_ssh_dir_for_checkout_keys"),
];

/// Every variable that an agent reads.
pub fn variables() -> impl Iterator<Item = &'static str> {
    LAUNCH_AGENT.iter().chain(&MACHINE_RUNNER).map(|(name, _)| *name)
}

fn known(agent: Kind) -> &'static [(&'static str, &'static str)] {
    match agent {
        Kind::LaunchAgent => &LAUNCH_AGENT,
        Kind::MachineRunner => &MACHINE_RUNNER,
    }
}

pub(super) const READ: Check = Check {
    name: "config/environment-read",
    holds: "Every variable that is meant for the agent is one that it reads",
    why: "The two agents have variables with different prefixes; one that the agent does not read \
          has no effect, and nothing says so.",
    found: "Names that begin with LAUNCH_AGENT_ or CIRCLECI_RUNNER_ are compared with those that \
            the agent of this service reads.",
    cure: "Rename the variable as suggested, in a drop-in of the unit.",
    after: &[],
    judge: Judge::Agent(read),
};

fn read(_: &Survey, install: &Install) -> Judged {
    let own = known(install.agent);
    let names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
    let mut problems = Vec::new();
    for variable in &install.environment {
        let name = variable.name.as_str();
        let is_meant = name.starts_with("LAUNCH_AGENT_") || name.starts_with("CIRCLECI_RUNNER_");
        if !is_meant || names.contains(&name) {
            continue;
        }
        let all = LAUNCH_AGENT.iter().chain(&MACHINE_RUNNER);
        let key = all.clone().find(|(other, _)| *other == name).map(|(_, key)| *key);
        let meant = match key {
            Some(key) => own.iter().find(|(_, same)| *same == key).map(|(name, _)| *name),
            None => nearest(name, &names),
        };
        let text = match meant {
            Some(meant) => ["Call it ", meant, "."],
            None => ["Take it out.", "", ""],
        };
        problems.push(
            Problem::warn(format!("{} does not read the variable {name}", install.agent))
                .seen(variable.source.clone())
                .cure(Remedy::by_hand(text)),
        );
    }
    Ok(Verdict::of(problems, "no variable is passed over"))
}

pub(super) const OVERRIDES: Check = Check {
    name: "config/environment-overrides",
    holds: "No variable silently wins over another value in the file",
    why: "A variable wins over the file, so that who edits the file sees no effect.",
    found: "Each variable that the agent reads is compared with its key in the file.",
    cure: "Keep the value in one place: take out the variable, or the key.",
    after: &["config/parses"],
    judge: Judge::Agent(overrides),
};

fn overrides(_: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let mut problems = Vec::new();
    for (name, key) in known(install.agent) {
        let Some(variable) = install.variable(name) else { continue };
        let Some(setting) = config.setting(key) else { continue };
        let same = config.text(key).is_some_and(|text| variable.value.as_deref() == Some(text));
        if !same {
            problems.push(
                Problem::warn(format!("the variable {name} wins over {key}"))
                    .seen(format!("{} and {}", variable.source, setting.place(config)))
                    .cure(Remedy::by_hand("Keep the value in one place.")),
            );
        }
    }
    Ok(Verdict::of(problems, "no variable wins over the file"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, sample::*},
        host::{Survey, Variable},
    };

    fn variable(name: &str, value: &str) -> Survey {
        let mut survey = healthy();
        let variable = Variable {
            name: name.into(),
            value: Some(value.into()),
            source: "/etc/x:1".into(),
            secret: None,
            written_by: Default::default(),
        };
        agent(&mut survey).environment.push(variable);
        survey
    }

    #[test]
    fn a_variable_of_the_other_agent_is_told_with_the_right_one() {
        let survey = variable("CIRCLECI_RUNNER_NAME", "x");
        let found = finding(&survey, "config/environment-read");
        assert_eq!(found.status, Status::Warn);
        assert!(found.remedy.unwrap().text().contains("LAUNCH_AGENT_RUNNER_NAME"));
        let fine = variable("HTTPS_PROXY", "http://p:1");
        assert_eq!(status(&fine, "config/environment-read"), Status::Pass);
    }

    #[test]
    fn a_variable_that_wins_is_told() {
        let survey = variable("LAUNCH_AGENT_RUNNER_NAME", "other");
        assert_eq!(status(&survey, "config/environment-overrides"), Status::Warn);
        let same = variable("LAUNCH_AGENT_RUNNER_NAME", "build-1");
        assert_eq!(status(&same, "config/environment-overrides"), Status::Pass);
    }
}
