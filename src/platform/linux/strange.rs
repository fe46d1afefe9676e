//! What systemd would do for a service at the word of another account than root.

use super::drop_ins::{FOLDERS, dependencies, names};
use crate::{
    Code, Error, Help, Result,
    platform::fs::{Kind, Root, Trail},
};
use std::{
    collections::BTreeSet,
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
pub fn strange(root: &Root, service: &str) -> Result<Vec<PathBuf>> {
    let mut search = Search { root, left: Vec::new(), known: BTreeSet::new(), found: Vec::new() };
    search.add(service);
    for alias in search.aliases(service)? {
        search.add(&alias);
    }
    while let Some(unit) = search.left.pop() {
        search.unit(&unit)?;
    }
    Ok(search.found)
}

/// Refuses to have systemd act by what defines `service` where another account can write a part of
/// it, or could put another part in its place.
///
/// # Errors
/// [`Code::GroundUnsafe`] with what is not root's alone.
pub fn refuse_strange(root: &Root, service: &str) -> Result<()> {
    let strange = strange(root, service)?;
    let Some(first) = strange.first() else { return Ok(()) };
    let message = format!(
        "{} is not root's alone, and is a part of what defines {service}: root neither starts it \
         nor has systemd read it",
        first.display()
    );
    Err(Error::new(Code::GroundUnsafe, message)
        .help(Help::look("ls -ld", first))
        .help("write what is meant to a file of root's, remove the other, and run again"))
}

struct Search<'a> {
    root: &'a Root,
    /// Units that are still to be looked at.
    left: Vec<String>,
    known: BTreeSet<String>,
    found: Vec<PathBuf>,
}

impl Search<'_> {
    fn add(&mut self, unit: &str) {
        if self.known.insert(unit.to_owned()) {
            self.left.push(unit.to_owned());
        }
    }

    fn unit(&mut self, unit: &str) -> Result<()> {
        if self.known.len() > UNITS {
            return Err(Error::new(
                Code::GroundUnsafe,
                format!("more than {UNITS} units are started with one: {unit} is not examined"),
            ));
        }
        for folder in FOLDERS.map(Path::new) {
            if let Some(trail) = self.part(&folder.join(unit))? {
                // systemd reads what belongs to the name that a link leads to as well.
                if let Some(name) = trail.real.file_name().and_then(|name| name.to_str()) {
                    self.add(name);
                }
            }
            for name in names(unit) {
                let path = folder.join(name);
                for name in self.entries(&path)? {
                    if Path::new(&name).extension().is_some_and(|end| end == "conf") {
                        self.part(&path.join(name))?;
                    }
                }
            }
            for name in dependencies(unit) {
                for name in self.entries(&folder.join(name))? {
                    // A name that is no text is no unit's.
                    name.to_str().into_iter().for_each(|name| self.add(name));
                }
            }
        }
        Ok(())
    }

    /// Notes what is not root's alone; what is there, else.
    fn part(&mut self, path: &Path) -> Result<Option<Trail>> {
        let trail = self.root.trail(path)?;
        let is_roots = match trail.end {
            // What leads to nothing today can lead to something at the next look.
            None => trail.ground.is_root(),
            Some(_) => trail.changed_by().is_root(),
        };
        if !is_roots {
            self.found.push(path.to_owned());
            return Ok(None);
        }
        Ok(Some(trail).filter(|trail| trail.end.is_some()))
    }

    /// What is in a folder that is root's alone.
    fn entries(&mut self, folder: &Path) -> Result<Vec<OsString>> {
        let Some(trail) = self.part(folder)?.filter(|trail| trail.is(Kind::Folder)) else {
            return Ok(Vec::new());
        };
        let Some(spot) = self.root.find(&trail.real)? else { return Ok(Vec::new()) };
        Ok(spot.list()?.into_iter().take(LONGEST).collect())
    }

    /// The other names of a unit: links to its file.
    fn aliases(&self, unit: &str) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for folder in FOLDERS.map(Path::new) {
            files.push(self.root.trail(&folder.join(unit))?);
        }
        let Some(file) = files.into_iter().find(|trail| trail.end.is_some()) else {
            return Ok(Vec::new());
        };
        let mut aliases = Vec::new();
        for folder in FOLDERS.map(Path::new) {
            let trail = self.root.trail(folder)?;
            if !trail.is(Kind::Folder) {
                continue;
            }
            let Some(spot) = self.root.find(&trail.real)? else { continue };
            for name in spot.list().unwrap_or_default() {
                let Some(name) = name.to_str().filter(|name| name.ends_with(".service")) else {
                    continue;
                };
                let other = self.root.trail(&trail.real.join(name))?;
                if other.real == file.real && name != unit {
                    aliases.push(name.to_owned());
                }
            }
        }
        Ok(aliases)
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
            let own = Self { _folder: folder, root, units };
            own.place(UNIT, 0o644);
            own.place("circleci.service.d/own.conf", 0o644);
            own.place("circleci.service.d/note.txt", 0o666);
            own.place("other.service", 0o644);
            assert_eq!(own.strange(), [] as [&str; 0]);
            own
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

        fn strange(&self) -> Vec<String> {
            let found = strange(&self.root, UNIT).unwrap();
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
            assert_eq!(units.strange(), [name]);
        }
        for folder in ["circleci.service.d", "circleci.service.wants", "service.requires"] {
            let units = Units::new();
            units.place(&format!("{folder}/other.service"), 0o644);
            units.set(folder, 0o777);
            assert_eq!(units.strange(), [folder]);
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
        assert_eq!(units.strange(), [] as [&str; 0]);
        units.place("third.socket", 0o666);
        assert_eq!(units.strange(), ["third.socket"]);
    }

    #[test]
    fn drop_ins_of_another_name_are_found() {
        let units = Units::new();
        units.link(UNIT, "agent.service");
        assert_eq!(units.strange(), [] as [&str; 0]);
        units.place("agent.service.d/a.conf", 0o666);
        assert_eq!(units.strange(), ["agent.service.d/a.conf"]);
    }

    #[test]
    fn what_others_could_make_counts_as_made() {
        let units = Units::new();
        let shared = units.units.parent().unwrap().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        units.link("/etc/systemd/shared/later", "circleci-.service.d");
        assert_eq!(units.strange(), [] as [&str; 0], "another name's");
        units.link("/etc/systemd/shared/later", "circleci.service.requires");
        assert_eq!(units.strange(), ["circleci.service.requires"]);
    }
}
