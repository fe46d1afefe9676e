//! A bundle: everything for an install without internet, for any platforms, in one file. Its form is
//! documented in docs/formats.md: a tar of which every byte is given by what it holds.

mod format;
mod open;
mod write;

pub use open::Bundle;
pub use write::write;

use crate::{
    agent::{Kind, Version},
    platform::Platform,
    values::Sha256,
};
use serde::{Deserialize, Serialize};

/// The first member: what else the bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contents {
    /// The form of the bundle.
    pub schema_version: u32,
    /// The version of `runnerup` that made it.
    pub tool_version: String,
    /// The binaries, in the order of their members.
    pub parts: Vec<Part>,
}

/// One binary of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Part {
    /// The agent.
    pub agent: Kind,
    /// Its version.
    pub version: Version,
    /// Its platform.
    pub platform: Platform,
    /// The name of its member, which is compressed by gzip.
    pub file: String,
    /// Bytes of the member.
    pub size: u64,
    /// The checksum of the binary.
    pub binary_sha256: Sha256,
    /// The checksum that the release bucket gives: of the binary, or of its archive.
    pub published_sha256: Sha256,
}
