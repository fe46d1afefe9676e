//! [`Root`] and [`Spot`] on Windows, over the standard library.
//!
//! Rights are access lists, which a [`System`](crate::platform::system::System) sets by name;
//! what is made here inherits those of its folder. No link (symbolic link, junction) is ever
//! followed. Other than on Unix a path is walked by name: a folder on the way that is swapped
//! between two steps is not noticed, and so every folder on the way has to be one that only
//! administrators can change.

mod rights;
mod root;

pub use root::Root;

use super::file_time::nanoseconds;
use super::{GoOn, Kind, Listed, Meta, Mounted, Permissions, Removal, one_name};
use crate::{Code, Error, Result};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata, OpenOptions},
    io::{self, ErrorKind},
    os::windows::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Instant,
};

/// A name in a folder: the place where a file is, or is to be.
#[derive(Debug)]
pub struct Spot {
    /// Where it is on this machine.
    real: PathBuf,
    path: PathBuf,
}

/// Nothing decides by mounts here: what leads to another volume is a link.
///
/// # Errors
/// None.
pub fn mounts() -> Result<Vec<Mounted>> {
    Ok(Vec::new())
}

/// The mounts that a process sees, where they are not the host's: there are none here.
///
/// # Errors
/// None.
pub fn mounts_of(_pid: u32) -> Result<Option<Vec<Mounted>>> {
    Ok(None)
}

/// Rights are access lists here: that there is one says nothing.
pub fn has_access_list(_file: &File) -> bool {
    false
}

impl Spot {
    /// The path, as seen inside the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path on this machine: what a person is told to look at.
    pub fn outside(&self) -> &Path {
        &self.real
    }

    /// Whether nobody but administrators can change any folder on the way: not known here, and
    /// so never taken for granted.
    pub fn is_trusted(&self) -> bool {
        false
    }

    /// Another name in the same folder.
    pub fn sibling(&self, name: impl Into<OsString>) -> Result<Self> {
        let name = name.into();
        one_name(&name)?;
        Ok(Self { real: self.real.with_file_name(&name), path: self.path.with_file_name(&name) })
    }

    /// What stands here; a link itself and not what it points to.
    pub fn metadata(&self) -> Result<Option<Meta>> {
        metadata(&self.real)
    }

    /// Opens the regular file here for reading.
    pub fn read(&self) -> Result<(File, Meta)> {
        let meta = self.expect(Kind::File)?;
        let file = File::open(&self.real).map_err(|error| failure("open", &self.path, &error))?;
        Ok((file, meta))
    }

