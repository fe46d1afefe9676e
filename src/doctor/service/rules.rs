//! The rules by which checks for several service managers judge a definition of each.

use super::{launchd::LaunchdRules, systemd::SystemdRules, task_scheduler::TaskRules};
use crate::{
    doctor::{Judged, Problem, Remedy},
    host::{Definition, Install, Load, Service, ServiceState, Survey, Unseen},
    values::Manager,
};

/// The rules of one manager; the defaults are those of a manager without such a rule.
pub(in crate::doctor) trait Rules: Sync {
    /// The problem of a definition that could not be read.
    fn unread(&self, _install: &Install, _definition: &Definition, _why: &str) -> Option<Problem> {
        None
    }

    /// The problem of a definition that the manager has not loaded.
    ///
    /// # Errors
    /// Why it is no problem.
    fn not_loaded(
        &self,
        _survey: &Survey,
        _install: &Install,
        _service: &Service,
        _load: Load,
    ) -> Result<Problem, Unseen> {
        Err(no_manager())
    }

    /// Whether a definition keeps the manager from starting the service at all.
    fn is_masked(&self, _service: &Service) -> bool {
        false
    }

    /// The problem of a definition that the manager refuses for its owner.
    fn owner(&self, _survey: &Survey, _install: &Install, _file: &Definition) -> Option<Problem> {
        None
    }

    /// Whether the account of the definition exists.
    fn user(&self, _survey: &Survey, _install: &Install, _service: &Service) -> Judged {
        Err(no_manager())
    }

    /// The problem of a definition that has no command, and why.
    fn without_command(&self, _install: &Install, _service: &Service) -> Option<Problem> {
        None
    }

    /// Whether the manager accepts every line of a definition.
    fn accepted(&self, _install: &Install, _service: &Service) -> Judged {
        Err(no_manager())
    }

    /// What a definition without a command lacks, for evidence.
    fn no_command(&self) -> &'static str {
        "the service has no command"
    }

    /// The remedy for a wrong command.
    fn right_command(&self, _install: &Install, _service: &Service) -> Remedy {
        Remedy::by_hand("Correct the command.")
    }

    /// Whether the agent's reports of its health are heard of the service's main process alone.
    fn hears_main_process_alone(&self, _install: &Install, _service: &Service) -> bool {
        false
    }

    /// Whether the manager restarts the agent after every exit.
    fn restarts(&self, _install: &Install, _service: &Service) -> Judged {
        Err(no_manager())
    }

    /// The same of a host that runs.
    fn restarts_now(&self, _survey: &Survey, install: &Install, service: &Service) -> Judged {
        self.restarts(install, service)
    }

    /// Whether a stop waits for the longest job.
    fn stop(&self, _install: &Install, _service: &Service) -> Judged {
        Err(Unseen::not_applicable(Manager::Systemd.profile().elsewhere()))
    }

    /// Whether the resource limits are large enough for a job.
    fn limits(&self, _install: &Install, _service: &Service) -> Judged {
        Err(Unseen::not_applicable(Manager::Systemd.profile().elsewhere()))
    }

    /// The remedy for the way in which the agent last ended, where that alone tells it.
    fn after_end(&self, _state: &ServiceState) -> Option<Remedy> {
        None
    }

    /// The definition says that the service is never started.
    fn disabled(&self, _install: &Install, _service: &Service) -> Option<Problem> {
        None
    }

    /// What keeps the next boot from starting a service that is enabled.
    fn at_boot(&self, _install: &Install, _service: &Service) -> Vec<Problem> {
        Vec::new()
    }

    /// Whether an agent that does not run has ended with its job, and is about to be started.
    fn is_between_jobs(&self, _survey: &Survey, _install: &Install, _service: &Service) -> bool {
        false
    }

    /// Whether the manager has given a service up that it would otherwise start again.
    fn has_given_up(&self, _service: &Service, _state: &ServiceState) -> bool {
        false
    }

    /// Starts a service again that was given up.
    fn started_anew(&self, remedy: Remedy, _install: &Install, _service: &Service) -> Remedy {
        remedy
    }

    /// Makes a stop wait for the running job.
    fn draining(&self, remedy: Remedy, _service: &Service) -> Remedy {
        remedy
    }
}

/// No manager at all.
struct NoRules;

impl Rules for NoRules {}

fn no_manager() -> Unseen {
    Unseen::not_applicable(Manager::None.profile().elsewhere())
}

/// The rules of a manager.
pub(in crate::doctor) fn rules(manager: Manager) -> &'static dyn Rules {
    match manager {
        Manager::Systemd => &SystemdRules,
        Manager::Launchd => &LaunchdRules,
        Manager::TaskScheduler => &TaskRules,
        Manager::None => &NoRules,
    }
}

/// The service of an agent that this manager runs.
///
/// # Errors
/// When there is none, or another manager runs it: the check is not about that one.
pub(in crate::doctor) fn only(manager: Manager, install: &Install) -> Result<&Service, Unseen> {
    let Some(service) = &install.service else {
        return Err(Unseen::not_applicable("no service runs the agent"));
    };
    match service.manager == manager {
        true => Ok(service),
        false => Err(Unseen::not_applicable(manager.profile().elsewhere())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn a_check_of_one_manager_does_not_apply_to_another() {
        for (manager, check) in [
            (Manager::Systemd, "service/network-ordered"),
            (Manager::Systemd, "service/sandbox-allows-jobs"),
            (Manager::Launchd, "service/not-throttled"),
            (Manager::Launchd, "agent/label-free"),
            (Manager::TaskScheduler, "service/task-logs-on"),
        ] {
            for other in Manager::ALL {
                let mut survey = healthy();
                service_of(&mut survey).manager = other;
                let applies = status(&survey, check) != Status::NotApplicable;
                assert_eq!(applies, other == manager, "{check} {other}");
            }
        }
    }

    #[test]
    fn nothing_is_judged_by_the_rules_of_a_manager_that_is_none() {
        let mut survey = healthy();
        service_of(&mut survey).manager = Manager::None;
        for check in ["user-exists", "restarts", "stop-waits", "limits-sensible"] {
            let check = format!("service/{check}");
            assert_eq!(status(&survey, &check), Status::NotApplicable, "{check}");
        }
    }
}
