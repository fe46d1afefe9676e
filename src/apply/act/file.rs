//! Files: written completely under a temporary name, then renamed.

use super::{Restored, Tools, claim, keep};
use crate::{
    Code, Error, Help, Result,
    platform::{
        command::Call,
        fs::{Found, Kind, Meta, Spot},
        privilege::is_privileged,
    },
    record::{After, Check, File, Record, SetPermissions, State},
    service::Services,
    values::Manager,
};
use std::{io::Write, path::Path};

pub(super) fn before(tools: &Tools<'_>, path: &Path) -> Result<State> {
    // The folder may not exist yet: an earlier step of the same plan creates it.
    let Some(spot) = tools.host.root.find(path)? else { return Ok(State::Absent) };
    match spot.metadata()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::File => keep::replaced(tools, &spot),
        Some(meta) => Err(in_the_way(&spot, meta.kind)),
    }
}

/// Before a file of ours is removed. Whatever is at its path by now is removed too.
pub(super) fn before_removal(tools: &Tools<'_>, path: &Path) -> Result<State> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(State::Absent) };
    match spot.metadata()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::File => keep::removed(tools, &spot, meta),
        Some(meta) if meta.kind == Kind::Folder => Ok(State::Folder { meta }),
        Some(meta) => Ok(State::Unkept { meta }),
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
        tools.set_acl(temporary, file.owner.as_ref(), file.mode, false)?;
        open.write_all(&content).map_err(|error| cannot_write(&file.path, &error))?;
        temporary.set_file_permissions(
            &open,
            tools.host.numbers(file.owner.as_ref())?,
            file.mode,
        )?;
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
    Ok(After { meta, digest, made_for: None })
}

/// No backup is kept when only owner and mode change: the file may be a growing log or hold the token.
pub(super) fn before_set_permissions(tools: &Tools<'_>, path: &Path) -> Result<State> {
    let spot = tools.host.spot(path)?;
    match spot.metadata()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::File => {
            claim::refuse_other_names(&spot, &meta)?;
            Ok(State::PermissionsSet { meta })
        }
        Some(meta) => Err(in_the_way(&spot, meta.kind)),
    }
}

/// A seed never replaces an existing file.
pub(super) fn before_seed(tools: &Tools<'_>, path: &Path) -> Result<State> {
    match tools.host.root.find(path)? {
        Some(_) => before_set_permissions(tools, path),
        None => Ok(State::Absent),
    }
}

/// Creates the file, or sets owner and mode of an existing one, whose content is not ours.
pub(super) fn seed(tools: &Tools<'_>, file: &File, known: Option<&Record>) -> Result<After> {
    if tools.host.spot(&file.path)?.metadata()?.is_none() {
        return write(tools, file);
    }
    let File { path, owner, mode, .. } = file.clone();
    let settled =
        SetPermissions { path, folder: false, owner, mode, judged: None, only_if_empty: false };
    set_permissions(tools, &settled, known)
}

/// Sets owner and mode of an existing file, through an open handle.
pub(super) fn set_permissions(
    tools: &Tools<'_>,
    change: &SetPermissions,
    known: Option<&Record>,
) -> Result<After> {
    let spot = tools.host.spot(&change.path)?;
    let (open, meta) = spot.read()?;
    let owner = tools.host.numbers(change.owner.as_ref())?;
    // The open file counts: the path could have been replaced since it was examined.
    claim::refuse_swapped(&spot, &meta, change.judged.as_ref())?;
    claim::check(&spot, &of_file(meta), owner.map(|(uid, _)| uid), known)?;
    if change.only_if_empty {
        claim::refuse_filled(&spot, &of_file(meta))?;
    }
    spot.set_file_permissions(&open, owner, change.mode)?;
    tools.replace_acl(&spot, change.owner.as_ref(), change.mode, false)?;
    let meta = spot.metadata()?.unwrap_or(meta);
    Ok(After { meta, digest: None, made_for: None })
}

