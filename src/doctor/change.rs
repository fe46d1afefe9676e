//! What a remedy may change: the only place where a path gets an owner, a mode or a folder.
//!
//! Whoever can write a configuration chose the paths in it. Root changes the owner of such a path only
//! inside the install's own data folder, or if the account owns it already. The binary and the
//! configuration are changed only in that role, and only where root chose their paths. In all other
//! cases the remedy asks for another path, or for `--allow-path` at this run.

use super::{Command, Remedy, own_folders::OwnFolders};
use crate::{
    host::{AccountFacts, Install, Named, PathWalk, Provenance, Stranger, Survey},
    platform::fs::Kind,
    record::{Folder, Owner, SetPermissions, Step},
};
pub use allowed::allowed_path;
pub(super) use mode::Mode;
use refusal::Refusal;
pub(super) use restart::{left_running, one_shot};
use rules::{can_be_made, goes_up, is_systems};
pub(super) use start::made_for_start;
use std::path::Path;

mod allowed;
mod mode;
mod refusal;
mod restart;
mod rules;
mod start;
pub(super) mod system;
mod way;

/// Folders of service definitions that only root can write.
const DEFINITION_FOLDERS: [&str; 6] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/Library/LaunchDaemons",
    "/Library/LaunchAgents",
];

/// A path, who could have chosen it, and its purpose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) walk: &'a PathWalk,
    pub(super) named_by: Provenance,
    pub(super) purpose: Purpose,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A part of the agent: its binary, its configuration, an environment file of its service.
    Agent,
    /// What jobs and the agent use: the work folder, the log, the temporary folder, a wrapper.
    Data,
}

/// Gives a file or folder another name, where root alone can put another one in its place.
pub(super) fn renamed(walk: &PathWalk, name: &Path, named_by: Provenance) -> Command {
    match walk.replaceable_by.is_root() {
        true => Command::root("mv -n").path(&walk.path, named_by).path(name, named_by),
        false => Command::left_out(),
    }
}

/// Makes remedies that change paths of an install.
pub(super) struct Change<'a> {
    survey: &'a Survey,
    install: &'a Install,
    folders: OwnFolders,
}

