//! The client: what is asked of the bucket.

use super::{
    attempt_error, checksums, download, network::Network, retry::AttemptError, text,
    transport::Transport,
};
use crate::{
    Code, Error, Help, Result,
    agent::{Kind, ReleaseForm, Version},
    platform::Platform,
    text::url::without_login,
    values::Sha256,
};
use reqwest::header;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    time::{Duration, Instant},
};
use tokio::time::timeout;
use url::Url;

/// How long a small file is worth waiting for.
#[derive(Debug, Clone, Copy)]
struct RetryPolicy {
    attempts: u32,
    /// For all attempts together.
    limit: Duration,
}

/// For what the person asked for.
const NEEDED: RetryPolicy = RetryPolicy { attempts: 4, limit: Duration::from_secs(60) };

/// For what only makes a message better.
const WELCOME: RetryPolicy = RetryPolicy { attempts: 1, limit: Duration::from_secs(5) };

/// Bytes of `release.txt` that are read.
const RELEASE_LIMIT: usize = 4 << 10;

/// Bytes of `checksums.txt` that are read.
const CHECKSUMS_LIMIT: usize = 1 << 20;

/// Bytes of an error's body that are read.
const BODY_LIMIT: usize = 4 << 10;

/// Asks the release bucket. Cheap to make: nothing is set up before the first question.
#[derive(Debug)]
pub struct Client {
    agent: Kind,
    transport: Transport,
}

/// A binary in the bucket, and what it must hash to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Artifact {
    /// Its version.
    pub version: Version,
    /// Its platform.
    pub platform: Platform,
    /// Where it is.
    pub url: Url,
    /// The checksum of its decoded bytes.
    pub sha256: Sha256,
}

/// A download that was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Decoded bytes.
    pub bytes: u64,
    /// Requests that it took.
    pub attempts: u32,
}

/// Told how a transfer goes, and asked whether to go on.
pub trait DownloadProgress: Sync {
    /// A transfer begins, of so many encoded bytes when that is known.
    fn started(&self, total: Option<u64>);
    /// So many encoded bytes have arrived.
    fn moved(&self, total: u64);
    /// Another attempt follows after a pause.
    fn retrying(&self, reason: &str, pause: Duration);
    /// Whether the person has asked to stop.
    fn cancelled(&self) -> bool;
}

impl Artifact {
    /// The binary of a version for a platform in the bucket at `base`.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] when that makes no URL.
    pub fn new(
        base: &Url,
        agent: Kind,
        version: Version,
        platform: Platform,
        sha256: Sha256,
    ) -> Result<Self> {
        let key = format!("{version}/{}", checksums::path_of(agent, platform));
        let url = key_url(base, agent, &key)?;
        Ok(Self { version, platform, url, sha256 })
    }
}

impl Client {
    /// A client for the releases of an agent in this bucket.
    pub fn new(agent: Kind, network: Network) -> Self {
        Self { agent, transport: Transport::new(network) }
    }

    /// The newest version, by the bucket's file for that.
    pub fn newest(&self) -> Result<Version> {
        self.newest_with(NEEDED)
    }

    /// The binary of a version for a platform, by `checksums.txt`.
    ///
    /// # Errors
    /// [`Code::NoSuchVersion`] with the versions that could be meant, [`Code::ChecksumMismatch`]
    /// when `pinned` is another checksum.
    pub fn artifact(
        &self,
        version: &Version,
        platform: Platform,
        pinned: Option<Sha256>,
    ) -> Result<Artifact> {
        if self.agent.profile().bucket.form != ReleaseForm::Binaries {
            return Err(self.unread());
        }
        let url = self.url(&format!("{version}/checksums.txt"))?;
        let bytes =
            self.small(&url, CHECKSUMS_LIMIT, Code::ChecksumsInvalid, NEEDED).map_err(|error| {
                match error.code() {
                    Code::NoSuchVersion => self.with_suggestions(error, version),
                    _ => error,
                }
            })?;
        let sha256 = checksums::checksum_for(&bytes, self.agent, platform)?;
        match pinned {
            Some(pinned) if pinned != sha256 => Err(Error::new(
                Code::ChecksumMismatch,
                format!("--sha256 wants {pinned}, and checksums.txt of {version} says {sha256}"),
            )
            .help("one of them is wrong: check where each comes from")),
            _ => {
                let base = &self.transport.network().base;
                Artifact::new(base, self.agent, version.clone(), platform, sha256)
            }
        }
    }

    /// Downloads, decodes, hashes and writes the binary in one pass, and syncs it. On success
    /// `into`, which must be empty, holds what `artifact` promises; else it holds anything.
    pub fn fetch(
        &self,
        artifact: &Artifact,
        into: File,
        watch: &dyn DownloadProgress,
    ) -> Result<Fetched> {
        self.transport.block_on(download::run(&self.transport, artifact, into, watch))
    }

