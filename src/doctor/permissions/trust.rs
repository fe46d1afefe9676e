//! Files that root acts on, and files with secrets beside the configuration.

use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode, Purpose, Site},
        lookup::{octal, service, task_account},
    },
    host::{Install, PathWalk, Service, Survey, Unseen},
    platform::fs::Kind,
    service::Verb,
};

pub(super) const DEFINITION: Check = Check {
    name: "permissions/definition-trusted",
    holds: "Jobs cannot modify files that the service manager reads as root",
    why: "A job that can modify the unit, a drop-in or an environment file can run any program as \
          root.",
    found: "The doctor reads mode and owner of each file and of every folder above it, for the \
            account that runs jobs.",
    cure: "Write the intended settings to a file of root in /etc/systemd/system, and remove this \
           file.",
    after: &["service/user-exists"],
    judge: Judge::Agent(definition),
};

fn definition(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    // It may be root because a definition says so that is not root's.
    let account = task_account(survey, install)?;
    let profile = service.manager.profile();
    if !profile.acts_as_root(service) {
        return Err(Unseen::not_applicable(
            "launchd runs the agent as its user, so root does not read the definition",
        ));
    }
    let files = install.paths.iter().filter(|path| path.role.is_environment());
    let files = files.filter_map(|file| file.walk.ok());
    let walks = service
        .definitions
        .iter()
        .map(|definition| &definition.walk)
        .chain(service.strange_parts.ok().into_iter().flatten());
    let problems: Vec<Problem> = walks
        .chain(files)
        .filter_map(|walk| {
            // Everybody may write to what a mask leads to, and nobody reads it.
            let is_mask = walk.leads_to_null() && walk.replaceable_by.is_root();
            let is_jobs = !account.is_root() && !is_mask && walk.is_led_by(account);
            // A unit that is masked is a link to a device.
            let is_part = walk.end.is_none_or(|end| matches!(end.kind, Kind::File | Kind::Folder));
            let is_strange = profile.has_drop_ins() && is_part && !walk.is_roots();
            if !is_jobs && !is_strange {
                return None;
            }
            let path = walk.path.display();
            let real = if walk.real == walk.path || walk.end.is_none() {
                String::new()
            } else {
                format!(", which is {}", walk.real.display())
            };
            let what = match walk.end.map(|end| end.kind) {
                None => "make",
                Some(Kind::Folder) => "add to",
                Some(_) => "change",
            };
            let problem = if is_jobs {
                Problem::warn(format!("jobs can {what} {path}{real}, which the service manager reads as root"))
                    .seen(format!("{} can write to it, or to a folder above it", account.name))
            } else {
                Problem::fail(format!(
                    "accounts other than root can {what} {path}{real}, which the service manager reads as root"
                ))
                .seen("an account other than root can write to it, or to a folder above it")
            };
            Some(problem.cure(written_anew(service, install, walk)))
        })
        .collect();
    if problems.is_empty() && profile.has_drop_ins() {
        service.strange_parts.known()?;
    }
    if problems.is_empty() && account.is_root() {
        return Err(Unseen::not_applicable("jobs run as root already"));
    }
    Ok(Verdict::of(problems, "only root can modify these files"))
}

/// What jobs could have written is not copied to where root acts on it.
fn written_anew(service: &Service, install: &Install, part: &PathWalk) -> Remedy {
    // Over a link nothing is installed.
    let is_unit =
        part.real == part.path && service.file().is_some_and(|file| file.path == part.path);
    let text = match is_unit {
        true => {
            "Check its content, write the intended settings where only root can write, and remove \
             this file; `runnerup install` does so for the unit of an agent."
        }
        false => {
            "Write the intended settings to a file of root in /etc/systemd/system, and remove this \
             file: until then the doctor does not start the service."
        }
    };
    let remedy = Remedy::by_hand(text);
    let remedy = remedy.typed(Verb::ShowDefinition, install, service);
    match is_unit || !service.manager.profile().has_drop_ins() {
        true => remedy.command(Command::install()),
        false => remedy,
    }
}

pub(super) const ENVIRONMENT: Check = Check {
    name: "permissions/environment-private",
    holds: "Other users cannot read a file with secrets of the service",
    why: "An environment file often contains the proxy password or the token.",
    found: "The doctor reads the mode of each environment file that sets a variable with a secret.",
    cure: "Set the mode to 0600. systemd reads the file as root.",
    after: &[],
    judge: Judge::Agent(environment),
};

