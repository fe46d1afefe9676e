//! The agent itself: its version, its jobs, its neighbours.

mod installed;
mod jobs;
mod neighbours;
mod token;
mod version;

use super::{Check, service::launchd};

/// What all else stands on.
pub(super) const FIRST: &[&Check] = &[&installed::INSTALLED, &installed::NO_STRAYS];

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
