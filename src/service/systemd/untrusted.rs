//! What systemd would do for a service at the word of another account than root.

use super::{
    drop_ins::{dependencies, names, template_of},
    unit_folders::UnitFolders,
};
use crate::{
    Code, Error, Help, Result,
    platform::fs::{Kind, Root},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Most files of a folder that are looked at; no unit has as many.
const LONGEST: usize = 1000;

/// Most units that are looked at for one: itself, its other names, and what is started with it.
const UNITS: usize = 64;

/// What defines `service` and could have been written, or replaced, by somebody else than root: its
/// file, the folders and files of its drop-ins, and the same of the units that folders of
/// dependencies name. What is missing counts where others could make it.
///
/// # Errors
/// When a folder cannot be looked into, or more units belong to it than to any service.
pub fn untrusted(root: &Root, service: &str) -> Result<Vec<PathBuf>> {
    Search::new(root, &UnitFolders::list(root)).of(service)
}

/// Refuses to have systemd act by what defines `service` where another account can write a part of
/// it, or could put another part in its place.
///
/// # Errors
/// [`Code::UntrustedPath`] with what is not root's alone.
pub fn refuse_strange(root: &Root, service: &str) -> Result<()> {
    let untrusted = untrusted(root, service)?;
    let Some(first) = untrusted.first() else { return Ok(()) };
    let message = format!(
        "{} is not root's alone, and is a part of what defines {service}: root neither starts it \
         nor has systemd read it",
        first.display()
    );
    Err(Error::new(Code::UntrustedPath, message)
        .help(Help::inspect("ls -ld", first))
        .help("write what is meant to a file of root's, remove the other, and run again"))
}

/// The search, for any number of services: nothing is looked at twice.
pub struct Search<'a> {
    root: &'a Root,
    folders: &'a UnitFolders,
    looked: BTreeMap<PathBuf, Part>,
}

/// What stands at a path.
#[derive(Debug, Clone, Default)]
struct Part {
    is_strange: bool,
    /// The name of the file that it is, links taken out.
    name: Option<String>,
    /// What is in a folder that is root's alone.
    entries: Vec<OsString>,
}

/// The units that are looked at for one service.
#[derive(Default)]
struct Units {
    left: Vec<String>,
    known: BTreeSet<String>,
}

impl Units {
    fn add(&mut self, unit: &str) {
        if self.known.insert(unit.to_owned()) {
            self.left.push(unit.to_owned());
        }
    }
}

impl<'a> Search<'a> {
    /// Nothing is looked at here.
    pub fn new(root: &'a Root, folders: &'a UnitFolders) -> Self {
        Self { root, folders, looked: BTreeMap::new() }
    }

    /// See [`untrusted`].
    ///
    /// # Errors
    /// As [`untrusted`].
    pub fn of(&mut self, service: &str) -> Result<Vec<PathBuf>> {
        if let Some(failure) = self.folders.failure() {
            return Err(failure.clone());
        }
        let mut found = self.folders.untrusted().to_vec();
        let mut units = Units::default();
        units.add(service);
        self.folders.other_names(service).into_iter().for_each(|name| units.add(name));
        while let Some(unit) = units.left.pop() {
            if units.known.len() > UNITS {
                return Err(Error::new(
                    Code::UntrustedPath,
                    format!("more than {UNITS} units are started with {service}: not examined"),
                ));
            }
            self.unit(&unit, &mut units, &mut found)?;
        }
        Ok(found)
    }

    fn unit(&mut self, unit: &str, units: &mut Units, found: &mut Vec<PathBuf>) -> Result<()> {
        // An instance without a file of its own is what its template says.
        template_of(unit).iter().for_each(|template| units.add(template));
        for (_, file) in self.parts(unit, found)? {
            // systemd reads what belongs to the name that a link leads to as well.
            file.name.iter().for_each(|name| units.add(name));
        }
        for name in names(unit) {
            for (folder, part) in self.parts(&name, found)? {
                for name in part.entries {
                    if Path::new(&name).extension().is_some_and(|end| end == "conf") {
                        self.part(folder.join(name), found)?;
                    }
                }
            }
        }
        for name in dependencies(unit) {
            for (_, part) in self.parts(&name, found)? {
                // A name that is no text is no unit's.
                part.entries.iter().filter_map(|name| name.to_str()).for_each(|name| {
                    units.add(name);
                });
            }
        }
        Ok(())
    }

    /// What stands under a name in any of the folders.
    fn parts(&mut self, name: &str, found: &mut Vec<PathBuf>) -> Result<Vec<(PathBuf, Part)>> {
        let folders = self.folders;
        let places = folders.places(name).iter();
        places.map(|place| Ok((place.clone(), self.part(place.clone(), found)?))).collect()
    }

