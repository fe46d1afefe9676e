//! The folder that a removal begins at: open, and known to be no mount point.

use crate::{
    Result,
    platform::fs::{
        Kind, Removal, Spot,
        unix::{failure, mount::MountId, open_folder},
    },
};
use std::os::fd::OwnedFd;

/// A folder that is to be removed.
pub(super) struct Top {
    pub(super) folder: OwnedFd,
    pub(super) mount: MountId,
}

impl Spot {
    /// Opens the folder here; `Err`: it is gone already, or a mount point.
    pub(super) fn top(&self) -> Result<Result<Top, Removal>> {
        let Some(meta) = self.metadata()? else { return Ok(Err(Removal::Complete)) };
        self.expect(Kind::Folder, Some(meta))?;
        let folder = open_folder(&self.folder, &self.name)
            .map_err(|errno| failure("open the folder", &self.path, errno))?;
        // The folder that this one stands in tells whether it is a mount point itself.
        let of = |folder: &OwnedFd| {
            MountId::of(folder).map_err(|errno| failure("look at", &self.path, errno))
        };
        let mount = of(&folder)?;
        Ok(match mount == of(&self.folder)? {
            true => Ok(Top { folder, mount }),
            false => Err(Removal::Mounted(vec![self.path.clone()])),
        })
    }
}
