//! Variables of the service that are settings of an agent.

use crate::{
    agent::{is_agents_variable, profiles},
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, lookup::service},
    host::{Install, Scrubbed, Source, Survey, Value},
    text::nearest,
};

pub(super) const READ: Check = Check {
    name: "config/environment-read",
    holds: "The agent reads every variable that is set for an agent",
    why: "A variable that the agent does not read has no effect, and no message says so. The two \
          agents use variables with different prefixes.",
    found: "The doctor compares the names that begin with LAUNCH_AGENT_ or CIRCLECI_RUNNER_ with \
            the variables that this agent reads.",
    cure: "Rename the variable as the finding shows, in a drop-in of the unit.",
    after: &[],
    judge: Judge::Agent(read),
};

fn read(_: &Survey, install: &Install) -> Judged {
    if !install.environment.iter().any(|variable| is_agents_variable(&variable.name)) {
        // Variables are set by a service.
        service(install)?;
        return Ok(Verdict::Holds("no variable is set for an agent".to_owned()));
    }
    let profile = install.agent.profile();
    let names: Vec<&str> = profile.keys.iter().map(|key| key.variable).collect();
    let mut problems = Vec::new();
    for variable in &install.environment {
        let name = variable.name.as_str();
        if !is_agents_variable(name) || names.contains(&name) {
            continue;
        }
        let meant = match profiles().find_map(|other| other.key_of(name)) {
            Some(key) => profile.variable(key),
            None => nearest(name, &names),
        };
        let text = match meant {
            Some(meant) => ["Rename the variable to ", meant, "."],
            None => ["Remove the variable.", "", ""],
        };
        problems.push(
            Problem::warn(format!("{} does not read the variable {name}", install.agent))
                .seen(format!("{name} is set at {}", variable.source))
                .cure(Remedy::by_hand(text)),
        );
    }
    Ok(Verdict::of(problems, "the agent reads every variable that is set for an agent"))
}

pub(super) const OVERRIDES: Check = Check {
    name: "config/environment-overrides",
    holds: "No flag and no variable overrides a different value in the configuration",
    why: "A flag of the command and a variable override the file, so a change in the file has no \
          effect.",
    found: "The doctor compares each flag and each variable that the agent reads with its key in the \
            file.",
    cure: "Keep the value in one place: remove the flag or variable, or the key.",
    after: &["config/parses", "service/lines-as-meant"],
    judge: Judge::Agent(overrides),
};

fn overrides(_: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let settings = install.settings();
    let mut problems = Vec::new();
    for key in install.agent.profile().keys.iter().map(|key| key.path) {
        let Some(in_file) = config.setting(key) else { continue };
        let Some(given) = settings.given(key)? else { continue };
        let (kind, name, at) = match &given.source {
            Source::Flag { at, name } => {
                ("flag", name, at.clone().unwrap_or_else(|| "the command of the service".into()))
            }
            Source::Variable { at, name } => ("variable", name, at.clone()),
            Source::File { .. } | Source::Default => continue,
        };
        let same = match &given.value {
            Value::List(items) => config.list(key).is_some_and(|own| {
                own.iter().map(Scrubbed::as_str).eq(items.iter().map(|item| &**item))
            }),
            _ => given.text().is_some() && config.text(key) == given.text(),
        };
        if !same {
            problems.push(
                Problem::warn(format!("the {kind} {name} overrides {key} of the configuration"))
                    .seen(format!("{name} is set at {at}, {key} at {}", in_file.place(config)))
                    .cure(Remedy::by_hand(
                        "Keep the value in one place: remove the flag or variable, or the key.",
                    )),
            );
        }
    }
    Ok(Verdict::of(problems, "no flag and no variable overrides the configuration"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Survey, Variable},
    };

    /// An agent does not read the variable of the other agent.
    #[test]
    fn only_the_agents_own_variable_stands_for_a_key() {
        let needed = [
            (
                "runner.name",
                "config/name-valid",
                ["LAUNCH_AGENT_RUNNER_NAME", "CIRCLECI_RUNNER_NAME"],
            ),
            (
                "api.auth_token",
                "config/token-set",
                ["LAUNCH_AGENT_API_AUTH_TOKEN", "CIRCLECI_RUNNER_API_AUTH_TOKEN"],
            ),
        ];
        for (key, check, [ours, theirs]) in needed {
            // The name is judged wherever it stands; of the token these facts hold no shape.
            let is_known = if key == "runner.name" { Status::Pass } else { Status::NotApplicable };
            for (name, expected) in [(ours, is_known), (theirs, Status::Fail)] {
                let mut survey = variable(name, "x");
                set(&mut survey, key, None);
                config_of(&mut survey).token = None;
                assert_eq!(status(&survey, check), expected, "{name}");
            }
        }
        let cloud = variable("CIRCLECI_RUNNER_API_URL", "https://runner.circleci.com");
        assert_eq!(status(&cloud, "agent/supported"), Status::Pass);
    }

    #[test]
    fn a_variable_without_a_prefix_is_known_by_its_name() {
        let survey = variable("USE_HOME_SSH_DIR_FOR_CHECKOUT_KEYS", "true");
        assert_eq!(status(&survey, "config/environment-read"), Status::Warn);
    }

    #[test]
    fn variables_that_are_not_known_are_not_well() {
        let mut survey = healthy();
        assert_eq!(status(&survey, "config/environment-read"), Status::Pass);
        agent(&mut survey).service = None;
        assert_eq!(status(&survey, "config/environment-read"), Status::Skip);
        agent(&mut survey).binary = None;
        assert_eq!(status(&survey, "config/environment-read"), Status::NotApplicable);
    }

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
