//! Copies of files that are about to be replaced or removed, and fingerprints of what is in them.
//!
//! The account that a file belongs to can swap it, let it grow, or hold it open at any time. So
//! owner, mode and content of a copy come from one open handle, and no file is read without limit.

use super::Tools;
use crate::{
    Code, Error, Result,
    apply::target::{Digest, Hasher, State},
    platform::{
        fs::{Kind, Meta, Spot},
        privilege::is_privileged,
    },
};
use std::{
    fs::File,
    io::{self, Read},
};

/// Up to this size a copy is a copy; above it a second name for the same file serves.
const COPY_LIMIT: u64 = 1 << 20;

/// No file of an agent has more bytes; its program has half of it.
pub(crate) const SIZE_LIMIT: u64 = 256 << 20;

/// Keeps a file that is about to be replaced.
pub(super) fn replaced(tools: &Tools<'_>, spot: &Spot) -> Result<State> {
    let (file, meta) = match spot.read() {
        Ok(opened) => opened,
        // A file that a process holds a lease on cannot be opened, and needs not be.
        Err(error) => return linked(tools, spot, None)?.ok_or(error),
    };
    if meta.size > COPY_LIMIT
        && let Some(state) = linked(tools, spot, Some(&meta))?
    {
        return Ok(state);
    }
    copied(tools, spot, file, meta)
}

/// Keeps a file that is about to be removed. That is not a reason to read it, and no reason not to
/// remove it where it cannot be kept.
pub(super) fn removed(tools: &Tools<'_>, spot: &Spot, meta: Meta) -> Result<State> {
    if let Some(state) = linked(tools, spot, None)? {
        return Ok(state);
    }
    let copy = spot.read().and_then(|(file, meta)| copied(tools, spot, file, meta));
    Ok(copy.unwrap_or(State::Unkept { meta }))
}

/// Puts back a file that was kept.
pub(super) fn put_back(tools: &Tools<'_>, spot: &Spot, meta: &Meta, backup: &str) -> Result<()> {
    let copy = tools.state.backup(backup)?;
    let kept = copy.look()?.filter(|kept| kept.kind == Kind::File).ok_or_else(|| {
        let path = spot.path().display();
        Error::new(Code::StepFailed, format!("the copy of {path} that was kept is gone"))
    })?;
    let owner = is_privileged().then_some((meta.uid, meta.gid));
    if kept.is_same_file(meta) && relinked(tools, spot, &copy, &kept)? {
        if (kept.uid, kept.gid, kept.mode) == (meta.uid, meta.gid, meta.mode) {
            return Ok(());
        }
        let (open, _) = copy.read()?;
        return spot.settle_file(&open, owner, meta.mode);
    }
    let (from, _) = copy.read()?;
    let temporary = tools.temporary(spot)?;
    super::file::placed(&temporary, spot, |temporary| {
        let mut open = temporary.create(0o600)?;
        let failed = |error: io::Error| super::file::cannot_write(spot.path(), &error);
        io::copy(&mut from.take(SIZE_LIMIT), &mut open).map_err(failed)?;
        temporary.settle_file(&open, owner, meta.mode)?;
        open.sync_all().map_err(failed)
    })
    .map(drop)
}

/// Fingerprints a file's content; `None` when it has more than `limit` bytes.
pub(crate) fn digest(spot: &Spot, key: Option<&[u8]>, limit: u64) -> Result<Option<Digest>> {
    let (file, meta) = spot.read()?;
    if meta.size > limit {
        return Ok(None);
    }
    // It may grow while it is read.
    let mut rest = file.take(limit + 1);
    let mut hasher = Hasher::new(key);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = rest.read(&mut buffer).map_err(|error| {
            Error::new(Code::StepFailed, format!("cannot read {}: {error}", spot.path().display()))
        })?;
        if read == 0 {
            return Ok((rest.limit() > 0).then(|| hasher.finish()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// Keeps the file itself under a second name. What that name shows cannot be swapped: only root
/// can change the folder that it is in. `None` when the file systems do not allow it, or when it
/// is not the file of `expected`.
fn linked(tools: &Tools<'_>, spot: &Spot, expected: Option<&Meta>) -> Result<Option<State>> {
    let (name, backup) = free_name(tools)?;
    if !spot.link_to(&backup)? {
        return Ok(None);
    }
    let kept = backup.look()?.filter(|kept| {
        kept.kind == Kind::File && expected.is_none_or(|expected| kept.is_same_file(expected))
    });
    match kept {
        Some(meta) => Ok(Some(State::File { meta, backup: name })),
        None => backup.remove().map(|()| None),
    }
}

fn copied(tools: &Tools<'_>, spot: &Spot, from: File, mut meta: Meta) -> Result<State> {
    let path = spot.path();
    let too_large = || {
        Error::new(
            Code::InTheWay,
            format!("{} has more bytes than any file of an agent", path.display()),
        )
        .help(format!("look at it, and move it away: ls -ls {}", path.display()))
    };
    if meta.size > SIZE_LIMIT {
        return Err(too_large());
    }
    let (name, backup) = free_name(tools)?;
    let mut to = backup.create(0o600)?;
    let failed = |error: io::Error| super::file::cannot_write(backup.path(), &error);
    meta.size = io::copy(&mut from.take(SIZE_LIMIT + 1), &mut to).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    if meta.size > SIZE_LIMIT {
        backup.remove()?;
        return Err(too_large());
    }
    Ok(State::File { meta, backup: name })
}

/// Gives a kept file its place again; `false` where the file systems do not allow it.
fn relinked(tools: &Tools<'_>, spot: &Spot, copy: &Spot, kept: &Meta) -> Result<bool> {
    if spot.look()?.is_some_and(|now| now.is_same_file(kept)) {
        return Ok(true);
    }
    let temporary = tools.temporary(spot)?;
    temporary.remove()?;
    if !copy.link_to(&temporary)? {
        return Ok(false);
    }
    temporary.rename_to(spot).inspect_err(|_| drop(temporary.remove()))?;
    Ok(true)
}

/// A name that no other copy of this run has.
fn free_name(tools: &Tools<'_>) -> Result<(String, Spot)> {
    for number in 1_u32.. {
        let name = format!("{}-{number}", tools.run);
        let spot = tools.state.backup(&name)?;
        if spot.look()?.is_none() {
            return Ok((name, spot));
        }
    }
    Err(Error::new(Code::HostUnfit, "there are too many copies of replaced files"))
}
