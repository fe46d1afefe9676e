//! The owner of a plist.

use crate::{
    doctor::{
        Command, Problem, Remedy,
        lookup::{account, described},
    },
    host::{Definition, Install, Survey},
    platform::fs::Kind,
};

/// The problem of a plist that launchd does not load because of its owner: root must own it in /Library,
/// and root or the user in a home.
pub(super) fn strangers(
    survey: &Survey,
    install: &Install,
    definition: &Definition,
) -> Option<Problem> {
    let meta = definition.walk.end.filter(|meta| meta.kind == Kind::File)?;
    let path = definition.walk.path.display();
    let is_of_all = definition.walk.path.starts_with("/Library");
    let user = account(survey, install).ok().filter(|_| !is_of_all);
    let is_strangers = !meta.is_of(0) && (is_of_all || user.is_some_and(|user| !user.owns(&meta)));
    let whose = if user.is_some() { "the user whose home it is in" } else { "root" };
    is_strangers.then(|| {
        // Its owner wrote it, or could have.
        let remedy =
            Remedy::by_hand(["Check the content of the file, and write it again as ", whose, "."])
                .command(Command::install());
        Problem::fail(format!("launchd does not load {path}, because {whose} does not own it"))
            .seen(described(&definition.walk, survey))
            .cure(remedy)
    })
}
