//! Whether the agent runs what is on the disk: it reads its files, its variables and its groups once,
//! when it is started.

use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict, lookup::restarted,
        permissions::updates_itself,
    },
    host::{Install, OnDisk, PathWalk, Running, Survey},
};

pub(super) const CURRENT: Check = Check {
    name: "service/runs-current",
    holds: "The agent runs the files, variables and groups that are on the host now",
    why: "The agent reads its configuration, its variables and its groups once, at its start. What \
          was changed since then has no effect, or a surprising one at the next start.",
    found: "The doctor compares the start of the agent's process with the times of its \
            configuration and environment files, its program with the file on the disk, its groups \
            with those of the account, and its variables with those that systemd would set now.",
    cure: "Restart the agent; a running job ends first.",
    after: &["service/reloaded", "permissions/binary-is-program", "config/exists"],
    judge: Judge::Agent(current),
};

/// A change so soon after the start may have been made before it: a start is known to a second or
/// two.
const SOON: i64 = 3;

/// An agent that has just replaced its own program restarts itself within this time, in seconds.
const UPDATES: i64 = 60;

fn current(survey: &Survey, install: &Install) -> Judged {
    let running = install.running.known()?;
    let mut problems = Vec::new();
    let mut add = |summary: String, seen: String| {
        let remedy = Remedy::by_hand("Restart the agent: a running job ends first.");
        problems.push(Problem::warn(summary).seen(seen).cure(restarted(remedy, install)));
    };
    let config = install.config_file().ok().map(|config| &config.walk);
    let files = install.paths.iter().filter(|named| named.role.is_environment());
    let files = files.filter_map(|named| named.walk.ok());
    for walk in config.into_iter().chain(files) {
        if let Some(changed) = changed_since(survey, running, walk) {
            add(
                format!(
                    "{} was changed after the agent was started: restart needed",
                    walk.path.display()
                ),
                format!(
                    "changed {}, the agent runs since {}",
                    time(changed),
                    time(running.started)
                ),
            );
        }
    }
    if let Some((path, seen)) = program(survey, install, running) {
        add(format!("{path} was replaced after the agent was started: restart needed"), seen);
    }
    for (summary, seen) in variables(install, running) {
        add(summary, seen);
    }
    if let Some((summary, seen)) = groups(survey, install, running) {
        add(summary, seen);
    }
    Ok(Verdict::of(problems, format!("the agent runs since {}", time(running.started))))
}

/// When a file's content was changed, in seconds since 1970, if that was after the start. A time of
/// the future says nothing.
fn changed_since(survey: &Survey, running: &Running, walk: &PathWalk) -> Option<i64> {
    let changed = walk.end?.identity.2 / 1_000_000_000;
    (changed >= running.started + SOON && changed <= survey.taken + SOON).then_some(changed)
}

/// The program, where another file is in its place.
fn program(survey: &Survey, install: &Install, running: &Running) -> Option<(String, String)> {
    let program = running.program.ok().filter(|program| program.on_disk == OnDisk::Replaced)?;
    let binary = install.binary.as_ref().and_then(|binary| binary.walk.ok());
    let end = binary.filter(|walk| walk.real == program.path).and_then(|walk| walk.end);
    // The status of a file changes when it is moved into its place.
    let replaced = end.map(|end| end.identity.3 / 1_000_000_000);
    let is_new = replaced.is_some_and(|replaced| survey.age(replaced) < UPDATES);
    if updates_itself(install) && is_new {
        return None;
    }
    let since = replaced.map_or_else(String::new, |at| format!(", replaced {}", time(at)));
    let path = program.path.display().to_string();
    let seen = format!("/proc/{}/exe is another file than {path}{since}", running.pid);
    Some((path, seen))
}

/// Variables of the unit that the process has otherwise. A program in front may set them anew.
fn variables(install: &Install, running: &Running) -> Vec<(String, String)> {
    let state = install.service.as_ref().and_then(|service| service.state.ok());
    let effective = state.and_then(|state| state.effective.as_ref());
    let (Some(effective), Some(own)) = (effective, running.environment.ok()) else {
        return Vec::new();
    };
    if !running.above.is_empty() || own.is_empty() {
        return Vec::new();
    }
    let of_file = |name: &str| {
        let is_of_file = |source: &str| {
            install.paths.iter().filter(|named| named.role.is_environment()).any(|named| {
                named
                    .walk
                    .ok()
                    .is_some_and(|walk| source.starts_with(&*walk.path.to_string_lossy()))
            })
        };
        install.variable(name).is_some_and(|variable| is_of_file(&variable.source))
    };
    let is_unset = |name: &str| effective.unset_environment.iter().any(|unset| unset == name);
    let wanted = effective.environment.iter();
    let wanted = wanted.filter(|set| !of_file(&set.name) && !is_unset(&set.name));
    let mut found = Vec::new();
    for set in wanted {
        let process = own.iter().rev().find(|variable| variable.name == set.name);
        let seen = match process {
            None => format!("process {} has no {}", running.pid, set.name),
            Some(variable) => match (&variable.value, &set.value) {
                (Some(has), Some(wants)) if has != wants && has.is_whole() && wants.is_whole() => {
                    format!("process {} has {}={}", running.pid, set.name, has.as_str())
                }
                _ => continue,
            },
        };
        let summary = format!(
            "the unit sets {} otherwise than when the agent was started: restart needed",
            set.name
        );
        found.push((summary, seen));
    }
    found
}

