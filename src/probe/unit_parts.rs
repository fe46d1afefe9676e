//! What systemd has of a unit's name before an install writes that unit.

use super::{
    drop_ins::{DropIns, by_name},
    unit::{LIMIT, Unit},
};
use crate::{host::UnitParts, platform::fs::Root, service::systemd::unit_folders::UnitFolders};
use std::time::{Duration, Instant};

/// How long folders of drop-ins may take to be listed for a plan.
const PARTS: Duration = Duration::from_secs(1);

/// The files of a service's name, and the lines of its drop-ins.
pub(super) fn parts(root: &Root, name: &str) -> UnitParts {
    let folders = UnitFolders::list(root);
    let mut drop_ins = DropIns::default();
    let of_unit = drop_ins.of(root, &folders, name, Instant::now() + PARTS);
    let mut unit = Unit::default();
    let mut left = LIMIT;
    for path in by_name(&of_unit) {
        unit.read(root, path, &mut left);
    }
    UnitParts { places: folders.places(name).to_vec(), added: unit.directives }
}
