//! Removing a folder with all that is in it.

use super::{Spot, trouble};
use crate::{Result, platform::fs::Kind};
use rustix::fs::{self, AtFlags};

/// Folders open at a time while a tree is removed.
const DEPTH_LIMIT: u32 = 64;

impl Spot {
    /// Removes the folder here with all that is in it; `false` when something stays. Follows no
    /// link and leaves what another file system mounts there.
    pub fn remove_tree(&self) -> Result<bool> {
        let Some(meta) = self.look()? else { return Ok(true) };
        self.expect(Kind::Folder, Some(meta))?;
        let mut raised = 0;
        // A tree deeper than there are open files to have is taken up to this folder, bit by bit.
        while self.empty(self, meta.identity.0, DEPTH_LIMIT, &mut raised)? {}
        self.remove_folder()
    }

    /// Removes what is in the folder here; `true` when a part of it was moved up to `top`.
    fn empty(&self, top: &Self, device: u64, depth: u32, raised: &mut u32) -> Result<bool> {
        let mut is_raised = false;
        for name in self.list()? {
            let inner = self.inside(name)?;
            match inner.look()? {
                Some(meta) if meta.identity.0 != device => {}
                Some(meta) if meta.kind == Kind::Folder && depth == 0 => {
                    *raised += 1;
                    let above = top.inside(format!(".runnerup-raised-{raised}").into())?;
                    fs::renameat(&inner.folder, &inner.name, &above.folder, &above.name)
                        .map_err(|errno| trouble("move up", &inner.path, errno))?;
                    is_raised = true;
                }
                Some(meta) if meta.kind == Kind::Folder => {
                    is_raised |= inner.empty(top, device, depth - 1, raised)?;
                    inner.unlink(AtFlags::REMOVEDIR)?;
                }
                _ => drop(inner.unlink(AtFlags::empty())?),
            }
        }
        Ok(is_raised)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OFlags, OsStr, Path, open_folder};
    use super::*;
    use crate::platform::fs::empty_root as root;
    use rustix::fs::Mode;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_is_removed_without_following_its_links() {
        let (folder, root) = root();
        std::fs::create_dir_all(folder.path().join("work/deep")).unwrap();
        std::fs::create_dir(folder.path().join("kept")).unwrap();
        std::fs::write(folder.path().join("kept/file"), "x").unwrap();
        symlink("../../kept", folder.path().join("work/deep/link")).unwrap();
        assert!(root.find(Path::new("/work")).unwrap().unwrap().remove_tree().unwrap());
        assert!(folder.path().join("kept/file").exists());
        assert!(!folder.path().join("work").exists());
    }

    #[test]
    fn a_tree_deeper_than_files_can_be_open_is_removed() {
        let (folder, root) = root();
        let spot = root.find(Path::new("/work")).unwrap().unwrap();
        spot.create_folder().unwrap();
        let mut deepest =
            fs::open(folder.path().join("work"), OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..1100 {
            fs::mkdirat(&deepest, "deeper", Mode::from_raw_mode(0o755)).unwrap();
            deepest = open_folder(&deepest, OsStr::new("deeper")).unwrap();
        }
        assert!(spot.remove_tree().unwrap());
    }
}
