//! What an agent is: its kinds, versions, platforms and its configuration file.

pub mod config;
mod kind;
mod layout;
pub mod log_texts;
mod token;
mod version;

pub use config::Config;
pub use kind::Kind;
pub use layout::{Layout, is_documented};
pub use token::Token;
pub use version::{Version, VersionChoice};
