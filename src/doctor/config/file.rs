//! Whether the configuration exists, and whether it can be parsed.

use crate::{
    agent::Config,
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Purpose, Site},
        lookup::{described, edit_config},
    },
    host::{ConfigFile, ConfigState, Install, Service, Survey, Unseen},
};

pub(super) const EXISTS: Check = Check {
    name: "config/exists",
    holds: "The configuration that the agent reads exists, or flags and variables give all it needs",
    why: "An agent without its configuration ends at once, and the service restarts it again and \
          again.",
    found: "The doctor follows the path after `--config` in the service's command, folder by \
            folder. Without one it looks where the agent looks: for launch-agent-config.yaml in the \
            working directory of the service.",
    cure: "Correct the path in the service, or write the file; `runnerup install` does both.",
    after: &["service/defined", "service/loaded", "service/command-right"],
    judge: Judge::Agent(exists),
};

fn exists(survey: &Survey, install: &Install) -> Judged {
    let config = match &install.config {
        Some(config) => config.known()?,
        None if install.service.is_none() => {
            return Err(Unseen::not_applicable(
                "no service and no command line names a configuration",
            ));
        }
        None => {
            // What stands in front of the agent may name it, and was not read.
            let unread =
                install.service.as_ref().and_then(|service| service.launch.unread.as_ref());
            if let Some(why) = unread {
                return Err(Unseen::not_examined(why));
            }
            return Err(Unseen::not_examined(
                "the command of the service names no configuration, and it is not known where the \
                 agent looks for one",
            ));
        }
    };
    let service = install.service.as_ref();
    if config.is_default && config.state == ConfigState::Missing {
        // `--config` may be among the words that only a run tells.
        return match service.and_then(|service| service.launch.unread.as_ref()) {
            Some(why) => Err(Unseen::not_examined(why)),
            None => without(survey, install, config),
        };
    }
    let is_up = service.is_some_and(Service::is_active);
    if config.state == ConfigState::Missing && config.walk.path.starts_with("/run") && !is_up {
        return Err(Unseen::not_examined(
            "what is in /run is made when the host or the agent starts",
        ));
    }
    let path = config.walk.path.display();
    let what = match (&config.state, config.walk.end) {
        (ConfigState::Missing, _) => "does not exist".to_owned(),
        (ConfigState::NotAFile, Some(meta)) => format!("is {}, not a file", meta.kind),
        (ConfigState::NotAFile, None) => "is not a file".to_owned(),
        // Nothing is known about a path behind a folder that cannot be entered.
        (ConfigState::Unreadable(why), None) => return Err(Unseen::not_examined(why)),
        (ConfigState::Unreadable(_) | ConfigState::Broken(_) | ConfigState::Parsed, _) => {
            return Ok(Verdict::Holds(format!("{path} exists")));
        }
    };
    let why = config
        .walk
        .stopped
        .as_ref()
        .map_or_else(|| described(&config.walk, survey), ToString::to_string);
    let remedy = Remedy::by_hand("Check what is at this path, and write the configuration again.")
        .inspect(Command::fixed("ls -ld").path(&config.walk.path, install.named_by));
    let site = Site { walk: &config.walk, named_by: install.named_by, purpose: Purpose::Agent };
    let remedy = match config.state {
        ConfigState::NotAFile => Change::new(survey, install).aside(remedy, site),
        _ => remedy,
    }
    .command(Command::install());
    Ok(Problem::fail(format!("the configuration {path} {what}")).seen(why).cure(remedy).into())
}

/// Whether flags and variables give what an agent needs that finds no configuration.
fn without(survey: &Survey, install: &Install, config: &ConfigFile) -> Judged {
    let settings = install.settings();
    let mut sources = Vec::new();
    for key in Config::NEEDED {
        match settings.given(key) {
            Ok(Some(given)) => sources.push(format!("{key}: {}", given.source)),
            Ok(None) | Err(_) => {
                let path = config.walk.path.display();
                let remedy = Remedy::by_hand(
                    "Add the configuration to the command of the service: --config FILE.",
                );
                return Ok(Problem::fail(format!(
                    "the command of the service has no --config, and {path} does not exist"
                ))
                .seen(format!("nothing gives {key}; {}", described(&config.walk, survey)))
                .cure(remedy)
                .into());
            }
        }
    }
    Ok(Verdict::Holds(format!("no configuration is needed: {}", sources.join(", "))))
}

pub(super) const PARSES: Check = Check {
    name: "config/parses",
    holds: "The configuration is a YAML mapping",
    why: "An agent that cannot parse its configuration ends at once and claims no job.",
    found: "The doctor parses the file as the agent does and reports the first error with its line \
            and column.",
    cure: "Correct the line that the finding names. Common errors are tabs, a missing space after \
           a colon, and a quote that is not closed.",
    after: &["config/exists"],
    judge: Judge::Agent(parses),
};

