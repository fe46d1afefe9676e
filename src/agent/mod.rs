//! What an agent is: its kinds, versions, platforms and its configuration file.

mod circleci;
pub mod config;
mod kind;
mod layout;
pub mod log_texts;
pub mod no_proxy;
mod token;
mod version;

pub use circleci::{API_VARIABLES, CLOUD_HOST, CLOUD_URL, CircleCi, RELEASE_HOST, RELEASE_URL};
pub use config::Config;
pub use kind::Kind;
pub use layout::{Layout, is_documented};
pub use token::{TOKEN_VARIABLES, Token};
pub use version::{Version, VersionChoice};
