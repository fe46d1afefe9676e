//! Folder, output and priority of a launchd job.

use super::{
    job,
    keys::{self, To},
    startable,
};
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Activity, Install, PathRole, Service, Survey},
    platform::{fs::Kind, macos::SYSTEM},
    service::launchd::{AGENTS, DAEMONS, OnJob, bootstrap_in, on_job},
};
use std::path::{Path, PathBuf};

/// Longest acceptable wait before a restart, in seconds.
const PATIENCE: u64 = 60;

fn file(service: &Service) -> &Path {
    service.file().map_or(Path::new(""), |file| file.path.as_path())
}

pub(in crate::doctor::service) const DOMAIN: Check = Check {
    name: "service/domain-right",
    holds: "launchd can load the plist from its folder, for the session that it requests",
    why: "launchd runs a plist in LaunchAgents only for a user who is logged in, and otherwise \
          answers \"Bootstrap failed: 5: Input/output error\". It always runs the plists in \
          LaunchDaemons.",
    found: "The doctor reads the folder of the plist, its LimitLoadToSessionType and UserName, and \
            the user who is logged in at the screen.",
    cure: "Move the plist to the folder of its kind, or log in as the user.",
    after: &["service/defined", "service/definition-mode"],
    judge: Judge::Agent(domain),
};

fn domain(survey: &Survey, install: &Install) -> Judged {
    let service = job(install)?;
    if let Some(problem) = startable::unread_name(service) {
        return Ok(problem.into());
    }
    let file = file(service);
    let sessions = service.value("", "LimitLoadToSessionType").unwrap_or_default();
    if file.starts_with(DAEMONS) {
        if sessions.is_empty() || sessions.split(' ').any(|part| part == "System") {
            return Ok(Verdict::Holds("a daemon, which always runs".to_owned()));
        }
        let remedy = Remedy::by_hand("Remove the key, or move the plist to /Library/LaunchAgents.")
            .command(
                Command::root("plutil -remove LimitLoadToSessionType").path(file, install.named_by),
            )
            .command(bootstrap_in(SYSTEM, file, install, service));
        return Ok(Problem::fail(format!(
            "launchd does not load a daemon for the session type {sessions}"
        ))
        .seen(format!("LimitLoadToSessionType is {sessions} in {}", file.display()))
        .cure(remedy)
        .into());
    }
    let is_home = file.starts_with("/Users");
    if !file.starts_with(AGENTS) && !is_home {
        return Ok(Problem::warn(format!("launchd does not read {}", folder(file)))
            .seen(format!("{} is not loaded after a restart of the host", service.name))
            .cure(moved(install, service))
            .into());
    }
    let user = install.user.as_deref().unwrap_or("root");
    let mut problems = Vec::new();
    if let Some(name) = service.value("", "UserName").filter(|name| *name != user || !is_home) {
        problems.push(
            Problem::warn(format!("launchd ignores UserName {name}, which only daemons have"))
                .seen(file.display().to_string())
                .cure(moved(install, service)),
        );
    }
    let Some(mac) = &survey.host.mac else {
        return Ok(Verdict::of(problems, "the user who is logged in is not known"));
    };
    if waits(survey, install, service) {
        let at = mac.console_user.as_deref().unwrap_or("nobody");
        problems.push(
            Problem::fail(format!("{} waits for {user} to log in", service.name))
                .seen(format!("{at} is logged in at the screen; {}", file.display()))
                .cure(headless(install, service, file)),
        );
    }
    Ok(Verdict::of(problems, "an agent of a user who is logged in"))
}

/// Whether it is a launchd agent of a user who is not logged in.
pub(super) fn waits(survey: &Survey, install: &Install, service: &Service) -> bool {
    let file = file(service);
    let Some(mac) = survey.host.mac.as_ref().filter(|_| !survey.host.image) else { return false };
    let is_there = match (mac.console_user.as_deref(), file.starts_with("/Users")) {
        (None, _) => false,
        (Some(at), true) => Some(at) == install.user.as_deref(),
        (Some(_), false) => true,
    };
    let runs = service.state.ok().is_some_and(|state| state.active == Activity::Active);
    // `user/UID` exists without a desktop.
    let sessions = service.value("", "LimitLoadToSessionType").unwrap_or_default();
    let is_agent = file.starts_with(AGENTS) || file.starts_with("/Users");
    is_agent && !is_there && !runs && !sessions.contains("Background")
}

fn folder(file: &Path) -> String {
    file.parent().map(|parent| parent.display().to_string()).unwrap_or_default()
}

