//! What an agent is: its kinds, versions, platforms and its configuration file.

mod circleci;
pub mod config;
mod kind;
pub mod log_texts;
pub mod no_proxy;
mod platform;
mod secrets;
mod token;
mod version;

pub use crate::text::REDACTED;
pub use circleci::{API_VARIABLES, CLOUD_HOST, CLOUD_URL, CircleCi, RELEASE_HOST, RELEASE_URL};
pub use config::Config;
pub use kind::Kind;
pub use platform::{Arch, Os, Platform};
pub use secrets::{Found, Secrets};
pub use token::{TOKEN_VARIABLES, Token};
pub use version::{Version, VersionChoice};
