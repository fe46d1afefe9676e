//! How long launchd waits for an agent that it ends.

use super::{
    job::moved,
    keys::{To, set},
};
use crate::{
    doctor::{
        Judged, Problem, Verdict,
        lookup::{duration, longest_job, longest_stop, shorter_jobs},
    },
    host::{Install, Service, ValueKind},
    platform::macos::SYSTEM,
    service::launchd::{domain, reload},
};

/// The time where the plist has none, in seconds: "system-defined" in `launchd.plist(5)`, 20 in older
/// systems, and 5 by `exit timeout` of `launchctl print` since macOS 13.
const DEFAULT: u64 = 5;

/// What launchd gives at most to the jobs of a desktop since macOS 26, in seconds, by `launchctl
/// print` of one whose plist has more.
const DESKTOP_MOST: u64 = 60;

/// Whether a stop waits for the longest job.
pub(super) fn judge(install: &Install, service: &Service) -> Judged {
    let longest = longest_job(install);
    let line = service.directive("", "ExitTimeOut");
    let is_number = |kind: ValueKind| matches!(kind, ValueKind::Number | ValueKind::Unknown);
    let written = match line.map(|line| (line, line.value.parse::<u64>())) {
        None => None,
        Some((line, Ok(seconds))) if is_number(line.kind) => Some(seconds),
        Some((line, _)) => {
            let usual = install.agent.profile().usual_drain_time().as_secs();
            return Ok(Problem::fail("ExitTimeOut is not a number of seconds")
                .seen(format!("{}: {} in the plist", line.kind.word(), line.value))
                .cure(set(install, service, "ExitTimeOut", To::Number(usual)))
                .into());
        }
    };
    let loaded = service.state.ok().and_then(|state| state.exit_timeout);
    // 0 means no limit.
    let seconds = match loaded.or(written).unwrap_or(DEFAULT) {
        0 => return Ok(Verdict::Holds("a stop waits without a limit".to_owned())),
        seconds if seconds >= longest => {
            return Ok(Verdict::Holds(format!("a stop waits {seconds} s")));
        }
        seconds => seconds,
    };
    let problem = Problem::warn(format!(
        "a stop kills a job after {}; jobs may take {}",
        duration(seconds),
        duration(longest)
    ));
    let in_plist = written.map_or("the plist has no ExitTimeOut".to_owned(), |seconds| {
        format!("ExitTimeOut is {seconds} in the plist")
    });
    let seen = match loaded {
        Some(loaded) => format!("launchctl print: exit timeout = {loaded}; {in_plist}"),
        None if written.is_none() => format!("{in_plist}: the default is {DEFAULT} s"),
        None => in_plist,
    };
    // The plist has enough, and launchd has not taken it.
    let is_enough = written.is_some_and(|written| written == 0 || written >= longest);
    let is_desktop = domain(service) != SYSTEM;
    let cure = match loaded {
        Some(DESKTOP_MOST) if is_enough && is_desktop => moved(install, service),
        Some(_) if is_enough => {
            crate::doctor::Remedy::by_hand("Have launchd read the plist again.")
                .in_turn(reload(install, service))
        }
        _ if longest > longest_stop(install) => shorter_jobs(install),
        _ => set(install, service, "ExitTimeOut", To::Number(longest + 300)),
    };
    Ok(problem.seen(seen).cure(cure).into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Seen, Survey, ValueKind},
        platform::Os,
        values::Manager,
    };

    /// A job in a domain, with what its plist says and what launchd made of it.
    fn job(at: &str, written: Option<&str>, loaded: Option<u64>) -> Survey {
        let mut survey = healthy();
        survey.host.os = Os::Darwin;
        let service = service_of(&mut survey);
        service.manager = Manager::Launchd;
        service.name = "com.circleci.runner".into();
        service.directives.clear();
        let folder = if at == "system" { "LaunchDaemons" } else { "LaunchAgents" };
        let plist = format!("/Library/{folder}/com.circleci.runner.plist");
        service.definitions[0].walk = walk(&plist, file(0, 0o644));
        if let Seen::Known(state) = &mut service.state {
            state.domain = Some(at.into());
            state.exit_timeout = loaded;
        }
        if let Some(value) = written {
            directive(&mut survey, "", "ExitTimeOut", value);
        }
        survey
    }

    #[test]
    fn what_launchd_has_made_of_it_counts() {
        for (at, written, loaded, expected) in [
            ("system", Some("18300"), None, Status::Pass),
            ("system", Some("18300"), Some(18300), Status::Pass),
            ("system", Some("0"), None, Status::Pass),
            // macOS 26 gives jobs of a desktop a minute, whatever they ask for.
            ("gui/501", Some("18300"), Some(60), Status::Warn),
            // Edited, and not loaded again.
            ("system", Some("18300"), Some(600), Status::Warn),
            ("system", None, Some(5), Status::Warn),
            ("system", None, None, Status::Warn),
            ("system", Some("600"), Some(18300), Status::Pass),
            ("system", Some("five hours"), Some(5), Status::Fail),
        ] {
            let survey = job(at, written, loaded);
            assert_eq!(
                status(&survey, "service/stop-waits"),
                expected,
                "{at} {written:?} {loaded:?}"
            );
        }
    }

    #[test]
    fn each_cause_has_its_own_cure() {
        let cure = |at, written, loaded| {
            let found = finding(&job(at, written, loaded), "service/stop-waits");
            assert!(found.evidence.contains("ExitTimeOut"), "{}", found.evidence);
            found.remedy.unwrap().commands().join("\n")
        };
        let desktop = cure("gui/501", Some("18300"), Some(60));
        assert!(desktop.contains("runnerup install"), "{desktop}");
        let edited = cure("system", Some("18300"), Some(600));
        assert!(
            !edited.contains("plutil") && edited.contains("while sudo launchctl print"),
            "{edited}"
        );
        let none = cure("system", None, Some(5));
        assert!(none.contains("plutil -replace ExitTimeOut -integer 18300"), "{none}");
    }

    #[test]
    fn a_number_as_text_is_none() {
        let mut survey = job("system", Some("18300"), None);
        service_of(&mut survey).directives[0].kind = ValueKind::Text;
        assert_eq!(status(&survey, "service/stop-waits"), Status::Fail);
    }
}
