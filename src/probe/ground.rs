//! What every look at the host needs, and the way to begin one.

use super::{
    MARGIN,
    deadline::{Limit, Probe, probe},
    scrub::Scrub,
};
use crate::platform::{Os, command::HostCommands, fs::Root};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// What every look needs.
#[derive(Clone)]
pub(super) struct Ground {
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
}

impl Ground {
    /// Begins to look at `what`, within the time of one look.
    pub(super) fn look<T: Send + 'static>(
        &self,
        what: &'static str,
        look: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Probe<T> {
        let own = self.clone();
        probe(what, self.within(self.limit + MARGIN), move || look(&own))
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