fn environment(survey: &Survey, install: &Install) -> Judged {
    let mut problems = Vec::new();
    let change = Change::new(survey, install);
    for named in install.paths.iter().filter(|path| path.role.is_environment()) {
        let Some(site) = Site::of(named, Purpose::Agent) else { continue };
        let walk = site.walk;
        let name = format!("{}:", walk.path.display());
        let held = install.environment.iter().find(|environment| {
            environment.source.starts_with(&name) && environment.holds_secret()
        });
        let Some(meta) = walk.end.filter(|meta| meta.has_any(0o004)) else { continue };
        if let Some(held) = held {
            problems.push(
                Problem::fail(format!(
                    "every user can read {}, which contains a secret",
                    walk.path.display()
                ))
                .seen(format!(
                    "{} is set at {}; the file has mode {}",
                    held.name,
                    held.source,
                    octal(&meta)
                ))
                .cure(change.permissions(
                    Remedy::by_hand("Allow only root to read the file."),
                    site,
                    None,
                    Mode::Secret,
                )),
            );
        }
    }
    if problems.is_empty() {
        service(install)?;
        for named in install.paths.iter().filter(|path| path.role.is_environment()) {
            named.walk.known()?;
        }
    }
    Ok(Verdict::of(problems, "no other user can read an environment file with a secret"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Named, PathRole, Seen, Variable},
    };

    #[test]
    fn a_unit_that_jobs_can_change_is_told() {
        let mut survey = healthy();
        service_of(&mut survey).definitions[0].walk.passed.last_mut().unwrap().meta =
            folder(UID, 0o755);
        assert_eq!(status(&survey, "permissions/definition-trusted"), Status::Warn);
    }

    #[test]
    fn a_folder_that_jobs_can_add_to_is_told_without_a_command_that_cannot_help() {
        for (uid, expected) in [(UID, Status::Warn), (UID + 1, Status::Fail)] {
            let mut survey = healthy();
            let part = walk("/etc/systemd/system/service.wants", folder(uid, 0o755));
            service_of(&mut survey).strange_parts = Seen::Known(vec![part]);
            assert_eq!(status(&survey, "permissions/definition-trusted"), expected);
            let found = finding(&survey, "permissions/definition-trusted");
            let found = serde_json::to_string(&found).unwrap();
            assert!(!found.contains("runnerup install"), "{found}");
        }
    }

    #[test]
    fn what_was_not_looked_for_is_not_said_to_be_well() {
        let mut survey = healthy();
        service_of(&mut survey).strange_parts = Seen::not("a folder cannot be listed");
        assert_eq!(status(&survey, "permissions/definition-trusted"), Status::Skip);
    }

    #[test]
    fn a_drop_in_of_an_account_is_told_when_it_makes_jobs_root() {
        let mut survey = healthy();
        agent(&mut survey).task_user = Some("root".into());
        assert_eq!(status(&survey, "permissions/definition-trusted"), Status::NotApplicable);
        service_of(&mut survey).definitions[0].walk.end = Some(file(UID, 0o644));
        assert_eq!(status(&survey, "permissions/definition-trusted"), Status::Fail);
    }

    #[test]
    fn environment_files_that_are_not_known_are_not_private() {
        let mut survey = healthy();
        assert_eq!(status(&survey, "permissions/environment-private"), Status::Pass);
        let unknown = Named {
            walk: Seen::default(),
            ..named(PathRole::EnvironmentFile, walk("/etc/default/ci", file(0, 0o600)))
        };
        agent(&mut survey).paths.push(unknown);
        assert_eq!(status(&survey, "permissions/environment-private"), Status::Skip);
        agent(&mut survey).service = None;
        assert_eq!(status(&survey, "permissions/environment-private"), Status::Skip);
    }

    #[test]
    fn a_password_that_others_read_fails() {
        let mut survey = healthy();
        let env = walk("/etc/default/ci", file(0, 0o644));
        agent(&mut survey).paths.push(named(PathRole::EnvironmentFile, env));
        agent(&mut survey).environment.push(Variable {
            name: "HTTPS_PROXY".into(),
            value: Some("http://me:***@proxy:1".into()),
            source: "/etc/default/ci:1".into(),
            secret: None,
            written_by: Default::default(),
        });
        assert_eq!(status(&survey, "permissions/environment-private"), Status::Fail);
        for (secret, expected) in [(Some(false), Status::Pass), (Some(true), Status::Fail)] {
            agent(&mut survey).environment.last_mut().unwrap().secret = secret;
            assert_eq!(status(&survey, "permissions/environment-private"), expected);
        }
    }
}
