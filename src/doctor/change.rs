//! What a cure may change: the one place where a path gets an owner, a mode or a folder.
//!
//! A path in a configuration was named by whoever can write that file. Root gives such a path to
//! nobody, unless it lies in the install's own folders, or belongs to that very account already.
//! All else is told with the cure that is right: to name another path, or to say at this run that
//! the path is meant (`--allow-path`).

use super::{Command, Remedy, own_folders::OwnFolders};
use crate::{
    apply::{Folder, Owner, Settle, Step},
    facts::survey::{Access, AccountFacts, Install, Named, Provenance, Survey, Trail},
    platform::{
        fs::{Kind, Meta},
        layout::is_system,
    },
};
use std::path::{Component, Path, PathBuf};

/// Where services' environment files are kept beside the install's own folders.
const ENVIRONMENT_FOLDERS: [&str; 2] = ["/etc/default", "/etc/sysconfig"];

/// Where service managers read definitions that only root writes.
const DEFINITION_FOLDERS: [&str; 6] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/Library/LaunchDaemons",
    "/Library/LaunchAgents",
];

/// The temporary folder of the whole host, and the mode that it has everywhere.
const TEMPORARY: (&str, u32) = ("/tmp", 0o1777);

/// A path with who could have named it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) trail: &'a Trail,
    pub(super) named_by: Provenance,
}

/// Makes remedies that change what is an install's own.
pub(super) struct Change<'a> {
    survey: &'a Survey,
    install: &'a Install,
    own: OwnFolders,
}

/// Why a path is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// An account could have named it, and it is no part of the install.
    NotOwn,
    /// It belongs to another account, or to root on ground that an account can change.
    Foreign,
    /// A file system is mounted there that only the account's configuration names.
    Mounted,
    /// It is a path of the system.
    System,
    /// It is a link, or nothing that has an owner and a mode of its own.
    NoFile,
    /// It goes up: what it is called is not where it is.
    Up,
    /// The account that it would be given to is named by what another account can write.
    Account,
}

