//! [`Root`] and [`Spot`] on Unix, over the `*at` calls.

mod lease;
mod mount;
mod rights;
mod root;
mod tree;
mod walk;

pub use mount::{mounts, mounts_of};
pub use root::Root;
pub use walk::has_access_list;

use super::{Kind, Listed, Meta, Permissions, drive, one_name};
use crate::{Code, Error, Help, Result};
use rustix::{
    fs::{self, AtFlags, FileType, Mode, OFlags},
    io::Errno,
};
use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    os::{
        fd::OwnedFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Component, Path, PathBuf},
    time::Instant,
};

/// A name in an open folder: the place where a file is, or is to be.
#[derive(Debug)]
pub struct Spot {
    folder: OwnedFd,
    name: OsString,
    path: PathBuf,
    /// Where it is on this machine.
    outside: PathBuf,
    trusted: bool,
    reach: mount::Reach,
}

impl Spot {
    /// The path, as seen inside the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path on this machine: what a person is told to look at.
    pub fn outside(&self) -> &Path {
        &self.outside
    }

    /// Whether nobody but root and the caller can change any folder on the way.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Another name in the same folder.
    pub fn sibling(&self, name: impl Into<OsString>) -> Result<Self> {
        let name = name.into();
        one_name(&name)?;
        let path = self.path.with_file_name(&name);
        let folder = self.folder.try_clone().map_err(|error| {
            Error::new(Code::StepFailed, format!("cannot open {}: {error}", path.display()))
        })?;
        let outside = self.outside.with_file_name(&name);
        Ok(Self { folder, path, outside, trusted: self.trusted, name, reach: self.reach.clone() })
    }

    /// What stands here; a link itself and not what it points to.
    pub fn metadata(&self) -> Result<Option<Meta>> {
        match fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(meta(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(failure("look at", &self.path, errno)),
        }
    }

    /// Opens the regular file here for reading. Neither follows a link nor waits at a FIFO.
    pub fn read(&self) -> Result<(File, Meta)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // A device may act when it is opened, so the look comes first; the handle is looked at
        // again because what stands here may have been swapped in between.
        let found = self.expect(Kind::File, self.metadata()?)?;
        let handle = fs::openat(&self.folder, &self.name, flags, Mode::empty()).map_err(
            |errno| match errno {
                Errno::AGAIN => lease::held(&self.path, found.identity.1),
                errno => failure("open", &self.path, errno),
            },
        )?;
        self.reach.admit(&handle, &self.outside)?;
        let meta = self.expect(Kind::File, Some(self.stat(&handle)?))?;
        Ok((File::from(handle), meta))
    }