    /// Notes what is not root's alone; what is there, else.
    fn part(&mut self, path: PathBuf, found: &mut Vec<PathBuf>) -> Result<Part> {
        let part = match self.looked.get(&path) {
            Some(part) => part.clone(),
            None => {
                let part = self.metadata(&path)?;
                self.looked.insert(path.clone(), part.clone());
                part
            }
        };
        if part.is_strange && !found.contains(&path) {
            found.push(path);
        }
        Ok(part)
    }

    fn metadata(&self, path: &Path) -> Result<Part> {
        let walk = self.root.walk(path)?;
        if !walk.made_by().is_root() {
            return Ok(Part { is_strange: true, ..Part::default() });
        }
        if walk.is(Kind::Folder) {
            let spot = self.root.find(&walk.real)?;
            let entries = spot.map(|spot| spot.list()).transpose()?.unwrap_or_default();
            let entries = entries.into_iter().take(LONGEST).collect();
            return Ok(Part { entries, ..Part::default() });
        }
        let name = walk.real.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        Ok(Part { name: name.filter(|_| walk.end.is_some()), ..Part::default() })
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
    };

    const UNIT: &str = "circleci.service";

    struct Units {
        _folder: tempfile::TempDir,
        root: Root,
        units: PathBuf,
    }

    impl Units {
        fn new() -> Self {
            let (folder, root) = empty_root();
            let units = folder.path().join("etc/systemd/system");
            let fixture = Self { _folder: folder, root, units };
            fixture.place(UNIT, 0o644);
            fixture.place("circleci.service.d/own.conf", 0o644);
            fixture.place("circleci.service.d/note.txt", 0o666);
            fixture.place("other.service", 0o644);
            assert_eq!(fixture.untrusted(), [] as [&str; 0]);
            fixture
        }

        fn place(&self, name: &str, mode: u32) {
            let path = self.units.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            self.set(name, mode);
        }

        fn set(&self, name: &str, mode: u32) {
            fs::set_permissions(self.units.join(name), Permissions::from_mode(mode)).unwrap();
        }

        fn link(&self, to: &str, name: &str) {
            let path = self.units.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(to, path).unwrap();
        }

        fn untrusted(&self) -> Vec<String> {
            let found = untrusted(&self.root, UNIT).unwrap();
            let name = |path: PathBuf| {
                path.strip_prefix("/etc/systemd/system").unwrap().to_str().unwrap().to_owned()
            };
            found.into_iter().map(name).collect()
        }
    }

    #[test]
    fn files_and_folders_of_others_are_found() {
        for name in [UNIT, "circleci.service.d/other.conf", "service.d/x.conf"] {
            let units = Units::new();
            units.place(name, 0o666);
            assert_eq!(units.untrusted(), [name]);
        }
        for folder in ["circleci.service.d", "circleci.service.wants", "service.requires"] {
            let units = Units::new();
            units.place(&format!("{folder}/other.service"), 0o644);
            units.set(folder, 0o777);
            assert_eq!(units.untrusted(), [folder]);
            refuse_strange(&units.root, UNIT).unwrap_err();
            let is_all = folder.starts_with("service.");
            assert_eq!(refuse_strange(&units.root, "other.service").is_err(), is_all);
        }
    }

    #[test]
    fn what_is_started_with_it_is_looked_at_too() {
        let units = Units::new();
        units.link("/nowhere", "circleci.service.wants/other.service");
        units.link("/nowhere", "other.service.requires/third.socket");
        assert_eq!(units.untrusted(), [] as [&str; 0]);
        units.place("third.socket", 0o666);
        assert_eq!(units.untrusted(), ["third.socket"]);
    }

    #[test]
    fn an_instance_is_what_its_template_says() {
        let units = Units::new();
        units.place("ci@.service", 0o666);
        units.link("/etc/systemd/system/ci@.service", "circleci.service.wants/ci@1.service");
        assert_eq!(units.untrusted(), ["ci@.service"]);
        assert_eq!(untrusted(&units.root, "ci@2.service").unwrap().len(), 1);
    }

    #[test]
    fn drop_ins_of_another_name_are_found() {
        let units = Units::new();
        units.link(UNIT, "agent.service");
        assert_eq!(units.untrusted(), [] as [&str; 0]);
        units.place("agent.service.d/a.conf", 0o666);
        assert_eq!(units.untrusted(), ["agent.service.d/a.conf"]);
    }

    #[test]
    fn what_others_could_make_counts_as_made() {
        let units = Units::new();
        let shared = units.units.parent().unwrap().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        units.link("/etc/systemd/shared/later", "circleci-.service.d");
        assert_eq!(units.untrusted(), [] as [&str; 0], "another name's");
        units.link("/etc/systemd/shared/later", "circleci.service.requires");
        assert_eq!(units.untrusted(), ["circleci.service.requires"]);
    }
}
