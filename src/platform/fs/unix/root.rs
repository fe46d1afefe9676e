//! The folder that all paths of a run are under, and the way to a place in it.

use super::{
    Spot, failure, is_ours, is_trusted, link_target, mount::Reach, names, not_a_place, open_folder,
    unsafe_link,
};
use crate::{
    Code, Error, Help, Result,
    platform::{fs::Meta, privilege},
};
use rustix::{
    fs::{self, Mode, OFlags},
    io::Errno,
};
use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

/// Links followed on the way to one path.
pub(super) const LINK_LIMIT: u32 = 40;

/// The folder that counts as `/`: the real one, or `--root DIR`.
#[derive(Debug)]
pub struct Root {
    handle: OwnedFd,
    pub(super) base: PathBuf,
    pub(super) reach: Reach,
}

impl Root {
    /// Opens the folder that all paths are under, name by name: what somebody else made must not
    /// lead a run to another folder, and least of all to this host.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`] when `base` is a link, when a link on the way could have been put
    /// there by another user, and when `base` is another name of this host's own root.
    pub fn open(base: &Path) -> Result<Self> {
        let host = open_start(Path::new("/"))?;
        if base == Path::new("/") {
            return Ok(Self { handle: host, base: base.to_owned(), reach: Reach::Host });
        }
        let handle = walk_to(base)?;
        if identity(&handle, base)? == identity(&host, base)? {
            return Err(Error::new(
                Code::UntrustedPath,
                format!("{} is another name of this host's own root folder", base.display()),
            )
            .help("leave --root out if this host is meant, and else give the image's own folder"));
        }
        let reach = Reach::image(&handle, base);
        Ok(Self { handle, base: base.to_owned(), reach })
    }

    /// The folder itself.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Whether it is this host's own, and no image.
    pub fn is_host(&self) -> bool {
        self.base == Path::new("/")
    }

    /// Where `path` (absolute, as seen inside the root) is on this machine.
    pub fn outside(&self, path: &Path) -> PathBuf {
        self.base.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The place of `path`; `None` when a folder on the way is not there.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`] when a link on the way could have been put there by another user,
    /// [`Code::InTheWay`] when something that is no folder stands on the way.
    pub fn find(&self, path: &Path) -> Result<Option<Spot>> {
        let mut ahead = names(path, Vec::new())?;
        let name = ahead.pop_back().ok_or_else(|| not_a_place(path))?;
        let mut walked: Vec<OsString> = Vec::new();
        let mut folder = self.duplicate(path)?;
        let mut trusted = is_trusted(&folder, path)?;
        let mut links = 0;
        while let Some(next) = ahead.pop_front() {
            match open_folder(&folder, &next) {
                Ok(inner) => {
                    self.reach.admit(&inner, &self.outside(path))?;
                    trusted = trusted && is_trusted(&inner, path)?;
                    folder = inner;
                    walked.push(next);
                }
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {
                    let target = link_target(&folder, &next, path)?;
                    links += 1;
                    if !trusted || links > LINK_LIMIT {
                        return Err(unsafe_link(path, &next));
                    }
                    // What was walked holds no link, so `..` in the target can be taken by name.
                    let from = if target.is_absolute() { Vec::new() } else { walked.split_off(0) };
                    let mut whole = names(&target, from)?;
                    whole.append(&mut ahead);
                    ahead = whole;
                    walked.clear();
                    folder = self.duplicate(path)?;
                    trusted = is_trusted(&folder, path)?;
                }
                Err(errno) => return Err(failure("look into", path, errno)),
            }
        }
        let outside = self.outside(path);
        let (path, reach) = (path.to_owned(), self.reach.clone());
        Ok(Some(Spot { folder, name, path, outside, trusted, reach }))
    }

    /// What stands at `path`, a link itself and not what it points to.
    pub fn metadata(&self, path: &Path) -> Result<Option<Meta>> {
        self.find(path)?.map_or(Ok(None), |spot| spot.metadata())
    }

    /// Refuses to change an image whose folder another account can swap for another one between
    /// two steps. An account without privilege cannot be led to more than it may change anyway.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`].
    pub fn admit_changes(&self) -> Result<()> {
        if self.is_host() || !privilege::is_privileged() || self.is_closed_above()? {
            return Ok(());
        }
        let base = self.base.display();
        Err(Error::new(
            Code::UntrustedPath,
            format!("the image {base} is in a folder that other accounts can change"),
        )
        .help("move it below a folder of root's, such as /srv or /root"))
    }

