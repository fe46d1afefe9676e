//! What a remedy may change: the only place where a path gets an owner, a mode or a folder.
//!
//! Whoever can write a configuration chose the paths in it. Root changes the owner of such a path only
//! inside the install's own data folder, or if the account owns it already. The binary and the
//! configuration are changed only in that role, and only where root chose their paths. In all other
//! cases the remedy asks for another path, or for `--allow-path` at this run.

use super::{Command, Remedy, own_folders::OwnFolders};
use crate::{
    host::{Access, AccountFacts, Install, Named, PathWalk, Provenance, Stranger, Survey},
    platform::{
        fs::{Kind, Meta},
        paths::is_system,
    },
    record::{Folder, Owner, SetPermissions, Step},
};
pub use allowed::allowed_path;
pub(super) use mode::Mode;
use refusal::Refusal;
pub(super) use restart::{left_running, one_shot};
pub(super) use start::made_for_start;
use std::path::{Component, Path};

mod allowed;
mod mode;
mod refusal;
mod restart;
mod start;
pub(super) mod system;
mod way;

/// Folders of environment files besides the install's own folders.
const ENVIRONMENT_FOLDERS: [&str; 2] = ["/etc/default", "/etc/sysconfig"];

/// Folders of service definitions that only root can write.
const DEFINITION_FOLDERS: [&str; 6] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/Library/LaunchDaemons",
    "/Library/LaunchAgents",
];

