//! What stands in the folders where systemd looks for units, listed once.

use super::drop_ins::{DEPENDENCIES, FOLDERS, template_of};
use crate::{
    Error, Result,
    platform::fs::{Kind, PathWalk, Root},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most names that are taken from a folder which an account could have filled.
const NAMES: usize = 4000;

/// How long such a folder may take to be listed.
const LISTED: Duration = Duration::from_millis(100);

/// The names in systemd's folders, and where the files of services really are.
#[derive(Debug, Default)]
pub struct UnitFolders {
    /// Where each name stands, the place that counts first.
    places: BTreeMap<String, Vec<PathBuf>>,
    /// The file of each service that could be looked at, by its name.
    services: BTreeMap<String, PathWalk>,
    /// Services by where their file really is.
    by_file: BTreeMap<PathBuf, Vec<String>>,
    /// Folders that are not root's alone, or could be made by others.
    untrusted: Vec<PathBuf>,
    /// Why there may be more.
    failure: Option<Error>,
}

impl UnitFolders {
    /// Lists them, as far as the caller may.
    pub fn list(root: &Root) -> Self {
        let mut folders = Self::default();
        let mut listed = Vec::new();
        for folder in FOLDERS.map(Path::new) {
            if let Err(error) = folders.add_folder(root, folder, &mut listed) {
                folders.failure.get_or_insert(error);
            }
        }
        folders
    }

    fn add_folder(&mut self, root: &Root, folder: &Path, listed: &mut Vec<PathBuf>) -> Result<()> {
        let walk = root.walk(folder)?;
        let is_roots = walk.made_by().is_root();
        if !is_roots {
            self.untrusted.push(folder.to_owned());
        }
        // `/lib` is often a link to `/usr/lib`.
        if !walk.is(Kind::Folder) || listed.contains(&walk.real) {
            return Ok(());
        }
        let Some(spot) = root.find(&walk.real)? else { return Ok(()) };
        let names = match is_roots {
            true => spot.list()?,
            false => spot.list_some(NAMES, Instant::now() + LISTED)?.names,
        };
        listed.push(walk.real);
        // Of a name that is no text systemd makes no unit.
        for name in names.iter().filter_map(|name| name.to_str()) {
            self.add(root, folder, name);
        }
        Ok(())
    }

    fn add(&mut self, root: &Root, folder: &Path, name: &str) {
        let path = folder.join(name);
        if name.ends_with(".service")
            && let Ok(walk) = root.walk(&path)
        {
            // All units that are masked are links to one device.
            if walk.is(Kind::File) {
                self.by_file.entry(walk.real.clone()).or_default().push(name.to_owned());
            }
            self.services.entry(name.to_owned()).or_insert(walk);
        }
        self.places.entry(name.to_owned()).or_default().push(path);
    }

    /// Why there may be more than is listed.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Folders that are not root's alone: whatever root starts, others could have defined.
    pub fn untrusted(&self) -> &[PathBuf] {
        &self.untrusted
    }

    /// Every name in the folders.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Where a name stands, the place that counts first.
    pub fn places(&self, name: &str) -> &[PathBuf] {
        self.places.get(name).map_or(&[], Vec::as_slice)
    }

    /// Services that are instances of templates, by the links that start them at boot and by links
    /// to their template; more may run. Folders that an account could have filled are passed over.
    pub fn instances(&self, root: &Root) -> BTreeSet<String> {
        let is_folder = |name: &str| {
            let kind = name.rsplit_once('.').map(|(_, kind)| kind);
            kind.is_some_and(|kind| DEPENDENCIES.contains(&kind))
        };
        let folders = self.places.iter().filter(|(name, _)| is_folder(name));
        let listed = folders.flat_map(|(_, places)| places).filter_map(|folder| {
            let walk = root.walk(folder).ok().filter(|walk| walk.made_by().is_root())?;
            let spot = root.find(&walk.real).ok().flatten().filter(|_| walk.is(Kind::Folder))?;
            Some(spot.list_some(NAMES, Instant::now() + LISTED).ok()?.names)
        });
        let names = listed.flatten().filter_map(|name| name.into_string().ok());
        let own = self.places.keys().filter(|name| self.is_alias(name)).cloned();
        let all = names.chain(own).filter(|name| name.ends_with(".service"));
        all.filter(|name| template_of(name).is_some()).collect()
    }

    /// The services, in the order of their names, each with the file that counts.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Path)> {
        let services = self.places.iter().filter(|(name, _)| name.ends_with(".service"));
        services.filter_map(|(name, places)| Some((name.as_str(), places.first()?.as_path())))
    }

    /// The way to the file of a service, where it could be looked at.
    pub fn file(&self, service: &str) -> Option<&PathWalk> {
        self.services.get(service)
    }

    /// The other names of a service: links to its file, and what it is itself a link to.
    pub fn other_names(&self, service: &str) -> Vec<&str> {
        let file = self.file(service).and_then(|file| self.by_file.get(&file.real));
        let mut names: Vec<_> = file.into_iter().flatten().map(String::as_str).collect();
        names.retain(|name| *name != service);
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether a service is a link to the file of another one that is listed too.
    pub fn is_alias(&self, service: &str) -> bool {
        let own_name = self.file(service).and_then(|file| file.real.file_name());
        let own_name = own_name.and_then(OsStr::to_str);
        own_name.is_some_and(|own_name| {
            own_name != service && self.other_names(service).contains(&own_name)
        })
    }
}