impl<'a> Site<'a> {
    /// A path that something names, once it was looked at.
    pub(super) fn of(named: &'a Named) -> Option<Self> {
        Some(Self { trail: named.trail.ok()?, named_by: named.named_by })
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(survey: &'a Survey, install: &'a Install) -> Self {
        Self { survey, install, own: OwnFolders::of(survey, install) }
    }

    /// Sets owner and mode of a file or folder that is there.
    pub(super) fn permissions(
        &self,
        remedy: Remedy,
        site: Site<'_>,
        owner: Option<&AccountFacts>,
        mode: u32,
    ) -> Remedy {
        if let Err(refusal) = self.may_set(site, owner, mode) {
            return self.refused(remedy, site, refusal);
        }
        let trail = site.trail;
        let step = Step::Settle(Settle {
            path: trail.path.clone(),
            folder: trail.is(Kind::Folder),
            owner: owner.map(|owner| Owner::user(&owner.name)),
            mode,
        });
        let remedy = match trail.ground.is_root() || self.is_closed_by_record(trail) {
            true => by_commands(remedy, site, owner, mode),
            // A path that can be swapped is changed on an open handle, which no shell has.
            false => remedy.command(self.fix()),
        };
        remedy.step(step)
    }

    /// Lets an account pass through a folder on the way to a path: the install's own, or one above
    /// it that root named. No other folder on a way is opened.
    pub(super) fn pass(&self, remedy: Remedy, site: Site<'_>, folder: &Path) -> Remedy {
        if goes_up(&site.trail.path) {
            return self.refused(remedy, site, Refusal::Up);
        }
        let Some(way) = site.trail.up_to(folder) else { return remedy };
        let Some(meta) = way.end else { return remedy };
        let way = Site { trail: &way, named_by: site.named_by };
        let mode = meta.mode | 0o111;
        let is_above = site.named_by.is_root()
            && way.trail.ground.is_root()
            && self.own.is_above(folder)
            && meta.uid == 0;
        if !is_above && !self.own.contains(folder) {
            return self.refused(remedy, way, Refusal::NotOwn);
        }
        match is_above {
            true => by_commands(remedy, way, None, mode).step(Step::Settle(Settle {
                path: folder.to_owned(),
                folder: true,
                owner: None,
                mode,
            })),
            false => self.permissions(remedy, way, None, mode),
        }
    }

    /// Makes a folder that is missing, for an account.
    pub(super) fn folder(
        &self,
        remedy: Remedy,
        site: Site<'_>,
        owner: &AccountFacts,
        mode: u32,
    ) -> Remedy {
        if let Err(refusal) = self.may_make(site, owner) {
            return self.refused(remedy, site, refusal);
        }
        // A link may be put where nothing stands, unless root alone can write there.
        let nearest = site.trail.nearest().map(|passed| passed.path.as_path());
        let is_next = nearest.is_some() && site.trail.path.parent() == nearest;
        if !is_next || !site.trail.ground.is_root() {
            return remedy;
        }
        let command = Command::root("install -d")
            .within("--mode=", &format!("{mode:o}"), "", Provenance::Root)
            .within("--owner=", &owner.name, "", self.install.account_by(owner))
            .path(&site.trail.path, site.named_by);
        remedy.command(command).step(Step::Folder(Folder {
            path: site.trail.path.clone(),
            owner: Some(Owner::user(&owner.name)),
            mode,
            data: true,
            shared: false,
        }))
    }

    /// Gives an account its own home, where root alone can put another thing in its place.
    pub(super) fn home(&self, remedy: Remedy, site: Site<'_>, account: &AccountFacts) -> Remedy {
        let trail = site.trail;
        let is_roots = trail.ground.is_root()
            && trail.is(Kind::Folder)
            && trail.end.is_some_and(|end| end.uid == 0)
            && trail.real == trail.path;
        if !is_roots || !site.named_by.is_root() || is_systems(trail) || account.uid == 0 {
            return self.refused(remedy, site, Refusal::System);
        }
        let owner = Command::root("chown -h").within("", &account.name, ":", site.named_by);
        remedy.command(owner.path(&trail.path, Provenance::Root))
    }

    /// Sets the mode of a unit, drop-in or property list, where only root could have put it.
    pub(super) fn definition(&self, remedy: Remedy, trail: &Trail, mode: u32) -> Remedy {
        let is_in =
            |folder: &&str| trail.path.starts_with(folder) && trail.real.starts_with(folder);
        let is_roots = trail.ground.is_root() && trail.end.is_some_and(|end| end.uid == 0);
        if !is_roots || !trail.is(Kind::File) || !DEFINITION_FOLDERS.iter().any(is_in) {
            return remedy;
        }
        by_commands(remedy, Site { trail, named_by: Provenance::Root }, None, mode).step(
            Step::Settle(Settle { path: trail.path.clone(), folder: false, owner: None, mode }),
        )
    }

    fn may_set(
        &self,
        site: Site<'_>,
        owner: Option<&AccountFacts>,
        mode: u32,
    ) -> Result<(), Refusal> {
        let trail = site.trail;
        if goes_up(&trail.path) {
            return Err(Refusal::Up);
        }
        let Some(end) = trail.end.filter(|end| matches!(end.kind, Kind::File | Kind::Folder))
        else {
            return Err(Refusal::NoFile);
        };
        // What is a link belongs to whoever made what it leads to.
        if trail.passed.iter().any(|passed| passed.path == trail.path) {
            return Err(Refusal::NoFile);
        }
        if owner.is_some_and(|owner| !self.may_own(owner)) {
            return Err(Refusal::Account);
        }
        let accounts = [self.survey.account_of(self.install), owner];
        let is_theirs = accounts.into_iter().flatten().any(|own| own.uid == end.uid);
        if self.own.holds(trail) {
            if self.is_mounted(site) {
                return Err(Refusal::Mounted);
            }
            // A folder has one name only; a file of root's on the account's ground may be any.
            let is_roots_folder = end.uid == 0 && end.kind == Kind::Folder;
            let is_safe = trail.ground.is_root() || is_theirs || is_roots_folder;
            return if is_safe { Ok(()) } else { Err(Refusal::Foreign) };
        }
        if let Some(own) = accounts.into_iter().flatten().find(|own| own.uid == end.uid)
            && own.uid != 0
            && owner.is_none_or(|owner| owner.uid == end.uid)
            && trail.denies(own, Access::Execute).is_none_or(|denied| denied.path == trail.path)
        {
            return Ok(());
        }
        if site.named_by.is_root() {
            return self.may_set_for_root(trail, owner, mode, end.uid == 0 || is_theirs);
        }
        if !self.survey.allowed.contains(&trail.path) {
            return Err(if is_systems(trail) { Refusal::System } else { Refusal::NotOwn });
        }
        match end.kind {
            _ if is_systems(trail) => Err(Refusal::System),
            Kind::Folder if self.holds_nothing_of_others(&trail.path) => Ok(()),
            Kind::File if is_theirs => Ok(()),
            _ => Err(Refusal::Foreign),
        }
    }

    /// Of a path that root alone could have named.
    fn may_set_for_root(
        &self,
        trail: &Trail,
        owner: Option<&AccountFacts>,
        mode: u32,
        is_ours: bool,
    ) -> Result<(), Refusal> {
        let (temporary, its_mode) = TEMPORARY;
        let is_temporary = trail.path == Path::new(temporary) && mode == its_mode;
        let is_environment = trail.is(Kind::File)
            && trail.ground.is_root()
            && trail.end.is_some_and(|end| end.mode & mode == mode)
            && ENVIRONMENT_FOLDERS.iter().any(|folder| trail.path.starts_with(folder));
        match owner {
            None if is_temporary || is_environment => Ok(()),
            _ if is_systems(trail) => Err(Refusal::System),
            _ if !is_ours => Err(Refusal::Foreign),
            _ => Ok(()),
        }
    }

    fn may_make(&self, site: Site<'_>, owner: &AccountFacts) -> Result<(), Refusal> {
        if goes_up(&site.trail.path) {
            return Err(Refusal::Up);
        }
        if !self.may_own(owner) {
            return Err(Refusal::Account);
        }
        if self.own.holds(site.trail) {
            return if self.is_mounted(site) { Err(Refusal::Mounted) } else { Ok(()) };
        }
        let is_named = site.named_by.is_root() || self.survey.allowed.contains(&site.trail.path);
        match is_named {
            _ if is_systems(site.trail) => Err(Refusal::System),
            true => Ok(()),
            false => Err(Refusal::NotOwn),
        }
    }

    /// Whether who is to own it was named by root, or is the account that the service runs as.
    fn may_own(&self, owner: &AccountFacts) -> bool {
        let by_service = self.install.user.as_deref() == Some(owner.name.as_str());
        let by_prefix = self.install.config().is_ok_and(|config| config.written_by.is_root());
        owner.uid != 0 && self.install.named_by.is_root() && (by_service || by_prefix)
    }

    /// Whether a file system is mounted inside the install's own folders, on the way or at the
    /// path, that nothing of root's names.
    fn is_mounted(&self, site: Site<'_>) -> bool {
        let path = &site.trail.path;
        !site.named_by.is_root()
            && !self.own.is_known(path)
            && self
                .survey
                .host
                .mounts
                .iter()
                .map(|mount| &mount.point)
                .filter(|point| path.starts_with(point))
                // The walk itself tells without names, which the account can change meanwhile.
                .chain(&site.trail.mounts)
                .any(|point| self.own.contains(point) && !self.own.is_known(point))
    }

    /// Whether saved facts tell that only root can change the way to a path that the documentation
    /// names.
    fn is_closed_by_record(&self, trail: &Trail) -> bool {
        let is_closed = |meta: &Meta| meta.uid == 0 && meta.mode & 0o022 == 0;
        self.own.is_known(&trail.path)
            && trail.real == trail.path
            && !trail.passed.is_empty()
            && trail.passed.iter().all(|passed| is_closed(&passed.meta))
    }

    fn holds_nothing_of_others(&self, folder: &Path) -> bool {
        self.install.workdir.ok().is_some_and(|workdir| {
            workdir.folder == folder && workdir.foreign.is_empty() && !workdir.cut_short
        })
    }

    /// Says why, and what is right instead.
    fn refused(&self, remedy: Remedy, site: Site<'_>, refusal: Refusal) -> Remedy {
        let path = &site.trail.path;
        let why = match refusal {
            Refusal::NotOwn => {
                "This path is not one of the install's own folders, and an account could have \
                 named it: root changes nothing there. Name another path in the configuration."
            }
            Refusal::System => {
                "This is a path of the system: it is given to no account. Name another path in \
                 the configuration."
            }
            Refusal::Foreign => {
                "It belongs to someone else, where the account could have put it: root does not \
                 give it away. Remove it, or name another path in the configuration."
            }
            Refusal::Mounted => {
                "Another file system is mounted there. Name another path in the configuration, or \
                 set owner and mode of what is mounted."
            }
            Refusal::Up => {
                "This path goes up (`..`), and leads elsewhere than its name says: root changes \
                 nothing there. Write the path in the configuration as it is."
            }
            Refusal::NoFile => return remedy,
            Refusal::Account => {
                "Another account is named there by what jobs can change: root gives it nothing."
            }
        };
        let mut remedy = remedy;
        remedy.text = format!("{} {why}", remedy.text);
        if refusal == Refusal::NotOwn && self.install.named_by.is_root() {
            let command = Command::root("runnerup doctor --fix --allow-path");
            remedy.text.push_str(" Where this path is meant, say so with --allow-path.");
            return remedy.command(command.path(path, site.named_by));
        }
        remedy
    }

    fn fix(&self) -> Command {
        Command::root("runnerup doctor --fix")
    }
}

/// Whether a path is another one than its name says, whatever its beginning looks like.
fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// Whether a path is the system's, or leads to one that is.
fn is_systems(trail: &Trail) -> bool {
    is_system(&trail.path) || trail.end.is_some() && is_system(&trail.real)
}

/// A command of root's that makes an account, or changes what one has: only of a name that root alone
/// could have written, and that can be an account's.
pub(super) fn on_account(text: &'static str, name: &str, named_by: Provenance) -> Command {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match named_by.is_root() && name.len() <= 32 && name.chars().all(is_sign) {
        true => Command::root(text).value(name, named_by),
        false => Command::left_out(),
    }
}

