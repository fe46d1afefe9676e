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

/// x
#[derive(Debug)]
pub struct Network {
    /// x
    pub base: url::Url,
    /// x
    pub proxy: Option<crate::spec::values::ProxyUrl>,
    /// x
    pub no_proxy: Option<String>,
    /// x
    pub ca: Option<String>,
    /// x
    pub timeout: std::time::Duration,
}
/// x
#[derive(Debug)]
pub struct Client(Network);
/// x
pub struct Fetched;
/// x
pub trait Watch: Sync {}
impl Client {
    /// x
    pub fn new(network: Network) -> Self {
        Self(network)
    }
    /// x
    pub fn newest(&self) -> Result<Version> {
        "1.1.73189-8792751".parse()
    }
    /// x
    pub fn artifact(
        &self,
        version: &Version,
        platform: Platform,
        _pinned: Option<Sha256>,
    ) -> Result<Artifact> {
        Ok(Artifact {
            version: version.clone(),
            platform,
            url: self.0.base.clone(),
            sha256: Sha256([0; 32]),
        })
    }
    /// x
    pub fn fetch(
        &self,
        _artifact: &Artifact,
        mut into: std::fs::File,
        _watch: &dyn Watch,
    ) -> Result<Fetched> {
        std::io::Write::write_all(&mut into, b"stub").ok();
        Ok(Fetched)
    }
}
