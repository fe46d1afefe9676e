//! Where parts of a tree go that are too deep.

use super::{is_ours, open_folder};
use rustix::{
    fs::{self, Mode},
    io::Errno,
};
use std::os::fd::OwnedFd;

/// A folder in the top folder that the caller alone can enter. Parts that are too deep are moved
/// up to it: what stands in the top folder after a pass was added by somebody else.
pub(super) struct Staging {
    pub(super) folder: OwnedFd,
    pub(super) name: String,
}

impl Staging {
    /// `None` where it cannot be made now: the name is taken, or the disk is full.
    pub(super) fn new(top: &OwnedFd, name: String) -> Result<Option<Self>, Errno> {
        match fs::mkdirat(top, &name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::NOSPC | Errno::DQUOT) => return Ok(None),
            Err(errno) => return Err(errno),
        }
        let folder = match open_folder(top, std::ffi::OsStr::new(&name)) {
            Ok(folder) => folder,
            // It was swapped meanwhile.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        let stat = fs::fstat(&folder)?;
        let is_closed = is_ours(&stat) && stat.st_mode & 0o077 == 0;
        Ok(is_closed.then_some(Self { folder, name }))
    }
}
