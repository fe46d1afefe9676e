//! Folders: created without access for others, given to their owner last.

use super::{Purge, Restored, Tools, claim};
use crate::{
    Code, Error, Help, Result,
    platform::{
        fs::{Found, Kind, Removal, Spot},
        privilege::is_privileged,
    },
    record::{After, Folder, Record, SetPermissions, State},
    text::shown,
};
use std::path::Path;

pub(super) fn before(tools: &Tools<'_>, path: &Path) -> Result<State> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(State::Absent) };
    match spot.metadata()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::Folder => Ok(State::Folder { meta }),
        Some(meta) => Err(in_the_way(&spot, meta.kind)),
    }
}

pub(super) fn make(tools: &Tools<'_>, folder: &Folder, known: Option<&Record>) -> Result<After> {
    let spot = tools.host.spot(&folder.path)?;
    let owner = tools.host.numbers(folder.owner.as_ref())?;
    let was_there = match spot.metadata()? {
        None => {
            spot.create_folder()?;
            spot.settle_new_folder(owner, folder.mode)?;
            false
        }
        Some(meta) if meta.kind != Kind::Folder => return Err(in_the_way(&spot, meta.kind)),
        Some(_) => {
            set_claimed_permissions(&spot, owner, folder.mode, &|_| Ok(()), known)?;
            true
        }
    };
    match (folder.shared, was_there) {
        (true, _) => {}
        (false, true) => tools.replace_acl(&spot, folder.owner.as_ref(), folder.mode, true)?,
        (false, false) => tools.set_acl(&spot, folder.owner.as_ref(), folder.mode, true)?,
    }
    spot.sync_folder()?;
    after(&spot)
}

/// Sets owner and mode of an existing folder.
pub(super) fn set_permissions(
    tools: &Tools<'_>,
    change: &SetPermissions,
    known: Option<&Record>,
) -> Result<After> {
    let spot = tools.host.spot(&change.path)?;
    let owner = tools.host.numbers(change.owner.as_ref())?;
    let permit = |found: &Found| {
        claim::refuse_swapped(&spot, &found.meta, change.judged.as_ref())?;
        if change.only_if_empty { claim::refuse_filled(&spot, found) } else { Ok(()) }
    };
    set_claimed_permissions(&spot, owner, change.mode, &permit, known)?;
    tools.replace_acl(&spot, change.owner.as_ref(), change.mode, true)?;
    after(&spot)
}

/// Makes root the only one with access to a folder. Does nothing where another account could have
/// replaced the folder.
pub(super) fn close(
    tools: &Tools<'_>,
    path: &Path,
    known: Option<&Record>,
) -> Result<Option<After>> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(None) };
    let is_there = spot.metadata()?.is_some_and(|meta| meta.kind == Kind::Folder);
    if !is_there || !spot.is_trusted() {
        return Ok(None);
    }
    spot.settle_folder(is_privileged().then_some((0, 0)), 0o700, &|_| Ok(()))?;
    Ok(Some(After { made_for: made_for(known), ..after(&spot)? }))
}

pub(super) fn restore(
    tools: &Tools<'_>,
    path: &Path,
    to: &State,
    purge_of: Purge,
    known: Option<&Record>,
) -> Result<Restored> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(Restored::Done) };
    match to {
        State::Absent if purge_of == Purge::All => return purge(tools, &spot, None),
        State::Absent if purge_of == Purge::OfAccount => {
            return purge(tools, &spot, made_for(known));
        }
        State::Absent if !spot.remove_folder()? => {
            let path = path.display();
            tools.host.report.leaves(&format!("the folder {path} stays: it is not empty"));
        }
        State::Folder { meta } => {
            let owner = meta.owner().filter(|_| is_privileged());
            let is_new = spot.metadata()?.is_none();
            if is_new {
                spot.create_folder()?;
            }
            match meta.mode() {
                Some(mode) if is_new => spot.settle_new_folder(owner, mode)?,
                Some(mode) => set_claimed_permissions(&spot, owner, mode, &|_| Ok(()), known)?,
                None => {}
            }
        }
        _ => {}
    }
    Ok(Restored::Done)
}

/// The account that a folder was made for.
fn made_for(known: Option<&Record>) -> Option<u32> {
    let after = known?.after.as_ref()?;
    after.made_for.or(after.meta.uid())
}

/// Removes a folder with what an account has in it, or with all of its content, and reports what
/// stays.
pub(super) fn purge(tools: &Tools<'_>, spot: &Spot, account: Option<u32>) -> Result<Restored> {
    let removal = match account {
        Some(uid) => spot.remove_tree_of(uid, &|| tools.go_on())?,
        None => spot.remove_tree(&|| tools.go_on())?,
    };
    let why = match removal {
        Removal::Others(paths) => {
            let paths: Vec<String> = paths.iter().map(shown).collect();
            tools.host.report.leaves(&format!(
                "the folder {} stays, with what does not belong to the account of the jobs: {}",
                spot.path().display(),
                paths.join(", ")
            ));
            // It is no folder of ours any more.
            return Ok(Restored::Done);
        }
        Removal::Complete => return Ok(Restored::Done),
        Removal::Mounted(points) => {
            let points: Vec<String> = points.iter().map(shown).collect();
            format!("something is mounted at {}", points.join(", "))
        }
        Removal::Refilled => "a process keeps adding files to it".to_owned(),
        Removal::OutOfTime => {
            "it contains more than could be removed within the time limit".to_owned()
        }
    };
    tools.host.report.leaves(&format!("the folder {} stays: {why}", spot.path().display()));
    Ok(Restored::Stays)
}

fn set_claimed_permissions(
    spot: &Spot,
    owner: Option<(u32, u32)>,
    mode: u32,
    permit: &dyn Fn(&Found) -> Result<()>,
    known: Option<&Record>,
) -> Result<()> {
    let to = owner.map(|(uid, _)| uid);
    spot.settle_folder(owner, mode, &|found| {
        permit(found)?;
        claim::check(spot, found, to, known)
    })
}

fn after(spot: &Spot) -> Result<After> {
    let meta = spot.metadata()?.ok_or_else(|| {
        let path = spot.path().display();
        Error::new(
            Code::StepFailed,
            format!("the folder {path} was removed at once by another process"),
        )
    })?;
    Ok(After { meta, digest: None, made_for: None })
}

fn in_the_way(spot: &Spot, kind: Kind) -> Error {
    Error::new(
        Code::InTheWay,
        format!("{} is {kind}, where a folder must be", spot.path().display()),
    )
    .help(Help::inspect("ls -ld", spot.outside()))
}
