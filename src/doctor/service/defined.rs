//! Whether there is a service, and whether its manager could load it.

use super::{daemon, launchd};
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::on_account,
        lookup::{bootstrap, on_job, on_service, on_task, reload, service},
    },
    host::{Install, Load, Service, Survey, Unseen},
    values::Manager,
};

/// The first version that a unit of an agent is documented for.
const SYSTEMD: u32 = 235;

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
        let file = service.file().map_or(String::new(), |file| file.path.display().to_string());
        return Ok(Verdict::Holds(format!("{} in {file}", service.name)));
    }
    if install.binary.is_none() {
        return Err(Unseen::not_applicable("only a configuration was given"));
    }
    let remedy = Remedy::by_hand("Create a service for the agent.")
        .command(Command::root("runnerup install"));
    if let Some(process) = install.main_process() {
        return Ok(Problem::fail("the agent is running, but not as a service")
            .seen(format!("process {}: {}", process.pid, process.command))
            .cure(remedy)
            .into());
    }
    if survey.host.systemd.is_none() && survey.host.os == crate::platform::Os::Linux {
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
    why: "systemd cannot start a unit that has an invalid setting or is masked.",
    found: "The doctor asks systemd for the load state of the unit, and for the reason if it is \
            not loaded.",
    cure: "Correct what systemd names, or unmask the unit.",
    after: &["service/defined"],
    judge: Judge::Agent(loaded),
};

fn loaded(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    let name = &service.name;
    let unread = service
        .definitions
        .iter()
        .find_map(|definition| Some((definition, definition.trouble.as_ref()?)));
    if let (Manager::TaskScheduler, Some((definition, why))) = (service.manager, unread) {
        let path = definition.trail.path.display();
        let remedy =
            Remedy::by_hand("Register the task again.").command(Command::fixed("runnerup install"));
        return Ok(Problem::fail(format!("{path} is not a valid definition of a task"))
            .seen(why)
            .cure(remedy)
            .into());
    }
    if let (Manager::Launchd, Some((definition, why))) = (service.manager, unread) {
        let path = &definition.trail.path;
        let remedy = Remedy::by_hand("Correct the plist.")
            .look(Command::fixed("plutil -lint").path(path, install.named_by));
        return Ok(Problem::fail(format!("launchd cannot read {}", path.display()))
            .seen(why)
            .cure(remedy)
            .into());
    }
    let state = service.state.known()?;
    let trouble = state.load_trouble.clone().unwrap_or_default();
    let problem = match state.load {
        Load::Loaded => {
            return Ok(match unread {
                Some((definition, why)) => Problem::warn(format!(
                    "{} could not be read completely",
                    definition.trail.path.display()
                ))
                .seen(why)
                .into(),
                None => Verdict::Holds("the definition is loaded".to_owned()),
            });
        }
        Load::Masked => Problem::fail(format!("{name} is masked, so that nothing can start it"))
            .cure(
                Remedy::by_hand("Unmask the unit.")
                    .command(on_service("systemctl unmask", install, service))
                    .command(on_service("systemctl enable --now", install, service)),
            ),
        Load::NotFound if launchd::waits(survey, install, service) => {
            return Err(Unseen::not_applicable("launchd loads it when its user logs in"));
        }
        Load::NotFound if service.manager == Manager::Launchd => {
            Problem::fail(format!("launchd has not loaded {name}")).cure(
                Remedy::by_hand("Load the service.")
                    .command(on_job("launchctl enable", install, service))
                    .command(bootstrap(install, service)),
            )
        }
        Load::NotFound if service.manager == Manager::TaskScheduler => {
            Problem::fail(format!("the task {name} is not registered")).cure(
                Remedy::by_hand("Register the task again.")
                    .look(on_task("schtasks /Query /TN", install, service, ""))
                    .command(Command::fixed("runnerup install")),
            )
        }
        Load::NotFound => Problem::fail(format!("systemd has no unit {name}")).cure(
            Remedy::by_hand("Have systemd read its unit files again.")
                .command(reload(install, service)),
        ),
        other => Problem::fail(format!("systemd cannot load {name}: {other}")).cure(
            Remedy::by_hand("Correct the unit.")
                .look(verify(install, service))
                .command(reload(install, service)),
        ),
    };
    Ok(problem.seen(trouble).into())
}