    /// Whether no account but root and the caller can put another folder in this one's place. In
    /// a sticky folder, such as `/tmp`, only owners can replace what is theirs.
    pub fn is_closed_above(&self) -> Result<bool> {
        let failed = |errno| failure("look above", &self.base, errno);
        let mut folder = self.duplicate(&self.base)?;
        loop {
            let above = open_folder(&folder, OsStr::new("..")).map_err(failed)?;
            if identity(&above, &self.base)? == identity(&folder, &self.base)? {
                return Ok(true);
            }
            if !keeps(&above, &folder, &self.base)? {
                return Ok(false);
            }
            folder = above;
        }
    }

    /// A name of the open folder itself for a process that this one starts, whatever becomes of
    /// the name by which it was opened.
    #[cfg(target_os = "linux")]
    pub fn handle_path(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/self/fd/{}", self.handle.as_raw_fd()))
    }

    /// Only Linux has names for open folders.
    #[cfg(not(target_os = "linux"))]
    pub fn handle_path(&self) -> PathBuf {
        self.base.clone()
    }

    pub(super) fn duplicate(&self, path: &Path) -> Result<OwnedFd> {
        self.handle.try_clone().map_err(|error| {
            Error::new(Code::StepFailed, format!("cannot open {}: {error}", path.display()))
        })
    }
}

/// Walks to the folder of an image. A link is followed only where nobody but root or the caller
/// could have put it, and never as the last name.
fn walk_to(base: &Path) -> Result<OwnedFd> {
    let mut ahead: VecDeque<OsString> = parts(base);
    let mut folder = open_start(if base.is_absolute() { Path::new("/") } else { Path::new(".") })?;
    // Whether nobody else can put another folder in the place of this one.
    let mut is_kept = true;
    let mut links = 0;
    while let Some(next) = ahead.pop_front() {
        match open_folder(&folder, &next) {
            Ok(inner) => {
                is_kept = is_kept && keeps(&folder, &inner, base)?;
                folder = inner;
            }
            Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {
                let target = link_target(&folder, &next, base)?;
                links += 1;
                if ahead.is_empty() {
                    return Err(is_a_link(base));
                }
                if !is_kept || !is_trusted(&folder, base)? || links > LINK_LIMIT {
                    return Err(unsafe_link(base, &next));
                }
                if is_proc(&folder) {
                    // Its links name a folder, and do not tell the way to it.
                    folder = open_linked(&folder, &next, base)?;
                    continue;
                }
                let mut whole = parts(&target);
                whole.append(&mut ahead);
                ahead = whole;
                if target.is_absolute() {
                    folder = open_start(Path::new("/"))?;
                }
            }
            Err(errno) => return Err(failure("open the folder", base, errno)),
        }
    }
    // By the kernel's own way, so that no link is taken here for another one than it is.
    let named = fs::stat(base).map_err(|errno| failure("open the folder", base, errno))?;
    match identity(&folder, base)? == (named.st_dev, named.st_ino) {
        true => Ok(folder),
        false => Err(is_a_link(base)),
    }
}

/// Follows a link as the kernel does.
fn open_linked(folder: &OwnedFd, name: &OsStr, base: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::openat(folder, name, flags, Mode::empty())
        .map_err(|errno| failure("open the folder", base, errno))
}

#[cfg(target_os = "linux")]
fn is_proc(folder: &OwnedFd) -> bool {
    fs::fstatfs(folder).is_ok_and(|system| system.f_type == fs::PROC_SUPER_MAGIC)
}

/// Other systems have no such links.
#[cfg(not(target_os = "linux"))]
fn is_proc(_folder: &OwnedFd) -> bool {
    false
}

