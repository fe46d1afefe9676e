//! Who could have written a value: what decides how root may use it.
//!
//! A path, an account, a URL or a unit's name often comes from a file that an unprivileged account
//! can write. Such a name is no less an attack when the file that it leads to is opened with every
//! care. So each value of the model says who could have written it, and root changes, reads and
//! prints only what that allows: see `doctor::change`, `probe::reader` and `command`.

use super::{Kind, Meta, PathWalk, Permissions};
use crate::platform::privilege;
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use std::path::Path;

/// Folders of Windows that only administrators can write to, unless somebody changed that. Rights
/// are access lists there, which a walk does not read.
const ADMINISTRATORS: [&str; 3] = ["c:/windows/", "c:/program files/", "c:/programdata/runnerup/"];

/// Who could have written a value, beside root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Nobody: root alone, or the caller for itself.
    Root,
    /// One account, by its number.
    Account(u32),
    /// More than one account, or it is not known who.
    #[default]
    Anybody,
}

/// What a document says of its values was written by whoever wrote the document: a value that is
/// read back from one is anybody's, whatever it claims.
impl<'de> Deserialize<'de> for Provenance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self::Anybody)
    }
}

impl Provenance {
    /// Of each thing that a walk passed, and last of what stands at its end: who could have put
    /// another thing in its place.
    pub(super) fn of_way(walk: &PathWalk) -> Vec<Self> {
        if walk.passed.iter().any(|passed| passed.meta.permissions == Permissions::Acl) {
            let of = |path: &Path| Self::by_path(path);
            let passed = walk.passed.iter().map(|passed| of(&passed.path));
            return passed.chain([of(&walk.path)]).collect();
        }
        // Nobody can put another root in the place of the root.
        let mut provenances = vec![if walk.passed.is_empty() { Self::Anybody } else { Self::Root }];
        let mut way = Self::Root;
        let next = walk.passed.iter().skip(1).map(|next| (&next.path, Some(next.meta)));
        let next = next.chain([(&walk.real, walk.end)]);
        for (passed, (path, meta)) in walk.passed.iter().zip(next) {
            way = way.and(Self::of_step(&passed.meta, meta.is_some()));
            let entry = meta.map_or(Self::Root, |meta| Self::of_entry(walk, path, meta));
            provenances.push(way.and(entry));
        }
        provenances
    }

