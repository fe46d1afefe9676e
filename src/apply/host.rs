//! What the steps need from the host they change.

use crate::{
    Code, Error, Result,
    platform::{
        accounts::{self, AccountId},
        command::Commands,
        fs::{Root, Spot},
        system::System,
    },
    record::{Owner, Step},
    release::Artifact,
    service::Services,
};
use std::{
    fs::File,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The host, or the folder that stands for it with `--root`.
pub struct Host<'a> {
    /// The folder that counts as `/`.
    pub root: &'a Root,
    /// Runs the system's programs.
    pub commands: &'a dyn Commands,
    /// Its account tools, and what it wants of a program.
    pub system: &'a dyn System,
    /// The service manager; `None` where nothing is registered or started.
    pub services: Option<&'a dyn Services>,
    /// Where the agent's binary comes from; `None` for plans that place none.
    pub source: Option<&'a dyn BinarySource>,
    /// Told what happens; asked whether to go on.
    pub report: &'a dyn Report,
}

/// Where binaries come from: the release bucket, or a bundle.
pub trait BinarySource {
    /// Writes the verified binary into an empty file and syncs it.
    ///
    /// # Errors
    /// Whatever keeps it from being what `artifact` says; the caller removes the file then.
    fn fetch(&self, artifact: &Artifact, into: File) -> Result<()>;
}

/// Told of every step, and asked whether to go on.
pub trait Report {
    /// A step begins: its number, and how many there are.
    fn begins(&self, number: usize, of: usize, step: &Step);
    /// The step was done.
    fn done(&self);
    /// A wait goes on: what for.
    fn waits(&self, what: &str);
    /// Something that a person should know of.
    fn tells(&self, what: &str);
    /// Something stays, and why.
    fn leaves(&self, what: &str);
    /// A step is undone.
    fn undoes(&self, what: &str);
    /// Whether the person has asked to stop.
    fn is_interrupted(&self) -> bool;
}

impl Host<'_> {
    /// The place of `path`, whose folder must be there.
    pub fn spot(&self, path: &Path) -> Result<Spot> {
        self.root.find(path)?.ok_or_else(|| {
            Error::new(Code::StepFailed, format!("the folder of {} is not there", path.display()))
        })
    }

    /// The numbers of an owner; `None` leaves what is made to whoever runs the tool.
    pub fn numbers(&self, owner: Option<&Owner>) -> Result<Option<(u32, u32)>> {
        let Some(owner) = owner else { return Ok(None) };
        let missing = |what: &str, name: &str| {
            Error::new(Code::StepFailed, format!("there is no {what} called {name}"))
        };
        // A bare folder knows no accounts, and yet root is root.
        let (uid, own) = match owner.user.as_str() {
            "root" => (0, 0),
            name => match accounts::find(self.root, name)?.map(|account| account.id) {
                Some(AccountId::Unix { uid, gid }) => (uid, gid),
                // Its rights are in access lists.
                Some(AccountId::Windows {}) => return Ok(None),
                None => return Err(missing("account", name)),
            },
        };
        let gid = match owner.group.as_deref() {
            None => own,
            Some(name) => {
                accounts::group(self.root, name)?.ok_or_else(|| missing("group", name))?
            }
        };
        Ok(Some((uid, gid)))
    }

    /// Ends with [`Code::Interrupted`] once the person has asked to stop.
    pub fn check_interrupted(&self) -> Result<()> {
        if self.report.is_interrupted() {
            return Err(Error::new(Code::Interrupted, "interrupted"));
        }
        Ok(())
    }

    /// Waits until `ready` says so, asking at growing intervals.
    ///
    /// # Errors
    /// [`Code::StepFailed`] with `what` when it takes longer than `limit`; interruption.
    pub fn wait_until(
        &self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        self.wait_out(what, limit, || {
            self.check_interrupted()?;
            ready()
        })
    }

    /// The same, whatever the person types meanwhile.
    pub(crate) fn wait_out(
        &self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(20);
        while !ready()? {
            if begun.elapsed() > limit {
                let seconds = limit.as_secs();
                return Err(Error::new(Code::StepFailed, format!("waited {seconds} s for {what}")));
            }
            self.report.waits(what);
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(500));
        }
        Ok(())
    }
}
