//! Who may use a path: every folder on the way counts.

use super::AccountFacts;
use crate::platform::fs::{Kind, Meta, Permissions};
pub use crate::platform::fs::{PathPart, PathWalk, Provenance};
use std::path::{Path, PathBuf};

/// What someone wants to do with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read a file, or list a folder.
    Read,
    /// Change a file, or make files in a folder.
    Write,
    /// Run a file, or pass through a folder.
    Execute,
}

/// The first thing on the way that keeps an account out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The folder or file.
    pub path: PathBuf,
    /// Its owner and mode.
    pub meta: Meta,
    /// What is missing there.
    pub access: Access,
}

/// Something on a way that others can change, or replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strange {
    /// The folder or file.
    pub path: PathBuf,
    /// Its owner and mode.
    pub meta: Meta,
    /// Who can change it.
    pub by: Stranger,
}

/// Who is neither root nor the account in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// Every user.
    Everybody,
    /// The account of this number.
    Account(u32),
    /// The members of the group of this number, or whom an access list names.
    Group(u32),
}

impl PathWalk {
    /// The first thing on the way, or at its end, that somebody else than root and `account` can
    /// change: who can change a folder can put another file in its place.
    pub fn strange_to(&self, account: &AccountFacts) -> Option<Strange> {
        let passed = self.passed.iter().map(|passed| (&passed.path, passed.meta, passed.has_list));
        let end = self.end.map(|end| (&self.real, end, false));
        passed.chain(end).find_map(|(path, meta, has_list)| {
            let Permissions::Mode { uid, gid, mode } = meta.permissions else { return None };
            let is_sticky = meta.kind == Kind::Folder && mode & 0o1000 != 0;
            let mode = if is_sticky { mode & !0o022 } else { mode };
            let is_groups =
                mode & 0o020 != 0 && (has_list || gid != 0 && account.id.gid() != Some(gid));
            // The caller counts as root, as everywhere.
            let owner = Provenance::of_meta(&meta.with_mode(0o644));
            let by = if meta.kind == Kind::Link {
                None
            } else if !owner.is_root() && account.uid() != Some(uid) {
                Some(Stranger::Account(uid))
            } else if mode & 0o002 != 0 {
                Some(Stranger::Everybody)
            } else {
                is_groups.then_some(Stranger::Group(gid))
            };
            by.map(|by| Strange { path: path.clone(), meta, by })
        })
    }

    /// Whether something of this kind stands at the end.
    pub fn is(&self, kind: Kind) -> bool {
        self.end.is_some_and(|meta| meta.kind == kind)
    }

    /// Whether nothing stands there.
    pub fn is_missing(&self) -> bool {
        self.end.is_none()
    }

    /// The nearest folder on the way that is there.
    pub fn nearest(&self) -> Option<&PathPart> {
        self.passed.iter().rev().find(|passed| passed.meta.kind == Kind::Folder)
    }

    /// What keeps `account` from `access` here, the folders on the way included.
    ///
    /// `None` also where an access control list decides: what it says is not known.
    pub fn denies(&self, account: &AccountFacts, access: Access) -> Option<Denied> {
        let denied = |path: &Path, meta: Meta, access| Denied { path: path.into(), meta, access };
        if account.is_root() {
            // Root passes everywhere, but runs only what someone may run.
            let end = self.end.filter(|meta| meta.kind == Kind::File && meta.has_none(0o111))?;
            return (access == Access::Execute).then(|| denied(&self.path, end, access));
        }
        for passed in self.passed.iter().filter(|passed| passed.meta.kind == Kind::Folder) {
            if !passed.has_list && !account.may(&passed.meta, Access::Execute) {
                return Some(denied(&passed.path, passed.meta, Access::Execute));
            }
        }
        let end = self.end?;
        (!account.may(&end, access)).then(|| denied(&self.path, end, access))
    }

