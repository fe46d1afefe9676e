//! Making a bundle from what the release bucket has.

use super::{
    Contents, Part,
    format::{MANIFEST, SCHEMA_VERSION, checksum, header, padding, trailer},
};
use crate::{
    Code, Error, Result,
    agent::Kind,
    release::{Artifact, Client, DownloadProgress, Fetched},
};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
};

/// Digits of the largest number.
const DIGITS: usize = 20;

/// Downloads and verifies these binaries of an agent, and writes them into an empty file. `scratch`
/// is another empty file, which holds one binary after the other.
///
/// # Errors
/// As [`Client::fetch`]; when a file cannot be written.
pub fn write(
    client: &Client,
    agent: Kind,
    artifacts: &[Artifact],
    into: &mut File,
    scratch: &File,
    watch: &dyn DownloadProgress,
) -> Result<Contents> {
    let mut contents = Contents {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        parts: Vec::new(),
    };
    // The manifest comes first, and is known last: room is left for it.
    let planned = artifacts.iter().map(|artifact| part(agent, artifact, 0, artifact.sha256));
    let planned = Contents { parts: planned.collect(), ..contents.clone() };
    let room = text(&planned)?.len() + planned.parts.len() * DIGITS;
    let member = header(MANIFEST, room as u64)?;
    let begin = member.len() as u64 + room as u64 + padding(room as u64);
    into.seek(SeekFrom::Start(begin)).map_err(cannot_write)?;
    for artifact in artifacts {
        let handle = scratch.try_clone().map_err(cannot_write)?;
        let Fetched { sha256, .. } = client.fetch(artifact, handle, watch)?;
        let named = part(agent, artifact, 0, sha256);
        let size = packed(into, scratch, &named.file).map_err(|error| match error {
            Failure::Io(error) => cannot_write(error),
            Failure::Name(error) => error,
        })?;
        contents.parts.push(Part { size, ..named });
    }
    let end = into.stream_position().map_err(cannot_write)?;
    let mut text = text(&contents)?;
    text.resize(room, b' ');
    let written = into
        .seek(SeekFrom::Start(0))
        .and_then(|_| into.write_all(&member))
        .and_then(|()| into.write_all(&text))
        .and_then(|()| zeros(into, padding(room as u64)))
        .and_then(|()| into.seek(SeekFrom::Start(0)))
        .and_then(|_| checksum(&*into, end));
    let last = trailer(written.map_err(cannot_write)?)?;
    into.seek(SeekFrom::Start(end))
        .and_then(|_| into.write_all(&last))
        .and_then(|()| into.sync_all())
        .map_err(cannot_write)?;
    Ok(contents)
}

enum Failure {
    Io(io::Error),
    Name(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes one member, and says its size.
fn packed(into: &mut File, scratch: &File, name: &str) -> Result<u64, Failure> {
    let before = into.stream_position()?;
    let room = header(name, 0).map_err(Failure::Name)?.len() as u64;
    let begin = into.seek(SeekFrom::Start(before + room))?;
    let mut binary = scratch;
    binary.rewind()?;
    let mut encoder = GzEncoder::new(&mut *into, Compression::default());
    io::copy(&mut binary, &mut encoder)?;
    encoder.finish()?;
    let size = into.stream_position()? - begin;
    zeros(into, padding(size))?;
    let end = into.stream_position()?;
    into.seek(SeekFrom::Start(before))?;
    into.write_all(&header(name, size).map_err(Failure::Name)?)?;
    into.seek(SeekFrom::Start(end))?;
    Ok(size)
}

fn part(agent: Kind, artifact: &Artifact, size: u64, binary: crate::values::Sha256) -> Part {
    let Artifact { version, platform, sha256, .. } = artifact;
    let (os, arch) = (platform.os(), platform.arch());
    Part {
        agent,
        version: version.clone(),
        platform: *platform,
        file: format!("{agent}/{}/{os}-{arch}.gz", version.as_str()),
        size,
        binary_sha256: binary,
        published_sha256: *sha256,
    }
}

fn text(contents: &Contents) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(contents)
        .map_err(|error| Error::new(Code::StepFailed, format!("the manifest: {error}")))
}

fn zeros(into: &mut File, count: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), count), into).map(drop)
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn cannot_write(error: io::Error) -> Error {
    Error::new(Code::HostUnfit, format!("the bundle cannot be written: {error}"))
        .help("df -h   # is there room?")
}
