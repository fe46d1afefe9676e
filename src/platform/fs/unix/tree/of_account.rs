//! Removing the folder of one account, in which others may have left what is theirs.

use super::{DEPTH_LIMIT, Pass, Sweep, TIME_LIMIT, Top, close, give_to_root};
use crate::{
    Result,
    platform::fs::{
        GoOn, Removal, Spot,
        unix::{
            failure,
            mount::{Glance, MountId},
            open_folder,
        },
    },
};
use rustix::fs::{self, Mode};
use std::{
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    time::Instant,
};

impl Spot {
    /// Removes the folder here with what belongs to an account in it. What belongs to others stays,
    /// with the folders around it; these go to root. Where nothing of others is in it, all goes, as by
    /// [`remove_tree`](Self::remove_tree); so does what is deeper than a few dozen levels.
    ///
    /// # Errors
    /// As [`remove_tree`](Self::remove_tree).
    pub fn remove_tree_of(&self, uid: u32, go_on: &GoOn<'_>) -> Result<Removal> {
        let Top { folder: top, mount } = match self.top()? {
            Ok(top) => top,
            Err(removal) => return Ok(removal),
        };
        // Nobody adds to it while it is looked through.
        let mode = fs::fstat(&top).map(|stat| stat.st_mode & 0o7777).unwrap_or(0o700);
        close(&top);
        let until = Instant::now() + TIME_LIMIT;
        let search = Search { uid, mount, until, go_on };
        if !search.finds_others(&top, &self.path, DEPTH_LIMIT)? {
            return self.remove_tree(go_on);
        }
        let mut sweep = Sweep::of(&top, Some(uid), mount, until, go_on);
        sweep.others = Some(Vec::new());
        if sweep.empty(&top, &self.path, DEPTH_LIMIT)? == Pass::OutOfTime {
            return Ok(Removal::OutOfTime);
        }
        if !sweep.mounted.is_empty() {
            return Ok(Removal::Mounted(sweep.mounted));
        }
        if self.remove_folder()? {
            return Ok(Removal::Complete);
        }
        // Whoever could reach what is theirs can go on to.
        let _ = fs::fchmod(&top, Mode::from_raw_mode(mode));
        give_to_root(&top);
        Ok(Removal::Others(sweep.others.unwrap_or_default()))
    }
}

/// The search for what belongs to others.
struct Search<'a> {
    uid: u32,
    mount: MountId,
    until: Instant,
    go_on: &'a GoOn<'a>,
}

impl Search<'_> {
    fn finds_others(&self, folder: &OwnedFd, path: &Path, depth: u32) -> Result<bool> {
        let failed = |errno| failure("list", path, errno);
        for entry in fs::Dir::read_from(folder).map_err(failed)? {
            (self.go_on)()?;
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let here = path.join(std::ffi::OsStr::from_bytes(name.to_bytes()));
            let Ok(found) = Glance::at(folder, name) else { continue };
            let is_mounted = found.mount.is_some_and(|mount| mount != self.mount);
            // What could not be looked through in time stays too.
            if !is_mounted && found.uid != self.uid || Instant::now() > self.until {
                return Ok(true);
            }
            if !found.is_folder || is_mounted || depth == 0 {
                continue;
            }
            let name = std::ffi::OsStr::from_bytes(name.to_bytes());
            let Ok(inner) = open_folder(folder, name) else { continue };
            if MountId::of(&inner).is_ok_and(|mount| mount == self.mount)
                && self.finds_others(&inner, &here, depth - 1)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{fs::empty_root as root, left_out::needs_root};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};

    #[test]
    fn what_others_have_in_the_folder_of_an_account_stays_and_is_named() {
        if needs_root("what others have in the folder of an account stays and is named") {
            return;
        }
        let (folder, root) = root();
        let at = |path: &str| folder.path().join(path);
        let make = |path: &str, uid: u32, is_folder: bool| {
            match is_folder {
                true => std::fs::create_dir(at(path)).unwrap(),
                false => std::fs::write(at(path), "x").unwrap(),
            }
            lchown(at(path), Some(uid), Some(uid)).unwrap();
        };
        for (path, uid, is_folder) in [
            ("work", 7, true),
            ("work/job", 7, true),
            ("work/job/file", 7, false),
            ("work/job/roots", 0, false),
            ("work/other", 8, true),
            ("work/other/job", 7, false),
            ("work/other/file", 8, false),
            ("work/plain", 7, true),
            ("work/plain/file", 7, false),
        ] {
            make(path, uid, is_folder);
        }
        symlink("/srv", at("work/link")).unwrap();
        lchown(at("work/link"), Some(7), Some(7)).unwrap();
        std::fs::set_permissions(at("work"), std::fs::Permissions::from_mode(0o750)).unwrap();
        let removed =
            || root.find(Path::new("/work")).unwrap().unwrap().remove_tree_of(7, &|| Ok(()));
        let Removal::Others(mut named) = removed().unwrap() else { panic!("it went") };
        named.sort();
        assert_eq!(named, [Path::new("/work/job/roots"), Path::new("/work/other")]);
        for path in ["work/job/roots", "work/other/file"] {
            assert!(at(path).exists(), "{path}");
        }
        for path in ["work/job/file", "work/other/job", "work/plain", "work/link"] {
            assert!(at(path).symlink_metadata().is_err(), "{path}");
        }
        // Nothing is left of the number that another account can get.
        for path in ["work", "work/job"] {
            assert_eq!(at(path).metadata().unwrap().uid(), 0, "{path}");
        }
        assert_eq!(at("work").metadata().unwrap().mode() & 0o7777, 0o750);
        std::fs::remove_file(at("work/job/roots")).unwrap();
        std::fs::remove_dir_all(at("work/other")).unwrap();
        // What went to root is not the account's any more.
        assert!(matches!(removed().unwrap(), Removal::Others(_)));
        std::fs::remove_dir(at("work/job")).unwrap();
        assert_eq!(removed().unwrap(), Removal::Complete);
    }
}
