//! Removing a folder with all that is in it.

use super::{Spot, mount::MountId, open_folder, trouble};
use crate::{
    Result,
    platform::fs::{GoOn, Kind, Removal},
};
use rustix::{
    fs::{self, AtFlags, FileType},
    io::Errno,
};
use std::{
    ffi::CStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Folders open at a time while a tree is removed.
const DEPTH_LIMIT: u32 = 64;

/// Passes over a tree. One is enough for a tree that nobody adds to and that is not deeper than
/// [`DEPTH_LIMIT`]; each further one removes as many levels more.
const PASS_LIMIT: u32 = 256;

/// Longest time for one tree. The next run goes on from there.
const TIME_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Time for what was added during the first pass, or was too deep for it; where that took longer,
/// as much again.
const REPEAT_LIMIT: Duration = Duration::from_secs(10);

/// Mount points that are named; more do not help.
const NAMED_MOUNTS: usize = 16;

/// One removal: what holds for all folders of the tree.
struct Sweep<'a> {
    /// The folder whose content is removed. Parts that are too deep are moved up to it.
    top: &'a OwnedFd,
    mount: MountId,
    until: Instant,
    go_on: &'a GoOn<'a>,
    /// Numbers the parts that were moved up.
    raised: u32,
    mounted: Vec<PathBuf>,
}

/// How a pass over a folder ended.
enum Pass {
    /// The folder was empty for a moment, or holds only what is mounted in it.
    Swept,
    /// A part of it was too deep, and stands in the top folder now.
    Raised,
    /// The time is over.
    OutOfTime,
}

impl Spot {
    /// Removes the folder here with all that is in it. Follows no link, enters nothing that is
    /// mounted in it, and ends even when something keeps adding to it.
    ///
    /// # Errors
    /// When something cannot be removed, and when `go_on` says so.
    pub fn remove_tree(&self, go_on: &GoOn<'_>) -> Result<Removal> {
        let Some(meta) = self.look()? else { return Ok(Removal::Complete) };
        self.expect(Kind::Folder, Some(meta))?;
        let top = open_folder(&self.folder, &self.name)
            .map_err(|errno| trouble("open the folder", &self.path, errno))?;
        // The folder that this one stands in tells whether it is a mount point itself.
        let of = |folder: &OwnedFd| {
            MountId::of(folder).map_err(|errno| trouble("look at", &self.path, errno))
        };
        let mount = of(&top)?;
        if mount != of(&self.folder)? {
            return Ok(Removal::Mounted(vec![self.path.clone()]));
        }
        let begun = Instant::now();
        let until = begun + TIME_LIMIT;
        let mut sweep = Sweep { top: &top, mount, until, go_on, raised: 0, mounted: Vec::new() };
        for number in 0..PASS_LIMIT {
            if number == 1 {
                let repeats = begun.elapsed().max(REPEAT_LIMIT);
                sweep.until = sweep.until.min(Instant::now() + repeats);
            }
            sweep.mounted.clear();
            match sweep.empty(&top, &self.path, DEPTH_LIMIT)? {
                Pass::OutOfTime => return Ok(Removal::Refilled),
                Pass::Raised => {}
                Pass::Swept if !sweep.mounted.is_empty() => {
                    return Ok(Removal::Mounted(sweep.mounted));
                }
                Pass::Swept if self.remove_folder()? => return Ok(Removal::Complete),
                Pass::Swept => {}
            }
        }
        Ok(Removal::Refilled)
    }
}

