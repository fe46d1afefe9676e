//! Removing a folder with all that is in it, or what one account has in it.

mod of_account;
mod owned;
mod staging;
mod top;

use staging::Staging;
use top::Top;

use super::{
    Spot, failure, is_ours,
    mount::{Glance, MountId},
    open_folder,
};
use crate::{
    Result,
    platform::{
        fs::{GoOn, Removal},
        privilege::is_privileged,
    },
};
use rustix::{
    fs::{self, AtFlags, Mode},
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

/// Passes over a tree. One is enough for a tree that nobody adds to.
const PASS_LIMIT: u32 = 256;

/// Longest time for one tree. The next run goes on from there.
const TIME_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Time for what was added during the first pass; where that took longer, as much again.
const REPEAT_LIMIT: Duration = Duration::from_secs(10);

/// Mount points that are named; more do not help.
const NAMED_MOUNTS: usize = 16;

/// Files of others that are named; more do not help.
const NAMED_OTHERS: usize = 16;

/// One removal: what holds for all folders of the tree.
struct Sweep<'a> {
    /// The folder whose content is removed.
    top: &'a OwnedFd,
    /// Only what belongs to this account is removed, and nothing is moved up.
    owner: Option<u32>,
    mount: MountId,
    until: Instant,
    go_on: &'a GoOn<'a>,
    staging: Option<Staging>,
    /// Numbers the parts that are moved up.
    raised: u64,
    /// Whether anything was removed.
    has_removed: bool,
    /// Whether something was too deep to be looked at.
    is_cut: bool,
    mounted: Vec<PathBuf>,
    /// What belongs to others in the tree of one account, whose own folders around it go to root.
    others: Option<Vec<PathBuf>>,
}

/// How a pass over a folder ended.
#[derive(PartialEq, Eq)]
enum Pass {
    /// The folder was empty for a moment, or holds only what is mounted in it.
    Swept,
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
        let Top { folder: top, mount } = match self.top()? {
            Ok(top) => top,
            Err(removal) => return Ok(removal),
        };
        close(&top);
        let begun = Instant::now();
        let until = begun + TIME_LIMIT;
        let mut sweep = Sweep::of(&top, None, mount, until, go_on);
        for number in 0..PASS_LIMIT {
            if number == 1 {
                let repeats = begun.elapsed().max(REPEAT_LIMIT);
                sweep.until = sweep.until.min(Instant::now() + repeats);
            }
            sweep.mounted.clear();
            if sweep.pass(&self.path)? == Pass::OutOfTime {
                let is_first = number == 0;
                return Ok(if is_first { Removal::OutOfTime } else { Removal::Refilled });
            }
            if !sweep.mounted.is_empty() {
                return Ok(Removal::Mounted(sweep.mounted));
            }
            if self.remove_folder()? {
                return Ok(Removal::Complete);
            }
        }
        Ok(Removal::Refilled)
    }
}

/// Gives a folder to root, with the mode that it has.
fn give_to_root(folder: &OwnedFd) {
    if is_privileged() {
        let _ = fs::fchown(folder, Some(fs::Uid::ROOT), Some(fs::Gid::ROOT));
    }
}

/// Gives a folder to root alone, so that what a removal that is cut off leaves in it is for nobody
/// else. The removal goes on where a file system does not allow that.
fn close(folder: &OwnedFd) {
    give_to_root(folder);
    let _ = fs::fchmod(folder, Mode::RWXU);
}

impl<'a> Sweep<'a> {
    fn of(
        top: &'a OwnedFd,
        owner: Option<u32>,
        mount: MountId,
        until: Instant,
        go_on: &'a GoOn<'a>,
    ) -> Self {
        let (staging, mounted) = (None, Vec::new());
        let (has_removed, is_cut) = (false, false);
        let (raised, others) = (0, None);
        Self {
            top,
            owner,
            mount,
            until,
            go_on,
            staging,
            raised,
            has_removed,
            is_cut,
            mounted,
            others,
        }
    }

    /// Removes what is in the top folder, however deep it is.
    fn pass(&mut self, path: &Path) -> Result<Pass> {
        let top = self.top;
        let mut pass = self.empty(top, path, DEPTH_LIMIT)?;
        while pass == Pass::Swept
            && let Some(Staging { folder, name }) = self.staging.take()
        {
            let path = path.join(&name);
            // What is too deep for this folder goes to another one.
            pass = self.empty(&folder, &path, DEPTH_LIMIT)?;
            match fs::unlinkat(top, &name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(errno) => return Err(failure("remove", &path, errno)),
            }
        }
        Ok(pass)
    }

