//! Owner and mode, given on handles that cannot be swapped.

use super::{Spot, failure, open_folder};
use crate::{Code, Error, Result, platform::fs::Found};
use rustix::{
    fs::{self, Gid, Mode, Uid},
    io::Errno,
};
use std::{fs::File, os::fd::OwnedFd};

impl Spot {
    /// Gives the folder here its owner and mode, on a handle that cannot be swapped, once `permit`
    /// has accepted what was opened.
    pub fn settle_folder(
        &self,
        owner: Option<(u32, u32)>,
        mode: u32,
        permit: &dyn Fn(&Found) -> Result<()>,
    ) -> Result<()> {
        let handle = open_folder(&self.folder, &self.name)
            .map_err(|errno| failure("open the folder", &self.path, errno))?;
        permit(&self.found(&handle)?)?;
        set_permissions(&handle, owner, mode)
            .map_err(|errno| failure("set owner and mode of", &self.path, errno))
    }

    /// The same for a folder that [`Spot::create_folder`] has just made. Another folder that was
    /// put in its place since is told by its owner, its mode, or what is in it.
    pub fn settle_new_folder(&self, owner: Option<(u32, u32)>, mode: u32) -> Result<()> {
        let handle = open_folder(&self.folder, &self.name)
            .map_err(|errno| failure("open the folder", &self.path, errno))?;
        let Found { meta, is_bare_folder } = self.found(&handle)?;
        let is_ours = meta.is_of(rustix::process::geteuid().as_raw()) && meta.has_none(0o077);
        if !is_ours || !is_bare_folder {
            return Err(Error::new(
                Code::UntrustedPath,
                format!("{} was swapped for another folder at once", self.path.display()),
            )
            .help("look for processes of the account that the folder above belongs to"));
        }
        set_permissions(&handle, owner, mode)
            .map_err(|errno| failure("set owner and mode of", &self.path, errno))
    }

    /// The owner of the folder that this name is in.
    pub fn folder_owner(&self) -> Result<Option<u32>> {
        self.stat(&self.folder).map(|meta| meta.uid())
    }

    /// Gives an open file its owner and mode; the owner first, since that drops set-id bits.
    pub fn set_file_permissions(
        &self,
        file: &File,
        owner: Option<(u32, u32)>,
        mode: u32,
    ) -> Result<()> {
        set_permissions(file, owner, mode)
            .map_err(|errno| failure("set owner and mode of", &self.path, errno))
    }

    fn found(&self, folder: &OwnedFd) -> Result<Found> {
        let failed = |errno| failure("list", &self.path, errno);
        let mut is_bare_folder = true;
        for entry in fs::Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                is_bare_folder = false;
                break;
            }
        }
        Ok(Found { meta: self.stat(folder)?, is_bare_folder })
    }
}

fn set_permissions(
    handle: impl std::os::fd::AsFd,
    owner: Option<(u32, u32)>,
    mode: u32,
) -> Result<(), Errno> {
    if let Some((uid, gid)) = owner {
        fs::fchown(&handle, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    fs::fchmod(&handle, bits(mode))
}

pub(super) fn bits(mode: u32) -> Mode {
    #[allow(clippy::unnecessary_cast)] // its width differs between systems
    Mode::from_raw_mode((mode & 0o7777) as fs::RawMode)
}
