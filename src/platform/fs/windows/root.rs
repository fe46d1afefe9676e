//! The folder that all paths of a run are under, and the way to a place in it.

use super::{Spot, failure, kind, metadata, not_a_place, unsafe_link};
use crate::{
    Code, Error, Result,
    platform::fs::{GoOn, Kind, Meta, Owned, PathPart, PathWalk, Provenance, WalkEnd},
};
use std::{
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf, Prefix},
    time::Instant,
};

/// The folder that counts as the host: all drives, or `--root DIR`.
#[derive(Debug)]
pub struct Root {
    base: PathBuf,
}

impl Root {
    /// Opens the folder that all paths are under; `/` is this host.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`] when `base` is a link, or the drive of this host's own system.
    pub fn open(base: &Path) -> Result<Self> {
        let root = Self { base: base.to_owned() };
        if root.is_host() {
            return Ok(root);
        }
        if is_systems_drive(base) {
            return Err(Error::new(
                Code::UntrustedPath,
                format!("{} is the drive of this host's own system", base.display()),
            )
            .help("leave --root out if this host is meant, and else give the image's own folder"));
        }
        match metadata(base)?.map(|meta| meta.kind) {
            Some(Kind::Folder) => Ok(root),
            Some(Kind::Link) => Err(Error::new(
                Code::UntrustedPath,
                format!("{} is a link, and leads elsewhere", base.display()),
            )
            .help("give --root the image's own folder, without a link in it")),
            Some(_) => Err(Error::new(Code::InTheWay, format!("{} is no folder", base.display()))),
            None => Err(failure("open the folder", base, &ErrorKind::NotFound.into())),
        }
    }

    /// Nothing: accounts of Windows have no numbers.
    ///
    /// # Errors
    /// None.
    pub fn remove_owned(
        &self,
        _folder: &Path,
        _uid: u32,
        _until: Instant,
        _go_on: &GoOn<'_>,
    ) -> Result<Owned> {
        Ok(Owned { has_removed: false, is_whole: true })
    }

    /// The folder itself.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Whether it is this host's own, and no image.
    pub fn is_host(&self) -> bool {
        self.base == Path::new("/")
    }

    /// Where `path` (absolute, as seen inside the root) is on this machine: an image stands for
    /// the system's drive, so that `C:/folder` is `DIR/folder`, and `D:/folder` `DIR/D/folder`.
    pub fn outside(&self, path: &Path) -> PathBuf {
        if self.is_host() {
            return path.to_owned();
        }
        let text = path.to_string_lossy().replace('\\', "/");
        let is_own = |name: &&str| !name.is_empty() && !name.eq_ignore_ascii_case("C:");
        let names = text.split('/').filter(is_own);
        let mut real = self.base.clone();
        real.extend(names.map(|name| name.trim_end_matches(':')));
        real
    }

    /// The place of `path`; `None` when a folder on the way is not there.
    ///
    /// # Errors
    /// [`Code::UntrustedPath`] when a link is on the way, [`Code::InTheWay`] when something that
    /// is no folder is.
    pub fn find(&self, path: &Path) -> Result<Option<Spot>> {
        let (above, real) = self.way(path)?;
        for folder in above {
            match fs::symlink_metadata(&folder) {
                Ok(meta) => match kind(&meta) {
                    Kind::Folder => {}
                    Kind::Link => return Err(unsafe_link(path, &folder)),
                    Kind::File | Kind::Special => {
                        return Err(Error::new(
                            Code::InTheWay,
                            format!(
                                "{} on the way to {} is not a folder",
                                folder.display(),
                                path.display()
                            ),
                        ));
                    }
                },
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failure("look into", &folder, &error)),
            }
        }
        Ok(Some(Spot { real, path: path.to_owned() }))
    }

    /// What stands at `path`, a link itself and not what it points to.
    pub fn metadata(&self, path: &Path) -> Result<Option<Meta>> {
        self.find(path)?.map_or(Ok(None), |spot| spot.metadata())
    }

    /// The way to `path`, as far as it goes.
    ///
    /// # Errors
    /// When a folder on the way cannot be looked into, or `path` goes up.
    pub fn walk(&self, path: &Path) -> Result<PathWalk> {
        let mut walk = self.follow(path)?;
        walk.note_provenance();
        Ok(walk)
    }

    fn follow(&self, path: &Path) -> Result<PathWalk> {
        let mut walk = PathWalk { path: path.to_owned(), ..PathWalk::default() };
        let (above, real) = self.way(path)?;
        for folder in above {
            match metadata(&folder)? {
                Some(meta) if meta.kind == Kind::Folder => {
                    walk.passed.push(PathPart {
                        path: folder,
                        meta,
                        has_list: true,
                        replaceable_by: Provenance::Anybody,
                    });
                }
                Some(meta) => {
                    let shown = folder.display().to_string();
                    walk.stopped = Some(WalkEnd::NoFolder(shown, meta.kind));
                    return Ok(walk);
                }
                None => {
                    walk.stopped = Some(WalkEnd::missing(&folder));
                    return Ok(walk);
                }
            }
        }
        walk.end = metadata(&real)?;
        match walk.end {
            Some(_) => walk.real = path.to_owned(),
            None => walk.stopped = Some(WalkEnd::missing(&real)),
        }
        Ok(walk)
    }

    /// Who can change the folders above an image is not known here.
    ///
    /// # Errors
    /// None.
    pub fn admit_changes(&self) -> Result<()> {
        Ok(())
    }

    /// Windows has no names for open folders.
    pub fn handle_path(&self) -> PathBuf {
        self.base.clone()
    }

    /// A mounted volume is a link here, which is not followed.
    pub fn mounts_below(&self, _path: &Path) -> Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    /// The folders on the way to `path`, outermost first, and its own place on this machine.
    fn way(&self, path: &Path) -> Result<(Vec<PathBuf>, PathBuf)> {
        let goes_up = path.components().any(|part| matches!(part, Component::ParentDir));
        if goes_up || path.file_name().is_none() {
            return Err(not_a_place(path));
        }
        let real = self.outside(path);
        let is_above = |folder: &&Path| self.is_host() || folder.starts_with(&self.base);
        let mut above: Vec<PathBuf> = real
            .ancestors()
            .skip(1)
            .filter(is_above)
            .filter(|folder| folder.file_name().is_some())
            .map(Path::to_owned)
            .collect();
        above.reverse();
        Ok((above, real))
    }
}

/// Whether a path is the drive that an image stands for, and not a folder on it.
fn is_systems_drive(base: &Path) -> bool {
    let mut parts = base.components();
    let is_c = |prefix: Prefix<'_>| {
        matches!(prefix, Prefix::Disk(b'C' | b'c') | Prefix::VerbatimDisk(b'C' | b'c'))
    };
    let is_drive = matches!(parts.next(), Some(Component::Prefix(prefix)) if is_c(prefix.kind()));
    is_drive && parts.all(|part| part == Component::RootDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drive_of_this_host_is_no_image() {
        for base in ["C:/", r"c:\", r"\\?\C:\"] {
            let error = Root::open(Path::new(base)).unwrap_err();
            assert_eq!(error.code(), Code::UntrustedPath, "{base}");
        }
        assert!(!is_systems_drive(Path::new("D:/")) && !is_systems_drive(Path::new("C:/image")));
    }
}
