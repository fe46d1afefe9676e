//! Files: written whole beside their place and renamed over it.

use super::Tools;
use crate::{
    Code, Error, Result,
    apply::{
        step::{Check, File, Settle},
        target::{After, Digest, State},
    },
    platform::{
        command::Call,
        fs::{Kind, Meta, Spot},
        privilege::is_privileged,
        service::Services,
    },
};
use std::{
    io::{Read, Write},
    path::Path,
};

/// Up to this size a copy is a copy; above it a second name for the same file serves.
const COPY_LIMIT: u64 = 1 << 20;

pub(super) fn before(tools: &Tools<'_>, path: &Path) -> Result<State> {
    // A folder that is not there yet, as when the steps that make it are in the same plan.
    let Some(spot) = tools.host.root.find(path)? else { return Ok(State::Absent) };
    match spot.look()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::File => {
            let backup = format!("{}-{}", tools.run, meta.identity.1);
            keep(&spot, meta, &tools.state.backup(&backup)?)?;
            Ok(State::File { meta, backup })
        }
        Some(meta) => Err(in_the_way(path, meta.kind)),
    }
}

pub(super) fn write(tools: &Tools<'_>, file: &File) -> Result<After> {
    let spot = tools.host.spot(&file.path)?;
    refuse_other_kinds(&spot)?;
    let temporary = tools.temporary(&spot)?;
    let content = file.content.bytes();
    let meta = placed(&temporary, &spot, |temporary| {
        // Not even for an instant with more than its final mode.
        let mut open = temporary.create(file.mode & 0o600)?;
        tools.protect(temporary, file.owner.as_ref(), file.mode, false)?;
        open.write_all(&content).map_err(|error| cannot_write(&file.path, &error))?;
        temporary.settle_file(&open, tools.host.numbers(file.owner.as_ref())?, file.mode)?;
        open.sync_all().map_err(|error| cannot_write(&file.path, &error))?;
        if let Some(check) = file.check {
            accepted(tools, check, temporary)?;
        }
        Ok(())
    })?;
    if file.definition {
        reload(tools)?;
    }
    let digest = (!file.seed).then(|| file.content.digest(tools.key));
    Ok(After { meta, digest })
}

/// Of a file whose owner and mode alone are to change no copy is made: it may be a log that grows
/// meanwhile, or hold the token.
pub(super) fn before_settle(tools: &Tools<'_>, path: &Path) -> Result<State> {
    let spot = tools.host.spot(path)?;
    match spot.look()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::File => {
            refuse_other_names(&spot, meta)?;
            Ok(State::Settled { meta })
        }
        Some(meta) => Err(in_the_way(path, meta.kind)),
    }
}

/// The other name of a file may be one that who put it here has no right to.
fn refuse_other_names(spot: &Spot, meta: Meta) -> Result<()> {
    if meta.links < 2 || spot.is_trusted() {
        return Ok(());
    }
    let path = spot.path().display();
    let message = format!("{path} has a second name (hard link)");
    let look = format!("look for it: find / -xdev -samefile {path}");
    Err(Error::new(Code::GroundUnsafe, message).help(look))
}

/// Owner and mode of a file that is there, on a handle that cannot be swapped.
pub(super) fn settle(tools: &Tools<'_>, settle: &Settle) -> Result<After> {
    let spot = tools.host.spot(&settle.path)?;
    let (open, meta) = spot.read()?;
    // Once more, of what is open now: it could have been swapped since it was looked at.
    refuse_other_names(&spot, meta)?;
    spot.settle_file(&open, tools.host.numbers(settle.owner.as_ref())?, settle.mode)?;
    tools.protect(&spot, settle.owner.as_ref(), settle.mode, false)?;
    let meta = spot.look()?.unwrap_or(meta);
    Ok(After { meta, digest: None })
}

pub(super) fn restore(tools: &Tools<'_>, path: &Path, to: &State) -> Result<()> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(()) };
    tools.temporary(&spot)?.remove()?;
    match to {
        // Never touched: the step failed before.
        State::File { meta, .. } if spot.look()? == Some(*meta) => return Ok(()),
        State::Absent => match spot.look()? {
            Some(meta) if meta.kind == Kind::Folder => return Err(in_the_way(path, meta.kind)),
            Some(_) => spot.remove()?,
            None => return Ok(()),
        },
        State::File { meta, backup } => put_back(tools, &spot, meta, backup)?,
        State::Settled { meta } if spot.look()?.is_some() => {
            let (open, now) = spot.read()?;
            refuse_other_names(&spot, now)?;
            let owner = is_privileged().then_some((meta.uid, meta.gid));
            spot.settle_file(&open, owner, meta.mode)?;
        }
        _ => {}
    }
    if is_definition(path) { reload(tools) } else { Ok(()) }
}

