//! What an agent is: its kinds, versions, platforms and its configuration file.

mod kind;
mod platform;
mod version;

pub use kind::Kind;
pub use platform::{Arch, Os, Platform};
pub use version::{Version, VersionChoice};