/// A new definition, not a copy: a user could have written this one, and launchd would run it as root.
pub(super) fn moved(install: &Install, service: &Service) -> Remedy {
    Remedy::by_hand(
        "Make it a daemon, which also runs while nobody is logged in: `runnerup install` writes a \
         new definition. Then unload and remove this one.",
    )
    .command(on_job(OnJob::Bootout, install, service))
    .command(Command::install())
}

fn headless(install: &Install, service: &Service, file: &Path) -> Remedy {
    let remedy = Remedy::by_hand(
        "Log in as the user, and enable automatic login (System Settings, Users & Groups); or run \
         the agent without a desktop, from /Library/LaunchAgents with LimitLoadToSessionType \
         Background.",
    );
    if !file.starts_with(AGENTS) {
        return remedy.command(Command::install());
    }
    remedy.in_turn([
        Command::root("plutil -replace LimitLoadToSessionType -string Background")
            .path(file, install.named_by),
        on_job(OnJob::Bootout, install, service),
    ])
}

pub(in crate::doctor::service) const OUTPUT: Check = Check {
    name: "service/output-kept",
    holds: "The service keeps the standard error output of the agent",
    why: "Without this output a job hangs in \"Preparing Environment\" and no error is visible. An \
          agent that cannot read its configuration, or cannot open its log, reports this only on \
          standard error, which launchd discards. If the folder of the output file is missing, the \
          agent does not start.",
    found: "The doctor reads StandardErrorPath of the plist and looks for the folder that it \
            names.",
    cure: "Set StandardErrorPath to a file in an existing folder.",
    after: &["service/loaded", "service/plist-literal"],
    judge: Judge::Agent(output),
};

fn output(_: &Survey, install: &Install) -> Judged {
    let service = job(install)?;
    let path = service.value("", "StandardErrorPath").unwrap_or("/dev/null");
    let wanted = PathBuf::from(format!("/Library/Logs/{}.start.log", service.name));
    if path == "/dev/null" {
        return Ok(Problem::warn("what the agent prints before it opens its log is lost")
            .seen(format!("StandardErrorPath is {path}"))
            .cure(keys::set(install, service, "StandardErrorPath", To::File(&wanted)))
            .into());
    }
    let Some(walk) = install.path(PathRole::ServiceOutput).and_then(|seen| seen.ok()) else {
        return Ok(Verdict::Holds(path.to_owned()));
    };
    let folder = walk.path.parent();
    let has_folder = walk.end.is_some()
        || walk.passed.iter().any(|passed| Some(passed.path.as_path()) == folder);
    let stands = walk.end.is_none_or(|meta| meta.kind == Kind::File);
    if has_folder && stands {
        return Ok(Verdict::Holds(path.to_owned()));
    }
    let what = if stands { "is in a folder that does not exist" } else { "is not a file" };
    Ok(Problem::fail(format!("launchd cannot open the agent's output: {path} {what}"))
        .seen(walk.why())
        .cure(keys::set(install, service, "StandardErrorPath", To::File(&wanted)))
        .into())
}

pub(in crate::doctor::service) const UNHINDERED: Check = Check {
    name: "service/not-throttled",
    holds: "launchd does not throttle the agent and its jobs",
    why: "Builds take much longer and heartbeats are late when launchd gives the agent little disk \
          and processor time. It does so for a service of type Background or of low priority.",
    found: "The doctor reads ProcessType, LowPriorityIO, LowPriorityBackgroundIO, Nice and \
            ThrottleInterval of the plist.",
    cure: "Set ProcessType to Interactive and remove the other keys.",
    after: &["service/loaded"],
    judge: Judge::Agent(unhindered),
};