/// Fills a temporary file and renames it over `spot`; takes it away again when that fails.
pub(super) fn placed(
    temporary: &Spot,
    spot: &Spot,
    fill: impl FnOnce(&Spot) -> Result<()>,
) -> Result<Meta> {
    // Only a run with the same name could have left it: this one, started again.
    temporary.remove()?;
    let filled = fill(temporary).and_then(|()| temporary.rename_to(spot));
    if let Err(error) = filled {
        return Err(match temporary.remove() {
            Ok(()) => error,
            Err(left) => error.help(format!("left behind: {left}")),
        });
    }
    spot.look()?.ok_or_else(|| {
        Error::new(Code::StepFailed, format!("{} was taken away at once", spot.path().display()))
    })
}

/// A file or nothing may stand where a file is to go.
pub(super) fn refuse_other_kinds(spot: &Spot) -> Result<()> {
    match spot.look()? {
        Some(meta) if meta.kind != Kind::File => Err(in_the_way(spot.path(), meta.kind)),
        _ => Ok(()),
    }
}

fn keep(spot: &Spot, meta: Meta, backup: &Spot) -> Result<()> {
    backup.remove()?;
    if meta.size > COPY_LIMIT && spot.link_to(backup)? {
        if backup.look()?.is_some_and(|kept| kept.is_same_file(&meta)) {
            return Ok(());
        }
        // What stood there was swapped meanwhile.
        backup.remove()?;
    }
    let (mut from, _) = spot.read()?;
    let mut to = backup.create(0o600)?;
    std::io::copy(&mut from, &mut to)
        .and_then(|_| to.sync_all())
        .map_err(|error| cannot_write(backup.path(), &error))
}

fn put_back(tools: &Tools<'_>, spot: &Spot, meta: &Meta, backup: &str) -> Result<()> {
    let copy = tools.state.backup(backup)?;
    let (mut from, kept) = copy.read()?;
    let owner = is_privileged().then_some((meta.uid, meta.gid));
    if spot.look()?.is_some_and(|now| now.is_same_file(&kept)) {
        // The copy is a second name of what still stands there; owner and mode may be others.
        return spot.settle_file(&from, owner, meta.mode);
    }
    let temporary = tools.temporary(spot)?;
    placed(&temporary, spot, |temporary| {
        let mut open = temporary.create(0o600)?;
        std::io::copy(&mut from, &mut open).map_err(|error| cannot_write(spot.path(), &error))?;
        temporary.settle_file(&open, owner, meta.mode)?;
        open.sync_all().map_err(|error| cannot_write(spot.path(), &error))
    })
    .map(drop)
}

fn accepted(tools: &Tools<'_>, check: Check, temporary: &Spot) -> Result<()> {
    let path = tools.host.root.outside(temporary.path()).display().to_string();
    let call = match check {
        Check::Sudoers => Call::new("visudo", ["-cf", &path]),
    };
    tools.host.commands.run(&call).map(drop)
}

/// Tells the service manager that its definitions have changed.
fn reload(tools: &Tools<'_>) -> Result<()> {
    tools.host.services.map_or(Ok(()), Services::reload)
}

fn is_definition(path: &Path) -> bool {
    path.starts_with("/etc/systemd/system")
}

fn in_the_way(path: &Path, kind: Kind) -> Error {
    Error::new(Code::InTheWay, format!("{} is {kind}, where a file is to go", path.display()))
        .help(format!("look at it: ls -ld {}", path.display()))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::HostUnfit, format!("cannot write {}: {error}", path.display()))
}

/// Fingerprints a file's content, without a limit on its size.
pub(crate) fn digest(spot: &Spot, key: Option<&[u8]>) -> Result<Digest> {
    let (mut file, _) = spot.read()?;
    let mut hasher = crate::apply::target::Hasher::new(key);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(|error| {
            Error::new(Code::StepFailed, format!("cannot read {}: {error}", spot.path().display()))
        })?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}