/// Groups that the account got after the start.
fn groups(survey: &Survey, install: &Install, running: &Running) -> Option<(String, String)> {
    let account =
        survey.account_of(install).filter(|account| account.uid() == Some(running.uid))?;
    if account.is_root() || running.groups.is_empty() {
        return None;
    }
    let has = |gid: u32| running.gid == gid || running.groups.contains(&gid);
    // `Group=` takes the place of the account's own.
    let is_missing = |group: &&(u32, String)| !has(group.0) && account.id.gid() != Some(group.0);
    let missing: Vec<&str> =
        account.groups.iter().filter(is_missing).map(|group| group.1.as_str()).collect();
    let names = missing.join(", ");
    (!missing.is_empty()).then(|| {
        (
            format!(
                "{} is in the group {names} since the agent was started: restart needed",
                account.name
            ),
            format!("process {} has not the group {names}", running.pid),
        )
    })
}

/// A time as a person reads it, in UTC.
fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Assigned, Effective, RunningProgram, Seen, Variable},
    };

    fn running_of(survey: &mut Survey) -> &mut Running {
        match &mut agent(survey).running {
            Seen::Known(running) => running,
            Seen::Unseen(_) => unreachable!("the sample runs"),
        }
    }

    fn found(survey: &Survey) -> (Status, String) {
        let found = finding(survey, "service/runs-current");
        (found.status, found.summary)
    }

    #[test]
    fn a_configuration_that_is_newer_needs_a_restart() {
        let mut survey = healthy();
        let started = running_of(&mut survey).started;
        for (changed, expected) in [
            (started - 9, Status::Pass),
            (started + 1, Status::Pass),
            (started + 60, Status::Warn),
            // A clock that was set back.
            (survey.taken + 999, Status::Pass),
        ] {
            config_of(&mut survey).walk.end.as_mut().unwrap().identity.2 = changed * 1_000_000_000;
            assert_eq!(found(&survey).0, expected, "{changed}");
        }
        config_of(&mut survey).walk.end.as_mut().unwrap().identity.2 =
            (started + 60) * 1_000_000_000;
        let found = finding(&survey, "service/runs-current");
        let remedy = found.remedy.unwrap();
        assert!(
            remedy.commands().iter().any(|line| line.contains("systemctl restart")),
            "{remedy:?}"
        );
    }

    #[test]
    fn a_program_that_was_replaced_needs_a_restart() {
        let mut survey = healthy();
        let path = std::path::PathBuf::from(BINARY);
        running_of(&mut survey).program =
            Seen::Known(RunningProgram { path, on_disk: OnDisk::Replaced });
        assert_eq!(found(&survey).0, Status::Warn);
        // An agent that updates itself is about to restart.
        set(&mut survey, "runner.disable_auto_update", None);
        set(&mut survey, "api.url", None);
        assert_eq!(found(&survey).0, Status::Warn);
        let now = survey.taken * 1_000_000_000;
        if let Seen::Known(walk) = &mut agent(&mut survey).binary.as_mut().unwrap().walk {
            walk.end.as_mut().unwrap().identity.3 = now;
        }
        assert_eq!(found(&survey).0, Status::Pass);
    }

    #[test]
    fn a_group_that_came_late_needs_a_restart() {
        let mut survey = healthy();
        survey.host.accounts[1].groups.push((999, "docker".into()));
        running_of(&mut survey).groups = vec![UID];
        let (status, summary) = found(&survey);
        assert!(status == Status::Warn && summary.contains("docker"), "{summary}");
        running_of(&mut survey).groups.push(999);
        assert_eq!(found(&survey).0, Status::Pass);
    }

    #[test]
    fn a_variable_that_the_process_lacks_needs_a_restart() {
        let mut survey = healthy();
        let assigned =
            |value: &str| Assigned { name: "HTTPS_PROXY".to_owned(), value: Some(value.into()) };
        let mut effective =
            Effective { environment: vec![assigned("http://p:1")], ..Effective::default() };
        let set = |survey: &mut Survey, effective: &Effective| match &mut service_of(survey).state {
            Seen::Known(state) => state.effective = Some(Box::new(effective.clone())),
            Seen::Unseen(_) => unreachable!("the sample runs"),
        };
        let variable = |name: &str, value: &str| Variable {
            name: name.into(),
            value: Some(value.into()),
            secret: Some(false),
            source: "process 500".into(),
            written_by: crate::host::Provenance::Root,
        };
        let own = |survey: &mut Survey, all: Vec<Variable>| {
            let running = running_of(survey);
            running.environment = Seen::Known(all);
            running.above.clear();
        };
        set(&mut survey, &effective);
        own(&mut survey, vec![variable("PATH", "/bin")]);
        assert_eq!(found(&survey).0, Status::Warn);
        own(&mut survey, vec![variable("HTTPS_PROXY", "http://old:1")]);
        assert_eq!(found(&survey).0, Status::Warn);
        own(&mut survey, vec![variable("HTTPS_PROXY", "http://p:1")]);
        assert_eq!(found(&survey).0, Status::Pass);
        effective.unset_environment = vec!["HTTPS_PROXY".into()];
        set(&mut survey, &effective);
        own(&mut survey, vec![variable("PATH", "/bin")]);
        assert_eq!(found(&survey).0, Status::Pass);
    }
}
