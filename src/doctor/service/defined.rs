//! Whether a service exists, and whether its manager could load it.

use super::{rules, systemd};
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict, lookup::service},
    host::{Install, Load, Seen, Survey, Unseen},
    service::systemd::drop_ins::is_template,
};

pub(super) const DEFINED: Check = Check {
    name: "service/defined",
    holds: "A service of the system runs the agent",
    why: "An agent that was started by hand ends with its session or at the next reboot, and \
          nothing starts it again.",
    found: "The doctor compares service definitions with running agents and with receipts of \
            runnerup.",
    cure: "Run `runnerup install`: it creates the service with the settings that the agent already \
           has.",
    after: &[],
    judge: Judge::Agent(defined),
};

fn defined(survey: &Survey, install: &Install) -> Judged {
    if let Some(service) = &install.service {
        if let Some(problem) = systemd::unread(install, service) {
            return Ok(problem.into());
        }
        if is_template(&service.name) {
            let text = "Enable an instance: `systemctl enable --now` with a name behind the @.";
            return Ok(Problem::fail(format!(
                "{} is a template, and no instance of it is enabled or runs",
                service.name
            ))
            .cure(Remedy::by_hand(text))
            .into());
        }
        let file = service.file().map_or(String::new(), |file| file.path.display().to_string());
        return Ok(Verdict::Holds(format!("{} in {file}", service.name)));
    }
    if install.binary.is_none() {
        return Err(Unseen::not_applicable("only a configuration was given"));
    }
    let remedy = Remedy::by_hand("Create a service for the agent.").command(Command::install());
    if let Some(process) = install.main_process() {
        return Ok(Problem::fail("the agent is running, but not as a service")
            .seen(format!("process {}: {}", process.pid, process.command))
            .cure(remedy)
            .into());
    }
    let was_registered = install.receipt.as_ref().and_then(|receipt| receipt.has_service);
    let runs = survey.host.systemd.is_some() || was_registered == Some(true);
    if !runs && survey.host.os == crate::platform::Os::Linux {
        return Err(Unseen::not_applicable("systemd does not run on this host"));
    }
    Ok(Problem::fail("the agent is installed, but has no service")
        .seen("a receipt names the agent, but no service definition was found")
        .cure(remedy)
        .into())
}

pub(super) const LOADED: Check = Check {
    name: "service/loaded",
    holds: "The service manager can load the definition",
    why: "systemd cannot start a unit that has an invalid setting or is masked. launchd and the \
          Task Scheduler start nothing that was not loaded or registered.",
    found: "The doctor asks the service manager whether it has loaded the unit or the plist, or \
            registered the task, and systemd for the reason if it has not.",
    cure: "Correct what the manager names, and load the definition again; unmask a masked unit.",
    after: &["service/defined"],
    judge: Judge::Agent(loaded),
};

fn loaded(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    let unread = service
        .definitions
        .iter()
        .find_map(|definition| Some((definition, definition.failure.as_ref()?)));
    let rules = rules(service.manager);
    if let Some((definition, why)) = unread
        && let Some(problem) = rules.unread(install, definition, why)
    {
        return Ok(problem.into());
    }
    if !matches!(service.state, Seen::Known(_)) && rules.is_masked(service) {
        let file = service.file().map(|walk| walk.path.display().to_string()).unwrap_or_default();
        let problem = rules.not_loaded(survey, install, service, Load::Masked)?;
        return Ok(problem.seen(format!("{file} is empty, or a link to /dev/null")).into());
    }
    let is_loaded = service.state.ok().is_some_and(|state| state.load == Load::Loaded);
    if let Some(problem) = rules.without_command(install, service).filter(|_| !is_loaded) {
        return Ok(problem.into());
    }
    let state = service.state.known()?;
    let failure = state.load_error.clone().filter(|error| !error.trim().is_empty());
    let failure = failure.unwrap_or_else(|| format!("state of the definition: {}", state.load));
    if state.load == Load::Loaded {
        return Ok(match unread {
            Some((definition, why)) => Problem::warn(format!(
                "{} could not be read completely",
                definition.walk.path.display()
            ))
            .seen(why)
            .into(),
            None => Verdict::Holds("the definition is loaded".to_owned()),
        });
    }
    Ok(rules.not_loaded(survey, install, service, state.load)?.seen(failure).into())
}

