//! The slices of an image's units, by their files: on a host systemd tells of them.

use super::{unit::Unit, units};
use crate::{
    host::{Limit, SliceLimits},
    platform::fs::Root,
    service::systemd::{size::size, slices_of, unit_text::value},
};
use std::time::Instant;

/// Most slices of one unit.
const SLICES: usize = 8;

/// The limits of each slice that a unit runs in, the nearest first.
pub(super) fn of_unit(root: &Root, unit: &Unit, until: Instant) -> Vec<SliceLimits> {
    let limits = |name: String| {
        let slice = units::named(root, &name, until)?;
        let limit = |key: &str| match value(&slice.directives, "Slice", key) {
            None => Limit::Unknown,
            Some("infinity") => Limit::Infinity,
            Some(text) => size(text).map_or(Limit::Unknown, Limit::Of),
        };
        let mut files = slice.definitions.iter().map(|definition| definition.walk.path.clone());
        Some(SliceLimits {
            fragment: files.next(),
            drop_ins: files.collect(),
            tasks_max: limit("TasksMax"),
            memory_max: limit("MemoryMax"),
            memory_high: limit("MemoryHigh"),
            name,
        })
    };
    slices_of(&unit.name, &unit.directives).into_iter().take(SLICES).filter_map(limits).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::service::systemd::unit_text::parse;
    use std::{fs, path::Path, time::Duration};

    #[test]
    fn a_slice_and_the_one_above_it_are_read_with_their_drop_ins() {
        let (folder, root) = crate::platform::fs::empty_root();
        for (path, text) in [
            ("ci.slice", "[Slice]\nMemoryMax=256M\nTasksMax=infinity\n"),
            ("ci.slice.d/10.conf", "[Slice]\nMemoryMax=512M\n"),
            ("ci-builds.slice", "[Slice]\nTasksMax=15\n"),
        ] {
            let path = folder.path().join("etc/systemd/system").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let directives = parse("[Service]\nSlice=ci-builds.slice\n", Path::new("/u"));
        let unit = Unit { name: "circleci.service".into(), directives, ..Unit::default() };
        let found = of_unit(&root, &unit, Instant::now() + Duration::from_secs(20));
        let found: Vec<_> =
            found.iter().map(|slice| (&*slice.name, slice.tasks_max, slice.memory_max)).collect();
        assert_eq!(
            found,
            [
                ("ci-builds.slice", Limit::Of(15), Limit::Unknown),
                ("ci.slice", Limit::Infinity, Limit::Of(512 << 20))
            ]
        );
    }
}
