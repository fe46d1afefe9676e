//! What is downloaded: where it is, what it must hash to, and in what form it arrives.

use super::{checksums, client::key_url};
use crate::{
    Result,
    agent::{Kind, ReleaseForm, Version},
    platform::Platform,
    values::Sha256,
};
use serde::{Deserialize, Serialize};
use url::Url;

/// A binary in the bucket, and the checksum of what arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Artifact {
    /// Its version.
    pub version: Version,
    /// Its platform.
    pub platform: Platform,
    /// Where it is.
    pub url: Url,
    /// The checksum of its decoded bytes; of an archive, that of the archive.
    pub sha256: Sha256,
    /// The member of the `.tar.gz` that is the binary; `None` where the object is the binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}

impl Artifact {
    /// The binary of a version for a platform, where the bucket at `base` has it by its documented
    /// names.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`](crate::Code::ValueInvalid) when that makes no URL.
    pub fn new(
        base: &Url,
        agent: Kind,
        version: Version,
        platform: Platform,
        sha256: Sha256,
    ) -> Result<Self> {
        let key = match agent.profile().bucket.form {
            ReleaseForm::Binaries => format!("{version}/{}", checksums::path_of(agent, platform)),
            ReleaseForm::Archives => {
                let program = agent.profile().program;
                let (os, arch) = (platform.os(), platform.arch());
                format!("{}/{program}_{os}_{arch}.tar.gz", version.folder())
            }
        };
        let url = key_url(base, agent, &key)?;
        Ok(Self::at(url, agent, version, platform, sha256))
    }

    /// The binary of a version for a platform, at a URL that the bucket names.
    pub(super) fn at(
        url: Url,
        agent: Kind,
        version: Version,
        platform: Platform,
        sha256: Sha256,
    ) -> Self {
        let profile = agent.profile();
        let is_archive = profile.bucket.form == ReleaseForm::Archives;
        let member = is_archive.then(|| profile.program_file(platform.os()));
        Self { version, platform, url, sha256, member }
    }

    /// The encodings that a server may send it in. An archive is compressed already, and its
    /// checksum is that of the bytes that the bucket stores.
    pub(super) fn accepted_encoding(&self) -> &'static str {
        if self.member.is_some() { "identity" } else { "gzip" }
    }
}
