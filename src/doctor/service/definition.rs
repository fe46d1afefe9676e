//! Checks of a service definition, for all managers.

use super::rules;
use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode},
        lookup::{octal, service},
    },
    host::{Install, Survey, Unseen},
    platform::fs::Kind,
};

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
    if !service.manager.profile().reads_files() {
        return Err(Unseen::not_applicable("a scheduled task is not a file"));
    }
    let mut problems = Vec::new();
    for definition in &service.definitions {
        let Some(meta) = definition.walk.end.filter(|meta| meta.kind == Kind::File) else {
            continue;
        };
        let path = definition.walk.path.display();
        let open = meta.has_any(0o022);
        problems.extend(rules(service.manager).owner(survey, install, definition));
        if !open && meta.has_none(0o111) {
            continue;
        }
        let problem = match open {
            true => Problem::fail(format!("accounts other than root can modify {path}")),
            false => Problem::warn(format!("{path} is executable")),
        };
        let remedy = Remedy::by_hand("Set mode 0644, so that only the owner can modify the file.");
        let remedy =
            Change::new(survey, install).definition(remedy, &definition.walk, Mode::Definition);
        problems.push(problem.seen(format!("mode {}", octal(&meta))).cure(remedy));
    }
    Ok(Verdict::of(problems, "only root can modify the definition"))
}

pub(super) const ACCEPTED: Check = Check {
    name: "service/directives-known",
    holds: "The service manager accepts every line of the definition",
    why: "systemd and launchd ignore a setting that they do not know, or whose value they cannot \
          read, and report it only in a log.",
    found: "On Linux the doctor asks `systemd-analyze verify` to read the unit and its drop-ins, \
            if only root could have written them and they are no image's. On macOS it compares \
            each key of the plist with launchd.plist(5).",
    cure: "Correct the name or the value, or move the line to the section that the finding names.",
    after: &["service/loaded"],
    judge: Judge::Agent(accepted),
};

fn accepted(_: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    rules(service.manager).accepted(install, service)
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

fn restarts(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    rules(service.manager).restarts_now(survey, install, service)
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
    let service = service(install)?;
    rules(service.manager).stop(install, service)
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn a_unit_is_neither_executable_nor_open() {
        let mut survey = healthy();
        service_of(&mut survey).definitions[0].walk.end = Some(file(0, 0o755));
        assert_eq!(status(&survey, "service/definition-mode"), Status::Warn);
        service_of(&mut survey).definitions[0].walk.end = Some(file(0, 0o666));
        let found = finding(&survey, "service/definition-mode");
        assert_eq!(found.status, Status::Fail);
        let remedy = found.remedy.unwrap();
        assert!(remedy.text().starts_with("Set mode 0644"), "{}", remedy.text());
        assert_eq!(remedy.commands(), [format!("sudo chmod 644 {UNIT}")]);
    }
}
