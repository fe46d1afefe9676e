//! Who may do what.

use super::Check;

/// In the order of causes.
pub(super) const BINARY: &[&Check] = &[];
/// In the order of causes.
pub(super) const GROUND: &[&Check] = &[];
