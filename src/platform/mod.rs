//! What differs between systems: file systems, commands, accounts, service managers, layouts.
//!
//! This is the one room where `cfg(target_os)` may stand.

pub mod accounts;
pub mod command;
pub mod encoding;
pub mod executable;
pub mod exposure;
pub mod fs;
pub mod home;
pub(crate) mod input;
#[cfg(all(test, unix))]
#[path = "../../tests/support/left_out.rs"]
pub(crate) mod left_out;
pub mod linux;
pub mod machine;
pub mod macos;
pub mod paths;
pub mod privilege;
pub mod processes;
pub mod system;
mod target;
pub mod terminal;
pub mod windows;

pub use target::{Arch, Os, Platform};