impl Sweep<'_> {
    /// Removes what is in an open folder, each name as soon as it is read: a folder can have more
    /// names than fit in memory.
    fn empty(&mut self, folder: &OwnedFd, path: &Path, depth: u32) -> Result<Pass> {
        let failed = |errno| trouble("list", path, errno);
        let mut pass = Pass::Swept;
        // A folder that grows while it is read comes to an end as well.
        let count = self.count(folder, path)?;
        for entry in fs::Dir::read_from(folder).map_err(failed)?.take(count) {
            (self.go_on)()?;
            if Instant::now() > self.until {
                return Ok(Pass::OutOfTime);
            }
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match self.remove(folder, name, path, depth)? {
                Pass::Swept => {}
                Pass::Raised => pass = Pass::Raised,
                Pass::OutOfTime => return Ok(Pass::OutOfTime),
            }
        }
        Ok(pass)
    }

    /// Removes one name in an open folder.
    fn remove(&mut self, folder: &OwnedFd, name: &CStr, path: &Path, depth: u32) -> Result<Pass> {
        let here = path.join(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let failed = |errno| trouble("remove", &here, errno);
        match fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Directory => {
                return match fs::unlinkat(folder, name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => Ok(Pass::Swept),
                    Err(Errno::BUSY) => self.is_mounted(here),
                    Err(errno) => Err(failed(errno)),
                };
            }
            Ok(_) => {}
            Err(Errno::NOENT) => return Ok(Pass::Swept),
            Err(errno) => return Err(failed(errno)),
        }
        let inner = match open_folder(folder, std::ffi::OsStr::from_bytes(name.to_bytes())) {
            Ok(inner) => inner,
            // It was swapped meanwhile: the next pass sees what stands there then.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                return Ok(Pass::Swept);
            }
            Err(errno) => return Err(trouble("open the folder", &here, errno)),
        };
        if MountId::of(&inner).map_err(failed)? != self.mount {
            return self.is_mounted(here);
        }
        if depth == 0 {
            self.raised += 1;
            let above = format!(".runnerup-raised-{}-{}", std::process::id(), self.raised);
            return match fs::renameat(folder, name, self.top, above) {
                Ok(()) => Ok(Pass::Raised),
                Err(Errno::NOENT) => Ok(Pass::Swept),
                // Something is mounted on it, or in the place where it is to go.
                Err(Errno::BUSY) => self.is_mounted(here),
                Err(errno) => Err(trouble("move up", &here, errno)),
            };
        }
        let pass = self.empty(&inner, &here, depth - 1)?;
        match fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST) => Ok(pass),
            Err(Errno::BUSY) => self.is_mounted(here),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// How many names an open folder has, the two that every folder has included.
    fn count(&self, folder: &OwnedFd, path: &Path) -> Result<usize> {
        let failed = |errno| trouble("list", path, errno);
        let mut count = 0;
        for entry in fs::Dir::read_from(folder).map_err(failed)? {
            (self.go_on)()?;
            entry.map_err(failed)?;
            count += 1;
            if Instant::now() > self.until {
                break;
            }
        }
        Ok(count)
    }

    fn is_mounted(&mut self, point: PathBuf) -> Result<Pass> {
        if self.mounted.len() < NAMED_MOUNTS {
            self.mounted.push(point);
        }
        Ok(Pass::Swept)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OFlags, OsStr};
    use super::*;
    use crate::{
        Code, Error,
        platform::fs::{Root, empty_root as root},
    };
    use rustix::fs::Mode;
    use std::{
        cell::Cell,
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, Ordering},
    };

    fn spot(root: &Root) -> Spot {
        root.find(Path::new("/work")).unwrap().unwrap()
    }

    fn removed(root: &Root) -> Removal {
        spot(root).remove_tree(&|| Ok(())).unwrap()
    }

    /// A chain of folders, each in the one before it.
    fn chain(top: &OwnedFd, depth: usize) {
        let mut deepest = top.try_clone().unwrap();
        for _ in 0..depth {
            // What is removed meanwhile cannot be gone on with.
            if fs::mkdirat(&deepest, "deeper", Mode::from_raw_mode(0o755)).is_err() {
                return;
            }
            let Ok(next) = open_folder(&deepest, OsStr::new("deeper")) else { return };
            deepest = next;
        }
    }

    #[test]
    fn a_tree_is_removed_without_following_its_links() {
        let (folder, root) = root();
        std::fs::create_dir_all(folder.path().join("work/deep")).unwrap();
        std::fs::create_dir(folder.path().join("kept")).unwrap();
        std::fs::write(folder.path().join("kept/file"), "x").unwrap();
        symlink("../../kept", folder.path().join("work/deep/link")).unwrap();
        assert_eq!(removed(&root), Removal::Complete);
        assert!(folder.path().join("kept/file").exists());
        assert!(!folder.path().join("work").exists());
    }

    #[test]
    fn a_tree_deeper_than_files_can_be_open_is_removed() {
        let (folder, root) = root();
        spot(&root).create_folder().unwrap();
        let top = fs::open(folder.path().join("work"), OFlags::DIRECTORY, Mode::empty()).unwrap();
        chain(&top, 1100);
        assert_eq!(removed(&root), Removal::Complete);
    }

    #[test]
    fn a_tree_that_grows_all_the_while_is_left_in_the_end() {
        let (folder, root) = root();
        spot(&root).create_folder().unwrap();
        let work = folder.path().join("work");
        let is_over = AtomicBool::new(false);
        let removal = std::thread::scope(|scope| {
            scope.spawn(|| {
                let top = fs::open(&work, OFlags::DIRECTORY, Mode::empty()).unwrap();
                for number in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("tree{number}");
                    let _ = fs::mkdirat(&top, &name, Mode::from_raw_mode(0o755));
                    if let Ok(inner) = open_folder(&top, OsStr::new(&name)) {
                        chain(&inner, 70);
                    }
                }
            });
            while std::fs::read_dir(&work).unwrap().next().is_none() {}
            let removal = spot(&root).remove_tree(&|| Ok(()));
            is_over.store(true, Ordering::Relaxed);
            removal.unwrap()
        });
        // The folder itself is gone where the last pass met it empty: that is no less an end.
        assert!(matches!(removal, Removal::Refilled | Removal::Complete), "{removal:?}");
    }

    #[test]
    fn a_removal_ends_when_it_is_told_to() {
        let (folder, root) = root();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        for number in 0..20 {
            std::fs::write(folder.path().join(format!("work/{number}")), "x").unwrap();
        }
        let asked = Cell::new(0);
        let go_on = || {
            asked.set(asked.get() + 1);
            match asked.get() > 30 {
                true => Err(Error::new(Code::Interrupted, "interrupted")),
                false => Ok(()),
            }
        };
        let error = spot(&root).remove_tree(&go_on).unwrap_err();
        assert_eq!(error.code(), Code::Interrupted);
        let left = std::fs::read_dir(folder.path().join("work")).unwrap().count();
        assert!((1..20).contains(&left), "{left}");
    }
}