fn parses(survey: &Survey, install: &Install) -> Judged {
    let config = install.config_file()?;
    let path = &config.walk.path;
    match &config.state {
        ConfigState::Missing | ConfigState::NotAFile => {
            Err(Unseen::not_examined("the configuration does not exist"))
        }
        ConfigState::Unreadable(why) => Err(Unseen::not_examined(why)),
        ConfigState::Parsed if config.second.is_some() => {
            let (path, line) = (path.display(), config.second.unwrap_or_default());
            let remedy = Remedy::by_hand(
                "Write all keys in the first document, without a line of three dashes behind them.",
            );
            Ok(Problem::warn(format!("the agent does not read what stands behind --- in {path}"))
                .seen(format!("{path}:{line}: a second document begins here"))
                .cure(remedy.command(edit_config(survey, install)))
                .into())
        }
        ConfigState::Parsed => Ok(Verdict::Holds(format!("{} is a YAML mapping", path.display()))),
        ConfigState::Broken(fault) => {
            let remedy = Remedy::by_hand("Correct the line that the error names.")
                .command(edit_config(survey, install));
            Ok(Problem::fail(format!("{} cannot be parsed", path.display()))
                .seen(fault)
                .cure(remedy)
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Selection, Status, fixtures::*, judge},
        host::{ConfigState, Seen, Variable},
    };

    #[test]
    fn a_configuration_that_is_missing_or_broken_fails() {
        let mut survey = healthy();
        config_of(&mut survey).walk.end = None;
        config_of(&mut survey).state = ConfigState::Missing;
        assert_eq!(status(&survey, "config/exists"), Status::Fail);
        // It is told once, whatever else is judged.
        let only = Selection::new(vec!["config/parses".to_owned()], Vec::new()).unwrap();
        let found = judge(&survey, &only);
        assert!(found.iter().all(|finding| finding.status == Status::Skip), "{found:?}");
        config_of(&mut survey).state = ConfigState::Unreadable("/x is closed".into());
        assert_eq!(status(&survey, "config/exists"), Status::Skip);
        config_of(&mut survey).walk.end = Some(folder(0, 0o755));
        config_of(&mut survey).state = ConfigState::NotAFile;
        assert_eq!(status(&survey, "config/exists"), Status::Fail);
        let mut survey = healthy();
        config_of(&mut survey).state = ConfigState::Missing;
        config_of(&mut survey).walk.path = "/run/circleci/config.yaml".into();
        assert_eq!(status(&survey, "config/exists"), Status::Fail);
        survey.host.image = true;
        service_of(&mut survey).state = Seen::not_applicable("an image");
        assert_eq!(status(&survey, "config/exists"), Status::Skip);
        let mut survey = healthy();
        config_of(&mut survey).state = ConfigState::Missing;
        config_of(&mut survey).is_default = true;
        service_of(&mut survey).launch.unread = Some("the arguments of sh".into());
        assert_eq!(status(&survey, "config/exists"), Status::Skip);
        let mut survey = healthy();
        agent(&mut survey).config = None;
        assert_eq!(status(&survey, "config/exists"), Status::Skip);
        let mut survey = healthy();
        config_of(&mut survey).state = ConfigState::Broken("line 3, column 1: a tab".into());
        assert!(finding(&survey, "config/parses").evidence.contains("line 3"));
    }

    #[test]
    fn a_second_document_is_not_read() {
        let mut survey = healthy();
        config_of(&mut survey).second = Some(9);
        let found = finding(&survey, "config/parses");
        assert_eq!(found.status, Status::Warn);
        assert!(found.evidence.contains(":9: "), "{}", found.evidence);
        assert_eq!(status(&survey, "config/token-set"), Status::Pass);
    }

    /// As the container image of launch-agent was started.
    #[test]
    fn no_configuration_is_missed_where_variables_give_what_is_needed() {
        let mut survey = healthy();
        let config = config_of(&mut survey);
        (config.is_default, config.state) = (true, ConfigState::Missing);
        (config.walk.end, config.token) = (None, None);
        config.settings.clear();
        service_of(&mut survey).command.truncate(1);
        assert_eq!(status(&survey, "config/exists"), Status::Fail);
        for (name, value) in [("API_AUTH_TOKEN", "***"), ("RUNNER_NAME", "a b"), ("API_URL", "x")] {
            agent(&mut survey).environment.push(Variable {
                name: format!("LAUNCH_AGENT_{name}"),
                value: Some(value.into()),
                secret: None,
                source: "/etc/circleci.env:7".into(),
                written_by: Default::default(),
            });
        }
        agent(&mut survey).token_given = Some(Default::default());
        let only = Selection::new(vec!["config".to_owned()], Vec::new()).unwrap();
        let found = judge(&survey, &only);
        let status = |name| found.iter().find(|finding| finding.check == name).unwrap().status;
        for check in ["config/exists", "config/token-set", "config/workdir-per-job"] {
            assert!(matches!(status(check), Status::Pass | Status::NotApplicable), "{check}");
        }
        for check in ["config/name-valid", "config/values-valid"] {
            let finding = found.iter().find(|finding| finding.check == check).unwrap();
            assert_eq!(finding.status, Status::Fail, "{check}");
            assert!(finding.evidence.contains("/etc/circleci.env:7"), "{finding:?}");
        }
    }

    #[test]
    fn what_was_not_seen_is_skipped_and_what_hung_is_an_error() {
        let mut survey = healthy();
        agent(&mut survey).config = Some(Seen::not("only root may"));
        assert_eq!(status(&survey, "config/parses"), Status::Skip);
        agent(&mut survey).config = Some(Seen::broken("it took too long"));
        assert_eq!(status(&survey, "config/parses"), Status::Error);
    }
}
