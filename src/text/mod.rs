//! Text in general; it knows nothing of runners.

pub mod url;

/// What stands in place of a secret.
pub const REDACTED: &str = "***";
