//! How each kind of target is examined, changed and restored: one file for each kind.

mod account;
mod binary;
mod claim;
mod file;
mod folder;
mod keep;
mod link;
mod planted;
mod processes;
mod registry;
mod rest;
mod service;
mod verify;

use super::{host::Host, state::StateFolder};
use crate::{
    Result,
    platform::{fs::Spot, system::System},
    record::{After, Owner, Record, State, Step, Target},
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// What a step uses besides the host.
pub(crate) struct Tools<'a> {
    pub(crate) host: &'a Host<'a>,
    pub(crate) state: &'a StateFolder<'a>,
    /// Suffix of this run's temporary files and backups.
    pub(crate) run: &'a str,
    pub(crate) key: &'a [u8],
    /// This run cures faults.
    pub(crate) cures: bool,
    /// This is a roll-back, which an interruption does not end.
    pub(crate) undoes: bool,
    /// What this run removed and no roll-back restores.
    pub(crate) lost: RefCell<BTreeSet<Loss>>,
}

/// What a roll-back does not restore, with the name of its account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// Processes.
    Processes(String),
    /// Files outside of the home.
    Planted(String),
}

impl Loss {
    /// The account, and the words around its name.
    pub(crate) fn words(&self) -> (&'static str, &str, &'static str) {
        match self {
            Self::Processes(name) => ("the processes of ", name, " that were ended stay ended"),
            Self::Planted(name) => {
                ("the files of ", name, " outside of its home that were removed stay removed")
            }
        }
    }
}

/// The result of a step.
pub(crate) enum Outcome {
    /// It was done; the new state of its target goes into the receipt.
    Done(Option<After>),
    /// Its target could not be removed completely, and stays in the receipt.
    Stays,
}

/// What goes with a folder that is removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purge {
    /// Nothing: it stays unless it is empty.
    No,
    /// What the account has in it that it was made for.
    OfAccount,
    /// All that is in it.
    All,
}

/// The result of restoring a target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restored {
    /// It is in the state that was asked for.
    Done,
    /// A part of it stays, which was reported.
    Stays,
}

impl Tools<'_> {
    /// The state of the step's target; keeps a backup of a file that is about to be replaced.
    pub(crate) fn before(&self, step: &Step) -> Result<State> {
        if let Step::SetPermissions(change) = step
            && !change.folder
        {
            return file::before_set_permissions(self, &change.path);
        }
        if let Step::File(file) = step
            && file.seed
        {
            return file::before_seed(self, &file.path);
        }
        match step.target() {
            Target::File(path) => match step {
                Step::Restore { to: State::Absent, .. } => file::before_removal(self, &path),
                _ => file::before(self, &path),
            },
            Target::Folder(path) => folder::before(self, &path),
            Target::Link(path) => link::before(self, &path),
            Target::Account(name) => account::before(self, &name, step),
            Target::Registry(place) => registry::before(self, &place),
            Target::Processes(name) => processes::before(self, &name),
            target @ (Target::Enabled(_) | Target::Running(_)) => service::before(self, &target),
        }
    }

    /// Does the step. `known` is the receipt's record of its target.
    pub(crate) fn apply(&self, step: &Step, known: Option<&Record>) -> Result<Outcome> {
        let after = match step {
            Step::Folder(folder) => Some(folder::make(self, folder, known)?),
            Step::File(file) if file.seed => Some(file::seed(self, file, known)?),
            Step::File(file) => Some(file::write(self, file)?),
            Step::Binary(binary) => Some(binary::place(self, binary)?),
            Step::SetPermissions(change) if change.folder => {
                Some(folder::set_permissions(self, change, known)?)
            }
            Step::SetPermissions(change) => Some(file::set_permissions(self, change, known)?),
            Step::Link { path, to } => Some(link::make(self, path, to)?),
            Step::Account(account) => account::create(self, account, known).map(|()| None)?,
            Step::Registry(value) => registry::set(self, value).map(|()| None)?,
            Step::Enable { service } => service::enable(self, service).map(|()| None)?,
            Step::Start { service, drain, if_busy } => {
                service::start(self, service, *drain, *if_busy).map(|()| None)?
            }
            Step::Stop { service, drain } => service::stop(self, service, *drain).map(|()| None)?,
            Step::EndProcesses { account } => processes::end_of(self, account).map(|()| None)?,
            Step::Close { path } => folder::close(self, path, known)?,
            Step::Restore { target, to, purge, others } => {
                let purge = match (purge, others) {
                    (false, _) => Purge::No,
                    (true, false) => Purge::OfAccount,
                    (true, true) => Purge::All,
                };
                match self.restore(target, to, purge, known)? {
                    Restored::Done => None,
                    Restored::Stays => return Ok(Outcome::Stays),
                }
            }
        };
        Ok(Outcome::Done(after))
    }

    /// Restores a target to an earlier state, unless it is in that state already.
    pub(crate) fn restore(
        &self,
        target: &Target,
        to: &State,
        purge: Purge,
        known: Option<&Record>,
    ) -> Result<Restored> {
        // A step that was refused changed nothing, and undoing it would be refused too.
        let is_path = target.path().is_some();
        if is_path && purge == Purge::No && self.is_as_before(target, to).unwrap_or(false) {
            return Ok(Restored::Done);
        }
        match target {
            Target::File(path) => return file::restore(self, path, to, known),
            Target::Folder(path) => return folder::restore(self, path, to, purge, known),
            Target::Account(name) => return account::restore(self, name, to),
            Target::Link(path) => link::restore(self, path, to)?,
            Target::Registry(place) => registry::restore(self, place, to)?,
            Target::Enabled(name) | Target::Running(name) => {
                service::restore(self, target, name, to)?;
            }
            Target::Processes(_) => {}
        }
        Ok(Restored::Done)
    }

    /// Whether the target is in its earlier state.
    pub(crate) fn is_as_before(&self, target: &Target, before: &State) -> Result<bool> {
        verify::is_as_before(self, target, before)
    }

    /// Ends what takes long once the person has asked to stop, but no roll-back.
    fn go_on(&self) -> Result<()> {
        if self.undoes { Ok(()) } else { self.host.check_interrupted() }
    }

    /// Rights by access list, where there are no modes.
    fn set_acl(
        &self,
        spot: &Spot,
        owner: Option<&Owner>,
        mode: u32,
        is_folder: bool,
    ) -> Result<()> {
        let path = self.host.root.outside(spot.path());
        let account = owner.map(|owner| owner.user.as_str());
        self.host.system.set_acl(&path, account, mode, is_folder)
    }

    /// The same for what was there before, whose list may give rights to others.
    fn replace_acl(
        &self,
        spot: &Spot,
        owner: Option<&Owner>,
        mode: u32,
        is_folder: bool,
    ) -> Result<()> {
        self.host.system.reset_acl(&self.host.root.outside(spot.path()))?;
        self.set_acl(spot, owner, mode, is_folder)
    }

    /// The name of this run's temporary file beside `path`.
    pub(crate) fn temporary(&self, spot: &Spot) -> Result<Spot> {
        spot.sibling(temporary_name(spot.path(), self.run))
    }
}

/// The folder that the step removes with all that is in it.
pub(crate) fn purged_by(step: &Step, system: &dyn System) -> Option<PathBuf> {
    match step {
        Step::Restore { target: Target::Folder(path), to: State::Absent, purge: true, .. } => {
            Some(path.clone())
        }
        Step::Restore { target: Target::Account(name), to, .. } => account::home(system, name, to),
        _ => None,
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
