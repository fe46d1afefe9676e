//! Directives that mean something to an agent.

use super::{
    daemon,
    drop_in::{drains, drop_in},
    task,
};
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode},
        lookup::{account, longest_job, longest_stop, octal, service, shorter_jobs, stand},
        remedy::Text,
    },
    host::{Install, PathRole, Service, Survey, Unseen},
    platform::fs::Kind,
    values::Manager,
};

/// systemd's own limit where a unit names none.
const DEFAULT_STOP: u64 = 90;

fn unit(install: &Install) -> Result<&Service, Unseen> {
    let service = service(install)?;
    match service.manager {
        Manager::Systemd => Ok(service),
        _ => Err(Unseen::not_applicable("the service is not a systemd unit")),
    }
}

pub(super) const MODE: Check = Check {
    name: "service/definition-mode",
    holds: "The service definition belongs to root, only root can modify it, and it is not \
            executable",
    why: "An account that can modify the definition can become root. launchd refuses a daemon's \
          plist that root does not own with \"Bootstrap failed: 5\". systemd logs a warning about \
          an executable unit at every reload.",
    found: "The doctor reads mode and owner of the unit file and of each drop-in, or of the plist.",
    cure: "Set the mode to 0644 and the owner to root; a plist in a home belongs to the user of \
           that home.",
    after: &["service/loaded"],
    judge: Judge::Agent(mode),
};

fn mode(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    if service.manager == Manager::TaskScheduler {
        return Err(Unseen::not_applicable("a scheduled task is not a file"));
    }
    let mut problems = Vec::new();
    for definition in &service.definitions {
        let Some(meta) = definition.trail.end.filter(|meta| meta.kind == Kind::File) else {
            continue;
        };
        let path = definition.trail.path.display();
        let open = meta.has_any(0o022);
        // launchd loads what is in /Library for root and for nobody else, and what is in a home
        // only where it is that user's or root's.
        let is_of_all = definition.trail.path.starts_with("/Library");
        let user = account(survey, install).ok().filter(|_| !is_of_all);
        let is_strangers =
            !meta.is_of(0) && (is_of_all || user.is_some_and(|user| !meta.is_of(user.uid)));
        if service.manager == Manager::Launchd && is_strangers {
            let whose = if user.is_some() { "the user whose home it is in" } else { "root" };
            // Who owns it now has written it, or could have.
            let remedy = Remedy::by_hand([
                "Check the content of the file, and write it again as ",
                whose,
                ".",
            ])
            .command(Command::root("runnerup install"));
            problems.push(
                Problem::fail(format!(
                    "launchd does not load {path}, because {whose} does not own it"
                ))
                .seen(stand(&definition.trail, survey))
                .cure(remedy),
            );
        }
        if !open && meta.has_none(0o111) {
            continue;
        }
        let problem = match open {
            true => Problem::fail(format!("accounts other than root can modify {path}")),
            false => Problem::warn(format!("{path} is executable")),
        };
        let remedy = Remedy::by_hand("Correct the mode of the file.");
        let remedy =
            Change::new(survey, install).definition(remedy, &definition.trail, Mode::Definition);
        problems.push(problem.seen(format!("mode {}", octal(&meta))).cure(remedy));
    }
    Ok(Verdict::of(problems, "only root can modify the definition"))
}

pub(super) const ENVIRONMENT_FILES: Check = Check {
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
        let trail = named.trail.known()?;
        if !trail.is(Kind::File) {
            let path = trail.path.display();
            problems.push(
                Problem::fail(format!("the environment file {path} does not exist"))
                    .seen(
                        trail
                            .stopped
                            .as_ref()
                            .map_or_else(|| format!("{path} is not a file"), ToString::to_string),
                    )
                    .cure(Remedy::by_hand(
                        "Create the file, or make it optional: EnvironmentFile=-PATH.",
                    )),
            );
        }
    }
    Ok(Verdict::of(problems, format!("all {count} environment files exist")))
}

pub(super) const NETWORK: Check = Check {
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
    Ok(Problem::warn("the unit does not wait until the network is online")
        .seen(format!("After={} in the unit", after.join(" ")))
        .cure(drop_in("Wait for network-online.target.", install, "network", lines))
        .into())
}

pub(super) const RESTARTS: Check = Check {
    name: "service/restarts",
    holds: "The service restarts the agent when it ends",
    why: "An agent that ends because of a temporary error, or to update itself, does not come \
          back.",
    found: "The doctor reads Restart= of the unit, KeepAlive of the plist, or what repeats or \
            restarts the task.",
    cure: "Add Restart=always, KeepAlive, or a repeating trigger.",
    after: &["service/loaded", "service/task-triggered"],
    judge: Judge::Agent(restarts),
};

