//! What a work folder that is cleaned may be and hold.

use crate::{
    agent::cleaned_folder::{Fate, Part, PartKind, unfit},
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{edit_config, others},
    },
    host::{Install, PathRole, PathWalk, Survey, Unseen},
    platform::{Os, fs::Kind, paths::state_folder},
    text::inner,
};

pub(super) const APART: Check = Check {
    name: "permissions/workdir-apart",
    holds: "A work folder that is emptied after each job holds only files of jobs",
    why: "With cleanup_working_directory the agent removes all that is in its work folder after each \
          job: a home, the agent's own binary or configuration, and what others keep in a folder of \
          the system.",
    found: "The doctor compares the work folder, and the folder that it leads to, with the paths of \
            the agent, its service, its log, the homes of its accounts, other agents and the folders \
            of the system. Of a path with `%s` it judges the part in front, in which the agent makes \
            a folder for each job.",
    cure: "Set runner.working_directory to a folder of its own, such as /var/opt/circleci/workdir.",
    after: &["config/parses"],
    judge: Judge::Agent(apart),
};

/// Whether the folder is known to hold more than files of jobs.
pub(super) fn is_mixed(survey: &Survey, install: &Install) -> bool {
    matches!(apart(survey, install), Ok(Verdict::Broken(_)))
}

fn apart(survey: &Survey, install: &Install) -> Judged {
    let named = install
        .named(PathRole::WorkFolder)
        .ok_or_else(|| Unseen::not_applicable("no work folder is configured"))?;
    let walk = named.walk.known()?;
    let (cleaned, key) = (is_cleaned(install), "runner.cleanup_working_directory");
    let Some(true) = cleaned else {
        return match cleaned {
            Some(_) => Err(Unseen::not_applicable("the work folder is not cleaned")),
            None => Err(Unseen::not_examined(format!("the value of {key} is not known"))),
        };
    };
    let is_made_inside = text_of(install, "runner.working_directory")
        .is_some_and(|text| inner(&text) != walk.path && text.contains("%s"));
    let fate = if is_made_inside { Fate::Filled } else { Fate::Emptied };
    let os = survey.host.os;
    let parts = parts(survey, install);
    // Where it leads, what it holds is named by its real path too.
    let found = unfit(os, &walk.path, fate, &parts)
        .or_else(|| walk.end.and_then(|_| unfit(os, &walk.real, fate, &parts)));
    let path = walk.path.display();
    let Some(found) = found else {
        return Ok(Verdict::Holds(format!("{path} holds only files of jobs")));
    };
    let summary = match fate {
        Fate::Emptied => format!("{path} is emptied after each job, and {found}"),
        Fate::Filled => format!("{path}, in which a folder is made for each job, {found}"),
    };
    let mut seen = format!(
        "runner.working_directory is {}",
        text_of(install, "runner.working_directory").unwrap_or_else(|| path.to_string())
    );
    if walk.end.is_some() && walk.real != walk.path {
        seen += &format!(", which leads to {}", walk.real.display());
    }
    let remedy = Remedy::by_hand([
        "Set runner.working_directory to a folder that nothing else uses, such as a new one below ",
        if os == Os::Windows { r"C:\Program Files\CircleCI" } else { "/var/opt/circleci" },
        ". Until then set runner.cleanup_working_directory to false.",
    ]);
    let remedy = remedy.command(edit_config(survey, install));
    Ok(Problem::fail(summary).seen(seen).cure(remedy).into())
}

/// What must not be in the work folder, by the paths that are written and by those that they lead to.
fn parts(survey: &Survey, install: &Install) -> Vec<Part> {
    let mut parts = vec![Part { kind: PartKind::State, path: state_folder() }];
    let mut add = |kind: PartKind, walk: &PathWalk| {
        for path in [&walk.path, &walk.real] {
            // `/` is what is named where nothing is: the home of an account without one.
            let part = Part { kind, path: path.clone() };
            if path.parent().is_some() && !parts.contains(&part) {
                parts.push(part);
            }
        }
    };
    let of = |install: &Install, add: &mut dyn FnMut(PartKind, &PathWalk), own: bool| {
        let kind = |kind| if own { kind } else { PartKind::OtherAgent };
        if let Some(walk) = install.binary.as_ref().and_then(|binary| binary.walk.ok()) {
            add(kind(PartKind::Binary), walk);
        }
        if let Ok(config) = install.config_file() {
            add(kind(PartKind::Configuration), &config.walk);
        }
    };
    of(install, &mut add, true);
    others(survey, install).for_each(|other| of(other, &mut add, false));
    for definition in install.service.iter().flat_map(|service| &service.definitions) {
        add(PartKind::Definition, &definition.walk);
    }
    for named in &install.paths {
        let kind = match named.role {
            PathRole::LogFile => PartKind::Log,
            PathRole::Certificates => PartKind::Certificates,
            PathRole::CommandPrefix => PartKind::Prefix,
            role if role.is_environment() => PartKind::Environment,
            _ => continue,
        };
        if let Some(walk) = named.walk.ok() {
            add(kind, walk);
        }
    }
    for account in &survey.host.accounts {
        // An account without a home has a path that is no folder, such as /nonexistent.
        if account.home.is(Kind::Folder) || account.name == "root" {
            add(PartKind::Home, &account.home);
        }
    }
    parts
}

