//! `runnerup` gets a CircleCI self-hosted runner up, keeps it up, and says why when it is not.
//!
//! Three verbs, three rules: `probe` reads and never writes; `plan` and `doctor` are pure
//! functions over facts; `apply` is the only room that changes the host.

pub mod agent;
pub mod apply;
pub mod cli;
mod command;
pub mod doctor;
pub mod error;
#[cfg(test)]
#[cfg(unix)]
mod full_installs;
pub mod host;
pub mod plan;
pub mod platform;
pub mod probe;
pub mod record;
pub mod release;
pub mod service;
pub mod session;
pub mod settings;
pub mod text;
pub mod values;

pub use error::{Code, Error, Foreign, Help, Result};
pub use text::Command;
