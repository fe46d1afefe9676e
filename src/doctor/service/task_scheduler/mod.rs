//! Scheduled tasks: their own checks, and the rules of checks for all managers.

mod conditions;
mod cure;
mod definition;
mod folder;
mod result;
mod triggers;
mod user;

pub(super) use conditions::UNCONDITIONAL;
pub(super) use definition::{ONE_INSTANCE, PRIORITY, UNLIMITED};
pub(super) use folder::START_IN;
pub(super) use result::{LOGS_ON, SESSION_KEPT};
pub(super) use triggers::TRIGGERED;

use super::rules::{Rules, only};
use crate::{
    doctor::{Command, Judged, Problem, Remedy},
    host::{Definition, Install, Load, Service, Survey, Unseen},
    service::{Verb, task_scheduler::named},
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
        let remedy = Remedy::by_hand("Register the task again.").command(Command::install());
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
                .command(Command::install()),
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
                named(Command::fixed("Get-ScheduledTask"), &service.name, install.named_by)
                    .then("| Select-Object -Expand Actions"),
            )
    }

    fn restarts_now(&self, survey: &Survey, install: &Install, _: &Service) -> Judged {
        triggers::restarts(survey, install)
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
        triggers::is_between_jobs(survey, install, service)
    }
}

#[cfg(test)]
mod tests {
    use crate::{doctor::fixtures::*, host::Survey, values::Manager};

    /// A host whose agent a task with these lines runs.
    pub(super) fn with(lines: &[(&str, &str, &str)]) -> Survey {
        let mut survey = healthy();
        survey.host.os = crate::platform::Os::Windows;
        let service = service_of(&mut survey);
        service.manager = Manager::TaskScheduler;
        service.directives.clear();
        for (section, key, value) in lines {
            directive(&mut survey, section, key, value);
        }
        survey
    }
}