/// Has systemd judge the unit; not the pages of the manual that it names, which `man` would read.
fn verify(install: &Install, service: &Service) -> Command {
    on_service("systemd-analyze --man=no verify", install, service)
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
    if let Some(daemon) = daemon::of(install)? {
        return daemon::user(survey, install, daemon);
    }
    if service.manager != Manager::Systemd {
        if service.manager == Manager::TaskScheduler {
            return task_user(survey, install, service);
        }
        return Err(Unseen::not_applicable("permissions/power-known judges the account of jobs"));
    }
    let Some(name) = service.value("Service", "User") else {
        let steps_down = install.task_user.as_deref().is_some_and(|user| user != "root");
        if steps_down {
            return Ok(Verdict::Holds(
                "the service runs as root and starts jobs as another account".to_owned(),
            ));
        }
        let remedy =
            Remedy::by_hand("Give the service its own account: User=circleci under [Service].")
                .command(on_service("systemctl edit", install, service));
        return Ok(Problem::warn(
            "the service has no account, so the agent and its jobs run as root",
        )
        .seen("the unit has no User=")
        .cure(remedy)
        .into());
    };
    if let (None, Some(why)) = (survey.account(name), &survey.host.accounts_unread) {
        return Err(Unseen::probe_failed(why.clone()));
    }
    match survey.account(name) {
        None if survey.host.image => {
            Err(Unseen::not_examined("an image gets its accounts at its first boot"))
        }
        Some(account) => Ok(Verdict::Holds(format!("{name}, user ID {}", account.uid))),
        None => {
            let line = service.directive("Service", "User");
            let place = line.map(|line| format!("{}:{}", line.file.display(), line.line));
            let remedy =
                Remedy::by_hand("Create the account, or correct User=.").command(on_account(
                    "useradd --system --create-home --shell /bin/bash",
                    name,
                    install.named_by,
                ));
            Ok(Problem::fail(format!(
                "the service must run as {name}, an account that does not exist"
            ))
            .seen(place.unwrap_or_default())
            .cure(remedy)
            .into())
        }
    }
}

/// Whether the account of a task is there, where it is one of the host's own.
fn task_user(survey: &Survey, install: &Install, service: &Service) -> Judged {
    let Some(name) = install.user.as_deref() else {
        return Err(Unseen::not_applicable("the task runs as the user who is logged on"));
    };
    let written = service.value("Principals/Principal", "UserId").unwrap_or(name);
    let domain = written.rsplit_once('\\').map(|(domain, _)| domain);
    let is_here =
        |domain: &str| domain == "." || domain.eq_ignore_ascii_case(&survey.host.hostname);
    if let Some(account) = survey.account(name) {
        return Ok(Verdict::Holds(account.name.clone()));
    }
    if ["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE"].contains(&name) {
        return Ok(Verdict::Holds(format!("{name}, an account of the system")));
    }
    if !domain.is_none_or(is_here) {
        return Err(Unseen::not_examined(format!("{written} is an account of a domain")));
    }
    if !survey.host.windows.as_ref().is_some_and(|windows| windows.lists_accounts) {
        return Err(Unseen::not_examined("the accounts of this host are not known"));
    }
    let remedy = Remedy::by_hand("Create the account, and register the task with it.")
        .command(Command::fixed("runnerup install"));
    Ok(Problem::fail(format!("the task must run as {name}, an account that does not exist"))
        .seen(format!("UserId of the task is {written}"))
        .cure(remedy)
        .into())
}

pub(super) const NEW_ENOUGH: Check = Check {
    name: "service/systemd-new-enough",
    holds: "systemd is new enough for the agent's unit",
    why: "systemd before version 235 ignores directives that the agent needs, and reports this \
          only in its log.",
    found: "The doctor runs `systemctl --version`.",
    cure: "Upgrade the operating system, or run the agent under another supervisor with `--service \
           none`.",
    after: &[],
    judge: Judge::Agent(new_enough),
};

fn new_enough(survey: &Survey, _: &Install) -> Judged {
    match survey.host.systemd {
        None => Err(Unseen::not_applicable("systemd does not run on this host")),
        Some(version) if version >= SYSTEMD => Ok(Verdict::Holds(format!("systemd {version}"))),
        Some(version) => Ok(Problem::fail(format!("systemd {version} is older than {SYSTEMD}"))
            .cure(Remedy::by_hand("Upgrade the operating system."))
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, sample::*},
        host::{Load, Seen},
    };

    #[test]
    fn an_agent_without_a_service_fails() {
        let mut survey = healthy();
        agent(&mut survey).service = None;
        assert_eq!(status(&survey, "service/defined"), Status::Fail);
    }

    #[test]
    fn a_unit_that_cannot_be_loaded_fails() {
        for load in [Load::Masked, Load::BadSetting, Load::NotFound, Load::Error] {
            let mut survey = healthy();
            if let Seen::Known(state) = &mut service_of(&mut survey).state {
                state.load = load;
            }
            assert_eq!(status(&survey, "service/loaded"), Status::Fail, "{load}");
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

    #[test]
    fn an_old_systemd_fails() {
        let mut survey = healthy();
        survey.host.systemd = Some(219);
        assert_eq!(status(&survey, "service/systemd-new-enough"), Status::Fail);
    }
}