/// The value of a setting.
fn text_of(install: &Install, key: &str) -> Option<String> {
    install.settings().text(key).map(str::to_owned)
}

/// Whether the work folder is cleaned; not without being asked for. `None`: not known.
fn is_cleaned(install: &Install) -> Option<bool> {
    install.settings().truth("runner.cleanup_working_directory")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Leftover, Seen, Workdir, Written},
    };

    /// The healthy host with another work folder.
    fn with(folder_path: &str, text: &str) -> Survey {
        let mut survey = healthy();
        agent(&mut survey).paths.retain(|named| named.role != PathRole::WorkFolder);
        let walk = walk(folder_path, folder(UID, 0o750));
        agent(&mut survey).paths.push(named(PathRole::WorkFolder, walk));
        set(&mut survey, "runner.working_directory", text);
        survey
    }

    fn set(survey: &mut Survey, key: &str, text: &str) {
        let text = Written::Text { text: text.into(), plain: true };
        let config = config_of(survey);
        config.settings.iter_mut().find(|setting| setting.path == key).unwrap().value = text;
    }

    #[test]
    fn a_work_folder_that_holds_more_than_jobs_fails_and_nothing_is_removed() {
        for (path, words) in [
            ("/home/circleci", "holds the home /home/circleci"),
            ("/opt/circleci", "holds the agent's binary"),
            ("/etc/opt/circleci", "holds the agent's configuration"),
            ("/etc/systemd", "holds the service's definition"),
            ("/tmp", "is a folder of the system"),
            ("/home/other", "is the home of an account"),
        ] {
            let mut survey = with(path, path);
            let foreign = vec![Leftover { path: path.into(), bytes: 1, uid: Some(0), changed: 0 }];
            agent(&mut survey).workdir = Seen::Known(Workdir { foreign, ..Workdir::default() });
            let found = finding(&survey, "permissions/workdir-apart");
            assert_eq!(found.status, Status::Fail, "{path}");
            let begin = format!("{path} is emptied after each job, and {words}");
            assert!(found.summary.starts_with(&begin), "{}", found.summary);
            let remedy = found.remedy.unwrap();
            assert!(!remedy.fixable, "{remedy:?}");
            let commands = remedy.commands().join("\n");
            assert!(["rm ", "chown", "chmod"].iter().all(|word| !commands.contains(word)));
            // The owner of what is in it is no other finding.
            assert_eq!(status(&survey, "permissions/workdir-clean"), Status::Skip);
        }
    }

    #[test]
    fn a_folder_for_each_job_in_one_of_many_fails_and_in_a_home_does_not() {
        let found = finding(&with("/tmp", "/tmp/%s"), "permissions/workdir-apart");
        assert!(found.status == Status::Fail && found.summary.contains("for each job"));
        for (path, text) in
            [("/home/circleci", "/home/circleci/%s"), (WORKDIR, WORKDIR), ("/data", "/data")]
        {
            assert_eq!(
                status(&with(path, text), "permissions/workdir-apart"),
                Status::Pass,
                "{path}"
            );
        }
    }

    #[test]
    fn where_the_folder_leads_counts_and_a_folder_that_is_not_cleaned_may_hold_anything() {
        let mut survey = with("/srv/work", "/srv/work");
        let paths = &mut agent(&mut survey).paths;
        if let Some(Seen::Known(walk)) = paths.last_mut().map(|named| &mut named.walk) {
            walk.real = "/opt/circleci".into();
        }
        let found = finding(&survey, "permissions/workdir-apart");
        assert!(found.status == Status::Fail && found.evidence.contains("leads to /opt/circleci"));
        set(&mut survey, "runner.cleanup_working_directory", "no");
        assert_eq!(status(&survey, "permissions/workdir-apart"), Status::NotApplicable);
    }
}
