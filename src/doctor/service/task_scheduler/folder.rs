//! The folder that a task starts its program in.

use super::{
    cure::changed_by,
    definition::{of, place},
};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Verdict, lookup::described},
    host::{Install, PathRole, Survey, Unseen},
    platform::fs::{Kind, WalkEnd},
    text::inner,
};

pub(in crate::doctor::service) const START_IN: Check = Check {
    name: "service/task-folder",
    holds: "The folder that the task starts in exists",
    why: "The scheduler starts nothing in a folder that does not exist: error 0x8007010B (267 in the \
          history of the task). It takes quotes around the path for a part of the name.",
    found: "The doctor reads WorkingDirectory of the action (\"Start in\"), and looks for the folder.",
    cure: "Write an existing folder without quotes, or none.",
    after: &["service/loaded"],
    judge: Judge::Agent(start_in),
};

fn start_in(survey: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let Some(line) = service.directive("Actions/Exec", "WorkingDirectory") else {
        return Ok(Verdict::Holds("the task names no folder to start in".to_owned()));
    };
    let seen = place(Some(line), "");
    let bare = line.value.trim_matches('"');
    let set = "$task.Actions[0].WorkingDirectory =";
    if line.value.contains('"') {
        let path = inner(bare);
        let remedy = changed_by(install, service, "Write the folder without quotes.", |command| {
            command.then(set).path(&path, install.named_by)
        });
        let summary = "the task starts nothing: the folder that it is to start in is in quotes";
        return Ok(Problem::fail(summary).seen(seen).cure(remedy).into());
    }
    let walk = match install.path(PathRole::ServiceFolder) {
        Some(walk) => walk.known()?,
        None => return Err(Unseen::not_examined("the folder of the task was not looked at")),
    };
    if walk.is(Kind::Folder) {
        return Ok(Verdict::Holds(format!("the task starts in {bare}")));
    }
    if !matches!(walk.stopped, None | Some(WalkEnd::Missing(_) | WalkEnd::NoFolder(..))) {
        return Err(Unseen::not_examined(walk.why()));
    }
    let text = "Create the folder, or have the task start in that of the agent.";
    let binary = install.binary.as_ref().and_then(|binary| binary.walk.ok());
    let folder = binary.and_then(|walk| {
        let path = walk.path.display().to_string();
        path.rsplit_once(['\\', '/']).map(|(folder, _)| inner(folder))
    });
    let remedy = changed_by(install, service, text, |command| match &folder {
        Some(folder) => command.then(set).path(folder, install.named_by),
        None => command.refused(),
    });
    let summary = format!("the task starts nothing: {bare} is no folder that exists");
    let seen = format!("{seen}; {}", described(walk, survey));
    Ok(Problem::fail(summary).seen(seen).cure(remedy).into())
}
