//! Drop-ins of units, by the rules of `systemd.unit(5)`.

use super::unit::FILES;
use crate::{
    platform::fs::Root,
    service::systemd::{
        drop_ins::{names, template_of},
        unit_folders::UnitFolders,
    },
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a folder of drop-ins may take to be listed.
const LISTED: Duration = Duration::from_millis(100);

/// The drop-ins of all folders that were read.
#[derive(Default)]
pub(super) struct DropIns(BTreeMap<String, DropIn>);

/// The drop-ins of folders of one name.
#[derive(Default)]
pub(super) struct DropIn {
    pub(super) files: BTreeMap<OsString, PathBuf>,
    /// Why there may be more.
    pub(super) failure: Option<String>,
}

/// The files that count, in the order of their names: of two with one name the first.
pub(super) fn by_name<'a>(drop_ins: &[&'a DropIn]) -> impl Iterator<Item = &'a PathBuf> {
    let mut added: BTreeMap<&OsString, &PathBuf> = BTreeMap::new();
    for (name, path) in drop_ins.iter().flat_map(|drop_in| &drop_in.files) {
        added.entry(name).or_insert(path);
    }
    added.into_values()
}

impl DropIns {
    /// Those of a service, by all of its names.
    pub(super) fn of(
        &mut self,
        root: &Root,
        folders: &UnitFolders,
        service: &str,
        until: Instant,
    ) -> Vec<&DropIn> {
        let template = template_of(service);
        let other_names = folders.other_names(service);
        let of_template = template.iter().flat_map(|template| folders.other_names(template));
        let all_names = std::iter::once(service).chain(other_names).chain(of_template);
        let mut of_service: Vec<String> = Vec::new();
        for folder in all_names.flat_map(names) {
            let places = folders.places(&folder);
            if places.is_empty() || of_service.contains(&folder) {
                continue;
            }
            let read = || DropIn::read(root, places, until);
            self.0.entry(folder.clone()).or_insert_with(read);
            of_service.push(folder);
        }
        of_service.iter().filter_map(|name| self.0.get(name)).collect()
    }
}

impl DropIn {
    /// Reads what is in folders of one name, which an account may have filled: the first of each, as
    /// far as they can be listed in time.
    pub(super) fn read(root: &Root, folders: &[PathBuf], until: Instant) -> Self {
        let mut drop_ins = Self::default();
        for folder in folders {
            let Some(spot) = root.find(folder).ok().flatten() else { continue };
            let until = until.min(Instant::now() + LISTED);
            let Ok(listed) = spot.list_some(FILES, until) else { continue };
            if !listed.is_whole {
                drop_ins.failure = Some(format!(
                    "{} has more than {FILES} files, or cannot be listed in time: the rest was \
                     not read",
                    folder.display()
                ));
            }
            for name in listed.names {
                if Path::new(&name).extension().is_some_and(|end| end == "conf") {
                    let path = folder.join(&name);
                    drop_ins.files.entry(name).or_insert(path);
                }
            }
        }
        drop_ins
    }
}
