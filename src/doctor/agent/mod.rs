//! The agent itself: its version, its jobs, other agents on the host.

mod installed;
mod jobs;
mod neighbours;
mod strays;
mod token;
mod version;

use super::{Check, service::launchd};

/// Checks that all other checks depend on.
pub(super) const FIRST: &[&Check] = &[&installed::INSTALLED, &strays::NO_STRAYS];

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[
    &neighbours::IDENTITY,
    &neighbours::SHARED,
    &launchd::LABEL,
    &neighbours::ONE_PROCESS,
    &version::SUPPORTED,
    &version::NEWEST,
    &token::ACCEPTED,
    &jobs::NO_ZOMBIES,
    &jobs::NO_ORPHANS,
    &jobs::MOVES,
    &jobs::DRAIN_ENDS,
];