    /// Whether `account` could put something else in this path's place: it may write to the file
    /// or to any folder on the way.
    pub fn is_led_by(&self, account: &AccountFacts) -> bool {
        let folders = self.passed.iter().filter(|passed| passed.meta.kind == Kind::Folder);
        let end = self.end.filter(|meta| meta.kind != Kind::Link);
        folders
            .map(|passed| passed.meta)
            .chain(end)
            // What stands in a sticky folder belongs to who put it there. Of an access list it is
            // not said who may write.
            .any(|meta| account.may(&meta, Access::Write) && meta.has_none(0o1000))
    }
}

impl AccountFacts {
    /// Whether owner and mode allow it; the first class that fits decides, as in the kernel.
    pub fn may(&self, meta: &Meta, access: Access) -> bool {
        let bit = match access {
            Access::Read => 0o4,
            Access::Write => 0o2,
            Access::Execute => 0o1,
        };
        // What an access list allows is not known: see `doctor::permissions::rights`.
        let Permissions::Mode { uid, gid, mode } = meta.permissions else { return true };
        let shift = if self.uid() == Some(uid) {
            6
        } else if self.id.gid() == Some(gid) || self.groups.iter().any(|group| group.0 == gid) {
            3
        } else {
            0
        };
        self.is_root() || mode >> shift & bit != 0
    }
}

impl Access {
    /// `read`, `write to`, `run`: what is not possible with it, for a file.
    pub fn verb(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Read, _) => "read",
            (Self::Write, Kind::Folder) => "make files in",
            (Self::Write, _) => "write to",
            (Self::Execute, Kind::Folder) => "pass through",
            (Self::Execute, _) => "run",
        }
    }

    /// The letter that `chmod` takes.
    pub fn letter(self) -> char {
        match self {
            Self::Read => 'r',
            Self::Write => 'w',
            Self::Execute => 'x',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::accounts::AccountId;

    fn meta(kind: Kind, uid: u32, mode: u32) -> Meta {
        let permissions = Permissions::Mode { uid, gid: uid, mode };
        Meta { kind, permissions, size: 1, links: 1, identity: (0, 0, 0, 0) }
    }

    fn walk(folder: Meta, end: Meta) -> PathWalk {
        let passed = PathPart {
            path: "/f".into(),
            meta: folder,
            has_list: false,
            replaceable_by: Provenance::Root,
        };
        let path = PathBuf::from("/f/x");
        PathWalk {
            real: path.clone(),
            path,
            passed: vec![passed],
            end: Some(end),
            stopped: None,
            replaceable_by: Provenance::Root,
            mounts: Vec::new(),
        }
    }

    fn account(uid: u32) -> AccountFacts {
        AccountFacts { id: AccountId::Unix { uid, gid: uid }, ..AccountFacts::default() }
    }

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        let closed = walk(meta(Kind::Folder, 0, 0o700), meta(Kind::File, 0, 0o755));
        let denied = closed.denies(&account(7), Access::Execute).unwrap();
        assert_eq!((denied.path.to_str(), denied.access), (Some("/f"), Access::Execute));
        assert_eq!(closed.denies(&account(0), Access::Execute), None);
    }

    #[test]
    fn the_owners_bits_count_before_everyones() {
        let end = meta(Kind::File, 7, 0o077);
        let open = walk(meta(Kind::Folder, 0, 0o755), end);
        assert!(open.denies(&account(7), Access::Read).is_some());
        assert!(open.denies(&account(8), Access::Read).is_none());
    }

    #[test]
    fn not_even_root_runs_what_nobody_may_run() {
        let plain = walk(meta(Kind::Folder, 0, 0o755), meta(Kind::File, 0, 0o644));
        assert!(plain.denies(&account(0), Access::Execute).is_some());
    }

    #[test]
    fn an_access_list_is_not_read_as_a_mode() {
        let listed = |kind| Meta { permissions: Permissions::Acl, ..meta(kind, 0, 0) };
        let walk = walk(listed(Kind::Folder), listed(Kind::File));
        for uid in [0, 1001] {
            let account = account(uid);
            assert!(walk.strange_to(&account).is_none() && !walk.is_led_by(&account));
            for access in [Access::Read, Access::Write, Access::Execute] {
                assert!(walk.denies(&account, access).is_none(), "{access:?}");
            }
        }
    }
}