    /// Removes what is in an open folder, each name as soon as it is read: a folder can have more
    /// names than fit in memory.
    fn empty(&mut self, folder: &OwnedFd, path: &Path, depth: u32) -> Result<Pass> {
        let failed = |errno| failure("list", path, errno);
        // A folder that grows while it is read comes to an end as well. One that others use is read
        // to its end, or until the time is over: what they add takes the place of nothing.
        let count = if self.owner.is_none() { self.count(folder, path)? } else { usize::MAX };
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
            if self.remove(folder, name, path, depth)? == Pass::OutOfTime {
                return Ok(Pass::OutOfTime);
            }
        }
        Ok(Pass::Swept)
    }

    /// Removes one name in an open folder.
    fn remove(&mut self, folder: &OwnedFd, name: &CStr, path: &Path, depth: u32) -> Result<Pass> {
        let here = path.join(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let failed = |errno| failure("remove", &here, errno);
        let found = match Glance::at(folder, name) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(Pass::Swept),
            Err(errno) => return Err(failed(errno)),
        };
        if found.mount.is_some_and(|mount| mount != self.mount) {
            return self.note_mount(here);
        }
        let owner = self.owner;
        let is_others = |uid: u32| owner.is_some_and(|owner| uid != owner);
        if is_others(found.uid) && !found.is_folder {
            self.note_others(here);
            return Ok(Pass::Swept);
        }
        if !found.is_folder {
            return match fs::unlinkat(folder, name, AtFlags::empty()) {
                Ok(()) => {
                    self.has_removed = true;
                    Ok(Pass::Swept)
                }
                Err(Errno::NOENT | Errno::ISDIR) => Ok(Pass::Swept),
                Err(Errno::BUSY) => self.note_mount(here),
                Err(errno) => Err(failed(errno)),
            };
        }
        let is_staging = |staging: &Staging| staging.name.as_bytes() == name.to_bytes();
        if depth == DEPTH_LIMIT && self.staging.as_ref().is_some_and(is_staging) {
            return Ok(Pass::Swept);
        }
        let inner = match open_folder(folder, std::ffi::OsStr::from_bytes(name.to_bytes())) {
            Ok(inner) => inner,
            // It was swapped meanwhile: the next pass sees what stands there then.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                return Ok(Pass::Swept);
            }
            Err(errno) => return Err(failure("open the folder", &here, errno)),
        };
        if MountId::of(&inner).map_err(failed)? != self.mount {
            return self.note_mount(here);
        }
        if depth == 0 && owner.is_some() {
            // A folder that others use is no place to move anything up to.
            self.is_cut = true;
            self.note_others(here);
            return Ok(Pass::Swept);
        }
        if depth == 0 {
            return self.raise(folder, name, here);
        }
        let pass = self.empty(&inner, &here, depth - 1)?;
        // Another account's folder stays, without what was the account's in it.
        if owner.is_some() && is_others(fs::fstat(&inner).map_err(failed)?.st_uid) {
            self.note_others(here);
            return Ok(pass);
        }
        match fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
            Ok(()) => {
                self.has_removed = true;
                Ok(pass)
            }
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                if self.others.is_some() {
                    // The number of the account is free soon.
                    give_to_root(&inner);
                }
                Ok(pass)
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(pass),
            Err(Errno::BUSY) => self.note_mount(here),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// What belongs to others stays, and is told of in the end.
    fn note_others(&mut self, path: PathBuf) {
        if let Some(others) = self.others.as_mut().filter(|others| others.len() < NAMED_OTHERS) {
            // A folder is noted behind what is in it.
            others.retain(|other| !other.starts_with(&path));
            others.push(path);
        }
    }

    /// Moves a folder that is too deep up, from where it is removed later.
    fn raise(&mut self, folder: &OwnedFd, name: &CStr, here: PathBuf) -> Result<Pass> {
        self.raised += 1;
        let above = format!(".runnerup-raised-{}-{}", std::process::id(), self.raised);
        if self.staging.is_none() {
            self.staging = Staging::new(self.top, format!("{above}-staging"))
                .map_err(|errno| failure("move up", &here, errno))?;
        }
        let to = self.staging.as_ref().map_or(self.top, |staging| &staging.folder);
        match fs::renameat(folder, name, to, above) {
            // The next pass tries again where the new name is taken, as it can be in the top folder.
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {
                Ok(Pass::Swept)
            }
            // Something is mounted on it.
            Err(Errno::BUSY) => self.note_mount(here),
            Err(errno) => Err(failure("move up", &here, errno)),
        }
    }

    /// How many names an open folder has, the two that every folder has included.
    fn count(&self, folder: &OwnedFd, path: &Path) -> Result<usize> {
        let failed = |errno| failure("list", path, errno);
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

    /// What is mounted stays, and is told of in the end.
    fn note_mount(&mut self, point: PathBuf) -> Result<Pass> {
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

    /// In memory where there is such a folder: disks take ten times as long.
    #[test]
    fn a_tree_of_more_levels_than_passes_can_open_is_removed() {
        let place = Path::new("/dev/shm");
        let place = if place.is_dir() { place.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(place).unwrap();
        let root = Root::open(folder.path()).unwrap();
        spot(&root).create_folder().unwrap();
        let top = fs::open(folder.path().join("work"), OFlags::DIRECTORY, Mode::empty()).unwrap();
        chain(&top, (PASS_LIMIT * (DEPTH_LIMIT + 2)) as usize);
        assert_eq!(removed(&root), Removal::Complete);
    }

    #[test]
    fn a_name_that_a_deep_part_is_to_have_stops_no_removal() {
        let (folder, root) = root();
        spot(&root).create_folder().unwrap();
        let work = folder.path().join("work");
        let top = fs::open(&work, OFlags::DIRECTORY, Mode::empty()).unwrap();
        let deep = |number: u32| {
            let name = format!("deep{number}");
            fs::mkdirat(&top, &name, Mode::from_raw_mode(0o755)).unwrap();
            chain(&open_folder(&top, OsStr::new(&name)).unwrap(), 70);
        };
        // Some are read before the names that are taken, in whatever order folders are read.
        (0..5).for_each(deep);
        for number in 1..20 {
            let taken = format!(".runnerup-raised-{}-{number}", std::process::id());
            std::fs::create_dir_all(work.join(&taken).join("full")).unwrap();
            std::fs::write(work.join(format!("{taken}-staging")), "x").unwrap();
        }
        (5..10).for_each(deep);
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
        assert!(!matches!(removal, Removal::Mounted(_)), "{removal:?}");
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
