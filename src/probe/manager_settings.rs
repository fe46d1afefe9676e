//! What systemd's own configuration sets for all units: `systemd-system.conf(5)`.

use super::{
    environment::Raw,
    reader::{self, Part},
    scrub::Scrub,
    unit::Unit,
};
use crate::{
    host::{Assigned, Directive, Provenance},
    platform::fs::Root,
    service::systemd::{environment_line, specifiers::Specifiers, unit_text::parse},
    values::Manager,
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Where the configuration stands, the place that counts first.
const FOLDERS: [&str; 4] =
    ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];

/// Most bytes of a file, and most files, that are read.
const LIMIT: u64 = 64 << 10;
const FILES: usize = 64;

/// How long a folder may take to be listed.
const LISTED: Duration = Duration::from_millis(100);

/// Where a process that was started by `systemctl set-environment` has a variable from.
const OWN: &str = "systemd's own environment (systemctl show-environment)";

/// The lines of systemd's configuration, in the order in which they count.
#[derive(Debug, Default, Clone)]
pub(super) struct ManagerSettings(Vec<(Directive<String>, Provenance)>);

impl ManagerSettings {
    /// Reads them.
    pub(super) fn read(root: &Root) -> Self {
        let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for folder in FOLDERS.map(|folder| Path::new(folder).join("system.conf.d")) {
            let Some(spot) = root.find(&folder).ok().flatten() else { continue };
            let Ok(listed) = spot.list_some(FILES, Instant::now() + LISTED) else { continue };
            for name in listed.names {
                if Path::new(&name).extension().is_some_and(|end| end == "conf") {
                    drop_ins.entry(name.clone()).or_insert_with(|| folder.join(name));
                }
            }
        }
        let main = FOLDERS.iter().map(|folder| Path::new(folder).join("system.conf"));
        let main = main.filter(|path| root.find(path).ok().flatten().is_some()).take(1);
        let mut settings = Self::default();
        main.chain(drop_ins.into_values()).for_each(|path| settings.add(root, &path));
        settings
    }

    fn add(&mut self, root: &Root, path: &Path) {
        let read = reader::read_at(root, path, Part::Head(LIMIT), Provenance::Root);
        let Ok((walk, content)) = read else { return };
        let lines = parse(&String::from_utf8_lossy(&content.bytes), path);
        let of_manager = lines.into_iter().filter(|line| line.section == "Manager");
        self.0.extend(of_manager.map(|line| (line, walk.written_by())));
    }

    /// What it sets for all units of this manager, without secrets.
    pub(super) fn of(&self, manager: Manager, scrub: &Scrub) -> Vec<Directive> {
        if !manager.profile().has_drop_ins() {
            return Vec::new();
        }
        let defaults =
            self.0.iter().map(|(line, _)| line).filter(|line| {
                line.key.starts_with("Default") && !line.key.ends_with("Environment")
            });
        Unit::scrubbed(defaults.cloned().collect(), scrub)
    }

    /// What it sets for every service, as far as its lines say; where systemd said what it gives its
    /// services, that counts.
    pub(super) fn variables(&self, told: Option<&[Assigned<String>]>) -> Vec<Raw> {
        let set = self.environment();
        let Some(told) = told else { return set };
        let raw = |assigned: &Assigned<String>| {
            let value = assigned.value.clone()?;
            let line = set.iter().rev().find(|raw| raw.name == assigned.name && raw.value == value);
            let source = line.map_or_else(|| OWN.to_owned(), |raw| raw.source.clone());
            let written_by = line.map_or(Provenance::Root, |raw| raw.written_by);
            Some(Raw { name: assigned.name.clone(), value, source, written_by })
        };
        told.iter().filter_map(raw).collect()
    }

    fn environment(&self) -> Vec<Raw> {
        let specifiers = Specifiers { unit: "", of_host: &|_| None };
        let mut set = Vec::new();
        for (line, written_by) in &self.0 {
            match (line.key.as_str(), line.value.as_str()) {
                ("DefaultEnvironment", "") => set.clear(),
                ("DefaultEnvironment", value) => {
                    let source = format!("{}:{}", line.file.display(), line.line);
                    let all = environment_line::read(value, &specifiers).set.into_iter();
                    set.extend(all.filter_map(|assigned| {
                        let (name, value, source) =
                            (assigned.name, assigned.value?, source.clone());
                        Some(Raw { name, value, source, written_by: *written_by })
                    }));
                }
                _ => {}
            }
        }
        set
    }
}

/// Variables of these names that systemd's own process has; none where it may not be looked at.
pub(super) fn of_process(names: &[String]) -> Vec<Raw> {
    if names.is_empty() {
        return Vec::new();
    }
    let bytes = fs::read("/proc/1/environ").unwrap_or_default();
    let raw = |entry: &[u8]| {
        let entry = String::from_utf8_lossy(entry);
        let (name, value) = entry.split_once('=')?;
        names.iter().any(|wanted| wanted == name).then(|| Raw {
            name: name.to_owned(),
            value: value.to_owned(),
            source: "systemd's own process (PassEnvironment=)".to_owned(),
            written_by: Provenance::Root,
        })
    };
    bytes.split(|byte| *byte == 0).filter_map(raw).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_count_after_the_file_and_by_their_names() {
        let (folder, root) = crate::platform::fs::empty_root();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/systemd/system.conf", "[Manager]\nDefaultTasksMax=15\nDefaultEnvironment=A=1\n");
        write("usr/lib/systemd/system.conf", "[Manager]\nDefaultTasksMax=1\n");
        write("etc/systemd/system.conf.d/b.conf", "[Manager]\nDefaultEnvironment=\"B=2 3\" A=4\n");
        write("usr/lib/systemd/system.conf.d/b.conf", "[Manager]\nDefaultEnvironment=B=9\n");
        write("usr/lib/systemd/system.conf.d/a.conf", "[Manager]\nDefaultEnvironment=\n[X]\nA=1\n");
        write("etc/systemd/system.conf.d/c.conf.bak", "[Manager]\nDefaultTasksMax=2\n");
        let settings = ManagerSettings::read(&root);
        let all: Vec<_> = settings.variables(None).into_iter().collect();
        let all: Vec<_> = all.iter().map(|raw| (&*raw.name, &*raw.value, &*raw.source)).collect();
        let place = "/etc/systemd/system.conf.d/b.conf:2";
        assert_eq!(all, [("B", "2 3", place), ("A", "4", place)]);
        let shown = settings.of(Manager::usual(crate::platform::Os::Linux), &Scrub::default());
        assert_eq!((shown.len(), shown[0].value.as_str()), (1, "15"));
        let told = [("A", "4"), ("C", "5")]
            .map(|(name, value)| Assigned { name: name.to_owned(), value: Some(value.to_owned()) });
        let told = settings.variables(Some(&told));
        assert_eq!((told[0].source.as_str(), told[1].source.as_str()), (place, OWN));
    }
}
