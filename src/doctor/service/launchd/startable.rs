//! What launchd needs to start a job, besides its program.

use super::job;
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, PathRole, Service, Survey},
    platform::fs::Kind,
};

pub(in crate::doctor::service) const STARTABLE: Check = Check {
    name: "service/plist-startable",
    holds: "The folders and the group that the plist names exist",
    why: "launchd does not start an agent whose working directory, root directory or group does not \
          exist. It reports only \"78: EX_CONFIG\".",
    found: "The doctor looks for WorkingDirectory, RootDirectory and GroupName of the plist.",
    cure: "Create the folder or the group, or remove the key.",
    after: &["service/defined", "service/plist-literal"],
    judge: Judge::Agent(startable),
};

fn startable(survey: &Survey, install: &Install) -> Judged {
    let service = job(install)?;
    let mut problems = Vec::new();
    for (key, role) in
        [("WorkingDirectory", PathRole::ServiceFolder), ("RootDirectory", PathRole::ServiceRoot)]
    {
        let Some(walk) = install.path(role).and_then(|seen| seen.ok()) else { continue };
        let what = match walk.end.map(|end| end.kind) {
            Some(Kind::Folder) => continue,
            Some(_) => "is not a folder",
            None => "does not exist",
        };
        problems.push(
            Problem::fail(format!("launchd cannot start the agent: {key} {what}"))
                .seen(walk.why())
                .cure(Remedy::by_hand(["Create the folder, or remove the key ", key, "."])),
        );
    }
    let group = service.value("", "GroupName");
    let missing = survey.host.mac.as_ref().map_or(&[][..], |mac| &mac.missing_groups);
    if let Some(group) = group.filter(|group| missing.iter().any(|other| other == group)) {
        problems.push(
            Problem::fail("launchd cannot start the agent: its group does not exist")
                .seen(format!("GroupName is {group} in the plist"))
                .cure(Remedy::by_hand("Create the group, or remove the key GroupName.")),
        );
    }
    Ok(Verdict::of(problems, "all that the plist names exists"))
}

/// The problem of a definition that launchd never reads, because of its name.
pub(super) fn unread_name(service: &Service) -> Option<Problem> {
    let file = service.file().map(|file| file.path.as_path())?;
    if file.extension().is_some_and(|end| end == "plist") {
        return None;
    }
    let remedy = Remedy::by_hand(
        "Rename the file so that its name ends in .plist, with nothing behind it, and load it; or have \
         `runnerup install` write another one.",
    );
    Some(
        Problem::fail(
            "launchd reads files whose names end in .plist only, and nothing runs the agent",
        )
        .seen(file.display().to_string())
        .cure(remedy.command(Command::install())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::Mac,
        platform::Os,
        values::Manager,
    };

    fn mac(file_name: &str) -> Survey {
        let mut survey = healthy();
        survey.host.os = Os::Darwin;
        survey.host.mac = Some(Mac::default());
        let service = service_of(&mut survey);
        service.manager = Manager::Launchd;
        service.name = "com.circleci.runner".into();
        service.directives.clear();
        let path = format!("/Library/LaunchDaemons/{file_name}");
        service.definitions[0].walk = walk(&path, file(0, 0o644));
        survey
    }

    #[test]
    fn what_is_not_there_keeps_the_agent_from_its_start() {
        for (role, is_there, expected) in [
            (PathRole::ServiceFolder, true, Status::Pass),
            (PathRole::ServiceFolder, false, Status::Fail),
            (PathRole::ServiceRoot, false, Status::Fail),
        ] {
            let mut survey = mac("com.circleci.runner.plist");
            let mut way = walk("/opt/circleci", folder(0, 0o755));
            way.end = way.end.filter(|_| is_there);
            agent(&mut survey).paths.retain(|other| other.role != role);
            agent(&mut survey).paths.push(named(role, way));
            assert_eq!(status(&survey, "service/plist-startable"), expected, "{role} {is_there}");
        }
        let mut survey = mac("com.circleci.runner.plist");
        directive(&mut survey, "", "GroupName", "builders");
        assert_eq!(status(&survey, "service/plist-startable"), Status::Pass);
        survey.host.mac.as_mut().unwrap().missing_groups.push("builders".into());
        assert_eq!(status(&survey, "service/plist-startable"), Status::Fail);
    }

    #[test]
    fn a_file_by_another_name_is_never_read() {
        for name in ["com.circleci.runner.plist.txt", "com.circleci.runner"] {
            let survey = mac(name);
            let found = finding(&survey, "service/domain-right");
            assert_eq!(found.status, Status::Fail, "{name}");
            assert!(found.summary.contains(".plist only"), "{}", found.summary);
        }
    }
}