    /// Makes a new file here, open for writing; fails when anything stands here already. Its
    /// rights are those of its folder.
    pub fn create(&self, _mode: u32) -> Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&self.real)
            .map_err(|error| failure("create", &self.path, &error))
    }

    /// Opens the file here for reading and writing, to hold a lock on it.
    pub fn open_for_lock(&self) -> Result<File> {
        self.expect(Kind::File)?;
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.real)
            .map_err(|error| failure("open", &self.path, &error))
    }

    /// The names in the folder here, in no order; none when it is not there.
    pub fn list(&self) -> Result<Vec<OsString>> {
        let entries = match fs::read_dir(&self.real) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failure("list", &self.path, &error)),
        };
        entries
            .map(|entry| {
                let entry = entry.map_err(|error| failure("list", &self.path, &error))?;
                Ok(entry.file_name())
            })
            .collect()
    }

    /// The first `limit` names in the folder here, and how many there are as far as that can be
    /// counted until then.
    pub fn list_some(&self, limit: usize, until: Instant) -> Result<Listed> {
        let entries = match fs::read_dir(&self.real) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Listed::default()),
            Err(error) => return Err(failure("list", &self.path, &error)),
        };
        let mut listed = Listed { is_whole: true, ..Listed::default() };
        for entry in entries {
            let entry = entry.map_err(|error| failure("list", &self.path, &error))?;
            listed.count += 1;
            if listed.count <= limit {
                listed.names.push(entry.file_name());
            }
            if Instant::now() >= until {
                listed.is_whole = false;
                break;
            }
        }
        listed.is_whole &= listed.count <= limit;
        Ok(listed)
    }

    /// Makes a new folder here.
    pub fn create_folder(&self) -> Result<()> {
        fs::create_dir(&self.real).map_err(|error| failure("create the folder", &self.path, &error))
    }

    /// Links are not made on Windows.
    pub fn create_link(&self, _target: &Path) -> Result<()> {
        Err(Error::new(Code::StepFailed, format!("{}: no link is made here", self.path.display())))
    }

    /// Where the symbolic link here points.
    pub fn link_target(&self) -> Result<PathBuf> {
        fs::read_link(&self.real).map_err(|error| failure("read the link", &self.path, &error))
    }

    /// Makes a hard link to this file at `to`; `false` where the file systems do not allow it.
    pub fn link_to(&self, to: &Self) -> Result<bool> {
        Ok(fs::hard_link(&self.real, &to.real).is_ok())
    }

    /// Puts this file at `to`, over what stands there. A program that runs cannot be replaced,
    /// but moved aside; it goes when it has ended.
    pub fn rename_to(&self, to: &Self) -> Result<()> {
        let failed = |error: io::Error| failure("put in place", &to.path, &error);
        match fs::rename(&self.real, &to.real) {
            Ok(()) => Ok(()),
            Err(error)
                if error.kind() == ErrorKind::PermissionDenied && to.metadata()?.is_some() =>
            {
                let aside = to.aside();
                // What an earlier replacement left and nothing runs any more.
                let _ = fs::remove_file(&aside);
                fs::rename(&to.real, &aside).map_err(|_| failed(error))?;
                if let Err(error) = fs::rename(&self.real, &to.real) {
                    let _ = fs::rename(&aside, &to.real);
                    return Err(failed(error));
                }
                let _ = fs::remove_file(&aside);
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes the file or link here; nothing there is fine.
    pub fn remove(&self) -> Result<()> {
        let _ = fs::remove_file(self.aside());
        match fs::remove_file(&self.real) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failure("remove", &self.path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Removes the folder here when it is empty; `false` when it is not. Nothing there is fine.
    pub fn remove_folder(&self) -> Result<bool> {
        match fs::remove_dir(&self.real) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) => Err(failure("remove", &self.path, &error)),
        }
    }

    /// Removes the folder here with all that is in it: rights are lists, and say of nobody that
    /// something is theirs.
    ///
    /// # Errors
    /// As [`remove_tree`](Self::remove_tree).
    pub fn remove_tree_of(&self, _uid: u32, go_on: &GoOn<'_>) -> Result<Removal> {
        self.remove_tree(go_on)
    }

    /// Removes the folder here with all that is in it; follows no link, and enters no volume that
    /// is mounted in it, which is a link too.
    pub fn remove_tree(&self, go_on: &GoOn<'_>) -> Result<Removal> {
        match self.metadata()? {
            None => return Ok(Removal::Complete),
            Some(meta) if meta.kind == Kind::Folder => {}
            Some(_) => drop(self.expect(Kind::Folder)?),
        }
        go_on()?;
        fs::remove_dir_all(&self.real)
            .map(|()| Removal::Complete)
            .map_err(|error| failure("remove", &self.path, &error))
    }

    /// Nothing: a folder cannot be flushed by its name.
    pub fn sync_folder(&self) -> Result<()> {
        Ok(())
    }

    /// A name in the folder here; a link here is not followed.
    pub fn inside(&self, name: OsString) -> Result<Self> {
        one_name(&name)?;
        self.expect(Kind::Folder)?;
        Ok(Self { real: self.real.join(&name), path: self.path.join(&name) })
    }

    /// Where a running program is moved that is replaced.
    fn aside(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.real.file_name().unwrap_or(OsStr::new("file")));
        name.push(".replaced");
        self.real.with_file_name(name)
    }

    fn expect(&self, wanted: Kind) -> Result<Meta> {
        match self.metadata()? {
            Some(meta) if meta.kind == wanted => Ok(meta),
            Some(meta) => Err(Error::new(
                Code::InTheWay,
                format!("{} is {}, not {wanted}", self.path.display(), meta.kind),
            )),
            None => Err(failure("open", &self.path, &io::Error::from(ErrorKind::NotFound))),
        }
    }
}

fn metadata(real: &Path) -> Result<Option<Meta>> {
    match fs::symlink_metadata(real) {
        Ok(about) => Ok(Some(meta(&about))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure("look at", real, &error)),
    }
}

fn kind(meta: &Metadata) -> Kind {
    /// `FILE_ATTRIBUTE_REPARSE_POINT`: a symbolic link, a junction, or a cloud's stand-in.
    const REPARSE_POINT: u32 = 0x400;
    if meta.file_attributes() & REPARSE_POINT != 0 {
        Kind::Link
    } else if meta.is_dir() {
        Kind::Folder
    } else {
        Kind::File
    }
}

fn meta(about: &Metadata) -> Meta {
    Meta {
        kind: kind(about),
        permissions: Permissions::Acl,
        size: about.file_size(),
        links: 1,
        // Volume and index are not to be had; a file keeps the instant in which it was made.
        identity: (0, about.creation_time(), nanoseconds(about.last_write_time()), 0),
    }
}

fn unsafe_link(path: &Path, link: &Path) -> Error {
    Error::new(
        Code::UntrustedPath,
        format!("{} on the way to {} is a link", link.display(), path.display()),
    )
    .help("name a path without links in it")
}

fn not_a_place(path: &Path) -> Error {
    Error::new(Code::ValueInvalid, format!("{} is not a path of a file", path.display()))
}

fn failure(doing: &str, path: &Path, error: &io::Error) -> Error {
    let error_of =
        Error::new(Code::StepFailed, format!("cannot {doing} {}: {error}", path.display()));
    match error.kind() {
        ErrorKind::PermissionDenied => error_of.recode(Code::NeedsRoot),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            error_of.recode(Code::InTheWay)
        }
        ErrorKind::StorageFull | ErrorKind::ReadOnlyFilesystem => error_of.recode(Code::HostUnfit),
        _ => error_of,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root as root;
    use std::io::Write;

    #[test]
    fn a_drive_is_a_folder_of_an_image() {
        let (folder, root) = root();
        let real = root.outside(Path::new("C:/Program Files/CircleCI"));
        assert_eq!(real, folder.path().join("Program Files").join("CircleCI"));
        assert!(root.find(Path::new("C:/a/file")).unwrap().is_none());
        fs::create_dir_all(folder.path().join("a")).unwrap();
        let spot = root.find(Path::new("C:\\a\\file")).unwrap().unwrap();
        spot.create(0o600).unwrap();
        assert!(folder.path().join("a/file").is_file());
        assert!(root.metadata(Path::new("c:/A/FILE")).unwrap().is_some(), "case is nothing");
    }

    #[test]
    fn dots_do_not_leave_the_root() {
        let (_folder, root) = root();
        assert!(root.find(Path::new("C:/../x")).is_err());
    }

    #[test]
    fn a_file_is_made_once_and_replaced_whole() {
        let (folder, root) = root();
        let spot = root.find(Path::new("C:/file")).unwrap().unwrap();
        let mut made = spot.create(0o600).unwrap();
        assert!(spot.create(0o600).is_err());
        made.write_all(b"old").unwrap();
        drop(made);
        let new = spot.sibling("new").unwrap();
        new.create(0o600).unwrap().write_all(b"new").unwrap();
        new.rename_to(&spot).unwrap();
        assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"new");
        assert!(new.metadata().unwrap().is_none());
        spot.remove().unwrap();
        spot.remove().unwrap();
    }

    #[test]
    fn a_tree_is_removed_whole() {
        let (folder, root) = root();
        fs::create_dir_all(folder.path().join("work/deep")).unwrap();
        fs::write(folder.path().join("work/deep/file"), "x").unwrap();
        let spot = root.find(Path::new("C:/work")).unwrap().unwrap();
        assert!(!spot.remove_folder().unwrap());
        for _ in 0..2 {
            assert_eq!(spot.remove_tree(&|| Ok(())).unwrap(), Removal::Complete);
        }
    }

    #[test]
    fn a_path_may_be_longer_than_windows_once_took() {
        let (folder, root) = root();
        let mut path = PathBuf::from("C:/");
        for number in 0..8 {
            path.push(format!("a folder with blanks and a long name, number {number}"));
            root.find(&path).unwrap().unwrap().create_folder().unwrap();
        }
        let spot = root.find(&path.join("file")).unwrap().unwrap();
        assert!(spot.real.as_os_str().len() > 400, "{}", spot.real.display());
        let new = spot.sibling("new").unwrap();
        for _ in 0..2 {
            new.create(0o600).unwrap();
            new.rename_to(&spot).unwrap();
        }
        let top = root.find(Path::new("C:/a folder with blanks and a long name, number 0"));
        let removal = top.unwrap().unwrap().remove_tree(&|| Ok(())).unwrap();
        assert_eq!(removal, Removal::Complete);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_trail_says_where_it_stops() {
        let (_folder, root) = root();
        let walk = root.walk(Path::new("C:/none/file")).unwrap();
        assert!(walk.why().contains("none is not there"));
    }
}