fn identity(folder: &OwnedFd, base: &Path) -> Result<(fs::Dev, u64)> {
    let stat = fs::fstat(folder).map_err(|errno| failure("look at", base, errno))?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Whether nobody but root and the caller can put another folder in the place of `inner`.
fn keeps(folder: &OwnedFd, inner: &OwnedFd, base: &Path) -> Result<bool> {
    let stat = |folder| fs::fstat(folder).map_err(|errno| failure("look at", base, errno));
    let (above, here) = (stat(folder)?, stat(inner)?);
    let is_shared = above.st_mode & 0o022 != 0;
    let is_sticky = above.st_mode & 0o1000 != 0;
    Ok(is_ours(&above) && (!is_shared || is_sticky && is_ours(&here)))
}

/// The names of a path; `..` is the folder above the one that was walked to.
fn parts(path: &Path) -> VecDeque<OsString> {
    let is_step =
        |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(is_step).map(|part| part.as_os_str().to_owned()).collect()
}

fn open_start(folder: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::open(folder, flags, Mode::empty())
        .map_err(|errno| failure("open the folder", folder, errno))
}

fn is_a_link(base: &Path) -> Error {
    Error::new(Code::UntrustedPath, format!("{} is a link, and leads elsewhere", base.display()))
        .help(Help::way(base))
        .help("give --root the image's own folder, without a link in it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root;
    use std::{
        fs::{Permissions, create_dir, create_dir_all, set_permissions},
        os::unix::fs::PermissionsExt,
        os::unix::fs::symlink,
    };

    fn refused(base: &Path) -> Error {
        let error = Root::open(base).unwrap_err();
        assert_eq!(error.code(), Code::UntrustedPath, "{}: {error}", base.display());
        error
    }

    #[test]
    fn a_link_is_no_image() {
        let (folder, _root) = empty_root();
        let link = folder.path().join("link");
        for target in [Path::new("/"), folder.path(), Path::new(".")] {
            symlink(target, &link).unwrap();
            for base in [link.clone(), link.join("."), link.join("")] {
                assert!(refused(&base).message().contains("is a link"));
            }
            std::fs::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn the_host_has_no_other_name() {
        let (folder, _root) = empty_root();
        let ups = "../".repeat(folder.path().components().count());
        for base in [folder.path().join(&ups), PathBuf::from("/usr/..")] {
            assert!(
                refused(&base).message().contains("this host's own root"),
                "{}",
                base.display()
            );
        }
        for base in ["/", "//", "/."] {
            assert!(Root::open(Path::new(base)).unwrap().is_host(), "{base}");
        }
        #[cfg(target_os = "linux")]
        for base in ["/proc/self/root", "/proc/self/root/usr/..", "/proc/self/cwd"] {
            refused(Path::new(base));
        }
    }

    /// A folder of another namespace of mounts, by a process of root's there.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_a_process_sees_can_be_given() {
        let (folder, _root) = empty_root();
        create_dir(folder.path().join("etc")).unwrap();
        let seen = Path::new("/proc/self/root").join(folder.path().strip_prefix("/").unwrap());
        let root = Root::open(&seen).unwrap();
        assert!(!root.is_host() && root.metadata(Path::new("/etc")).unwrap().is_some());
    }

    #[test]
    fn a_link_on_the_way_is_followed_where_nobody_else_made_it() {
        let (folder, _root) = empty_root();
        let at = |path: &str| folder.path().join(path);
        create_dir_all(at("real/image/etc")).unwrap();
        symlink("real", at("link")).unwrap();
        symlink(at("real"), at("whole")).unwrap();
        for base in ["link/image", "whole/image", "whole/../real/image"] {
            let root = Root::open(&at(base)).unwrap();
            assert!(root.metadata(Path::new("/etc")).unwrap().is_some(), "{base}");
        }
        create_dir(at("open")).unwrap();
        set_permissions(at("open"), Permissions::from_mode(0o777)).unwrap();
        symlink("../real", at("open/link")).unwrap();
        refused(&at("open/link/image"));
    }

    #[test]
    fn an_image_of_another_account_in_a_sticky_folder_is_not_closed() {
        if crate::platform::left_out::needs_root(
            "an image of another account in a sticky folder is not closed",
        ) {
            return;
        }
        let (folder, _root) = empty_root();
        let image = folder.path().join("image");
        create_dir(&image).unwrap();
        set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
        Root::open(&image).unwrap().admit_changes().unwrap();
        std::os::unix::fs::chown(&image, Some(7_000_001), None).unwrap();
        let error = Root::open(&image).unwrap().admit_changes().unwrap_err();
        assert_eq!(error.code(), Code::UntrustedPath);
    }
}
