//! The files from which the next boot makes its units.

use super::unit::Standing;
use crate::{
    host::Provenance,
    platform::fs::{Kind, PathWalk, Root, WalkEnd},
    probe::reader::{self, Part},
    service::systemd::{drop_ins::names, unit_folders::UnitFolders},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    rc::Rc,
    time::Instant,
};

/// Most bytes of a file that are read.
const LIMIT: u64 = 128 << 10;

/// Most entries of a folder that are looked at.
const ENTRIES: usize = 500;

/// Folders whose content does not outlive the system that runs; generators fill theirs anew.
const VOLATILE: [&str; 4] = [
    "/run/systemd/system.control/",
    "/run/systemd/transient/",
    "/run/systemd/system/",
    "/run/systemd/system.attached/",
];

/// Whether a path is gone after the next boot.
pub(super) fn is_volatile(path: &Path) -> bool {
    VOLATILE.iter().any(|folder| path.starts_with(folder))
}

/// The unit files of a host.
pub(super) struct Files<'a> {
    pub(super) root: &'a Root,
    folders: UnitFolders,
    pub(super) until: Instant,
    /// Mount points of `/etc/fstab`, and the options of each.
    pub(super) mounts: BTreeMap<PathBuf, String>,
    /// What was looked at before: each unit asks for the same names and folders again.
    real_names: RefCell<BTreeMap<String, String>>,
    listed: RefCell<BTreeMap<PathBuf, Rc<[String]>>>,
    /// Names with folders of links that lead to another unit's file, by the name of that file.
    aliases: BTreeMap<String, Vec<String>>,
}

impl<'a> Files<'a> {
    pub(super) fn list(root: &'a Root, until: Instant) -> Self {
        let mut files = Self {
            root,
            folders: UnitFolders::list(root),
            until,
            mounts: BTreeMap::new(),
            aliases: BTreeMap::new(),
            real_names: RefCell::default(),
            listed: RefCell::default(),
        };
        files.mounts = parse_fstab(&files.text(Path::new("/etc/fstab")));
        let linking: BTreeSet<&str> = files.folders.names().filter_map(linking).collect();
        let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in linking {
            let real = files.real_name(name);
            if real != name {
                aliases.entry(real).or_default().push(name.to_owned());
            }
        }
        files.aliases = aliases;
        files
    }

    /// The file that counts for a name at the next boot; that of its template where it has none.
    pub(super) fn place(&self, name: &str) -> Option<&Path> {
        let own = self.lasting(name).next();
        own.or_else(|| {
            let (template, instance) = name.split_once('@')?;
            let kind = instance.rsplit_once('.')?.1;
            self.lasting(&format!("{template}@.{kind}")).next()
        })
    }

    fn lasting(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.folders.places(name).iter().map(PathBuf::as_path).filter(|path| !is_volatile(path))
    }

    /// The name of the file that a name leads to: `default.target` is a link.
    pub(super) fn real_name(&self, name: &str) -> String {
        if let Some(known) = self.real_names.borrow().get(name) {
            return known.clone();
        }
        let real = || {
            let walk = self.root.walk(self.lasting(name).next()?).ok()?;
            let real = walk.real.file_name()?.to_str()?.to_owned();
            let is_unit =
                walk.is(Kind::File) && real.rsplit_once('.')?.1 == name.rsplit_once('.')?.1;
            (is_unit && !real.contains('@')).then_some(real)
        };
        let real = real().unwrap_or_else(|| name.to_owned());
        self.real_names.borrow_mut().insert(name.to_owned(), real.clone());
        real
    }

    pub(super) fn standing(&self, name: &str) -> Standing {
        let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
        let Some(path) = self.place(name) else {
            let is_made = match kind {
                // systemd makes these by itself, or the kernel tells of them.
                "device" | "slice" | "scope" | "swap" => true,
                "mount" | "automount" => {
                    let point = mount_point(name);
                    self.mounts.contains_key(&point) || point == Path::new("/")
                }
                // A script of SysV, of which a generator makes a unit.
                "service" => {
                    let stem = name.trim_end_matches(".service");
                    let script = Path::new("/etc/init.d").join(stem);
                    self.root.walk(&script).is_ok_and(|walk| walk.is(Kind::File))
                }
                _ => false,
            };
            return if is_made { Standing::There } else { Standing::Missing };
        };
        match self.root.walk(path) {
            Ok(walk) if walk.is(Kind::File) => match walk.end.is_some_and(|end| end.size == 0) {
                true => Standing::Masked,
                false => Standing::There,
            },
            // A link to a device, which an image need not have.
            Ok(walk) if leads_to_null(&walk) => Standing::Masked,
            Ok(walk) if walk.end.is_none() => Standing::Missing,
            _ => Standing::There,
        }
    }