    /// Makes a new file here, open for writing; fails when anything stands here already.
    pub fn create(&self, mode: u32) -> Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = fs::openat(&self.folder, &self.name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| failure("create", &self.path, errno))?;
        fs::fchmod(&handle, rights::bits(mode))
            .map_err(|errno| failure("set the mode of", &self.path, errno))?;
        Ok(File::from(handle))
    }

    /// Opens the file here for reading and writing, to hold a lock on it.
    pub fn open_for_lock(&self) -> Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.expect(Kind::File, self.metadata()?)?;
        fs::openat(&self.folder, &self.name, flags, Mode::empty())
            .map(File::from)
            .map_err(|errno| failure("open", &self.path, errno))
    }

    /// The names in the folder here, in no order; none when it is not there.
    pub fn list(&self) -> Result<Vec<OsString>> {
        let mut names = Vec::new();
        self.each_name(|name| {
            names.push(name.to_owned());
            true
        })?;
        Ok(names)
    }

    /// The first `limit` names in the folder here, and how many there are as far as that can be
    /// counted until then: an account can fill a folder of its own without end.
    pub fn list_some(&self, limit: usize, until: Instant) -> Result<Listed> {
        let mut listed = Listed { is_whole: true, ..Listed::default() };
        self.each_name(|name| {
            listed.count += 1;
            if listed.count <= limit {
                listed.names.push(name.to_owned());
            }
            listed.is_whole = Instant::now() < until;
            listed.is_whole
        })?;
        listed.is_whole &= listed.count <= limit;
        Ok(listed)
    }

    /// Passes each name on until `next` wants no more of them.
    fn each_name(&self, mut next: impl FnMut(&OsStr) -> bool) -> Result<()> {
        let handle = match open_folder(&self.folder, &self.name) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(failure("open the folder", &self.path, errno)),
        };
        self.reach.admit(&handle, &self.outside)?;
        for entry in fs::Dir::new(handle).map_err(|errno| failure("list", &self.path, errno))? {
            let entry = entry.map_err(|errno| failure("list", &self.path, errno))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." && !next(name) {
                break;
            }
        }
        Ok(())
    }

    /// Makes a new folder here, for the caller alone until [`Spot::settle_folder`] opens it.
    pub fn create_folder(&self) -> Result<()> {
        fs::mkdirat(&self.folder, &self.name, Mode::from_raw_mode(0o700))
            .map_err(|errno| failure("create the folder", &self.path, errno))
    }

    /// Makes a symbolic link here.
    pub fn create_link(&self, target: &Path) -> Result<()> {
        fs::symlinkat(target, &self.folder, &self.name)
            .map_err(|errno| failure("create the link", &self.path, errno))
    }

    /// Where the symbolic link here points.
    pub fn link_target(&self) -> Result<PathBuf> {
        link_target(&self.folder, &self.name, &self.path)
    }

    /// Makes a hard link to this file at `to`; `false` where the file systems do not allow it.
    pub fn link_to(&self, to: &Self) -> Result<bool> {
        match fs::linkat(&self.folder, &self.name, &to.folder, &to.name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::XDEV | Errno::PERM | Errno::MLINK | Errno::NOTSUP) => Ok(false),
            Err(errno) => Err(failure("link", &self.path, errno)),
        }
    }

    /// Puts this file at `to`, over what stands there, whole or not at all, and syncs the folder.
    pub fn rename_to(&self, to: &Self) -> Result<()> {
        fs::renameat(&self.folder, &self.name, &to.folder, &to.name)
            .map_err(|errno| failure("put in place", &to.path, errno))?;
        to.sync_folder()
    }

    /// Removes the file or link here; nothing there is fine.
    pub fn remove(&self) -> Result<()> {
        self.unlink(AtFlags::empty())?;
        self.sync_folder()
    }

    /// Removes the folder here when it is empty; `false` when it is not. Nothing there is fine.
    pub fn remove_folder(&self) -> Result<bool> {
        let gone = self.unlink(AtFlags::REMOVEDIR)?;
        if gone {
            self.sync_folder()?;
        }
        Ok(gone)
    }

    fn unlink(&self, flags: AtFlags) -> Result<bool> {
        match fs::unlinkat(&self.folder, &self.name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            // Said even of what is not there.
            Err(Errno::ROFS) if self.metadata()?.is_none() => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => Ok(false),
            Err(errno) => Err(failure("remove", &self.path, errno)),
        }
    }

    /// Makes what was renamed, made or removed in this folder survive a power cut.
    pub fn sync_folder(&self) -> Result<()> {
        match fs::fsync(&self.folder) {
            // Some file systems cannot sync a folder and need not.
            Ok(()) | Err(Errno::INVAL | Errno::ROFS) => Ok(()),
            Err(errno) => Err(failure("sync the folder of", &self.path, errno)),
        }
    }

    /// A name in the folder here; a link here is not followed.
    pub fn inside(&self, name: OsString) -> Result<Self> {
        one_name(&name)?;
        let (path, outside) = (self.path.join(&name), self.outside.join(&name));
        let folder = open_folder(&self.folder, &self.name)
            .map_err(|errno| failure("open the folder", &self.path, errno))?;
        self.reach.admit(&folder, &self.outside)?;
        Ok(Self { folder, name, path, outside, trusted: false, reach: self.reach.clone() })
    }

    fn stat(&self, handle: &OwnedFd) -> Result<Meta> {
        fs::fstat(handle)
            .map(|stat| meta(&stat))
            .map_err(|errno| failure("look at", &self.path, errno))
    }

    fn expect(&self, kind: Kind, found: Option<Meta>) -> Result<Meta> {
        match found {
            Some(meta) if meta.kind == kind => Ok(meta),
            Some(meta) => Err(Error::new(
                Code::InTheWay,
                format!("{} is {}, not {kind}", self.path.display(), meta.kind),
            )
            .help(Help::inspect("ls -ld", &self.outside))),
            None => Err(failure("open", &self.path, Errno::NOENT)),
        }
    }
}

/// The names that make up `path`, walked on from `from`; only a link's target may go up.
fn names(path: &Path, from: Vec<OsString>) -> Result<VecDeque<OsString>> {
    let mut names = VecDeque::from(from);
    for component in drive::inside(path).components() {
        match component {
            Component::Normal(name) => names.push_back(name.to_owned()),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir if names.pop_back().is_some() => {}
            Component::ParentDir | Component::Prefix(_) => return Err(not_a_place(path)),
        }
    }
    Ok(names)
}

fn open_folder(folder: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat(folder, name, flags, Mode::empty()) {
        // A folder that may be passed through but not listed.
        #[cfg(target_os = "linux")]
        Err(Errno::ACCESS) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            fs::openat(folder, name, flags, Mode::empty())
        }
        other => other,
    }
}

