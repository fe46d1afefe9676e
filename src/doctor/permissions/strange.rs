//! What other accounts than root and the agent's can change.

use crate::{
    doctor::{
        Command, Problem, Remedy,
        change::taken_back,
        lookup::{octal, owner, owner_of},
    },
    host::{Install, Strange, Stranger, Survey, Trail},
    platform::fs::Kind,
};

/// What is wrong where a stranger can put another file in the place of `trail`'s; `what` it is, for
/// a person.
pub(super) fn problem(
    survey: &Survey,
    install: &Install,
    (what, trail): (&str, &Trail),
    found: &Strange,
) -> Problem {
    let Strange { path, meta, by } = found;
    let who = match *by {
        Stranger::Everybody => "every user".to_owned(),
        Stranger::Account(uid) => owner(survey, uid),
        Stranger::Group(gid) => format!("who is in the group of number {gid}"),
    };
    let shown = path.display();
    let text = match *path == trail.real {
        true => format!("{who} can change {what} {shown}"),
        false => format!("{who} can replace {what}: the folder {shown} is on the way to it"),
    };
    let seen = format!(
        "{shown} has mode {}, owner {}, group number {}",
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

/// To close the first thing on the way, and then to write anew what may have been replaced.
pub(super) fn cure(install: &Install, found: &Strange) -> Remedy {
    let anew = Command::root("runnerup install");
    if found.meta.kind != Kind::Folder {
        let text = "Install again: what strangers may have changed is written anew, for nobody else \
                    to change.";
        return Remedy::by_hand(text).command(anew);
    }
    let remedy = Remedy::by_hand(
        "Close the folder for others, and install again: what strangers may have replaced is written \
         anew.",
    );
    remedy.in_turn([taken_back(&found.path, found.by, install.named_by), anew])
}