    /// Of two values that are used together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Root, other) | (other, Self::Root) => other,
            (Self::Account(one), Self::Account(two)) if one == two => self,
            _ => Self::Anybody,
        }
    }

    /// Whether nobody but root could have written it.
    pub fn is_root(self) -> bool {
        self == Self::Root
    }

    /// Of what stands at a place, by its own owner and mode.
    pub(crate) fn of_meta(meta: &Meta) -> Self {
        // An access list needs no look of its own: with one, the group bits are its mask.
        match meta.permissions {
            Permissions::Mode { mode, .. } if mode & 0o022 != 0 => Self::Anybody,
            Permissions::Mode { uid: 0, .. } => Self::Root,
            Permissions::Mode { uid, .. } if uid == privilege::uid() => Self::Root,
            Permissions::Mode { uid, .. } => Self::Account(uid),
            // The doctor reads the lists that count; this says nothing against it.
            Permissions::Acl => Self::Root,
        }
    }

    /// Of a folder or link that was passed on the way.
    fn of_step(meta: &Meta, has_next: bool) -> Self {
        let mode = match (meta.kind, meta.mode()) {
            // The mode of a link means nothing: who may replace it is up to its folder.
            (Kind::Link, _) => 0o644,
            // See `of_entry`.
            (_, Some(mode)) if mode & 0o1000 != 0 && has_next => mode & !0o022,
            _ => return Self::of_meta(meta),
        };
        Self::of_meta(&meta.with_mode(mode))
    }

    /// Of a name in a folder: in a sticky folder that others can write, the owner of what has the
    /// name can put another thing in its place, beside the folder's owner. A walk that follows links
    /// may pass a folder twice, so the folder is the one that the path says.
    fn of_entry(walk: &PathWalk, path: &Path, meta: Meta) -> Self {
        let parent = walk.passed.iter().find(|passed| path.parent() == Some(&passed.path));
        let is_shared = |folder: &Meta| folder.has_any(0o1000) && folder.has_any(0o022);
        match parent.is_some_and(|parent| is_shared(&parent.meta)) {
            true => Self::of_meta(&meta.with_mode(0o644)),
            false => Self::Root,
        }
    }

    fn by_path(path: &Path) -> Self {
        let path = path.to_string_lossy().replace('\\', "/").to_lowercase();
        let is_theirs = ADMINISTRATORS.iter().any(|folder| path.starts_with(folder));
        if is_theirs { Self::Root } else { Self::Anybody }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::PathPart;

    fn meta(kind: Kind, uid: u32, mode: u32) -> Meta {
        let permissions = Permissions::Mode { uid, gid: uid, mode };
        Meta { kind, permissions, size: 1, links: 1, identity: (0, 0, 0, 0) }
    }

    fn walk(folder: Meta, end: Option<Meta>) -> PathWalk {
        let passed = |path: &str, meta| PathPart {
            path: path.into(),
            meta,
            has_list: false,
            replaceable_by: Provenance::Anybody,
        };
        let root = meta(Kind::Folder, 0, 0o755);
        let mut walk = PathWalk {
            path: "/f/x".into(),
            real: "/f/x".into(),
            passed: vec![passed("/", root), passed("/f", folder)],
            end,
            ..PathWalk::default()
        };
        walk.note_provenance();
        walk
    }

    #[test]
    fn every_folder_on_the_way_counts() {
        let folder = |uid, mode| meta(Kind::Folder, uid, mode);
        let file = |uid, mode| Some(meta(Kind::File, uid, mode));
        for (folder, end, expected) in [
            (folder(0, 0o755), file(0, 0o644), Provenance::Root),
            (folder(0, 0o755), file(7_000_001, 0o600), Provenance::Account(7_000_001)),
            (folder(7_000_001, 0o755), file(0, 0o644), Provenance::Account(7_000_001)),
            (folder(7_000_001, 0o755), file(7_000_002, 0o644), Provenance::Anybody),
            (folder(0, 0o777), file(0, 0o644), Provenance::Anybody),
            (folder(0, 0o1777), file(0, 0o644), Provenance::Root),
            (folder(0, 0o755), file(0, 0o664), Provenance::Anybody),
            (folder(0, 0o755), None, Provenance::Anybody),
        ] {
            assert_eq!(walk(folder, end).written_by(), expected, "{folder:?} {end:?}");
        }
    }

    #[test]
    fn a_new_name_in_a_sticky_folder_is_anybodys() {
        let way = walk(meta(Kind::Folder, 0, 0o1777), None);
        assert_eq!(way.replaceable_by, Provenance::Anybody);
        // The folder itself can be replaced by nobody.
        assert_eq!(way.up_to(Path::new("/f")).unwrap().replaceable_by, Provenance::Root);
    }

    #[test]
    fn a_name_in_a_sticky_folder_is_its_own_owners_too() {
        let folder = |uid, mode| meta(Kind::Folder, uid, mode);
        let theirs = Provenance::Account(7_000_001);
        for (mode, uid, expected) in [
            (0o1777, 0, Provenance::Root),
            (0o1777, 7_000_001, theirs),
            (0o1775, 7_000_001, theirs),
            (0o3770, 7_000_001, theirs),
            // Nobody but root can change names there.
            (0o1755, 7_000_001, Provenance::Root),
            (0o0755, 7_000_001, Provenance::Root),
        ] {
            let way = walk(folder(0, mode), Some(folder(uid, 0o755)));
            assert_eq!(way.replaceable_by, expected, "{mode:o} {uid}");
            // The same of a folder on the way.
            let mut way = walk(folder(0, mode), Some(meta(Kind::File, 0, 0o644)));
            way.passed.push(PathPart {
                path: "/f/d".into(),
                meta: folder(uid, 0o755),
                has_list: false,
                replaceable_by: Provenance::Anybody,
            });
            way.path = "/f/d/x".into();
            way.real = "/f/d/x".into();
            way.note_provenance();
            assert_eq!(
                way.up_to(Path::new("/f/d")).unwrap().replaceable_by,
                expected,
                "{mode:o} {uid}"
            );
        }
    }

    #[test]
    fn a_link_of_roots_does_not_hide_whose_its_target_is() {
        let mut way = walk(meta(Kind::Folder, 0, 0o1777), None);
        way.passed.push(PathPart {
            path: "/f/link".into(),
            meta: meta(Kind::Link, 0, 0o777),
            has_list: false,
            replaceable_by: Provenance::Anybody,
        });
        way.end = Some(meta(Kind::Folder, 7_000_001, 0o755));
        way.path = "/f/link".into();
        way.note_provenance();
        assert_eq!(way.replaceable_by, Provenance::Account(7_000_001));
    }

    #[test]
    fn what_a_document_claims_is_anybodys() {
        let saved = serde_json::to_string(&Provenance::Root).unwrap();
        assert_eq!(serde_json::from_str::<Provenance>(&saved).unwrap(), Provenance::Anybody);
    }

    #[test]
    fn what_was_not_looked_at_is_anybodys() {
        let mut nothing = PathWalk::default();
        nothing.note_provenance();
        assert_eq!(nothing.replaceable_by, Provenance::Anybody);
        assert_eq!(Provenance::default(), Provenance::Anybody);
    }
}
