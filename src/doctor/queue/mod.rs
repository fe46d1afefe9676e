//! The resource class and its work.

use super::Check;

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[];
