//! The service: its definition and its state.

use super::Check;

/// In the order of causes.
pub(super) const DEFINITION: &[&Check] = &[];
/// In the order of causes.
pub(super) const STATE: &[&Check] = &[];