pub(super) const USER: Check = Check {
    name: "service/user-exists",
    holds: "The service runs as an existing account, and not as root",
    why: "A unit whose account does not exist ends with status 217 before the agent starts. A unit \
          without an account runs every job as root.",
    found: "The doctor looks for User= of the unit, or the principal of the task, among the host's \
            accounts.",
    cure: "Create the account, or correct User=.",
    after: &["service/loaded"],
    judge: Judge::Agent(user),
};

fn user(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    rules(service.manager).user(survey, install, service)
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Selection, Status, fixtures::*, judge},
        host::{Load, Seen},
    };

    #[test]
    fn an_agent_without_a_service_fails() {
        let mut survey = healthy();
        agent(&mut survey).service = None;
        assert_eq!(status(&survey, "service/defined"), Status::Fail);
    }

    #[test]
    fn a_template_alone_runs_nothing() {
        let mut survey = healthy();
        service_of(&mut survey).name = "circleci@.service".to_owned();
        assert_eq!(status(&survey, "service/defined"), Status::Fail);
        service_of(&mut survey).name = "circleci@1.service".to_owned();
        assert_eq!(status(&survey, "service/defined"), Status::Pass);
    }

    #[test]
    fn a_unit_that_cannot_be_loaded_fails() {
        for load in [Load::Masked, Load::BadSetting, Load::NotFound, Load::Error] {
            let mut survey = healthy();
            if let Seen::Known(state) = &mut service_of(&mut survey).state {
                state.load = load;
            }
            let found = finding(&survey, "service/loaded");
            assert_eq!(found.status, Status::Fail, "{load}");
            assert_eq!(found.evidence, format!("state of the definition: {load}"));
        }
    }

    #[test]
    fn a_unit_of_an_image_that_is_masked_is_one_finding() {
        let mut survey = healthy();
        survey.host.image = true;
        let service = service_of(&mut survey);
        service.state = Seen::not_applicable("nothing runs in an image");
        service.objections = Seen::not("an image");
        service.command.clear();
        service.directives.clear();
        let empty = service.definitions[0].clone();
        for is_link in [true, false] {
            let mut file = empty.clone();
            match is_link {
                true => {
                    file.walk.real = "/dev/null".into();
                    file.walk.end = None;
                }
                false => file.walk.end.iter_mut().for_each(|end| end.size = 0),
            }
            service_of(&mut survey).definitions[0] = file;
            let findings = judge(&survey, &Selection::default());
            let found: Vec<_> =
                findings.iter().filter(|own| own.is_problem()).map(|own| own.check).collect();
            assert_eq!(found, ["service/loaded"], "{is_link}");
            let found = finding(&survey, "service/loaded");
            assert!(found.summary.contains("is masked"), "{}", found.summary);
            assert!(!found.remedy.unwrap().fixable);
        }
    }

    #[test]
    fn an_account_must_be_there_and_not_be_root() {
        let mut survey = healthy();
        survey.host.accounts.retain(|account| account.name == "root");
        assert_eq!(status(&survey, "service/user-exists"), Status::Fail);
        let mut survey = healthy();
        service_of(&mut survey).directives.retain(|line| line.key != "User");
        agent(&mut survey).task_user = Some("root".into());
        assert_eq!(status(&survey, "service/user-exists"), Status::Warn);
    }

    #[test]
    fn accounts_that_are_not_known_are_no_health() {
        for image in [false, true] {
            let mut survey = healthy();
            survey.host.image = image;
            survey.host.accounts.clear();
            survey.host.accounts_unread = Some("it is a FIFO".into());
            assert_eq!(status(&survey, "service/user-exists"), Status::Error, "{image}");
        }
    }
}
