//! Reads a file that something names, on behalf of whoever named it.
//!
//! A name that an account could have written leads root only to what that account could read by
//! itself. Otherwise an account has root read out the files of root, by naming them.

use crate::{
    Code, Error, Result,
    host::{Access, AccountFacts, Provenance},
    platform::{
        accounts::{self, AccountId},
        fs::{Kind, PathPart, PathWalk, Root, WalkEnd, has_access_list},
    },
};
use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// Owns nothing and is in no group: what it can read, everybody can.
const NOBODY: u32 = u32::MAX - 1;

/// A file's content, or the part of it that was asked for.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// The file has more.
    pub(super) cut: bool,
}

/// Which part of a file to read.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The first bytes.
    Head(u64),
    /// The last bytes.
    Tail(u64),
}

/// Reads the file at the end of a walk, which `named_by` named.
///
/// # Errors
/// [`Code::InTheWay`] when it is no regular file, or has a second name on ground of others;
/// [`Code::UntrustedPath`] when an account could have named it that could not read it.
pub(super) fn read(
    root: &Root,
    walk: &PathWalk,
    part: Part,
    named_by: Provenance,
) -> Result<Content> {
    let path = walk.path.display();
    let end = match walk.end {
        Some(meta) if meta.kind == Kind::File => meta,
        Some(meta) => return Err(refused(format!("{path} is {}", meta.kind))),
        None => {
            let why =
                walk.stopped.clone().unwrap_or_else(|| WalkEnd::missing(&walk.path)).to_string();
            return Err(refused(why));
        }
    };
    let reader = reader(root, named_by.and(walk.replaceable_by));
    if let Some(reader) = &reader {
        allow(walk, reader)?;
    }
    let spot = root
        .find(&walk.real)?
        .ok_or_else(|| refused(format!("{path} was taken away meanwhile")))?;
    let (mut file, meta) = spot.read()?;
    if meta.links > 1 && !spot.is_trusted() {
        return Err(refused(format!("{path} has a second name (hard link); not read")));
    }
    // What was judged is what is open now, and its rights are still the same.
    if let Some(reader) = &reader
        && !(meta.is_same_file(&end) && reader.may(&meta, Access::Read) && !has_access_list(&file))
    {
        return Err(not_read(walk, reader));
    }
    let failure = |error: std::io::Error| refused(format!("{path} cannot be read: {error}"));
    let limit = match part {
        Part::Head(limit) => limit,
        Part::Tail(limit) => {
            file.seek(SeekFrom::Start(meta.size.saturating_sub(limit))).map_err(failure)?;
            limit
        }
    };
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(failure)?;
    Ok(Content { bytes, cut: meta.size > limit })
}

/// The same from a path.
pub(super) fn read_at(
    root: &Root,
    path: &Path,
    part: Part,
    named_by: Provenance,
) -> Result<(PathWalk, Content)> {
    let walk = root.walk(path)?;
    let content = read(root, &walk, part, named_by)?;
    Ok((walk, content))
}

/// The way to a path that `named_by` named, as far as that account could go by itself, or the one
/// that the agent runs as: beyond a folder that is closed to both, owners, sizes and times are
/// nobody's to learn by naming a path.
///
/// # Errors
/// As [`Root::walk`].
pub(super) fn walk(
    root: &Root,
    path: &Path,
    named_by: Provenance,
    agent: Option<u32>,
) -> Result<PathWalk> {
    let walk = root.walk(path)?;
    let Some(namer) = reader(root, named_by) else { return Ok(walk) };
    // An agent of root's could go anywhere, and would be no reason to tell.
    let agent = agent.filter(|uid| *uid != 0).map(|uid| account(root, uid));
    let who: Vec<AccountFacts> = std::iter::once(namer).chain(agent).collect();
    // What an access list says is not known.
    let is_closed = |passed: &PathPart| {
        passed.meta.kind == Kind::Folder
            && !passed.has_list
            && !who.iter().any(|who| who.may(&passed.meta, Access::Execute))
    };
    let closed = walk.passed.iter().find(|passed| is_closed(passed));
    let Some(folder) = closed.map(|passed| passed.path.clone()) else { return Ok(walk) };
    Ok(cut(walk, &folder))
}

/// The walk as far as a folder, and why no further.
fn cut(walk: PathWalk, folder: &Path) -> PathWalk {
    let stopped = WalkEnd::Closed(folder.display().to_string());
    let Some(way) = walk.up_to(folder) else { return walk };
    let passed = walk.passed.into_iter();
    let at = way.passed.len();
    PathWalk {
        path: walk.path,
        passed: passed.take(at + 1).collect(),
        end: None,
        stopped: Some(stopped),
        ..way
    }
}

