//! How each target is looked at, changed and put back: one file a kind.

mod account;
mod binary;
mod file;
mod folder;
mod link;
mod registry;
mod service;

pub(crate) use file::digest as file_digest;

use super::{
    host::Host,
    state::StateFolder,
    step::{Owner, Step},
    target::{After, State, Target},
};
use crate::{Result, platform::fs::Spot};
use std::{ffi::OsString, path::Path};

/// What a step may use besides the host.
pub(crate) struct Tools<'a> {
    pub(crate) host: &'a Host<'a>,
    pub(crate) state: &'a StateFolder<'a>,
    /// Ends the names of this run's temporary files and copies.
    pub(crate) run: &'a str,
    pub(crate) key: &'a [u8],
}

impl Tools<'_> {
    /// How the step's target stands; copies a file that is about to be replaced.
    pub(crate) fn before(&self, step: &Step) -> Result<State> {
        if let Step::Settle(settle) = step
            && !settle.folder
        {
            return file::before_settle(self, &settle.path);
        }
        match step.target() {
            Target::File(path) => file::before(self, &path),
            Target::Folder(path) => folder::before(self, &path),
            Target::Link(path) => link::before(self, &path),
            Target::Account(name) => account::before(self, &name, step),
            Target::Registry(place) => registry::before(self, &place),
            target @ (Target::Enabled(_) | Target::Running(_)) => service::before(self, &target),
        }
    }

    /// Does the step. What it returns goes into the receipt.
    pub(crate) fn apply(&self, step: &Step) -> Result<Option<After>> {
        match step {
            Step::Folder(folder) => folder::make(self, folder).map(Some),
            Step::File(file) => file::write(self, file).map(Some),
            Step::Binary(binary) => binary::place(self, binary).map(Some),
            Step::Settle(settle) if settle.folder => folder::settle(self, settle).map(Some),
            Step::Settle(settle) => file::settle(self, settle).map(Some),
            Step::Link { path, to } => link::make(self, path, to).map(Some),
            Step::Account(account) => account::create(self, account).map(|()| None),
            Step::Registry(value) => registry::set(self, value).map(|()| None),
            Step::Enable { service } => service::enable(self, service).map(|()| None),
            Step::Start { service, drain } => service::start(self, service, *drain).map(|()| None),
            Step::Stop { service, drain } => service::stop(self, service, *drain).map(|()| None),
            Step::Restore { target, to, purge } => self.restore(target, to, *purge).map(|()| None),
        }
    }

    /// Puts a target back to how it stood. What is so already is left alone.
    pub(crate) fn restore(&self, target: &Target, to: &State, purge: bool) -> Result<()> {
        match target {
            Target::File(path) => file::restore(self, path, to),
            Target::Folder(path) => folder::restore(self, path, to, purge),
            Target::Link(path) => link::restore(self, path, to),
            Target::Account(name) => account::restore(self, name, to),
            Target::Registry(place) => registry::restore(self, place, to),
            Target::Enabled(name) | Target::Running(name) => {
                service::restore(self, target, name, to)
            }
        }
    }

    /// Rights by access list, where there are no modes.
    fn protect(
        &self,
        spot: &Spot,
        owner: Option<&Owner>,
        mode: u32,
        is_folder: bool,
    ) -> Result<()> {
        let path = self.host.root.outside(spot.path());
        let account = owner.map(|owner| owner.user.as_str());
        self.host.system.protect(&path, account, mode, is_folder)
    }

    /// The name of this run's temporary file beside `path`.
    pub(crate) fn temporary(&self, spot: &Spot) -> Result<Spot> {
        spot.sibling(temporary_name(spot.path(), self.run))
    }
}

/// The name of a run's temporary file beside `path`; a leading dot keeps `sudoers.d` and
/// systemd from reading it.
pub(crate) fn temporary_name(path: &Path, run: &str) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".runnerup-{run}"));
    name
}
