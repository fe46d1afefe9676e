//! Reads files that may stand on ground which an account controls.

use crate::{
    Code, Error, Result,
    platform::fs::{Kind, Root, Trail},
};
use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// A file's content, or the part of it that was asked for.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// The file has more.
    pub(super) cut: bool,
}

/// Which part of a file to read.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The first bytes.
    Head(u64),
    /// The last bytes.
    Tail(u64),
}

/// Reads a file at the end of a trail.
///
/// # Errors
/// When it is no regular file, or one that someone may have put there to have root read it: a
/// second name, on ground of others, of a file that belongs to someone else than the folder.
pub(super) fn read(root: &Root, trail: &Trail, part: Part) -> Result<Content> {
    let path = trail.path.display();
    match &trail.end {
        Some(meta) if meta.kind == Kind::File => {}
        Some(meta) => return Err(refused(format!("{path} is {}", meta.kind))),
        None => {
            let why = trail.stopped.clone().unwrap_or_else(|| format!("{path} is not there"));
            return Err(refused(why));
        }
    }
    let spot = root
        .find(&trail.real)?
        .ok_or_else(|| refused(format!("{path} was taken away meanwhile")))?;
    let (mut file, meta) = spot.read()?;
    if meta.links > 1 && !spot.is_trusted() {
        return Err(refused(format!("{path} has a second name (hard link); not read")));
    }
    let trouble = |error: std::io::Error| refused(format!("{path} cannot be read: {error}"));
    let limit = match part {
        Part::Head(limit) => limit,
        Part::Tail(limit) => {
            file.seek(SeekFrom::Start(meta.size.saturating_sub(limit))).map_err(trouble)?;
            limit
        }
    };
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(trouble)?;
    Ok(Content { bytes, cut: meta.size > limit })
}

/// The same from a path.
pub(super) fn read_at(root: &Root, path: &Path, part: Part) -> Result<(Trail, Content)> {
    let trail = root.trail(path)?;
    let content = read(root, &trail, part)?;
    Ok((trail, content))
}

fn refused(why: String) -> Error {
    Error::new(Code::InTheWay, why)
}