pub(super) fn restore(
    tools: &Tools<'_>,
    path: &Path,
    to: &State,
    known: Option<&Record>,
) -> Result<Restored> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(Restored::Done) };
    tools.temporary(&spot)?.remove()?;
    match to {
        // Never touched: the step failed before.
        State::File { meta, .. } if spot.metadata()? == Some(*meta) => return Ok(Restored::Done),
        State::Absent => match spot.metadata()? {
            None => return Ok(Restored::Done),
            Some(meta) if meta.kind == Kind::Folder => {
                if !spot.remove_folder()? {
                    let path = path.display();
                    tools.host.report.leaves(&format!("{path} stays: it is a folder now"));
                    return Ok(Restored::Stays);
                }
            }
            Some(_) => spot.remove()?,
        },
        State::File { meta, backup } => keep::put_back(tools, &spot, meta, backup)?,
        State::PermissionsSet { meta } if spot.metadata()?.is_some() => {
            let (open, now) = spot.read()?;
            let owner = meta.owner().filter(|_| is_privileged());
            claim::check(&spot, &of_file(now), owner.map(|(uid, _)| uid), known)?;
            // What its owner wrote since must not run with the rights of another account.
            if let Some(mode) = meta.mode() {
                let mode = if now.uid() == meta.uid() { mode } else { mode & 0o1777 };
                spot.set_file_permissions(&open, owner, mode)?;
            }
        }
        State::Unkept { meta } if !spot.metadata()?.is_some_and(|now| now.is_same_file(meta)) => {
            let message = format!("no backup of {} could be kept", path.display());
            return Err(Error::new(Code::StepFailed, message));
        }
        _ => {}
    }
    if is_definition(path) {
        reload(tools)?;
    }
    Ok(Restored::Done)
}

fn of_file(meta: Meta) -> Found {
    Found { meta, is_bare_folder: false }
}

/// Fills a temporary file and renames it over `spot`; removes it when that fails.
pub(super) fn placed(
    temporary: &Spot,
    spot: &Spot,
    fill: impl FnOnce(&Spot) -> Result<()>,
) -> Result<Meta> {
    // Only an earlier attempt of the same run could have left it.
    temporary.remove()?;
    let filled = fill(temporary).and_then(|()| temporary.rename_to(spot));
    if let Err(error) = filled {
        return Err(match temporary.remove() {
            Ok(()) => error,
            Err(left) => error.help(Help::words(format!("a temporary file stays: {left}"))),
        });
    }
    spot.metadata()?.ok_or_else(|| {
        Error::new(
            Code::StepFailed,
            format!("{} was removed at once by another process", spot.path().display()),
        )
    })
}

/// Refuses anything but a file, or nothing, at the path of a file.
pub(super) fn refuse_other_kinds(spot: &Spot) -> Result<()> {
    match spot.metadata()? {
        Some(meta) if meta.kind != Kind::File => Err(in_the_way(spot, meta.kind)),
        _ => Ok(()),
    }
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
    let mut folders = Manager::ALL.into_iter().filter_map(|manager| manager.profile().folder());
    folders.any(|folder| path.starts_with(folder))
}

fn in_the_way(spot: &Spot, kind: Kind) -> Error {
    Error::new(Code::InTheWay, format!("{} is {kind}, where a file must be", spot.path().display()))
        .help(Help::inspect("ls -ld", spot.outside()))
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::HostUnfit, format!("{} cannot be written: {error}", path.display()))
}

/// Files of others take root.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::left_out::needs_root;
    use crate::{
        apply::bench::{Bench, run},
        record::{Content, Owner, Receipt, Step},
    };
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    /// A log that somebody's own agent has written.
    #[test]
    fn a_log_that_is_there_keeps_its_lines() {
        if needs_root("a log that is there keeps its lines") {
            return;
        }
        let bench = Bench::new();
        let path = bench.at("var/agent.log");
        fs::write(&path, "precious").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let seed = Step::File(File {
            path: "/var/agent.log".into(),
            content: Content::public(""),
            owner: Some(Owner::user("circleci")),
            mode: 0o640,
            purpose: "a log",
            definition: false,
            check: None,
            seed: true,
            replaces: false,
        });
        let about = || {
            let meta = fs::metadata(&path).unwrap();
            let content = fs::read_to_string(&path).unwrap();
            (content, meta.uid(), meta.mode() & 0o7777, meta.ino())
        };
        let inode = about().3;
        let mut receipt = Receipt::new("default");
        receipt.installed = true;
        let done = run(&bench, &[seed], receipt).unwrap().unwrap();
        assert_eq!(about(), ("precious".to_owned(), 4242, 0o640, inode));
        assert!(!done.records[0].goes_with_purge());
        let back = Step::restore(&done.records[0], false);
        let uninstalled = Receipt { written: done.written.clone(), ..Receipt::new("default") };
        run(&bench, &[back], uninstalled).unwrap();
        assert_eq!(about(), ("precious".to_owned(), 0, 0o644, inode));
    }
}