fn unhindered(_: &Survey, install: &Install) -> Judged {
    let service = job(install)?;
    let mut problems = Vec::new();
    if let Some(kind @ ("Background" | "Adaptive")) = service.value("", "ProcessType") {
        problems.push(
            Problem::warn("launchd throttles the agent and its jobs")
                .seen(format!("ProcessType is {kind} in the plist"))
                .cure(keys::set(install, service, "ProcessType", To::Text("Interactive"))),
        );
    }
    let is_low = |key: &str, value: &str| match key {
        "Nice" => value.parse::<i32>().is_ok_and(|number| number > 0),
        _ => value == "true",
    };
    for key in ["LowPriorityIO", "LowPriorityBackgroundIO", "Nice"] {
        let Some(value) = service.value("", key).filter(|value| is_low(key, value)) else {
            continue;
        };
        problems.push(
            Problem::warn("jobs have low priority for the disk or the processor")
                .seen(format!("{key} is {value} in the plist"))
                .cure(Remedy::by_hand(["Remove the key ", key, "."])),
        );
    }
    let wait = service.value("", "ThrottleInterval").and_then(|text| text.parse::<u64>().ok());
    if let Some(wait) = wait.filter(|wait| *wait > PATIENCE) {
        problems.push(
            Problem::warn(format!("launchd restarts the agent only {wait} s after it ended"))
                .seen(format!("ThrottleInterval is {wait} in the plist"))
                .cure(keys::set(install, service, "ThrottleInterval", To::Number(3))),
        );
    }
    Ok(Verdict::of(problems, "launchd does not throttle it"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Activity, Mac, Named, PathRole, Seen, Survey},
        values::Manager,
    };

    fn mac(plist: &str, at: Option<&str>) -> Survey {
        let mut survey = healthy();
        survey.host.mac = Some(Mac { console_user: at.map(str::to_owned), ..Mac::default() });
        let service = service_of(&mut survey);
        service.manager = Manager::Launchd;
        service.name = "com.circleci.runner".into();
        service.directives.clear();
        service.definitions[0].walk = walk(plist, file(0, 0o644));
        if let Seen::Known(state) = &mut service.state {
            state.active = Activity::Inactive;
        }
        directive(&mut survey, "", "StandardErrorPath", "/Library/Logs/r.start.log");
        survey
    }

    #[test]
    fn a_session_that_is_not_there_fails_with_the_ways_out() {
        let daemon = "/Library/LaunchDaemons/com.circleci.runner.plist";
        let home = "/Users/circleci/Library/LaunchAgents/com.circleci.runner.plist";
        let all = "/Library/LaunchAgents/com.circleci.runner.plist";
        for (plist, at, expected) in [
            (daemon, None, Status::Pass),
            (home, Some("circleci"), Status::Pass),
            (home, Some("other"), Status::Fail),
            (home, None, Status::Fail),
            (all, Some("other"), Status::Pass),
            (all, None, Status::Fail),
            ("/opt/circleci/runner.plist", None, Status::Warn),
        ] {
            let survey = mac(plist, at);
            assert_eq!(status(&survey, "service/domain-right"), expected, "{plist} {at:?}");
        }
        let mut survey = mac(all, None);
        directive(&mut survey, "", "LimitLoadToSessionType", "Background");
        assert_eq!(status(&survey, "service/domain-right"), Status::Pass);
        let mut survey = mac(daemon, None);
        directive(&mut survey, "", "LimitLoadToSessionType", "Aqua");
        assert_eq!(status(&survey, "service/domain-right"), Status::Fail);
        let mut survey = mac(home, Some("circleci"));
        directive(&mut survey, "", "UserName", "root");
        assert_eq!(status(&survey, "service/domain-right"), Status::Warn);
    }

    #[test]
    fn output_must_lead_somewhere() {
        let daemon = "/Library/LaunchDaemons/com.circleci.runner.plist";
        let mut survey = mac(daemon, None);
        assert_eq!(status(&survey, "service/output-kept"), Status::Pass);
        let mut there = walk("/Library/Logs/r.start.log", file(0, 0o644));
        there.end = None;
        agent(&mut survey).paths.push(named(PathRole::ServiceOutput, there));
        assert_eq!(status(&survey, "service/output-kept"), Status::Pass);
        if let Some(Named { walk: Seen::Known(walk), .. }) = agent(&mut survey).paths.last_mut() {
            walk.passed.pop();
        }
        assert_eq!(status(&survey, "service/output-kept"), Status::Fail);
        directive(&mut survey, "", "StandardErrorPath", "/dev/null");
        assert_eq!(status(&survey, "service/output-kept"), Status::Warn);
    }

    #[test]
    fn what_holds_jobs_back_warns() {
        for (key, value, expected) in [
            ("ProcessType", "Background", Status::Warn),
            ("ProcessType", "Interactive", Status::Pass),
            ("LowPriorityIO", "true", Status::Warn),
            ("LowPriorityBackgroundIO", "true", Status::Warn),
            ("LowPriorityBackgroundIO", "false", Status::Pass),
            ("Nice", "10", Status::Warn),
            ("ThrottleInterval", "3600", Status::Warn),
            ("ThrottleInterval", "3", Status::Pass),
        ] {
            let mut survey = mac("/Library/LaunchDaemons/com.circleci.runner.plist", None);
            directive(&mut survey, "", key, value);
            assert_eq!(status(&survey, "service/not-throttled"), expected, "{key} {value}");
        }
    }
}