    fn newest_with(&self, policy: RetryPolicy) -> Result<Version> {
        let bucket = self.agent.profile().bucket;
        match bucket.form {
            ReleaseForm::Binaries => {
                let url = self.url(bucket.newest)?;
                let bytes = self.small(&url, RELEASE_LIMIT, Code::ReleaseInvalid, policy)?;
                text::newest_version(self.agent, &bytes)
            }
            ReleaseForm::Archives => Err(self.unread()),
        }
    }

    /// Releases in a form that is not read here: of an agent that cannot be installed.
    fn unread(&self) -> Error {
        let title = self.agent.profile().title;
        Error::new(Code::ReleaseInvalid, format!("releases of {title} cannot be read"))
    }

    fn url(&self, key: &str) -> Result<Url> {
        key_url(&self.transport.network().base, self.agent, key)
    }

    /// A whole small file. `code` is told when it is larger than it can be.
    fn small(&self, url: &Url, limit: usize, code: Code, policy: RetryPolicy) -> Result<Vec<u8>> {
        let begun = Instant::now();
        self.transport.block_on(async {
            let mut attempt = 1;
            loop {
                let left = policy.limit.saturating_sub(begun.elapsed());
                let tried = timeout(left, self.small_once(url, limit, code)).await;
                let attempt_error = match tried {
                    Ok(Ok(bytes)) => return Ok(bytes),
                    Ok(Err(attempt_error)) => attempt_error,
                    Err(_) => {
                        return Err(attempt_error::timed_out(
                            url,
                            "it was not all there",
                            policy.limit,
                        )
                        .error);
                    }
                };
                attempt += 1;
                let pause = attempt_error
                    .pause(attempt)
                    .filter(|pause| begun.elapsed() + *pause < policy.limit);
                let Some(pause) = pause.filter(|_| attempt <= policy.attempts) else {
                    return Err(attempt_error.after_attempts(attempt - 1));
                };
                tracing::debug!(attempt, error = %attempt_error.error, "again");
                tokio::time::sleep(pause).await;
            }
        })
    }

    async fn small_once(
        &self,
        url: &Url,
        limit: usize,
        code: Code,
    ) -> Result<Vec<u8>, AttemptError> {
        let network = self.transport.network();
        let (url, mut answer) = self.transport.get(url, "identity", None).await?;
        let status = answer.status();
        let limit = if status.is_success() { limit } else { BODY_LIMIT };
        let mut bytes = Vec::new();
        let too_large = || {
            let shown = without_login(&url);
            AttemptError::lasting(Error::new(code, format!("{shown} is longer than {limit} bytes")))
        };
        if status.is_success() {
            if answer.content_length().is_some_and(|length| length > limit as u64) {
                return Err(too_large());
            }
            if let Some(encoding) = answer.headers().get(header::CONTENT_ENCODING)
                && encoding != "identity"
            {
                let shown = without_login(&url);
                let error =
                    format!("{shown} came encoded as {encoding:?}, where plain text was due");
                return Err(AttemptError::lasting(Error::new(Code::EncodingBroken, error)));
            }
        }
        let headers = answer.headers().clone();
        // The deadline is for the whole of a small file: it has no time to drip.
        let read = timeout(network.timeout, async {
            while let Some(chunk) = answer.chunk().await? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > limit {
                    break;
                }
            }
            Ok(())
        });
        let read = read.await;
        if !status.is_success() {
            bytes.truncate(limit);
            return Err(attempt_error::of_status(status, &headers, &bytes, &url, network));
        }
        match read {
            Err(_) => Err(attempt_error::timed_out(&url, "it was not all there", network.timeout)),
            Ok(Err(error)) => Err(attempt_error::of_transfer(&error, &url, network)),
            Ok(Ok(())) if bytes.len() > limit => Err(too_large()),
            Ok(Ok(())) => Ok(bytes),
        }
    }

    /// Adds what could be meant: the newest version if the bucket tells it, and those of the
    /// table, the nearest first.
    fn with_suggestions(&self, error: Error, version: &Version) -> Error {
        let mut known: Vec<String> =
            self.newest_with(WELCOME).iter().map(ToString::to_string).collect();
        known.extend(Version::known(self.agent).iter().map(ToString::to_string));
        known.retain(|other| other != version.as_str());
        let mut left: Vec<&str> = Vec::new();
        for name in &known {
            if !left.contains(&name.as_str()) {
                left.push(name);
            }
        }
        let mut meant = Vec::new();
        while let Some(near) = crate::text::nearest(version.as_str(), &left) {
            left.retain(|other| *other != near);
            meant.push(near);
        }
        meant.extend(left);
        error
            .context(format!("there is no version {version}"))
            .help(Help::words(format!("versions that could be meant: {}", meant.join(", "))))
    }
}

fn key_url(base: &Url, agent: Kind, key: &str) -> Result<Url> {
    let folder = agent.profile().bucket.folder;
    let text = format!("{}/{folder}/{key}", base.as_str().trim_end_matches('/'));
    text.parse().map_err(|error| {
        Error::new(Code::ValueInvalid, format!("--release-url makes no URL ({error})"))
    })
}
