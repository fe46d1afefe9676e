//! What every look at the host needs, and the way to begin one.

use super::{
    MARGIN,
    deadline::{Limit, Probe, probe},
    scrub::Scrub,
};
use crate::{
    host::{ProbeName, ProbeSet},
    platform::{Os, command::HostCommands, fs::Root},
};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// What every look needs.
#[derive(Clone)]
pub(super) struct ProbeContext {
    pub(super) root: Arc<Root>,
    pub(super) commands: HostCommands,
    pub(super) limit: Duration,
    /// When the time of the whole examination is up.
    pub(super) until: Instant,
    pub(super) scrub: Scrub,
    pub(super) is_host: bool,
    pub(super) os: Os,
    pub(super) now: i64,
    pub(super) allowed: Arc<[PathBuf]>,
    /// The probes that are made.
    pub(super) asked: ProbeSet,
}

impl ProbeContext {
    /// Begins a probe, within the time of one. One that was not asked for says so.
    pub(super) fn start<T: Send + 'static>(
        &self,
        name: ProbeName,
        read: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Probe<T> {
        let context = self.clone();
        self.begin(name, self.limit + MARGIN, move || read(&context))
    }

    /// Begins a probe that may take this long, and reads nothing of the host's files.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        name: ProbeName,
        time: Duration,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Probe<T> {
        match self.asked.contains(name) {
            true => probe(name.what(), self.within(time), read),
            false => Probe::not_asked(name.what()),
        }
    }

    /// A limit for one look, within that of the whole.
    pub(super) fn within(&self, each: Duration) -> Limit {
        Limit { each, until: self.until }
    }

    /// When a probe that is begun now should end by itself.
    pub(super) fn soon(&self) -> Instant {
        self.until.min(Instant::now() + self.limit)
    }
}