fn restarts(_: &Survey, install: &Install) -> Judged {
    if let Some(daemon) = daemon::of(install)? {
        return daemon::restarts(install, daemon);
    }
    if let Ok(task) = task::of(install) {
        return task::restarts(install, task);
    }
    let service = unit(install)?;
    let restart = service.value("Service", "Restart").unwrap_or("no");
    if restart == "always" {
        return Ok(Verdict::Holds("Restart=always".to_owned()));
    }
    let problem = match restart {
        "no" => Problem::fail("the service does not restart the agent when it ends"),
        other => {
            Problem::warn(format!("Restart={other} does not restart the agent after every exit"))
        }
    };
    let lines = "[Service]\nRestart=always\nRestartSec=5\n";
    let cure = drop_in("Restart the agent when it ends.", install, "restart", lines);
    Ok(problem.seen(format!("Restart={restart} in the unit")).cure(cure).into())
}

pub(super) const STOP: Check = Check {
    name: "service/stop-waits",
    holds: "A stop of the service waits for the running job",
    why: "Every upgrade and shutdown kills the running job if the time limit of a stop is shorter \
          than the job. An agent that is stopped finishes its job first.",
    found: "The doctor compares TimeoutStopSec=, or ExitTimeOut of a plist, with \
            runner.max_run_time, and reads KillSignal= and KillMode=.",
    cure: "Set TimeoutStopSec= or ExitTimeOut to the length of the longest job plus five minutes.",
    after: &["service/loaded"],
    judge: Judge::Agent(stop),
};

fn stop(_: &Survey, install: &Install) -> Judged {
    if let Some(daemon) = daemon::of(install)? {
        return daemon::stop(install, daemon);
    }
    let service = unit(install)?;
    let longest = longest_job(install);
    let mut problems = Vec::new();
    let line = service
        .value("Service", "TimeoutStopSec")
        .or_else(|| service.value("Service", "TimeoutSec"));
    let seconds = match line {
        None => Some(DEFAULT_STOP),
        Some("infinity" | "0") => None,
        Some(text) => match span(text) {
            Some(seconds) => Some(seconds),
            None => {
                problems.push(
                    Problem::fail(format!("TimeoutStopSec={text} is not a time span"))
                        .cure(Remedy::by_hand("Set TimeoutStopSec= to seconds, such as 18300.")),
                );
                None
            }
        },
    };
    if let Some(seconds) = seconds.filter(|seconds| *seconds < longest) {
        let wanted = longest + 300;
        let lines = Text::number("[Service]\nTimeoutStopSec=", wanted, "\n");
        let lines = if drains(service) { lines } else { lines.then("KillMode=mixed\n") };
        let cure = match longest > longest_stop(install) {
            true => shorter_jobs(install),
            false => drop_in("Have a stop wait for the longest job.", install, "stop", lines),
        };
        problems.push(
            Problem::warn(format!(
                "a stop kills a job after {seconds} s; jobs may take {longest} s"
            ))
            .seen(
                line.map_or(
                    "the unit has no TimeoutStopSec=: the default is 90 s".to_owned(),
                    |own| format!("TimeoutStopSec={own} in the unit"),
                ),
            )
            .cure(cure),
        );
    }
    if let Some(signal @ ("SIGKILL" | "KILL" | "9")) = service.value("Service", "KillSignal") {
        let lines = "[Service]\nKillSignal=SIGTERM\n";
        problems.push(
            Problem::fail("a stop kills the agent and its job at once")
                .seen(format!("KillSignal={signal} in the unit"))
                .cure(drop_in("Stop the agent with SIGTERM.", install, "signal", lines)),
        );
    }
    if service.value("Service", "KillMode") == Some("none") {
        let lines = "[Service]\nKillMode=mixed\n";
        problems.push(
            Problem::warn("a stop leaves processes of the agent running")
                .seen("KillMode=none in the unit")
                .cure(drop_in(
                    "Have a stop end all processes of the unit.",
                    install,
                    "kill",
                    lines,
                )),
        );
    }
    Ok(Verdict::of(problems, "a stop waits for the longest job"))
}

/// A time span of `systemd.time(7)` in whole seconds.
fn span(text: &str) -> Option<u64> {
    let mut seconds = 0_u64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            "ms" | "msec" | "us" | "usec" => 0,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after.trim_start();
    }
    Some(seconds)
}

