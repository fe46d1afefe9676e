//! Files that a person asked for: put in place whole, or not at all.

use crate::{
    Code, Error, Result,
    platform::fs::{Root, Spot},
};
use std::{fs::File, io, path::Path};

/// Makes a file for the caller alone, and fills it. Its folder may belong to others, who can put any
/// name there before or meanwhile: the temporary has a name that nobody knows before, and only what
/// was made here is taken away again.
///
/// # Errors
/// What `fill` says, and when the file cannot be made.
pub(super) fn place<T>(file: &Path, fill: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
    let root = Root::open(Path::new("/"))?;
    let spot = root.find(&std::path::absolute(file).map_err(lost)?)?;
    let spot = spot.ok_or_else(|| Error::new(Code::HostUnfit, "its folder is not there"))?;
    with_temporary(&spot, |temporary, open| {
        let filled = fill(open)?;
        open.sync_all().map_err(lost)?;
        temporary.rename_to(&spot)?;
        Ok(filled)
    })
}

/// Works with a file beside another one, which then goes.
///
/// # Errors
/// What `work` says, and when the file cannot be made.
pub(super) fn scratch<T>(file: &Path, work: impl FnOnce(&File) -> Result<T>) -> Result<T> {
    let root = Root::open(Path::new("/"))?;
    let spot = root.find(&std::path::absolute(file).map_err(lost)?)?;
    let spot = spot.ok_or_else(|| Error::new(Code::HostUnfit, "its folder is not there"))?;
    with_temporary(&spot, |temporary, open| {
        let made = temporary.metadata()?;
        let done = work(open);
        remove(temporary, made);
        done
    })
}

fn with_temporary<T>(spot: &Spot, work: impl FnOnce(&Spot, &mut File) -> Result<T>) -> Result<T> {
    let random = getrandom::u64().map_err(io::Error::other).map_err(lost)?;
    let temporary = spot.sibling(format!(".runnerup-{random:016x}"))?;
    let mut open = temporary.create(0o600)?;
    let made = temporary.metadata()?;
    work(&temporary, &mut open).inspect_err(|_| remove(&temporary, made))
}

fn remove(temporary: &Spot, made: Option<crate::platform::fs::Meta>) {
    let now = temporary.metadata().ok().flatten();
    if now.zip(made).is_some_and(|(now, made)| now.is_same_file(&made)) {
        // What cannot be removed either is told by the error that comes first.
        let _ = temporary.remove();
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn lost(error: io::Error) -> Error {
    Error::new(Code::HostUnfit, error.to_string())
}
