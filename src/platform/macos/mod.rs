//! macOS: its account tools, launchd and Gatekeeper. Compiles everywhere; runs what it runs
//! through [`Commands`](super::command::Commands).

pub mod account_tools;
pub mod gatekeeper;
pub mod launchd;
