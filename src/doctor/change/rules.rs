//! Which paths of an install get an owner, a mode or a folder, and why others do not.

use super::{Change, Mode, Purpose, Site, refusal::Refusal};
use crate::{
    host::{Access, AccountFacts, PathWalk, Provenance},
    platform::{
        fs::{Kind, Meta},
        paths::is_system,
    },
};
use std::path::{Component, Path};

/// Folders of environment files besides the install's own folders.
const ENVIRONMENT_FOLDERS: [&str; 2] = ["/etc/default", "/etc/sysconfig"];

/// The temporary folder of the host, which has its own mode.
const TEMPORARY: &str = "/tmp";

impl Change<'_> {
    pub(super) fn may_set(
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
    pub(super) fn open_to(&self, site: Site<'_>) -> Purpose {
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

    pub(super) fn may_make(&self, site: Site<'_>, owner: &AccountFacts) -> Result<(), Refusal> {
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
    pub(super) fn is_with_agent(&self, site: Site<'_>) -> bool {
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
    pub(super) fn is_closed_by_record(&self, walk: &PathWalk) -> bool {
        let is_closed = |meta: &Meta| meta.is_of(0) && meta.has_none(0o022);
        self.folders.is_known(&walk.path)
            && walk.real == walk.path
            && !walk.passed.is_empty()
            && walk.passed.iter().all(|passed| is_closed(&passed.meta))
    }

    /// Whether what stands at a path is root's, and nothing but what an account could have written
    /// names it: neither root nor the documentation does, for what it is to become.
    pub(super) fn is_roots_alone(
        &self,
        site: Site<'_>,
        owner: Option<&AccountFacts>,
        mode: Mode,
    ) -> bool {
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
pub(super) fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// Whether a folder can be created without a chance for others to put a link there before.
pub(super) fn can_be_made(walk: &PathWalk) -> bool {
    let nearest = walk.nearest().map(|passed| passed.path.as_path());
    nearest.is_some() && walk.path.parent() == nearest && walk.replaceable_by.is_root()
}

/// Whether a path, or its target, belongs to the system.
pub(super) fn is_systems(walk: &PathWalk) -> bool {
    is_system(&walk.path) || walk.end.is_some() && is_system(&walk.real)
}
