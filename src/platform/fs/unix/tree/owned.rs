//! Removing what one account has in a folder that others use too.

use super::{DEPTH_LIMIT, Pass, Sweep};
use crate::{
    Result,
    platform::fs::{GoOn, Owned, Root, unix::failure, unix::mount::MountId},
};
use std::{path::Path, time::Instant};

impl Root {
    /// Removes what belongs to the account with this number from a folder that others use too:
    /// files, and folders that are empty then, also in folders of other accounts. Enters nothing
    /// that is mounted there. What is deeper than a few dozen levels stays, and the end is not whole.
    ///
    /// # Errors
    /// When something cannot be removed, and when `go_on` says so.
    pub fn remove_owned(
        &self,
        folder: &Path,
        uid: u32,
        until: Instant,
        go_on: &GoOn<'_>,
    ) -> Result<Owned> {
        // By a name in the folder: a link of root's in the folder's own place is followed.
        let Some(inside) = self.find(&folder.join("name"))? else {
            return Ok(Owned { has_removed: false, is_whole: true });
        };
        let top = &inside.folder;
        let mount = MountId::of(top).map_err(|errno| failure("look at", folder, errno))?;
        let mut sweep = Sweep::of(top, Some(uid), mount, until, go_on);
        let is_whole = sweep.empty(top, folder, DEPTH_LIMIT)? == Pass::Swept && !sweep.is_cut;
        Ok(Owned { has_removed: sweep.has_removed, is_whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{fs::empty_root as root, left_out::needs_root};
    use std::{
        os::unix::fs::{lchown, symlink},
        time::Duration,
    };

    #[test]
    fn what_belongs_to_one_account_goes_from_a_folder_that_others_use() {
        if needs_root("what belongs to one account goes from a folder that others use") {
            return;
        }
        let (folder, root) = root();
        let at = |path: &str| folder.path().join(path);
        let set_owner = |path: &str, uid| lchown(at(path), Some(uid), None).unwrap();
        for (path, uid) in [("tmp", 0), ("tmp/deep", 7), ("tmp/deep/er", 7), ("tmp/other", 8)] {
            std::fs::create_dir(at(path)).unwrap();
            set_owner(path, uid);
        }
        let files = [
            ("kept", 7),
            ("tmp/file", 7),
            ("tmp/deep/er/file", 7),
            ("tmp/deep/other", 8),
            ("tmp/other/file", 7),
            ("tmp/root", 0),
        ];
        for (path, uid) in files {
            std::fs::write(at(path), "x").unwrap();
            set_owner(path, uid);
        }
        symlink("../kept", at("tmp/link")).unwrap();
        set_owner("tmp/link", 7);
        // As a system has it that keeps the folder elsewhere.
        symlink("tmp", at("shared")).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        let removed = |folder: &str| {
            let end = root.remove_owned(Path::new(folder), 7, until, &|| Ok(())).unwrap();
            assert!(end.is_whole, "{folder}");
            end.has_removed
        };
        assert!(removed("/shared"));
        for path in ["kept", "tmp/deep/other", "tmp/other", "tmp/root"] {
            assert!(at(path).exists(), "{path}");
        }
        for path in ["tmp/file", "tmp/link", "tmp/deep/er", "tmp/other/file"] {
            assert!(at(path).symlink_metadata().is_err(), "{path}");
        }
        assert!(!removed("/none") && !removed("/shared"));
    }

    #[test]
    fn what_is_too_deep_is_told() {
        let (folder, root) = root();
        let deep = "d/".repeat(DEPTH_LIMIT as usize + 2);
        std::fs::create_dir_all(folder.path().join("tmp").join(deep)).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        let end = root.remove_owned(Path::new("/tmp"), u32::MAX - 7, until, &|| Ok(())).unwrap();
        assert!(!end.is_whole && !end.has_removed);
    }
}