/// The commands for a path that nobody but root can put another thing in the place of.
fn by_commands(remedy: Remedy, site: Site<'_>, owner: Option<&AccountFacts>, mode: u32) -> Remedy {
    let Site { trail, named_by } = site;
    let remedy = match owner {
        Some(owner) => remedy.command(
            Command::root("chown -h")
                .within("", &owner.name, ":", Provenance::Anybody)
                .path(&trail.path, named_by),
        ),
        None => remedy,
    };
    remedy.command(
        Command::root("chmod")
            .value(&format!("{mode:o}"), Provenance::Root)
            .path(&trail.path, named_by),
    )
}

/// A path that a person may allow: whole, and none of the system's.
///
/// # Errors
/// [`crate::Code::ValueInvalid`], with what is wrong.
pub fn allowed_path(text: &str) -> crate::Result<PathBuf> {
    let path = crate::platform::layout::inner(text);
    let refuse = |why: &str| {
        let message = format!("--allow-path {text}: {why}");
        Err(crate::Error::new(crate::Code::ValueInvalid, message)
            .help("runnerup doctor   # names each path that can be allowed"))
    };
    if !crate::platform::layout::is_whole(&path) || goes_up(&path) {
        return refuse("it must be a whole path, without `..`");
    }
    if is_system(&path) {
        return refuse("it is a path of the system, which is given to no account");
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
