//! Owner and mode have no meaning here: rights are set by name, not by number.

use super::Spot;
use crate::{
    Result,
    platform::fs::{Found, Kind},
};
use std::fs::File;

impl Spot {
    /// Asks `permit` whether what stands here may be changed, and changes nothing: rights are set
    /// by name, not by number.
    pub fn settle_folder(
        &self,
        _owner: Option<(u32, u32)>,
        _mode: u32,
        permit: &dyn Fn(&Found) -> Result<()>,
    ) -> Result<()> {
        let is_bare_folder = self.list()?.is_empty();
        permit(&Found { meta: self.expect(Kind::Folder)?, is_bare_folder })
    }

    /// Nothing: rights are set by name, not by number.
    pub fn settle_new_folder(&self, _owner: Option<(u32, u32)>, _mode: u32) -> Result<()> {
        Ok(())
    }

    /// The owner of the folder that this name is in: accounts have no numbers here.
    pub fn folder_owner(&self) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Nothing: rights are set by name, not by number.
    pub fn set_file_permissions(
        &self,
        _file: &File,
        _owner: Option<(u32, u32)>,
        _mode: u32,
    ) -> Result<()> {
        Ok(())
    }
}
