//! Reading a bundle: verified as a whole before anything of it is believed, and each binary again by
//! its own checksum when it is taken.

use super::{
    Contents, Part,
    format::{MANIFEST, SCHEMA_VERSION, TRAILER, checksum, invalid, trailer},
};
use crate::{
    Code, Error, Help, Result,
    agent::{Kind, VersionChoice},
    platform::Platform,
    release::{Artifact, DownloadProgress, Fetched, decode::Encoding, pipeline::Pipeline},
    values::Sha256,
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::Mutex,
};
use tar::{Archive, EntryType};
use url::Url;

/// Bytes of a manifest that are read; one part has half a kilobyte of it.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// What is handed on at once.
const PIECE: usize = 128 << 10;

/// A bundle that was verified.
#[derive(Debug)]
pub struct Bundle {
    file: Mutex<File>,
    parts: Vec<Placed>,
}

/// A part, and where its member begins.
#[derive(Debug)]
struct Placed {
    part: Part,
    at: u64,
}

impl Bundle {
    /// Opens and verifies a bundle.
    ///
    /// # Errors
    /// [`Code::BundleInvalid`] when a byte of it is another one than was written, and when it is none.
    pub fn open(mut file: File) -> Result<Self> {
        file.rewind().map_err(unreadable)?;
        // Its form is asked first: that of another one may be verified in another way.
        let contents = contents(&file)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let end = size.checked_sub(TRAILER).ok_or_else(|| invalid("ends too early"))?;
        file.rewind().map_err(unreadable)?;
        let wanted = trailer(checksum(&file, end).map_err(unreadable)?)?;
        let mut last = Vec::new();
        file.read_to_end(&mut last).map_err(unreadable)?;
        if last != wanted {
            return Err(invalid(
                "is not what was written: its checksum does not match, or it ends too early",
            )
            .help("copy it again, or make it anew"));
        }
        let mut members = members(&file)?;
        let mut parts = Vec::new();
        for part in contents.parts {
            let Some((at, size)) = members.remove(&part.file) else {
                return Err(invalid(&format!("lacks {}, which its manifest names", part.file)));
            };
            if size != part.size {
                return Err(invalid(&format!("has {size} bytes of {}", part.file)));
            }
            parts.push(Placed { part, at });
        }
        if let Some(name) = members.keys().next() {
            return Err(invalid(&format!("holds {name:?}, which its manifest does not name")));
        }
        Ok(Self { file: Mutex::new(file), parts })
    }

    /// The binary that a version and a platform mean, as the bucket at `base` would have it.
    ///
    /// # Errors
    /// [`Code::NoSuchVersion`] when the bundle does not have it, [`Code::ChecksumMismatch`] when
    /// `pinned` is another checksum.
    pub fn artifact(
        &self,
        base: &Url,
        agent: Kind,
        choice: &VersionChoice,
        platform: Platform,
        pinned: Option<Sha256>,
    ) -> Result<Artifact> {
        let fits = |part: &&Part| {
            part.agent == agent
                && part.platform == platform
                && match choice {
                    VersionChoice::Latest => true,
                    VersionChoice::Exact(version) => part.version == *version,
                }
        };
        let parts = self.parts.iter().map(|placed| &placed.part);
        let Some(part) = parts.filter(fits).max_by_key(|part| part.version.numbers()) else {
            return Err(self.lacks(agent, choice, platform));
        };
        if let Some(pinned) = pinned.filter(|pinned| *pinned != part.published_sha256) {
            let found = part.published_sha256;
            let message = format!("--sha256 wants {pinned}, and the bundle says {found}");
            return Err(Error::new(Code::ChecksumMismatch, message)
                .help("one of them is wrong: check where each comes from"));
        }
        Artifact::new(base, agent, part.version.clone(), platform, part.published_sha256)
    }

