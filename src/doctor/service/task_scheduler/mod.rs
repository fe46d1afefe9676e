//! Scheduled tasks: their own checks, and the rules of checks for all managers.

mod definition;
mod result;
mod user;

pub(super) use definition::{ONE_INSTANCE, TRIGGERED, UNCONDITIONAL, UNLIMITED};
pub(super) use result::{LOGS_ON, SESSION_KEPT};

use super::rules::{Rules, only};
use crate::{
    doctor::{Command, Judged, Problem, Remedy},
    host::{Definition, Install, Load, Service, Survey, Unseen},
    service::Verb,
    values::Manager,
};

/// The rules for scheduled tasks.
pub(super) struct TaskRules;

/// The task of an agent.
///
/// # Errors
/// When another manager runs it.
fn task(install: &Install) -> Result<&Service, Unseen> {
    only(Manager::TaskScheduler, install)
}

impl Rules for TaskRules {
    fn unread(&self, _: &Install, definition: &Definition, why: &str) -> Option<Problem> {
        let path = definition.walk.path.display();
        let remedy =
            Remedy::by_hand("Register the task again.").command(Command::fixed("runnerup install"));
        Some(
            Problem::fail(format!("{path} is not a valid definition of a task"))
                .seen(why)
                .cure(remedy),
        )
    }

    fn not_loaded(
        &self,
        _: &Survey,
        install: &Install,
        service: &Service,
        _: Load,
    ) -> Result<Problem, Unseen> {
        let name = &service.name;
        Ok(Problem::fail(format!("the task {name} is not registered")).cure(
            Remedy::by_hand("Register the task again.")
                .typed(Verb::Inspect, install, service)
                .command(Command::fixed("runnerup install")),
        ))
    }

    fn user(&self, survey: &Survey, install: &Install, service: &Service) -> Judged {
        user::judge(survey, install, service)
    }

    fn no_command(&self) -> &'static str {
        "the task has no action that starts a program"
    }

    fn right_command(&self, install: &Install, service: &Service) -> Remedy {
        let arguments = install.agent.profile().usage_arguments();
        Remedy::by_hand(["Set the action of the task to the agent with `", arguments, "`."])
            .inspect(
                Command::fixed("Get-ScheduledTask")
                    .task(&service.name, install.named_by)
                    .then("| Select-Object -Expand Actions"),
            )
    }

    fn restarts(&self, install: &Install, _: &Service) -> Judged {
        definition::restarts(install)
    }

    /// By the definition: an image has nothing else.
    fn disabled(&self, install: &Install, service: &Service) -> Option<Problem> {
        definition::is_switched_off(service).then(|| {
            Problem::fail(format!("{} is disabled", service.name))
                .seen("Enabled is false in the settings of the task")
                .cure(Remedy::by_hand("Enable the service.").typed(Verb::Enable, install, service))
        })
    }

    fn is_between_jobs(&self, survey: &Survey, install: &Install, service: &Service) -> bool {
        definition::is_between_jobs(survey, install, service)
    }
}