pub(super) const HEALTH: Check = Check {
    name: "service/health-reported",
    holds: "The service manager accepts the health that the agent reports",
    why: "Without NotifyAccess=exec `systemctl status` never shows Healthy or Unhealthy. With \
          Type=notify systemd waits for a notification that the agent may never send.",
    found: "The doctor reads NotifyAccess= and Type= of the unit.",
    cure: "Set NotifyAccess=exec and remove Type=.",
    after: &["service/loaded"],
    judge: Judge::Agent(health),
};

fn health(_: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    if let Some(kind @ ("notify" | "notify-reload" | "forking" | "dbus" | "oneshot")) =
        service.value("Service", "Type")
    {
        let lines = "[Service]\nType=simple\n";
        return Ok(Problem::fail(format!(
            "Type={kind} is set, but the agent sends no such notification"
        ))
        .seen(format!("Type={kind} in the unit"))
        .cure(drop_in("Do not wait for a notification.", install, "type", lines))
        .into());
    }
    match service.value("Service", "NotifyAccess") {
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
                .seen(format!("NotifyAccess={} in the unit", other.unwrap_or("none")))
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

#[cfg(test)]
mod tests {
    use super::span;
    use crate::{
        doctor::{Status, sample::*},
        host::{PathRole, Provenance},
        record::Step,
    };

    #[test]
    fn spans_are_read_as_systemd_reads_them() {
        assert_eq!(span("18300"), Some(18300));
        assert_eq!(span("5h 5min"), Some(18300));
        assert_eq!(span("1d2h"), Some(93600));
        assert_eq!(span("soon"), None);
        assert_eq!(span(""), None);
    }

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
    fn a_stop_waits_no_longer_by_the_accounts_word_than_by_default() {
        for (by, time, fixable) in [
            (Provenance::Account(UID), "167h", false),
            (Provenance::Account(UID), "5h1s", false),
            (Provenance::Anybody, "167h", false),
            (Provenance::Account(UID), "5h", true),
            (Provenance::Root, "167h", true),
            (Provenance::Root, "169h", false),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", "TimeoutStopSec", "90");
            set(&mut survey, "runner.max_run_time", Some(time));
            config_of(&mut survey).written_by = by;
            let remedy = finding(&survey, "service/stop-waits").remedy.unwrap();
            assert_eq!(remedy.fixable, fixable, "{by:?} {time}");
            assert!(fixable || remedy.text().contains("max_run_time"), "{}", remedy.text());
        }
        // Nor does a start that another finding asks for.
        let mut survey = healthy();
        directive(&mut survey, "Service", "Restart", "no");
        set(&mut survey, "runner.max_run_time", Some("167h"));
        let remedy = finding(&survey, "service/restarts").remedy.unwrap();
        let drain = remedy.steps().iter().find_map(|step| match step {
            Step::Start { drain, .. } => Some(drain.as_secs()),
            _ => None,
        });
        assert_eq!(drain, Some(18300));
    }

    #[test]
    fn a_stop_that_waits_signals_the_agent_alone() {
        let written = |survey: &crate::host::Survey| {
            let remedy = finding(survey, "service/stop-waits").remedy.unwrap();
            let file = remedy.steps().iter().find_map(|step| match step {
                Step::File(file) => Some(file.content.shown().to_owned()),
                _ => None,
            });
            file.unwrap()
        };
        let mut survey = healthy();
        directive(&mut survey, "Service", "TimeoutStopSec", "90");
        assert!(!written(&survey).contains("KillMode"));
        directive(&mut survey, "Service", "KillMode", "control-group");
        assert!(written(&survey).ends_with("TimeoutStopSec=18300\nKillMode=mixed\n"));
    }

    #[test]
    fn a_unit_is_neither_executable_nor_open() {
        let mut survey = healthy();
        service_of(&mut survey).definitions[0].trail.end = Some(file(0, 0o755));
        assert_eq!(status(&survey, "service/definition-mode"), Status::Warn);
        service_of(&mut survey).definitions[0].trail.end = Some(file(0, 0o666));
        assert_eq!(status(&survey, "service/definition-mode"), Status::Fail);
    }

    #[test]
    fn an_environment_file_must_be_there() {
        let mut survey = healthy();
        let mut missing = trail("/etc/default/x", file(0, 0o644));
        missing.end = None;
        agent(&mut survey).paths.push(named(PathRole::EnvironmentFile, missing));
        assert_eq!(status(&survey, "service/environment-files"), Status::Fail);
    }
}
