//! `runnerup` gets a CircleCI self-hosted runner up, keeps it up, and says why when it is not.
//!
//! Three verbs, three rules: `facts` sense and never write; `plan` and `doctor` are pure
//! functions over facts; `apply` is the only room that changes the host.

pub mod agent;
pub mod apply;
pub mod cli;
mod command;
pub mod doctor;
pub mod error;
pub mod facts;
pub mod plan;
pub mod platform;
pub mod release;
pub mod session;
pub mod spec;
pub mod text;
#[cfg(test)]
#[cfg(unix)]
mod whole_runs;
pub mod yaml;

pub use command::Command;
pub use error::{Code, Error, Foreign, Help, Result};