    /// The drop-ins of a unit, in the order in which they are read.
    pub(super) fn drop_ins(&self, name: &str) -> Vec<PathBuf> {
        let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
        for folder in names(name).iter().flat_map(|folder| self.lasting(folder)) {
            for entry in self.entries(folder).iter().filter(|entry| entry.ends_with(".conf")) {
                found.entry(entry.clone()).or_insert_with(|| folder.join(entry));
            }
        }
        found.into_values().collect()
    }

    /// The names of links in the folders of a unit, such as `NAME.wants`.
    ///
    /// Those of its other names count too, such as `default.target.wants`.
    pub(super) fn linked(&self, name: &str, kind: &str) -> Vec<String> {
        let others = self.aliases.get(name).into_iter().flatten().map(String::as_str);
        let folders = others.chain([name]).map(|name| format!("{name}.{kind}"));
        let entries = |folder: String| {
            let entries = self.lasting(&folder).flat_map(|folder| self.entries(folder).to_vec());
            entries.collect::<Vec<_>>()
        };
        folders.flat_map(entries).collect()
    }

    /// Every unit that has a link to one of `names` in a folder of its own, and that folder.
    pub(super) fn wanters(&self, names: &[String]) -> Vec<(String, &Path)> {
        let mut found = Vec::new();
        for folder in self.folders.names() {
            let Some(unit) = linking(folder) else { continue };
            for path in self.folders.places(folder) {
                if self.entries(path).iter().any(|entry| names.contains(entry)) {
                    found.push((unit.to_owned(), path.as_path()));
                }
            }
        }
        found
    }

    /// The targets that there are.
    pub(super) fn targets(&self) -> Vec<&str> {
        self.folders.names().filter(|name| name.ends_with(".target")).collect()
    }

    /// Other names of a service.
    pub(super) fn other_names(&self, name: &str) -> Vec<String> {
        self.folders.other_names(name).into_iter().map(str::to_owned).collect()
    }

    fn entries(&self, folder: &Path) -> Rc<[String]> {
        if let Some(known) = self.listed.borrow().get(folder) {
            return Rc::clone(known);
        }
        let listed = || self.root.find(folder).ok()??.list_some(ENTRIES, self.until).ok();
        let names = listed().map(|listed| listed.names).unwrap_or_default();
        let names: Rc<[String]> =
            names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        self.listed.borrow_mut().insert(folder.to_owned(), Rc::clone(&names));
        names
    }

    /// The text of a file of root's; nothing where it cannot be read.
    pub(super) fn text(&self, path: &Path) -> String {
        let read = reader::read_at(self.root, path, Part::Head(LIMIT), Provenance::Root);
        let bytes = read.map(|(_, content)| content.bytes).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The unit whose links a folder holds.
fn linking(folder: &str) -> Option<&str> {
    [".wants", ".requires", ".upholds"].into_iter().find_map(|end| folder.strip_suffix(end))
}

/// Whether it is a link to `/dev/null`, which need not be there.
fn leads_to_null(walk: &PathWalk) -> bool {
    let null = Path::new("/dev/null");
    let is_above = |place: &str| place.starts_with("/dev") && null.starts_with(place);
    walk.real == null || matches!(&walk.stopped, Some(WalkEnd::Missing(place)) if is_above(place))
}

/// Mount points and their options: `fstab(5)`.
fn parse_fstab(text: &str) -> BTreeMap<PathBuf, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let point = words.next()?.replace("\\040", " ");
        let options = words.nth(1).unwrap_or("defaults").to_owned();
        point.starts_with('/').then(|| (PathBuf::from(point), options))
    };
    lines.filter_map(entry).collect()
}

/// The path of a mount's unit: `systemd.unit(5)`, string escaping.
pub(super) fn mount_point(unit: &str) -> PathBuf {
    let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
    let mut bytes = vec![b'/'];
    let mut rest = stem.as_bytes();
    if stem == "-" {
        return PathBuf::from("/");
    }
    while let Some((first, after)) = rest.split_first() {
        let code = after.strip_prefix(b"x").and_then(|hex| std::str::from_utf8(hex.get(..2)?).ok());
        let code =
            code.filter(|_| *first == b'\\').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, code) {
            (_, Some(code)) => {
                bytes.push(code);
                rest = after.get(3..).unwrap_or_default();
            }
            (b'-', None) => {
                bytes.push(b'/');
                rest = after;
            }
            (other, None) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_mounts_are_paths() {
        for (unit, path) in [
            ("-.mount", "/"),
            ("data.mount", "/data"),
            ("var-opt-circleci.mount", "/var/opt/circleci"),
            ("srv-my\\x2ddata.mount", "/srv/my-data"),
        ] {
            assert_eq!(mount_point(unit), Path::new(path), "{unit}");
        }
        let mounts =
            parse_fstab("# x\nUUID=1 / ext4 defaults 0 1\n/dev/b /data xfs noauto,nofail\n");
        assert_eq!(mounts[Path::new("/data")], "noauto,nofail");
        assert_eq!(mounts.len(), 2);
    }
}
