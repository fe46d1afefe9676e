//! The release bucket.
use crate::{
    Error, Result,
    agent::{Platform, Version},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
/// x
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// x
    pub version: Version,
    /// x
    pub platform: Platform,
    /// x
    pub url: url::Url,
    /// x
    pub sha256: Sha256,
}
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sha256([u8; 32]);
impl FromStr for Sha256 {
    type Err = Error;
    fn from_str(_: &str) -> Result<Self> {
        Ok(Self([0; 32]))
    }
}
impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
