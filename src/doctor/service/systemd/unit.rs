//! Environment files and start order of a unit.

use super::{
    drop_in::drop_in,
    in_force::{word, word_place},
    unit,
};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Activity, Install, PathRole, Service, Survey, Unseen},
    platform::fs::Kind,
};

pub(in crate::doctor::service) const ENVIRONMENT_FILES: Check = Check {
    name: "service/environment-files",
    holds: "Every environment file that the unit needs exists",
    why: "systemd does not start a unit whose EnvironmentFile= is missing, unless its path begins \
          with a dash.",
    found: "The doctor looks for the file of each EnvironmentFile=.",
    cure: "Write the file, or put a dash in front of its path.",
    after: &["service/loaded"],
    judge: Judge::Agent(environment_files),
};

fn environment_files(_: &Survey, install: &Install) -> Judged {
    unit(install)?;
    let mut problems = Vec::new();
    let mut count = 0;
    for named in install.paths.iter().filter(|path| path.role == PathRole::EnvironmentFile) {
        count += 1;
        let walk = named.walk.known()?;
        if !walk.is(Kind::File) {
            let path = walk.path.display();
            problems.push(
                Problem::fail(format!("the environment file {path} does not exist"))
                    .seen(
                        walk.stopped
                            .as_ref()
                            .map_or_else(|| format!("{path} is not a file"), ToString::to_string),
                    )
                    .cure(Remedy::by_hand(
                        "Create the file, or make it optional: EnvironmentFile=-PATH.",
                    )),
            );
        }
    }
    let holds = match count {
        0 => "the unit names no environment file".to_owned(),
        1 => "the environment file exists".to_owned(),
        count => format!("all {count} environment files exist"),
    };
    Ok(Verdict::of(problems, holds))
}

pub(in crate::doctor::service) const NETWORK: Check = Check {
    name: "service/network-ordered",
    holds: "The agent starts after the network is online",
    why: "The first request of the agent at boot fails if the agent starts before the network \
          works. network.target orders only the shutdown.",
    found: "The doctor looks for network-online.target in After= and Wants= of the unit.",
    cure: "Add Wants=network-online.target and After=network-online.target.",
    after: &["service/loaded"],
    judge: Judge::Agent(network),
};

fn network(_: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let names = |key: &str| {
        service
            .directives("Unit", key)
            .any(|line| line.value.split_whitespace().any(|name| name == "network-online.target"))
    };
    if names("After") && (names("Wants") || names("Requires") || names("BindsTo")) {
        return Ok(Verdict::Holds("the unit starts after network-online.target".to_owned()));
    }
    let lines = "[Unit]\nWants=network-online.target\nAfter=network-online.target\n";
    let after: Vec<_> =
        service.directives("Unit", "After").map(|line| line.value.as_str()).collect();
    let seen = match after.is_empty() {
        true => "the unit has no After=".to_owned(),
        false => format!("After={}", after.join(" ")),
    };
    Ok(Problem::warn("the unit does not wait until the network is online")
        .seen(seen)
        .cure(drop_in(
            "Set Wants= and After= to network-online.target in [Unit].",
            install,
            "network",
            lines,
        ))
        .into())
}

pub(in crate::doctor::service) const HEALTH: Check = Check {
    name: "service/health-reported",
    holds: "The service manager accepts the health that the agent reports",
    why: "Without NotifyAccess=exec `systemctl status` never shows Healthy or Unhealthy. With \
          Type=notify, forking, dbus or oneshot systemd waits for what the agent does not do.",
    found: "The doctor reads NotifyAccess= and Type= of the unit.",
    cure: "Set NotifyAccess=exec and remove Type=.",
    after: &["service/loaded"],
    judge: Judge::Agent(health),
};

