//! Jobs of launchd: their own checks, and the rules of checks for all managers.

mod job;
mod keep_alive;
pub(super) mod keys;
mod label;
mod limits;
mod literal;
mod owner;
mod startable;
mod stop;

pub(super) use job::{DOMAIN, OUTPUT, UNHINDERED};
pub(in crate::doctor) use label::LABEL;
pub(super) use literal::LITERAL;
pub(super) use startable::STARTABLE;

use super::rules::{Rules, only};
use crate::{
    doctor::{Command, Judged, Problem, Remedy},
    host::{
        Activity, Definition, Install, Load, Seen, Service, ServiceState, Survey, Unseen, ValueKind,
    },
    service::launchd::{OnJob, bootstrap, is_binarys, on_job},
    values::Manager,
};

/// The rules for jobs of launchd.
pub(super) struct LaunchdRules;

/// The job of an agent.
///
/// # Errors
/// When another manager runs it.
fn job(install: &Install) -> Result<&Service, Unseen> {
    only(Manager::Launchd, install)
}

impl Rules for LaunchdRules {
    fn unread(&self, install: &Install, definition: &Definition, why: &str) -> Option<Problem> {
        let path = &definition.walk.path;
        let remedy = Remedy::by_hand("Correct the plist.")
            .inspect(Command::fixed("plutil -lint").path(path, install.named_by));
        let problem = Problem::fail(format!("launchd cannot read {}", path.display()));
        Some(problem.seen(why).cure(remedy))
    }

    fn not_loaded(
        &self,
        survey: &Survey,
        install: &Install,
        service: &Service,
        _: Load,
    ) -> Result<Problem, Unseen> {
        if let Some(problem) = startable::unread_name(service) {
            return Ok(problem);
        }
        if job::waits(survey, install, service) {
            return Err(Unseen::not_applicable("launchd loads it when its user logs in"));
        }
        Ok(Problem::fail(format!("launchd has not loaded {}", service.name)).cure(
            // No command shows what was switched off there: docs/agents.md, Places.
            Remedy::by_hand(
                "Load the service; where it was switched off in System Settings, General, Login \
                 Items, switch it on again there.",
            )
            .command(on_job(OnJob::Enable, install, service))
            .command(bootstrap(install, service)),
        ))
    }

    fn owner(&self, survey: &Survey, install: &Install, file: &Definition) -> Option<Problem> {
        owner::strangers(survey, install, file)
    }

    fn user(&self, survey: &Survey, _: &Install, service: &Service) -> Judged {
        keys::user(survey, service)
    }

    fn accepted(&self, _: &Install, service: &Service) -> Judged {
        keys::keys(service)
    }

    fn no_command(&self) -> &'static str {
        "the plist has neither ProgramArguments nor Program"
    }

    fn right_command(&self, install: &Install, service: &Service) -> Remedy {
        keys::command(service, install)
    }

    fn restarts(&self, install: &Install, service: &Service) -> Judged {
        keep_alive::judge(install, service)
    }

    fn stop(&self, install: &Install, service: &Service) -> Judged {
        stop::judge(install, service)
    }

    fn limits(&self, install: &Install, service: &Service) -> Judged {
        Ok(limits::judge(install, service))
    }

    /// What macOS does not let run is not cured by another start.
    fn after_end(&self, state: &ServiceState) -> Option<Remedy> {
        is_binarys(state).then(|| {
            Remedy::by_hand("Install the agent again: the binary is then verified and in place.")
                .command(Command::install())
        })
    }

    /// A running job was enabled with launchctl, which overrides the definition.
    fn disabled(&self, install: &Install, service: &Service) -> Option<Problem> {
        let line =
            service.directive("", "Disabled").filter(|line| line.value.as_str() == "true")?;
        if !matches!(line.kind, ValueKind::Truth | ValueKind::Unknown) {
            return None;
        }
        let is_off = match &service.state {
            Seen::Known(state) => state.active != Activity::Active,
            // In an image nothing overrides it but a file, which is read like the definition.
            Seen::Unseen(unseen) => !unseen.is_failure(),
        };
        is_off.then(|| {
            let remedy = Remedy::by_hand("Remove the key, and enable the service in launchd.")
                .command(on_job(OnJob::Enable, install, service));
            let name = &service.name;
            Problem::fail(format!("the definition of {name} disables the service"))
                .seen(format!("Disabled is true in {}", line.file.display()))
                .cure(remedy)
        })
    }
}
