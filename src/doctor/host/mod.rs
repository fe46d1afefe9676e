//! The host: space, memory, clock, tools.

use super::Check;

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[];
