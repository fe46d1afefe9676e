//! Folders: made closed, opened to their owner last.

use super::Tools;
use crate::{
    Code, Error, Result,
    apply::{
        step::{Folder, Settle},
        target::{After, State},
    },
    platform::{fs::Kind, privilege::is_privileged},
};
use std::path::Path;

pub(super) fn before(tools: &Tools<'_>, path: &Path) -> Result<State> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(State::Absent) };
    match spot.look()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::Folder => Ok(State::Folder { meta }),
        Some(meta) => Err(in_the_way(path, meta.kind)),
    }
}

pub(super) fn make(tools: &Tools<'_>, folder: &Folder) -> Result<After> {
    let spot = tools.host.spot(&folder.path)?;
    match spot.look()? {
        None => spot.create_folder()?,
        Some(meta) if meta.kind != Kind::Folder => return Err(in_the_way(&folder.path, meta.kind)),
        Some(_) => {}
    }
    spot.settle_folder(tools.host.numbers(folder.owner.as_ref())?, folder.mode)?;
    if !folder.shared {
        tools.protect(&spot, folder.owner.as_ref(), folder.mode, true)?;
    }
    spot.sync_folder()?;
    let meta = spot.look()?.ok_or_else(|| {
        let path = folder.path.display();
        Error::new(Code::StepFailed, format!("the folder {path} was taken away at once"))
    })?;
    Ok(After { meta, digest: None })
}

/// Owner and mode of a folder that is there.
pub(super) fn settle(tools: &Tools<'_>, settle: &Settle) -> Result<After> {
    let spot = tools.host.spot(&settle.path)?;
    spot.settle_folder(tools.host.numbers(settle.owner.as_ref())?, settle.mode)?;
    tools.protect(&spot, settle.owner.as_ref(), settle.mode, true)?;
    let meta = spot.look()?.ok_or_else(|| {
        let path = settle.path.display();
        Error::new(Code::StepFailed, format!("the folder {path} was taken away at once"))
    })?;
    Ok(After { meta, digest: None })
}

pub(super) fn restore(tools: &Tools<'_>, path: &Path, to: &State, purge: bool) -> Result<()> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(()) };
    match to {
        State::Absent => {
            let gone = if purge { spot.remove_tree()? } else { spot.remove_folder()? };
            if !gone {
                let why = if purge { "something is mounted in it" } else { "it is not empty" };
                tools.host.report.leaves(&format!("the folder {} stays: {why}", path.display()));
            }
            Ok(())
        }
        State::Folder { meta } => {
            let owner = is_privileged().then_some((meta.uid, meta.gid));
            if spot.look()?.is_none() {
                spot.create_folder()?;
            }
            spot.settle_folder(owner, meta.mode)
        }
        _ => Ok(()),
    }
}

fn in_the_way(path: &Path, kind: Kind) -> Error {
    Error::new(Code::InTheWay, format!("{} is {kind}, where a folder is to be", path.display()))
        .help(format!("look at it: ls -ld {}", path.display()))
}
