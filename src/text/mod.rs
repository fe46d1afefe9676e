//! Text: YAML with places, what was probably meant, and what must not be printed. Knows nothing of
//! runners.

mod nearest;
mod secrets;
pub mod yaml;

pub use nearest::nearest;
pub use secrets::{Found, Secrets};

/// What stands in place of a secret.
pub const REDACTED: &str = "***";