    /// Decodes, hashes and writes a binary, and syncs it. `into` must be empty.
    ///
    /// # Errors
    /// When the bundle was changed since it was opened.
    pub fn fetch(
        &self,
        artifact: &Artifact,
        into: File,
        watch: &dyn DownloadProgress,
    ) -> Result<Fetched> {
        let is_it = |placed: &&Placed| {
            placed.part.published_sha256 == artifact.sha256
                && placed.part.platform == artifact.platform
        };
        let Placed { part, at } = self.parts.iter().find(is_it).ok_or_else(|| {
            Error::new(Code::NoSuchVersion, format!("the bundle has no {}", artifact.version))
        })?;
        let binary = Artifact { sha256: part.binary_sha256, member: None, ..artifact.clone() };
        let pipeline = Pipeline::start(into, &binary)?;
        watch.started(Some(part.size));
        let sent = self.send(&pipeline, *at, part.size, watch);
        if let Err(error) = sent {
            pipeline.abandon();
            return Err(error);
        }
        let written = pipeline.finish()?;
        Ok(Fetched { bytes: written.bytes, sha256: written.sha256, attempts: 1 })
    }

    fn send(
        &self,
        pipeline: &Pipeline,
        at: u64,
        size: u64,
        watch: &dyn DownloadProgress,
    ) -> Result<()> {
        let mut file =
            self.file.lock().map_err(|_| invalid("is read by a thread that was lost"))?;
        file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        let (mut rest, mut buffer, mut sent) = (file.by_ref().take(size), vec![0; PIECE], 0);
        let mut goes_on = pipeline.begin(Encoding::Gzip);
        while goes_on {
            if watch.cancelled() {
                return Err(Error::new(Code::Interrupted, "interrupted"));
            }
            let read = rest.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            goes_on = pipeline.send(buffer.get(..read).unwrap_or_default());
            sent += read as u64;
            watch.moved(sent);
        }
        Ok(())
    }

    fn lacks(&self, agent: Kind, choice: &VersionChoice, platform: Platform) -> Error {
        let has = self.parts.iter().map(|Placed { part, .. }| {
            format!("{} {} for {}", part.agent, part.version, part.platform)
        });
        let has: Vec<String> = has.collect();
        let message = format!("the bundle has no {agent} {choice} for {platform}");
        let error = Error::new(Code::NoSuchVersion, message);
        error.help(Help::words(format!("it has: {}", has.join("; "))))
    }
}

/// The manifest of what is a bundle of this form.
fn contents(file: &File) -> Result<Contents> {
    let none = |why: &str| invalid(&format!("is none: {why}"));
    let mut archive = Archive::new(file);
    let mut entries = archive.entries().map_err(unreadable)?.raw(true);
    let first = entries.next().and_then(io::Result::ok).filter(|entry| {
        entry.header().entry_type() == EntryType::Regular
            && entry.path_bytes().as_ref() == MANIFEST.as_bytes()
    });
    let entry = first.ok_or_else(|| none("it does not begin with a manifest"))?;
    let mut bytes = Vec::new();
    entry.take(MANIFEST_LIMIT).read_to_end(&mut bytes).map_err(unreadable)?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|_| none("its manifest is not JSON"))?;
    let form = value.get("schema_version").and_then(serde_json::Value::as_u64);
    if form != Some(u64::from(SCHEMA_VERSION)) {
        let form = form.map_or("no number".to_owned(), |form| form.to_string());
        return Err(invalid(&format!(
            "has the form {form}, and this program reads {SCHEMA_VERSION}"
        ))
        .help("use the version of runnerup that made it, or make it anew"));
    }
    let contents: Contents =
        serde_json::from_value(value).map_err(|_| none("its manifest has another form"))?;
    let climbs = |part: &Part| {
        part.file.starts_with('/')
            || part.file.split('/').any(|name| matches!(name, "" | "." | ".."))
    };
    match contents.parts.iter().any(climbs) {
        true => Err(none("its manifest names a path outside of it")),
        false => Ok(contents),
    }
}

/// Where each member behind the manifest begins, and its size.
fn members(mut file: &File) -> Result<BTreeMap<String, (u64, u64)>> {
    file.rewind().map_err(unreadable)?;
    let mut archive = Archive::new(file);
    let mut members = BTreeMap::new();
    for entry in archive.entries().map_err(unreadable)?.raw(true).skip(1) {
        let entry = entry.map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != EntryType::Regular {
            return Err(invalid(&format!("holds {name:?}, which is no file")));
        }
        if members.insert(name.clone(), (entry.raw_file_position(), entry.size())).is_some() {
            return Err(invalid(&format!("holds {name:?} twice")));
        }
    }
    // Its own checksum, which is verified.
    members.remove("checksum");
    Ok(members)
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unreadable(error: io::Error) -> Error {
    invalid(&format!("cannot be read: {error}"))
}
