//! What an agent is: a profile for each kind, its versions, places and configuration file.

mod circleci;
pub mod cleaned_folder;
pub mod config;
mod flags;
mod kind;
mod layout;
pub mod log_texts;
pub mod no_proxy;
mod not_token;
mod profile;
mod token;
mod version;

pub use circleci::{CLOUD_HOST, CLOUD_URL, CircleCi, RELEASE_HOST, RELEASE_URL, UrlFault, api_url};
pub use config::Config;
pub use flags::{Flag, flags, is_token_flag, program};
pub use kind::Kind;
pub use layout::{Layout, is_documented};
pub use not_token::NotToken;
pub use profile::{
    Bucket, Drain, End, Health, Key, Names, Origin, Profile, ReleaseForm, is_agents_variable,
    is_job_name, is_like_process_name, is_process_name, is_token_variable, is_unhealthy, profiles,
    token_variables, variables,
};
pub use token::Token;
pub use version::{Version, VersionChoice, Versions};
