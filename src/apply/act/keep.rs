//! Backups of files that are about to be replaced or removed, and fingerprints of their content.
//!
//! The owner of a file can replace it, let it grow, or hold it open at any time. So owner, mode and
//! content of a backup come from one open handle, and no file is read without a limit.

use super::Tools;
use crate::{
    Code, Error, Help, Result,
    platform::{
        fs::{Kind, Meta, Spot},
        privilege::is_privileged,
    },
    record::{FILE_LIMIT, State},
};
use std::{
    fs::File,
    io::{self, Read},
};

/// Up to this size the backup is a copy; a larger file is kept by a hard link.
const COPY_LIMIT: u64 = 1 << 20;

/// Keeps a file that is about to be replaced.
pub(super) fn replaced(tools: &Tools<'_>, spot: &Spot) -> Result<State> {
    let (file, meta) = match spot.read() {
        Ok(opened) => opened,
        // A file with a lease cannot be opened; a hard link does not need that.
        Err(error) => return linked(tools, spot, None)?.ok_or(error),
    };
    if meta.size > COPY_LIMIT
        && let Some(state) = linked(tools, spot, Some(&meta))?
    {
        return Ok(state);
    }
    copied(tools, spot, file, meta)
}

/// Keeps a file that is about to be removed, without reading it where a hard link is possible. A file
/// that cannot be kept is removed all the same.
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
    let kept = copy.metadata()?.filter(|kept| kept.kind == Kind::File).ok_or_else(|| {
        let path = spot.path().display();
        Error::new(Code::StepFailed, format!("the backup of {path} no longer exists"))
    })?;
    let owner = meta.owner().filter(|_| is_privileged());
    let set_permissions = |spot: &Spot, file: &File| match meta.mode() {
        Some(mode) => spot.set_file_permissions(file, owner, mode),
        None => Ok(()),
    };
    if kept.is_same_file(meta) && relinked(tools, spot, &copy, &kept)? {
        if kept.permissions == meta.permissions {
            return Ok(());
        }
        let (open, _) = copy.read()?;
        return set_permissions(spot, &open);
    }
    let (from, _) = copy.read()?;
    let temporary = tools.temporary(spot)?;
    super::file::placed(&temporary, spot, |temporary| {
        let mut open = temporary.create(0o600)?;
        let failed = |error: io::Error| super::file::cannot_write(spot.path(), &error);
        io::copy(&mut from.take(FILE_LIMIT), &mut open).map_err(failed)?;
        set_permissions(temporary, &open)?;
        open.sync_all().map_err(failed)
    })
    .map(drop)
}

/// Keeps the file itself under a second name. What that name shows cannot be swapped: only root
/// can change the folder that it is in. `None` when the file systems do not allow it, or when it
/// is not the file of `expected`.
fn linked(tools: &Tools<'_>, spot: &Spot, expected: Option<&Meta>) -> Result<Option<State>> {
    let (name, backup) = free_name(tools)?;
    if !spot.link_to(&backup)? {
        return Ok(None);
    }
    let kept = backup.metadata()?.filter(|kept| {
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
            format!("{} is larger than any file of an agent", path.display()),
        )
        .help(Help::inspect("ls -ls", spot.outside()))
        .help("move it away, and run again")
    };
    if meta.size > FILE_LIMIT {
        return Err(too_large());
    }
    let (name, backup) = free_name(tools)?;
    let mut to = backup.create(0o600)?;
    let failed = |error: io::Error| super::file::cannot_write(backup.path(), &error);
    meta.size = io::copy(&mut from.take(FILE_LIMIT + 1), &mut to).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    if meta.size > FILE_LIMIT {
        backup.remove()?;
        return Err(too_large());
    }
    Ok(State::File { meta, backup: name })
}

/// Gives a kept file its place again; `false` where the file systems do not allow it.
fn relinked(tools: &Tools<'_>, spot: &Spot, copy: &Spot, kept: &Meta) -> Result<bool> {
    if spot.metadata()?.is_some_and(|now| now.is_same_file(kept)) {
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
        if spot.metadata()?.is_none() {
            return Ok((name, spot));
        }
    }
    Err(Error::new(Code::HostUnfit, "there are too many backups of replaced files"))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::platform::left_out::needs_root;
    use crate::{
        apply::bench::{Bench, tools},
        record::State,
    };
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use std::{
        fs,
        os::unix::fs::chown,
        path::Path,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    /// The account exchanges its own file with one of root's, small ones and large ones.
    #[test]
    fn owner_and_content_of_a_copy_are_of_one_file() {
        if needs_root("owner and content of a copy are of one file") {
            return;
        }
        for size in [8, 2 << 20] {
            let bench = Bench::new();
            let [own, roots] = ["ground/own", "ground/roots"].map(|path| bench.at(path));
            fs::write(&own, vec![b'a'; size]).unwrap();
            chown(&own, Some(4242), Some(4242)).unwrap();
            fs::write(&roots, vec![b'r'; size]).unwrap();
            let is_over = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        renameat_with(CWD, &own, CWD, &roots, RenameFlags::EXCHANGE).unwrap();
                    }
                });
                let kept = tools(&bench, |tools| {
                    let spot = bench.root.find(Path::new("/ground/own")).unwrap().unwrap();
                    let one = || match replaced(tools, &spot).unwrap() {
                        State::File { meta, backup } => {
                            let copy = tools.state.backup(&backup).unwrap();
                            let mut first = [0];
                            copy.read().unwrap().0.read_exact(&mut first).unwrap();
                            copy.remove().unwrap();
                            (meta.uid(), first[0])
                        }
                        state => panic!("{state:?}"),
                    };
                    (0..400).map(|_| one()).collect::<Vec<_>>()
                });
                is_over.store(true, Ordering::Relaxed);
                let is_true =
                    |kept: &(Option<u32>, u8)| matches!(kept, (Some(4242), b'a') | (Some(0), b'r'));
                assert!(kept.iter().all(is_true), "{size}: {kept:?}");
            });
        }
    }
}
