//! The host as steps see it: its files, commands, services and the person who watches.

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
    values::Sha256,
};
use std::{
    fs::File,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The host, or the folder of `--root`.
pub struct Host<'a> {
    /// The folder that is `/` for this run.
    pub root: &'a Root,
    /// Runs the system's programs.
    pub commands: &'a dyn Commands,
    /// Account tools, and the requirements for a program.
    pub system: &'a dyn System,
    /// The service manager; `None` where nothing is registered or started.
    pub services: Option<&'a dyn Services>,
    /// Where the agent's binary comes from; `None` for plans that place none.
    pub source: Option<&'a dyn BinarySource>,
    /// Reports progress, and says whether to continue.
    pub report: &'a dyn StepReporter,
}

/// Where binaries come from: the release bucket, or a bundle.
pub trait BinarySource {
    /// Writes the verified binary into an empty file and syncs it; returns its checksum.
    ///
    /// # Errors
    /// When the binary does not match `artifact` or cannot be fetched; the caller then removes the file.
    fn fetch(&self, artifact: &Artifact, into: File) -> Result<Sha256>;
}

/// Reports every step, and says whether to continue.
pub trait StepReporter {
    /// A step begins: its number, and how many there are.
    fn begins(&self, number: usize, of: usize, step: &Step);
    /// The step was done.
    fn done(&self);
    /// A wait continues; `what` is waited for.
    fn waits(&self, what: &str);
    /// A note for the person.
    fn tells(&self, what: &str);
    /// Something stays on the host; `what` says why.
    fn leaves(&self, what: &str);
    /// A step is undone.
    fn undoes(&self, what: &str);
    /// Whether the person has interrupted the run.
    fn is_interrupted(&self) -> bool;
}

impl Host<'_> {
    /// The place of `path`, whose folder must exist.
    pub fn spot(&self, path: &Path) -> Result<Spot> {
        self.root.find(path)?.ok_or_else(|| {
            Error::new(Code::StepFailed, format!("the folder of {} does not exist", path.display()))
        })
    }

    /// User ID and group ID of an owner; `None`: the account that runs this program.
    pub fn numbers(&self, owner: Option<&Owner>) -> Result<Option<(u32, u32)>> {
        let Some(owner) = owner else { return Ok(None) };
        let missing = |what: &str, name: &str| {
            Error::new(Code::StepFailed, format!("the {what} {name} does not exist"))
        };
        // An empty root has no accounts, but root is always 0.
        let (uid, main_gid) = match owner.user.as_str() {
            "root" => (0, 0),
            name => match accounts::find(self.root, name)?.map(|account| account.id) {
                Some(AccountId::Unix { uid, gid }) => (uid, gid),
                // Windows has access lists instead.
                Some(AccountId::Windows {}) => return Ok(None),
                None => return Err(missing("account", name)),
            },
        };
        let gid = match owner.group.as_deref() {
            None => main_gid,
            Some(name) => {
                accounts::group(self.root, name)?.ok_or_else(|| missing("group", name))?
            }
        };
        Ok(Some((uid, gid)))
    }

    /// # Errors
    /// [`Code::Interrupted`] once the person has interrupted the run.
    pub fn check_interrupted(&self) -> Result<()> {
        if self.report.is_interrupted() {
            return Err(Error::new(Code::Interrupted, "interrupted"));
        }
        Ok(())
    }

    /// Waits until `ready` returns `true`, at growing intervals.
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

    /// The same, but an interruption does not end it.
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
