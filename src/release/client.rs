//! The client: what is asked of the bucket.

use super::{
    Artifact, attempt_error, checksums, download,
    manifest::{Archive, Manifest},
    network::Network,
    retry::AttemptError,
    text,
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
use std::{
    fs::File,
    sync::OnceLock,
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

/// Bytes of `manifest.json` that are read; one release has about a kilobyte of it.
const MANIFEST_LIMIT: usize = 4 << 20;

/// Bytes of an error's body that are read.
const BODY_LIMIT: usize = 4 << 10;

/// A small file of the bucket.
struct Small {
    bytes: Vec<u8>,
    day: Option<String>,
}

/// Asks the release bucket. Cheap to make: nothing is set up before the first question.
#[derive(Debug)]
pub struct Client {
    agent: Kind,
    transport: Transport,
    manifest: OnceLock<Manifest>,
}

/// A download that was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of the binary.
    pub bytes: u64,
    /// The binary's checksum; that of an archive is another one.
    pub sha256: Sha256,
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

impl Client {
    /// A client for the releases of an agent in this bucket.
    pub fn new(agent: Kind, network: Network) -> Self {
        Self { agent, transport: Transport::new(network), manifest: OnceLock::new() }
    }

    /// The newest version for a platform, by the bucket's file for that.
    pub fn newest(&self, platform: Platform) -> Result<Version> {
        match self.agent.profile().bucket.form {
            ReleaseForm::Binaries => self.newest_with(NEEDED),
            ReleaseForm::Archives => self.manifest()?.newest(platform),
        }
    }

    /// The binary of a version for a platform, by `checksums.txt` or `manifest.json`.
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
        let base = &self.transport.network().base;
        let (artifact, named_by) = match self.agent.profile().bucket.form {
            ReleaseForm::Binaries => {
                let sha256 = self.checksum(version, platform)?;
                let (agent, version) = (self.agent, version.clone());
                (Artifact::new(base, agent, version, platform, sha256)?, "checksums.txt")
            }
            ReleaseForm::Archives => {
                let Archive { url, sha256 } = self.manifest()?.archive(version, platform, base)?;
                let version = version.clone();
                (Artifact::at(url, self.agent, version, platform, sha256), "manifest.json")
            }
        };
        match pinned {
            Some(pinned) if pinned != artifact.sha256 => Err(Error::new(
                Code::ChecksumMismatch,
                format!(
                    "--sha256 wants {pinned}, and {named_by} says {} of {version}",
                    artifact.sha256
                ),
            )
            .help("one of them is wrong: check where each comes from")),
            _ => Ok(artifact),
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
        let url = self.url(self.agent.profile().bucket.newest)?;
        let file = self.small(&url, RELEASE_LIMIT, Code::ReleaseInvalid, policy)?;
        text::newest_version(self.agent, &file.bytes)
    }

    fn checksum(&self, version: &Version, platform: Platform) -> Result<Sha256> {
        let url = self.url(&format!("{version}/checksums.txt"))?;
        let file = self.small(&url, CHECKSUMS_LIMIT, Code::ChecksumsInvalid, NEEDED);
        let file = file.map_err(|error| match error.code() {
            Code::NoSuchVersion => self.with_suggestions(error, version),
            _ => error,
        })?;
        checksums::checksum_for(&file.bytes, self.agent, platform)
    }

    /// The manifest, which is read once: it answers for every version.
    fn manifest(&self) -> Result<&Manifest> {
        if let Some(manifest) = self.manifest.get() {
            return Ok(manifest);
        }
        let url = self.url(self.agent.profile().bucket.newest)?;
        let file = self.small(&url, MANIFEST_LIMIT, Code::ManifestInvalid, NEEDED)?;
        let manifest = Manifest::read(self.agent, &file.bytes, file.day)?;
        Ok(self.manifest.get_or_init(|| manifest))
    }

    fn url(&self, key: &str) -> Result<Url> {
        key_url(&self.transport.network().base, self.agent, key)
    }

    /// A whole small file. `code` is told when it is larger than it can be.
    fn small(&self, url: &Url, limit: usize, code: Code, policy: RetryPolicy) -> Result<Small> {
        let begun = Instant::now();
        self.transport.block_on(async {
            let mut attempt = 1;
            loop {
                let left = policy.limit.saturating_sub(begun.elapsed());
                let tried = timeout(left, self.small_once(url, limit, code)).await;
                let attempt_error = match tried {
                    Ok(Ok(file)) => return Ok(file),
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

    async fn small_once(&self, url: &Url, limit: usize, code: Code) -> Result<Small, AttemptError> {
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
            Ok(Ok(())) => Ok(Small { bytes, day: day(&headers) }),
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

pub(super) fn key_url(base: &Url, agent: Kind, key: &str) -> Result<Url> {
    let folder = agent.profile().bucket.folder;
    let text = format!("{}/{folder}/{key}", base.as_str().trim_end_matches('/'));
    text.parse().map_err(|error| {
        Error::new(Code::ValueInvalid, format!("--release-url makes no URL ({error})"))
    })
}

/// The day that a server gives for a file, such as `2026-11-20`.
fn day(headers: &header::HeaderMap) -> Option<String> {
    let text = headers.get(header::LAST_MODIFIED)?.to_str().ok()?;
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(time.date().to_string())
}
