//! Units of systemd: their own checks, and the rules of checks for all managers.

mod boot;
mod directives;
pub(in crate::doctor) mod drop_in;
mod exec_stop;
mod file_name;
mod image_lines;
mod in_force;
mod limits;
mod meant;
mod mend;
mod privileges;
mod sandbox;
mod shared_host;
mod start_limit;
mod start_needs;
mod stop;
mod unit;
mod user;
mod version;
mod view;

pub(super) use boot::REQUIREMENTS;
pub(super) use file_name::unread;
pub(super) use meant::AS_MEANT;
pub(in crate::doctor) use mend::path_as_meant;
pub(super) use sandbox::ALLOWS_JOBS;
pub(super) use shared_host::{OOM, SCHEDULED};
pub(super) use start_needs::START_NEEDS;
pub(in crate::doctor) use start_needs::lacks_program;
pub(super) use unit::{ENVIRONMENT_FILES, HEALTH, NETWORK};
pub(super) use version::NEW_ENOUGH;

use super::rules::{Rules, only};
use crate::{
    doctor::{Command, Judged, Problem, Remedy},
    host::{Install, Load, PathWalk, Service, ServiceState, Survey, Unseen},
    platform::fs::Kind,
    service::systemd::{OnUnit, on_unit, reload},
    values::Manager,
};

/// The rules for units of systemd.
pub(super) struct SystemdRules;

/// The word of `Restart=` that counts.
pub(in crate::doctor) fn restart(service: &Service) -> Option<&str> {
    in_force::word(service, "Restart", |unit| &unit.restart)
}

/// The unit of an agent.
///
/// # Errors
/// When another manager runs it.
pub(in crate::doctor) fn unit(install: &Install) -> Result<&Service, Unseen> {
    only(Manager::Systemd, install)
}

impl Rules for SystemdRules {
    fn not_loaded(
        &self,
        _: &Survey,
        install: &Install,
        service: &Service,
        load: Load,
    ) -> Result<Problem, Unseen> {
        let name = &service.name;
        let on_unit = |what| on_unit(what, install, service);
        Ok(match load {
            Load::Masked => {
                let unmasked = Remedy::by_hand("Unmask the unit.").command(on_unit(OnUnit::Unmask));
                // Where the mask is in the place of our unit, nothing is left to start without it.
                let again = match service.file().zip(install.receipt.as_ref()) {
                    Some((file, _)) if file.path.starts_with("/etc/systemd/system") => {
                        Command::install()
                    }
                    _ => on_unit(OnUnit::EnableNow),
                };
                Problem::fail(format!("{name} is masked, so that nothing can start it"))
                    .cure(unmasked.command(again))
            }
            Load::NotFound => Problem::fail(format!("systemd has no unit {name}")).cure(
                Remedy::by_hand("Have systemd read its unit files again.")
                    .command(reload(install, service)),
            ),
            // Without the manual pages of the unit, which `man` would read.
            other => Problem::fail(format!("systemd cannot load {name}: {other}")).cure(
                Remedy::by_hand("Correct the unit.")
                    .inspect(on_unit(OnUnit::Verify))
                    .command(reload(install, service)),
            ),
        })
    }

    fn is_masked(&self, service: &Service) -> bool {
        let file = service.file();
        let is_empty = |walk: &PathWalk| {
            let end = walk.end.filter(|_| walk.stopped.is_none());
            end.is_some_and(|end| end.kind == Kind::File && end.size == 0)
        };
        file.is_some_and(|walk| walk.leads_to_null() || is_empty(walk))
    }

    fn user(&self, survey: &Survey, install: &Install, service: &Service) -> Judged {
        user::judge(survey, install, service)
    }

    fn without_command(&self, install: &Install, service: &Service) -> Option<Problem> {
        image_lines::without_service(install, service)
    }

    fn accepted(&self, install: &Install, service: &Service) -> Judged {
        directives::accepted(install, service)
    }

    fn no_command(&self) -> &'static str {
        "the unit has no ExecStart="
    }

    fn right_command(&self, install: &Install, service: &Service) -> Remedy {
        Remedy::by_hand(["Set ExecStart=/PATH/", install.agent.profile().usage, "."])
            .command(on_unit(OnUnit::EditFull, install, service))
            .command(on_unit(OnUnit::Restart, install, service))
    }

    fn hears_main_process_alone(&self, install: &Install, service: &Service) -> bool {
        let hears_all = service.value("Service", "NotifyAccess") == Some("all");
        install.agent.profile().health.is_some() && !hears_all
    }

    fn restarts(&self, install: &Install, service: &Service) -> Judged {
        stop::restarts(install, service)
    }

    fn stop(&self, install: &Install, service: &Service) -> Judged {
        stop::stop(install, service)
    }

    fn limits(&self, install: &Install, service: &Service) -> Judged {
        limits::judge(install, service)
    }

    fn at_boot(&self, install: &Install, service: &Service) -> Vec<Problem> {
        boot::problems(install, service)
    }

    fn has_given_up(&self, service: &Service, state: &ServiceState) -> bool {
        start_limit::has_given_up(service, state)
    }

    fn started_anew(&self, remedy: Remedy, install: &Install, service: &Service) -> Remedy {
        start_limit::started_anew(remedy, install, service)
    }

    fn draining(&self, remedy: Remedy, service: &Service) -> Remedy {
        drop_in::draining(remedy, service)
    }
}
