//! macOS: its account tools, Gatekeeper, and where launchd runs jobs. Compiles everywhere; runs what it runs
//! through [`Commands`](super::command::Commands).

pub mod account_tools;
pub mod gatekeeper;

/// The domain of what runs whether anyone is logged in or not.
pub const SYSTEM: &str = "system";

/// The domain of the desktop of whoever types a command, as a word of a shell.
pub const DESKTOP: &str = "gui/$(id -u)";
