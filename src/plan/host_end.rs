//! No plan stops a service that ends its host: a virtual machine that is there for one job goes away with
//! its agent.

use super::Plan;
use crate::{
    Code, Command, Error, Help, Result,
    host::{EndedBy, Ending, Facts, HostEnd, ServiceState},
    record::{State, Step, Target},
    text::{has_drive, shown},
};

/// Refuses a plan that stops or restarts such a service.
///
/// # Errors
/// [`Code::HostWouldEnd`] with the file and the line.
pub fn refuse_host_end(plan: &Plan, facts: &Facts) -> Result<()> {
    let is_held = |service: &&str| facts.services.get(*service).is_some_and(ServiceState::is_held);
    for service in plan.steps.iter().filter_map(stopped).filter(is_held) {
        let mut ends = facts.host_ends.get(service).into_iter().flatten();
        if let Some(end) = ends.find(|end| follows_a_stop(end)) {
            return Err(refusal(service, end));
        }
    }
    Ok(())
}

/// The service that a step stops if it runs.
fn stopped(step: &Step) -> Option<&str> {
    match step {
        Step::Start { service, .. } | Step::Stop { service, .. } => Some(service),
        Step::Restore { target: Target::Running(service), to: State::Absent, .. } => Some(service),
        _ => None,
    }
}

/// Whether it can act when a service is stopped. A stop that is not heeded in time is a failure; what a
/// script does that could not be read is not known.
fn follows_a_stop(end: &HostEnd) -> bool {
    end.ending != Ending::Unread
        && (end.by.follows_success()
            || matches!(end.by, EndedBy::FailureAction | EndedBy::OnFailure))
}

fn refusal(service: &str, end: &HostEnd) -> Error {
    let message = format!(
        "this has to stop {service}, and {} {} then ({}:{}); nothing was changed",
        end.by.name(),
        end.ending.words(),
        shown(&end.file),
        end.line
    );
    let error = Error::new(Code::HostWouldEnd, message);
    let error = match has_drive(&end.file) {
        true => error,
        false => error.help(Help::command("show it", &Command::shows("cat -v --", &end.file))),
    };
    error.help("remove that line, have the service manager read it again, and run again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn refused(step: Step, by: EndedBy, ending: Ending, state: ServiceState) -> bool {
        let mut facts = Facts::default();
        let end = HostEnd { by, ending, file: "/etc/systemd/system/a.service".into(), line: 6 };
        facts.host_ends.insert("a.service".into(), vec![end]);
        facts.services.insert("a.service".into(), state);
        let plan = Plan {
            instance: "default".into(),
            steps: vec![step],
            notes: Vec::new(),
            settings: Vec::new(),
            unfinished: false,
            prove: None,
            receipt: crate::record::Receipt::new("default"),
        };
        match refuse_host_end(&plan, &facts) {
            Err(error) => {
                assert!(error.message().contains("/etc/systemd/system/a.service:6"), "{error}");
                error.code() == Code::HostWouldEnd
            }
            Ok(()) => false,
        }
    }

    #[test]
    fn a_service_that_ends_its_host_is_not_stopped() {
        let runs = || ServiceState { active: crate::host::Activity::Active, ..Default::default() };
        let stop = || Step::Stop { service: "a.service".into(), drain: Duration::ZERO };
        let other = || Step::Stop { service: "b.service".into(), drain: Duration::ZERO };
        let restored = Step::Restore {
            target: Target::Running("a.service".into()),
            to: State::Absent,
            purge: false,
            others: false,
        };
        for (by, ending, expected) in [
            (EndedBy::ExecStopPost, Ending::PowerOff, true),
            (EndedBy::SuccessAction, Ending::Reboot, true),
            (EndedBy::OnFailure, Ending::Terminate, true),
            (EndedBy::StartLimitAction, Ending::Reboot, false),
            (EndedBy::ExecStopPost, Ending::Unread, false),
        ] {
            assert_eq!(refused(stop(), by, ending, runs()), expected, "{by:?} {ending:?}");
        }
        assert!(refused(restored, EndedBy::ExecStop, Ending::PowerOff, runs()));
        let ended = ServiceState::default();
        assert!(!refused(stop(), EndedBy::ExecStop, Ending::PowerOff, ended));
        assert!(!refused(other(), EndedBy::ExecStop, Ending::PowerOff, runs()));
    }
}