fn health(_: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let kind = word(service, "Type", |unit| &unit.kind).unwrap_or_default();
    if let Some(what) = waits_for(kind).filter(|_| !is_daemonized(service, kind)) {
        let lines = "[Service]\nType=simple\n";
        return Ok(Problem::fail(format!("Type={kind} is set, but the agent {what}"))
            .seen(word_place(service, "Type", kind))
            .cure(drop_in("Set Type=simple in [Service].", install, "type", lines))
            .into());
    }
    match word(service, "NotifyAccess", |unit| &unit.notify_access) {
        Some("exec" | "all" | "main") => {
            Ok(Verdict::Holds("systemd accepts the reports of the agent".to_owned()))
        }
        _ if install.agent.profile().health.is_none() => {
            let title = install.agent.profile().title;
            Err(Unseen::not_applicable(format!("{title} does not report its health to systemd")))
        }
        other => {
            let lines = "[Service]\nNotifyAccess=exec\n";
            Ok(Problem::warn("systemd does not accept the health that the agent reports")
                .seen(word_place(service, "NotifyAccess", other.unwrap_or("none")))
                .cure(drop_in(
                    "Set NotifyAccess=exec, so that systemd accepts the health that the agent reports.",
                    install,
                    "health",
                    lines,
                ))
                .into())
        }
    }
}

/// Whether a script in front of the agent has put it into the background, as systemd waits for.
fn is_daemonized(service: &Service, kind: &str) -> bool {
    let is_up = service.state.ok().is_none_or(|state| state.active == Activity::Active);
    kind == "forking" && !service.launch.links.is_empty() && is_up
}

/// What the agent does otherwise than systemd expects of a type of service.
fn waits_for(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "notify" | "notify-reload" => "does not notify systemd that it has started",
        "forking" => "stays in the foreground: systemd waits for it to end, and then ends it",
        "dbus" => "takes no name on the bus, which systemd waits for",
        "oneshot" => "does not end by itself: systemd counts it as starting all the time",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Link, PathRole, Way},
    };

    #[test]
    fn each_directive_is_judged() {
        for (section, key, value, check, expected) in [
            ("Service", "Restart", "no", "service/restarts", Status::Fail),
            ("Service", "Restart", "on-failure", "service/restarts", Status::Warn),
            ("Service", "TimeoutStopSec", "90", "service/stop-waits", Status::Warn),
            ("Service", "TimeoutStopSec", "infinity", "service/stop-waits", Status::Pass),
            ("Service", "KillSignal", "SIGKILL", "service/stop-waits", Status::Fail),
            ("Service", "Type", "notify", "service/health-reported", Status::Fail),
            ("Service", "NotifyAccess", "none", "service/health-reported", Status::Warn),
            ("Unit", "After", "", "service/network-ordered", Status::Warn),
        ] {
            let mut survey = healthy();
            directive(&mut survey, section, key, value);
            assert_eq!(status(&survey, check), expected, "{key}={value}");
        }
    }

    #[test]
    fn each_type_is_told_with_what_the_agent_does_otherwise() {
        for (kind, what) in [
            ("notify", "does not notify"),
            ("forking", "stays in the foreground"),
            ("dbus", "takes no name"),
            ("oneshot", "does not end by itself"),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", "Type", kind);
            let found = finding(&survey, "service/health-reported");
            assert_eq!(found.status, Status::Fail, "{kind}");
            assert!(found.summary.contains(what), "{}", found.summary);
            let line = format!(": Type={kind}");
            assert!(found.evidence.ends_with(&line), "{}", found.evidence);
        }
        let mut survey = healthy();
        directive(&mut survey, "Service", "Type", "exec");
        assert_eq!(status(&survey, "service/health-reported"), Status::Pass);
        // A script of the old kind, which ends and leaves the agent behind.
        directive(&mut survey, "Service", "Type", "forking");
        let link = Link {
            program: "bash".to_owned(),
            way: Way::Waits,
            script: Some("/opt/start.sh".into()),
            line: Some(2),
            background: false,
        };
        service_of(&mut survey).launch.links.push(link);
        assert_eq!(status(&survey, "service/health-reported"), Status::Pass);
    }

    #[test]
    fn an_environment_file_must_be_there() {
        let mut survey = healthy();
        let summary = finding(&survey, "service/environment-files").summary;
        assert_eq!(summary, "the unit names no environment file");
        let mut missing = walk("/etc/default/x", file(0, 0o644));
        missing.end = None;
        agent(&mut survey).paths.push(named(PathRole::EnvironmentFile, missing));
        assert_eq!(status(&survey, "service/environment-files"), Status::Fail);
    }
}