/// Refuses to show what is in a file or folder that is not `named_by`'s own, though that account may
/// read it: it is no word of the agent's.
///
/// # Errors
/// [`Code::UntrustedPath`].
pub(super) fn may_echo(root: &Root, walk: &PathWalk, named_by: Provenance) -> Result<()> {
    let Some(reader) = reader(root, named_by) else { return Ok(()) };
    match walk.end {
        Some(end) if !reader.owns(&end) => Err(not_read(walk, &reader)),
        _ => allow(walk, &reader),
    }
}

/// Refuses what `by`, who could have put it where it stands, may not read: it may have been root's
/// elsewhere. What anybody could have put there is refused where it is root's.
///
/// # Errors
/// [`Code::UntrustedPath`].
pub(in crate::probe) fn refuse_unreadable(
    root: &Root,
    walk: &PathWalk,
    by: Provenance,
) -> Result<()> {
    let is_others = walk.end.is_some_and(|end| end.is_of_another(0));
    match reader(root, by).filter(|_| by != Provenance::Anybody || !is_others) {
        Some(reader) => allow(walk, &reader),
        None => Ok(()),
    }
}

/// On whose behalf a file is read; `None`: root's own.
fn reader(root: &Root, by: Provenance) -> Option<AccountFacts> {
    let uid = match by {
        Provenance::Root => return None,
        Provenance::Account(uid) => uid,
        Provenance::Anybody => NOBODY,
    };
    Some(account(root, uid))
}

/// An account as far as it matters to what it may read.
pub(super) fn account(root: &Root, uid: u32) -> AccountFacts {
    let id = AccountId::Unix { uid, gid: NOBODY };
    let stranger = AccountFacts { id, ..AccountFacts::default() };
    let known = accounts::by_number(root, uid).and_then(|account| account.unix());
    let known = known.map(|account| AccountFacts {
        groups: accounts::groups_of(root, &account),
        id: AccountId::Unix { uid, gid: account.gid },
        name: account.name,
        ..AccountFacts::default()
    });
    known.unwrap_or(stranger)
}

/// An access list on the way may deny what the mode allows, and is taken to do so.
fn allow(walk: &PathWalk, reader: &AccountFacts) -> Result<()> {
    let has_list = |passed: &PathPart| passed.has_list && passed.meta.mode().is_some();
    match walk.passed.iter().any(has_list) || walk.denies(reader, Access::Read).is_some() {
        true => Err(not_read(walk, reader)),
        false => Ok(()),
    }
}

fn not_read(walk: &PathWalk, reader: &AccountFacts) -> Error {
    let path = walk.path.display();
    let who = match (reader.uid(), reader.name.as_str()) {
        (Some(NOBODY), _) => "any account".to_owned(),
        (Some(uid), "") => format!("the account {uid}"),
        (_, name) => name.to_owned(),
    };
    let message = format!(
        "{path} is named, not read: {who} could have chosen the path, or what stands there, and may \
         not read it"
    );
    Error::new(Code::UntrustedPath, message)
}

fn refused(why: String) -> Error {
    Error::new(Code::InTheWay, why)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_way_ends_where_whoever_named_it_could_not_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("open/closed/inner");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "x").unwrap();
        let close = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        close("", 0o755);
        close("open", 0o755);
        close("open/closed", 0o700);
        let root = Root::open(folder.path()).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let stranger = Provenance::Account(uid + 7);
        for name in ["open/closed/inner/file", "open/closed/inner", "open/closed/none"] {
            let way = walk(&root, &Path::new("/").join(name), stranger, None).unwrap();
            let text = serde_json::to_string(&way).unwrap();
            assert_eq!(way.passed.last().unwrap().path, Path::new("/open/closed"), "{text}");
            assert_eq!((way.end, way.real.as_path()), (None, Path::new("/open/closed")));
            assert!(matches!(way.stopped, Some(WalkEnd::Closed(_))), "{text}");
        }
        let path = Path::new("/open/closed/inner/file");
        assert!(walk(&root, path, Provenance::Root, None).unwrap().end.is_some());
        assert!(walk(&root, path, Provenance::Account(uid), None).unwrap().end.is_some());
        assert!(walk(&root, Path::new("/open/x"), stranger, None).unwrap().stopped.is_some());
        if uid != 0 {
            assert!(walk(&root, path, stranger, Some(uid)).unwrap().end.is_some());
        }
    }
}