fn link_target(folder: &OwnedFd, name: &OsStr, path: &Path) -> Result<PathBuf> {
    match fs::readlinkat(folder, name, Vec::new()) {
        Ok(target) => Ok(PathBuf::from(OsString::from_vec(target.into_bytes()))),
        Err(Errno::INVAL) => Err(Error::new(
            Code::InTheWay,
            format!("{} on the way to {} is not a folder", name.display(), path.display()),
        )),
        Err(errno) => Err(failure("read the link", path, errno)),
    }
}

/// A folder that only root or the caller can change.
fn is_trusted(folder: &OwnedFd, path: &Path) -> Result<bool> {
    let stat = fs::fstat(folder).map_err(|errno| failure("look at", path, errno))?;
    Ok(is_ours(&stat) && stat.st_mode & 0o022 == 0)
}

fn is_ours(stat: &fs::Stat) -> bool {
    stat.st_uid == 0 || stat.st_uid == rustix::process::geteuid().as_raw()
}

fn meta(stat: &fs::Stat) -> Meta {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    };
    // Far enough: to the year 2262.
    let nanoseconds = |seconds: i64, fraction: i64| {
        seconds.saturating_mul(1_000_000_000).saturating_add(fraction)
    };
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)] // widths differ between systems
    Meta {
        kind,
        permissions: Permissions::Mode {
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: u32::from(stat.st_mode) & 0o7777,
        },
        size: stat.st_size as u64,
        links: stat.st_nlink as u64,
        identity: (
            stat.st_dev as u64,
            stat.st_ino as u64,
            nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        ),
    }
}

fn unsafe_link(path: &Path, name: &OsStr) -> Error {
    Error::new(
        Code::UntrustedPath,
        format!(
            "{} on the way to {} is a link in a folder that others can change",
            name.display(),
            path.display()
        ),
    )
    .help("look at it with `namei -l PATH | cat -v`, remove the link, and run again")
}

fn not_a_place(path: &Path) -> Error {
    Error::new(Code::ValueInvalid, format!("{} is not a path of a file", path.display()))
}

fn failure(doing: &str, path: &Path, errno: Errno) -> Error {
    let error = Error::new(
        Code::StepFailed,
        format!("cannot {doing} {}: {}", path.display(), std::io::Error::from(errno)),
    );
    match errno {
        Errno::ACCESS | Errno::PERM => error.recode(Code::NeedsRoot),
        Errno::LOOP => error.recode(Code::UntrustedPath).help("a link stands where none may be"),
        Errno::NOTDIR | Errno::EXIST | Errno::ISDIR => error.recode(Code::InTheWay),
        Errno::NOSPC | Errno::DQUOT | Errno::ROFS => error.recode(Code::HostUnfit),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root as root;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_link_in_a_folder_of_ours_is_followed_inside_the_root() {
        let (folder, root) = root();
        std::fs::create_dir_all(folder.path().join("private/var")).unwrap();
        symlink("/private/var", folder.path().join("var")).unwrap();
        root.find(Path::new("/var/file")).unwrap().unwrap().create(0o644).unwrap();
        assert!(folder.path().join("private/var/file").exists());
    }

    #[test]
    fn a_link_in_a_folder_that_others_can_write_is_refused() {
        let (folder, root) = root();
        std::fs::create_dir(folder.path().join("open")).unwrap();
        let mode = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path().join("open"), mode).unwrap();
        symlink("/", folder.path().join("open/way")).unwrap();
        let error = root.find(Path::new("/open/way/file")).unwrap_err();
        assert_eq!(error.code(), Code::UntrustedPath);
    }

    #[test]
    fn a_link_upwards_stays_inside_the_root() {
        let (folder, root) = root();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::create_dir(folder.path().join("c")).unwrap();
        symlink("../../c", folder.path().join("a/b/up")).unwrap();
        symlink("../../../../../c", folder.path().join("a/b/out")).unwrap();
        root.find(Path::new("/a/b/up/file")).unwrap().unwrap().create(0o600).unwrap();
        assert!(folder.path().join("c/file").exists());
        assert!(root.find(Path::new("/a/b/out/file")).is_err());
    }

    #[test]
    fn dots_do_not_leave_the_root() {
        let (_folder, root) = root();
        assert!(root.find(Path::new("/../etc/passwd")).is_err());
    }

    #[test]
    fn a_fifo_is_not_waited_at() {
        let (folder, root) = root();
        let fifo = folder.path().join("fifo");
        // By the system's tool: macOS has no `mknodat`.
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let error = root.find(Path::new("/fifo")).unwrap().unwrap().read().unwrap_err();
        assert_eq!(error.code(), Code::InTheWay);
    }

    #[test]
    fn a_file_has_its_mode_whatever_the_umask() {
        let (_folder, root) = root();
        let spot = root.find(Path::new("/file")).unwrap().unwrap();
        spot.create(0o640).unwrap();
        assert_eq!(spot.metadata().unwrap().unwrap().mode(), Some(0o640));
        assert!(spot.create(0o640).is_err());
    }
}