impl<'a> Site<'a> {
    /// A named path that was examined.
    pub(super) fn of(named: &'a Named, purpose: Purpose) -> Option<Self> {
        Some(Self { walk: named.walk.ok()?, named_by: named.named_by, purpose })
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(survey: &'a Survey, install: &'a Install) -> Self {
        Self { survey, install, folders: OwnFolders::of(survey, install) }
    }

    /// Sets owner and mode of a file or folder that is there.
    pub(super) fn permissions(
        &self,
        remedy: Remedy,
        site: Site<'_>,
        owner: Option<&AccountFacts>,
        mode: Mode,
    ) -> Remedy {
        if let Err(refusal) = self.may_set(site, owner, mode) {
            return match refusal {
                // Whether a part of the agent may be in a folder of the system depends on who named it.
                Refusal::System if self.survey.is_saved && site.purpose == Purpose::Agent => {
                    remedy.without_proof()
                }
                refusal => self.refused(remedy, refusal),
            };
        }
        let walk = site.walk;
        let is_roots_alone = self.is_roots_alone(site, owner, mode);
        // On ground of others a step changes only what belongs to the account that it names.
        let keeper = || {
            let account = self.survey.account_of(self.install)?;
            let is_theirs = walk.end.is_some_and(|end| account.owns(&end));
            (is_theirs && !walk.replaceable_by.is_root()).then_some(account)
        };
        let step = Step::SetPermissions(SetPermissions {
            path: walk.path.clone(),
            folder: walk.is(Kind::Folder),
            owner: owner.or_else(keeper).map(|owner| Owner::user(&owner.name)),
            mode: mode.bits(),
            judged: walk.end,
            only_if_empty: is_roots_alone,
        });
        let is_closed = walk.replaceable_by.is_root() || self.is_closed_by_record(walk);
        let is_told = is_closed && !is_roots_alone;
        let remedy = match by_commands(site, owner, mode).filter(|_| is_told) {
            Some(commands) => commands.into_iter().flatten().fold(remedy, Remedy::command),
            // A path that others can swap or fill is changed on an open handle, not by a shell.
            None => remedy.command(Command::root("runnerup doctor --fix")),
        };
        remedy.step(step)
    }

    /// Creates a missing folder for an account.
    pub(super) fn folder(
        &self,
        remedy: Remedy,
        site: Site<'_>,
        owner: &AccountFacts,
        mode: Mode,
    ) -> Remedy {
        if let Err(refusal) = self.may_make(site, owner) {
            return self.refused(remedy, refusal);
        }
        if !can_be_made(site.walk) {
            return remedy.and("First create the folder above it as a folder of root.");
        }
        let command = Command::root("install -d -m")
            .then(mode.text())
            .then("-o")
            .user(&owner.name, self.install.account_by(owner))
            .path(&site.walk.path, site.named_by);
        remedy.command(command).step(Step::Folder(Folder {
            path: site.walk.path.clone(),
            owner: Some(Owner::user(&owner.name)),
            mode: mode.bits(),
            data: true,
            shared: false,
        }))
    }

    /// Gives an account its own home, where root alone can put another thing in its place.
    pub(super) fn home(&self, remedy: Remedy, site: Site<'_>, account: &AccountFacts) -> Remedy {
        let walk = site.walk;
        let is_roots = walk.replaceable_by.is_root()
            && walk.is(Kind::Folder)
            && walk.end.is_some_and(|end| end.is_of(0) && end.has_none(0o022))
            && walk.real == walk.path;
        if !is_roots || !site.named_by.is_root() || is_systems(walk) || account.is_root() {
            return self.refused(remedy, Refusal::Home);
        }
        let owner = Command::root("chown -h").user_within("", &account.name, ":", site.named_by);
        remedy.command(owner.path(&walk.path, site.named_by))
    }

    /// Moves what is in the way of a part of the agent aside, under another name in the same folder,
    /// where root alone chose the path and put it there. Nothing is removed.
    pub(super) fn aside(&self, remedy: Remedy, site: Site<'_>) -> Remedy {
        let path = &site.walk.path;
        let is_roots = site.named_by.is_root() && site.walk.replaceable_by.is_root();
        if self.survey.is_saved || !is_roots || goes_up(path) || is_systems(site.walk) {
            return remedy;
        }
        let mut other = path.clone().into_os_string();
        other.push(".moved");
        remedy.command(renamed(site.walk, Path::new(&other), site.named_by))
    }

    /// Sets the mode of a unit, drop-in or property list, where only root could have put it.
    pub(super) fn definition(&self, remedy: Remedy, walk: &PathWalk, mode: Mode) -> Remedy {
        let is_in = |folder: &&str| walk.path.starts_with(folder) && walk.real.starts_with(folder);
        let is_roots = walk.replaceable_by.is_root() && walk.end.is_some_and(|end| end.is_of(0));
        if self.survey.is_saved {
            return remedy.without_proof();
        }
        if !is_roots || !walk.is(Kind::File) || !DEFINITION_FOLDERS.iter().any(is_in) {
            return remedy;
        }
        let site = Site { walk, named_by: Provenance::Root, purpose: Purpose::Agent };
        with_mode(remedy, site, mode).step(Step::SetPermissions(SetPermissions {
            path: walk.path.clone(),
            folder: false,
            owner: None,
            mode: mode.bits(),
            judged: walk.end,
            only_if_empty: false,
        }))
    }
}

/// A command of root that creates or changes an account; left out unless root alone could have written
/// the name.
pub(super) fn on_account(text: &'static str, name: &str, named_by: Provenance) -> Command {
    match named_by.is_root() {
        true => Command::root(text).user(name, named_by),
        false => Command::left_out(),
    }
}

/// A command that makes root the only one who can write to a folder.
pub(super) fn taken_back(folder: &Path, by: Stranger, named_by: Provenance) -> Command {
    let command = match by {
        Stranger::Account(_) => Command::root("chown -h root:"),
        Stranger::Group(_) | Stranger::Everybody => Command::root("chmod go-w"),
    };
    command.path(folder, named_by)
}

/// With the command that sets a mode, where it can be shown.
fn with_mode(remedy: Remedy, site: Site<'_>, mode: Mode) -> Remedy {
    let commands = by_commands(site, None, mode).into_iter().flatten().flatten();
    commands.fold(remedy, Remedy::command)
}

/// The commands that set owner and mode of a path; none where one of them cannot be shown.
fn by_commands(
    site: Site<'_>,
    owner: Option<&AccountFacts>,
    mode: Mode,
) -> Option<[Option<Command>; 2]> {
    let Site { walk, named_by, .. } = site;
    let owning = owner.map(|owner| {
        let command = Command::root("chown -h").user_within("", &owner.name, ":", named_by);
        command.path(&walk.path, named_by)
    });
    let setting = Command::root("chmod").then(mode.text()).path(&walk.path, named_by);
    let commands = [owning, Some(setting)];
    commands.iter().flatten().all(|command| command.line().is_some()).then_some(commands)
}

#[cfg(test)]
mod tests;
