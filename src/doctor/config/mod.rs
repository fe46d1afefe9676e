//! The configuration: what it says, and whether the agent reads it so.

use super::Check;

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[];