/// The temporary folder of the host, which has its own mode.
const TEMPORARY: &str = "/tmp";

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

    fn may_set(
        &self,
        site: Site<'_>,
        owner: Option<&AccountFacts>,
        mode: Mode,
    ) -> Result<(), Refusal> {
        let walk = site.walk;
        if goes_up(&walk.path) {
            return Err(Refusal::Up);
        }
        let Some(end) = walk.end.filter(|end| matches!(end.kind, Kind::File | Kind::Folder)) else {
            return Err(Refusal::NoFile);
        };
        // The target of a link may belong to others.
        if walk.passed.iter().any(|passed| passed.path == walk.path) {
            return Err(Refusal::NoFile);
        }
        if owner.is_some_and(|owner| !self.may_own(owner)) {
            return Err(Refusal::Account);
        }
        let accounts = [self.survey.account_of(self.install), owner];
        let is_theirs = accounts.into_iter().flatten().any(|account| account.owns(&end));
        if self.is_with_agent(site) {
            return Err(Refusal::Agent);
        }
        if self.folders.holds(walk, self.open_to(site)) {
            if self.is_mounted(site) {
                return Err(Refusal::Mounted);
            }
            // A folder has one name only; a file of root in a folder of the account may be any file.
            let is_roots_folder = end.is_of(0) && end.kind == Kind::Folder;
            let is_safe = walk.replaceable_by.is_root() || is_theirs || is_roots_folder;
            return match is_safe {
                false => Err(Refusal::Foreign),
                true if self.is_roots_alone(site, owner, mode) && !self.is_empty(walk) => {
                    Err(self.filled(site))
                }
                true => Ok(()),
            };
        }
        if let Some(account) = accounts.into_iter().flatten().find(|account| account.owns(&end))
            && !account.is_root()
            && owner.is_none_or(|owner| owner.owns(&end))
            && self.speaks_for_itself(account, site)
            && walk.denies(account, Access::Execute).is_none_or(|denied| denied.path == walk.path)
        {
            return Ok(());
        }
        if site.named_by.is_root() {
            return self.may_set_for_root(walk, owner, mode, end.is_of(0) || is_theirs);
        }
        // Whether it is empty is not known: its content is not shown for a path that an account chose.
        let may_be_allowed = owner.is_some()
            && end.kind == Kind::Folder
            && walk.replaceable_by.is_root()
            && (end.is_of(0) || is_theirs);
        match self.is_allowed(site) {
            _ if is_systems(walk) => Err(Refusal::System),
            false if may_be_allowed => Err(Refusal::NotAllowed),
            false => Err(Refusal::NotOwn),
            true if !may_be_allowed => Err(Refusal::Foreign),
            true if self.is_empty(walk) => Ok(()),
            true => Err(Refusal::NotEmpty),
        }
    }

    /// What of an install's own a path may lie in: parts of the agent are root's to name, or the
    /// documentation's.
    fn open_to(&self, site: Site<'_>) -> Purpose {
        let is_documented =
            site.named_by == Provenance::Anybody && self.folders.is_known(&site.walk.path);
        let is_named = site.named_by.is_root() || is_documented;
        if is_named { site.purpose } else { Purpose::Data }
    }

    /// Whether an account was named by root or by itself, and the path too: one account may have
    /// named another, as a drop-in of its account does, for what that one keeps from it.
    fn speaks_for_itself(&self, account: &AccountFacts, site: Site<'_>) -> bool {
        let is_its_own =
            |by: Provenance| by.is_root() || account.uid().map(Provenance::Account) == Some(by);
        is_its_own(site.named_by) && is_its_own(self.install.named_by)
            || self.folders.is_known(&site.walk.path)
    }

    /// Of a path that root alone could have named.
    fn may_set_for_root(
        &self,
        walk: &PathWalk,
        owner: Option<&AccountFacts>,
        mode: Mode,
        is_ours: bool,
    ) -> Result<(), Refusal> {
        let is_temporary = walk.path == Path::new(TEMPORARY) && mode == Mode::Temporary;
        let is_environment = walk.is(Kind::File)
            && walk.replaceable_by.is_root()
            && walk.end.is_some_and(|end| end.has_all(mode.bits()))
            && ENVIRONMENT_FOLDERS.iter().any(|folder| walk.path.starts_with(folder));
        match owner {
            None if is_temporary || is_environment => Ok(()),
            _ if is_systems(walk) => Err(Refusal::System),
            _ if !is_ours => Err(Refusal::Foreign),
            _ => Ok(()),
        }
    }

    fn may_make(&self, site: Site<'_>, owner: &AccountFacts) -> Result<(), Refusal> {
        if goes_up(&site.walk.path) {
            return Err(Refusal::Up);
        }
        if !self.may_own(owner) {
            return Err(Refusal::Account);
        }
        if self.is_with_agent(site) {
            return Err(Refusal::Agent);
        }
        let is_named = site.named_by.is_root() || self.is_allowed(site);
        if self.folders.holds(site.walk, self.open_to(site)) {
            let above = site.walk.nearest();
            let is_roots = above.is_none_or(|above| {
                !above.meta.is_of_another(0) && !self.folders.is_known(&above.path)
            });
            return match self.is_mounted(site) {
                true => Err(Refusal::Mounted),
                false if is_roots && !is_named => Err(Refusal::Filled),
                false => Ok(()),
            };
        }
        match is_named {
            _ if is_systems(site.walk) => Err(Refusal::System),
            true => Ok(()),
            false if can_be_made(site.walk) => Err(Refusal::NotAllowed),
            false => Err(Refusal::NotOwn),
        }
    }

    /// Whether a path for data is the binary's or the configuration's too: whoever has such a path
    /// decides what the agent is, and what everyone runs who uses this binary.
    fn is_with_agent(&self, site: Site<'_>) -> bool {
        let walk = site.walk;
        let is_theirs = walk.end.is_some_and(|end| {
            let account = self.survey.account_of(self.install);
            account.is_some_and(|account| account.owns(&end) && !account.is_root())
        });
        let named = [
            self.install.binary.as_ref().and_then(|binary| binary.walk.ok()),
            self.install.config_file().ok().map(|config| &config.walk),
        ];
        let is_with = |path: &Path| {
            let mut parts = named.iter().flatten().flat_map(|part| [&part.path, &part.real]);
            parts.any(|part| part.starts_with(path))
                || self.folders.has_part_in(path)
                || !is_theirs && self.folders.is_with_part(path)
        };
        site.purpose == Purpose::Data
            && (is_with(&walk.path) || walk.end.is_some() && is_with(&walk.real))
    }

    /// Whether who is to own it was named by root, or is the account that the service runs as.
    fn may_own(&self, owner: &AccountFacts) -> bool {
        let by_service = self.install.user.as_deref() == Some(owner.name.as_str());
        let by_prefix = self.install.settings().by("runner.command_prefix").is_root();
        !owner.is_root() && self.install.named_by.is_root() && (by_service || by_prefix)
    }

    /// Whether a file system is mounted inside the install's own folders, on the way or at the
    /// path, that nothing of root's names.
    fn is_mounted(&self, site: Site<'_>) -> bool {
        let path = &site.walk.path;
        !site.named_by.is_root()
            && !self.folders.is_known(path)
            && self
                .survey
                .host
                .mounts
                .iter()
                .map(|mount| &mount.point)
                .filter(|point| path.starts_with(point))
                // The walk itself tells without names, which the account can change meanwhile.
                .chain(&site.walk.mounts)
                .any(|point| {
                    self.folders.contains(point, Purpose::Agent) && !self.folders.is_known(point)
                })
    }

    /// Whether saved facts tell that only root can change the way to a path that the documentation
    /// names.
    fn is_closed_by_record(&self, walk: &PathWalk) -> bool {
        let is_closed = |meta: &Meta| meta.is_of(0) && meta.has_none(0o022);
        self.folders.is_known(&walk.path)
            && walk.real == walk.path
            && !walk.passed.is_empty()
            && walk.passed.iter().all(|passed| is_closed(&passed.meta))
    }

    /// Whether what stands at a path is root's, and nothing but what an account could have written
    /// names it: neither root nor the documentation does, for what it is to become.
    fn is_roots_alone(&self, site: Site<'_>, owner: Option<&AccountFacts>, mode: Mode) -> bool {
        let path = &site.walk.path;
        let is_documented = match owner {
            None if mode != Mode::Temporary => self.folders.is_known(path),
            _ => self.folders.is_for_jobs(path),
        };
        site.walk.end.is_some_and(|end| !end.is_of_another(0))
            && !site.named_by.is_root()
            && !is_documented
    }

    /// Whether the person who runs this allowed the path.
    fn is_allowed(&self, site: Site<'_>) -> bool {
        self.survey.allowed.contains(&site.walk.path)
    }

    /// Why a folder of root does not change its owner.
    fn filled(&self, site: Site<'_>) -> Refusal {
        if self.is_allowed(site) { Refusal::NotEmpty } else { Refusal::Filled }
    }

    /// Whether it is known that nothing is in what stands at a path.
    fn is_empty(&self, walk: &PathWalk) -> bool {
        if let Some(end) = walk.end.filter(|end| end.kind == Kind::File) {
            return end.size == 0;
        }
        self.install.workdir.ok().is_some_and(|workdir| {
            workdir.folder == walk.path && workdir.entries == 0 && !workdir.cut_short
        })
    }
}

/// Whether a path contains `..`.
fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// Whether a folder can be created without a chance for others to put a link there before.
fn can_be_made(walk: &PathWalk) -> bool {
    let nearest = walk.nearest().map(|passed| passed.path.as_path());
    nearest.is_some() && walk.path.parent() == nearest && walk.replaceable_by.is_root()
}

/// Whether a path, or its target, belongs to the system.
fn is_systems(walk: &PathWalk) -> bool {
    is_system(&walk.path) || walk.end.is_some() && is_system(&walk.real)
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
