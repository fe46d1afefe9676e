//! Files and folders that accounts other than root and the agent's can change.

use crate::{
    doctor::{
        Command, Problem, Remedy,
        change::taken_back,
        lookup::{octal, owner, owner_of},
    },
    host::{Install, PathWalk, Strange, Stranger, Survey},
    platform::fs::Kind,
};

/// The problem where another account can replace the file of `walk`; `what` names the file in words.
pub(super) fn problem(
    survey: &Survey,
    install: &Install,
    (what, walk): (&str, &PathWalk),
    found: &Strange,
) -> Problem {
    let Strange { path, meta, by } = found;
    let who = match *by {
        Stranger::Everybody => "every user".to_owned(),
        Stranger::Account(uid) => owner(survey, uid),
        Stranger::Group(gid) => format!("every member of group {gid}"),
    };
    let shown = path.display();
    let text = match *path == walk.real {
        true => format!("{who} can modify {what} {shown}"),
        false => format!("{who} can replace {what}: it can write to {shown}, a folder above it"),
    };
    let seen = format!(
        "{shown} has mode {}, owner {}, group {}",
        octal(meta),
        owner_of(survey, meta),
        meta.gid().unwrap_or_default()
    );
    let problem = match by {
        Stranger::Group(_) => Problem::warn(text),
        _ => Problem::fail(text),
    };
    problem.seen(seen).cure(cure(install, found))
}

/// Closes the first path that others can change, then writes anew what may have been replaced.
pub(super) fn cure(install: &Install, found: &Strange) -> Remedy {
    let anew = Command::install();
    if found.meta.kind != Kind::Folder {
        let text = "Install again: this writes a new file that only root can modify.";
        return Remedy::by_hand(text).command(anew);
    }
    let remedy = Remedy::by_hand(
        "Remove write access for others from the folder, and install again: this writes new \
         files in place of those that others may have replaced.",
    );
    remedy.in_turn([taken_back(&found.path, found.by, install.named_by), anew])
}
