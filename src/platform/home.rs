//! A home that is there before its account is made.
//!
//! What a login, a shell or a server of SSH reads in a home acts for the account whose home it is.
//! So nobody but root may have left anything there.

use crate::{
    Code, Error, Help, Result,
    platform::fs::{Kind, Provenance, Root, Spot},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most things that are looked at: more than a folder of templates has.
const ENTRIES: usize = 5000;

/// How deep is looked.
const DEPTH: usize = 32;

/// The time for all of it.
const TIME: Duration = Duration::from_secs(2);

/// The first thing in `home`, or the home itself, that somebody else than root could have put there
/// or changed. What is more than can be looked through counts too.
///
/// # Errors
/// When the home cannot be looked into.
pub fn first_strange(root: &Root, home: &Path) -> Result<Option<PathBuf>> {
    // Windows makes a new account another folder where one of its name is there.
    if cfg!(windows) || root.metadata(home)?.is_none() {
        return Ok(None);
    }
    let walk = root.walk(home)?;
    if !walk.is(Kind::Folder) || !walk.changed_by().is_root() {
        return Ok(Some(home.to_owned()));
    }
    let Some(spot) = root.find(&walk.real)? else { return Ok(None) };
    Walk { left: ENTRIES, until: Instant::now() + TIME }.first_strange(&spot, 0)
}

/// Refuses to make an account to whom such a home would belong.
///
/// # Errors
/// [`Code::InTheWay`] with what is not root's alone.
pub fn refuse_strange(root: &Root, home: &Path, account: &str) -> Result<()> {
    first_strange(root, home)?.map_or(Ok(()), |strange| Err(refusal(home, &strange, account)))
}

/// Says what is wrong with the home of an account that is to be made.
pub fn refusal(home: &Path, strange: &Path, account: &str) -> Error {
    let home = home.display();
    let message = format!(
        "the home {home} of the account {account}, which is to be made, is there already, and {} \
         is not root's alone: what is in a home acts for its account",
        strange.display()
    );
    Error::new(Code::InTheWay, message)
        .help(Help::inspect("ls -ld", strange))
        .help("move the home away, or name another account: --user NAME")
}

struct Walk {
    left: usize,
    until: Instant,
}

impl Walk {
    fn first_strange(&mut self, folder: &Spot, depth: usize) -> Result<Option<PathBuf>> {
        let listed = folder.list_some(self.left + 1, self.until)?;
        if !listed.is_whole || listed.count > self.left || depth > DEPTH {
            return Ok(Some(folder.path().to_owned()));
        }
        self.left -= listed.count;
        for name in listed.names {
            let spot = folder.inside(name)?;
            let Some(meta) = spot.metadata()? else { continue };
            // The mode of a link means nothing.
            let meta = if meta.kind == Kind::Link { meta.with_mode(0) } else { meta };
            if !Provenance::of_meta(&meta).is_root() {
                return Ok(Some(spot.path().to_owned()));
            }
            if meta.kind == Kind::Folder
                && let Some(strange) = self.first_strange(&spot, depth + 1)?
            {
                return Ok(Some(strange));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::{fs::empty_root, left_out::needs_root};
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, chown, lchown, symlink},
    };

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn all_of_a_home_must_be_roots_alone() {
        let (folder, root) = empty_root();
        let strange = || first_strange(&root, Path::new("/home/ci")).unwrap();
        let at = |path: &str| folder.path().join("home/ci").join(path);
        assert_eq!(strange(), None, "it is not there");
        fs::create_dir_all(at(".ssh")).unwrap();
        fs::write(at(".bashrc"), "x").unwrap();
        symlink("/nowhere", at("link")).unwrap();
        set(&at(".bashrc"), 0o644);
        assert_eq!(strange(), None, "templates");
        for (path, mode) in [(".bashrc", 0o664), (".ssh", 0o777), ("", 0o777), ("", 0o1777)] {
            set(&at(path), mode);
            assert_eq!(strange(), Some(Path::new("/home/ci").join(path)), "{path} {mode:o}");
            set(&at(path), 0o755);
        }
        if needs_root("all of a home must be roots alone") {
            return;
        }
        fs::write(at(".ssh/authorized_keys"), "x").unwrap();
        for path in [".ssh/authorized_keys", ".ssh", ".bashrc"] {
            chown(at(path), Some(4242), Some(4242)).unwrap();
            assert_eq!(strange(), Some(Path::new("/home/ci").join(path)));
            chown(at(path), Some(0), Some(0)).unwrap();
        }
        lchown(at("link"), Some(4242), None).unwrap();
        assert_eq!(strange(), Some("/home/ci/link".into()));
    }

    #[test]
    fn more_than_is_looked_through_is_strange() {
        let (folder, root) = empty_root();
        let home = folder.path().join("home");
        let deep = (0..=DEPTH + 1).fold(home.clone(), |path, _| path.join("d"));
        fs::create_dir_all(&deep).unwrap();
        assert!(first_strange(&root, Path::new("/home")).unwrap().is_some());
        fs::remove_dir_all(home.join("d")).unwrap();
        assert_eq!(first_strange(&root, Path::new("/home")).unwrap(), None);
        (0..=ENTRIES).for_each(|n| fs::write(home.join(n.to_string()), "").unwrap());
        assert_eq!(first_strange(&root, Path::new("/home")).unwrap(), Some("/home".into()));
    }
}
