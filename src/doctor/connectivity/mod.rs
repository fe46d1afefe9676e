//! The way to what an agent needs.

use super::Check;

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[];
