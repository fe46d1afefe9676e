//! Whether a target stands as it did before: what an undo came to is looked at, not believed.

use super::{Tools, registry, service};
use crate::{
    Result,
    platform::{
        accounts,
        fs::{Kind, Meta, Spot},
        privilege::is_privileged,
    },
    record::{State, Target},
};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// A service manager may take this long to show what it was told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the target is in the state `before`.
pub(super) fn is_as_before(tools: &Tools<'_>, target: &Target, before: &State) -> Result<bool> {
    match target {
        Target::File(path) | Target::Folder(path) | Target::Link(path) => {
            is_path_as_before(tools, path, before)
        }
        Target::Account(name) => {
            let is_there = accounts::find(tools.host.root, name)?.is_some();
            Ok(is_there == (*before == State::Present))
        }
        Target::Registry(place) => Ok(registry::before(tools, place)? == *before),
        Target::Enabled(_) | Target::Running(_) => {
            let begun = Instant::now();
            while service::before(tools, target)? != *before {
                if begun.elapsed() > PATIENCE {
                    return Ok(false);
                }
                thread::sleep(Duration::from_millis(50));
            }
            Ok(true)
        }
        // Ended processes are not restored; the roll-back reports them.
        Target::Processes(_) => Ok(true),
    }
}

fn is_path_as_before(tools: &Tools<'_>, path: &Path, before: &State) -> Result<bool> {
    let spot = tools.host.root.find(path)?;
    let found = spot.as_ref().map_or(Ok(None), Spot::metadata)?;
    Ok(match (before, found, spot) {
        (State::Absent, None, _) => true,
        (State::File { meta, .. }, Some(found), _) => {
            has_rights(&found, meta) && found.size == meta.size
        }
        (State::Unkept { meta }, Some(found), _) => found.is_same_file(meta),
        (State::PermissionsSet { meta } | State::Folder { meta }, Some(found), _) => {
            has_rights(&found, meta)
        }
        (State::Link { target }, Some(found), Some(spot)) => {
            found.kind == Kind::Link && spot.link_target()? == *target
        }
        _ => false,
    })
}

/// Without root no owner is set: files of others belong to the caller now.
fn has_rights(found: &Meta, wanted: &Meta) -> bool {
    let owner = found.owner() == wanted.owner();
    found.kind == wanted.kind && found.mode() == wanted.mode() && (owner || !is_privileged())
}
