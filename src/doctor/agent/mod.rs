//! The agent itself: its version, its jobs, its neighbours.

mod installed;

use super::Check;

/// What all else stands on.
pub(super) const FIRST: &[&Check] = &[&installed::INSTALLED];

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[];
