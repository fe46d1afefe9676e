//! Unit files of agents, with their drop-ins, by the rules of `systemd.unit(5)`.

use super::{
    environment::Raw,
    reader::{self, Part},
    scrub::Scrub,
};
use crate::{
    Result,
    facts::survey::{Definition, Directive, Provenance, Scrubbed, Trail, limits::DIRECTIVES},
    platform::{
        fs::{Kind, Root},
        linux::drop_ins::{FOLDERS, dependencies, is_of_services, names},
        service::Manager,
    },
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most bytes of a unit that are read, all of its files together: an account may have written some
/// of them.
const LIMIT: u64 = 512 << 10;

/// Most files of a unit that are looked at.
const FILES: usize = 100;

/// How long a folder of drop-ins may take to be listed.
const LISTED: Duration = Duration::from_millis(100);

/// Names of agents' programs; a unit is an agent's that names one of them.
pub(super) const PROGRAMS: [&str; 2] = ["circleci-launch-agent", "circleci-runner"];

/// A unit, unread by anyone but us.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) manager: Manager,
    pub(super) definitions: Vec<Definition>,
    /// Who can add to it, in a folder of drop-ins or of dependencies.
    pub(super) changed_by: Provenance,
    pub(super) directives: Vec<Directive<String>>,
    /// What it runs, where no directive has to be split for that.
    pub(super) command: Option<Vec<String>>,
    /// Its environment, where that stands in no directive.
    pub(super) variables: Vec<Raw>,
}

impl Default for Unit {
    /// Nothing is defined yet, and nobody but root can add to it.
    fn default() -> Self {
        Self {
            name: String::new(),
            manager: Manager::default(),
            definitions: Vec::new(),
            changed_by: Provenance::Root,
            directives: Vec::new(),
            command: None,
            variables: Vec::new(),
        }
    }
}

/// The drop-ins of folders of one name.
struct DropIns {
    changed_by: Provenance,
    files: BTreeMap<OsString, PathBuf>,
    /// Why there may be more.
    trouble: Option<String>,
}

/// Finds the units of agents.
///
/// # Errors
/// None of a single file or folder of drop-ins: what cannot be read is noted in its place.
pub(super) fn find(root: &Root, until: Instant) -> Result<Vec<Unit>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut drop_ins: BTreeMap<String, DropIns> = BTreeMap::new();
    let mut read = Vec::new();
    for folder in FOLDERS.map(Path::new) {
        let Ok(trail) = root.trail(folder) else { continue };
        // `/lib` is often a link to `/usr/lib`.
        if !trail.is(Kind::Folder) || read.contains(&trail.real) {
            continue;
        }
        read.push(trail.real.clone());
        let Some(spot) = root.find(&trail.real)? else { continue };
        for name in spot.list().unwrap_or_default() {
            let Some(text) = name.to_str() else { continue };
            if text.ends_with(".service") {
                files.entry(text.to_owned()).or_insert_with(|| folder.join(text));
            } else if is_of_services(text) {
                drop_ins.entry(text.to_owned()).or_default().add(root, &folder.join(text), until);
            }
        }
    }
    let mut units: Vec<Unit> =
        files.into_iter().filter_map(|(name, path)| unit(root, name, &path, &drop_ins)).collect();
    // The same file by another name, as an alias is.
    let mut reals: Vec<PathBuf> = Vec::new();
    units.retain(|unit| {
        let real = unit.definitions.first().map(|first| first.trail.real.clone());
        let is_new = real.as_ref().is_none_or(|real| !reals.contains(real));
        reals.extend(real);
        is_new
    });
    Ok(units)
}

/// A unit with its drop-ins, if it is an agent's.
fn unit(
    root: &Root,
    name: String,
    path: &Path,
    drop_ins: &BTreeMap<String, DropIns>,
) -> Option<Unit> {
    let mut unit = Unit { name, ..Unit::default() };
    let mut left = LIMIT;
    unit.read(root, path, &mut left);
    let mut added: BTreeMap<&OsString, &PathBuf> = BTreeMap::new();
    let folders: Vec<_> = names(&unit.name).into_iter().chain(dependencies(&unit.name)).collect();
    let of_unit: Vec<&DropIns> = folders.iter().filter_map(|folder| drop_ins.get(folder)).collect();
    for (name, path) in of_unit.iter().flat_map(|own| &own.files) {
        added.entry(name).or_insert(path);
    }
    for path in added.into_values() {
        unit.read(root, path, &mut left);
    }
    unit.changed_by = of_unit.iter().fold(Provenance::Root, |all, own| all.and(own.changed_by));
    let trouble = of_unit.iter().find_map(|own| own.trouble.clone());
    if let (Some(trouble), Some(last)) = (trouble, unit.definitions.last_mut()) {
        last.trouble = Some(trouble);
    }
    let runs_agent = |directive: &Directive<String>| {
        directive.key.starts_with("Exec")
            && PROGRAMS.iter().any(|name| directive.value.contains(name))
    };
    let has_name = unit.name.starts_with("circleci");
    (has_name || unit.directives.iter().any(runs_agent)).then_some(unit)
}

impl Default for DropIns {
    fn default() -> Self {
        Self { changed_by: Provenance::Root, files: BTreeMap::new(), trouble: None }
    }
}

impl DropIns {
    /// Adds those of a folder, which an account may have filled: the first of them, as far as they
    /// can be listed in time.
    fn add(&mut self, root: &Root, folder: &Path, until: Instant) {
        // Who can add a file to it can do so right after this look.
        let changed_by = root.trail(folder).map_or(Provenance::Anybody, |own| own.changed_by());
        self.changed_by = self.changed_by.and(changed_by);
        let Some(spot) = root.find(folder).ok().flatten() else { return };
        let Ok(listed) = spot.list_some(FILES, until.min(Instant::now() + LISTED)) else { return };
        if !listed.is_whole {
            self.trouble = Some(format!(
                "{} has more than {FILES} files, or cannot be listed in time: the rest was not read",
                folder.display()
            ));
        }
        for name in listed.names {
            if Path::new(&name).extension().is_some_and(|end| end == "conf") {
                let path = folder.join(&name);
                self.files.entry(name).or_insert(path);
            }
        }
    }
}

impl Unit {
    fn read(&mut self, root: &Root, path: &Path, left: &mut u64) {
        if self.definitions.len() >= FILES {
            let last = self.definitions.last_mut();
            last.into_iter().for_each(|last| {
                last.trouble =
                    Some(format!("the unit has more than {FILES} files: the rest was not read"));
            });
            return;
        }
        let trail = root.trail(path);
        let mut definition = Definition {
            trail: Trail { path: path.to_owned(), ..Trail::default() },
            trouble: None,
        };
        match trail.and_then(|trail| {
            definition.trail = trail;
            // Its folder is the manager's own: the name is nobody else's.
            reader::read(root, &definition.trail, Part::Head(*left), Provenance::Root)
        }) {
            Ok(content) => {
                *left = left.saturating_sub(content.bytes.len() as u64);
                let directives = parse(&String::from_utf8_lossy(&content.bytes), path);
                let room = DIRECTIVES.saturating_sub(self.directives.len());
                if content.cut || directives.len() > room {
                    definition.trouble = Some(format!(
                        "the unit has more than {LIMIT} bytes or {DIRECTIVES} lines: the rest was \
                         not read"
                    ));
                }
                self.directives.extend(directives.into_iter().take(room));
            }
            Err(error) => definition.trouble = Some(error.message().to_owned()),
        }
        self.definitions.push(definition);
    }

    /// The command line of the last `ExecStart`, split as systemd does.
    pub(super) fn command(&self) -> Vec<String> {
        if let Some(command) = &self.command {
            return command.clone();
        }
        let last = self.directives.iter().rev();
        let last =
            last.filter(|directive| directive.key == "ExecStart" && directive.section == "Service");
        let line = last.map(|directive| directive.value.as_str()).next().unwrap_or_default();
        let mut words = split(line);
        if let Some(first) = words.first_mut() {
            *first = first.trim_start_matches(['@', '-', ':', '+', '!', '|']).to_owned();
        }
        words
    }

    /// Who could have written a file of the definition.
    pub(super) fn written_by(&self, file: &Path) -> Provenance {
        let of_file = self.definitions.iter().find(|definition| definition.trail.path == file);
        of_file.map_or(Provenance::Anybody, |definition| definition.trail.written_by())
    }

    /// Who could have written any part of the definition.
    pub(super) fn provenance(&self) -> Provenance {
        self.definitions.iter().fold(self.changed_by, |all, definition| {
            let trail = &definition.trail;
            // No file, as a mask is none: who could put another one there still counts.
            let is_file = trail.end.is_some_and(|end| end.kind == Kind::File);
            all.and(if is_file { trail.written_by() } else { trail.ground })
        })
    }

    /// Its directives as they may be told.
    pub(super) fn scrubbed(directives: Vec<Directive<String>>, scrub: &Scrub) -> Vec<Directive> {
        let value = |own: &Directive<String>| match own.key.as_str() {
            "Environment" => Scrubbed::assignments(&own.value, scrub),
            _ => Scrubbed::text(&shortened(&own.value), scrub),
        };
        let scrubbed = |own: Directive<String>| Directive {
            value: value(&own),
            file: own.file,
            line: own.line,
            section: own.section,
            key: own.key,
        };
        directives.into_iter().map(scrubbed).collect()
    }
}

/// A long value tells nothing more than its beginning.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(2000) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

/// The lines of a unit. A backslash at the end of a line joins it to the next; a comment between
/// the two is passed over.
pub(super) fn parse(text: &str, file: &Path) -> Vec<Directive<String>> {
    let mut directives = Vec::new();
    let mut section = String::new();
    let mut joined: Option<(usize, String)> = None;
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && joined.is_none()) {
            continue;
        }
        let (first, mut whole) = joined.take().unwrap_or((at + 1, String::new()));
        whole.push_str(trimmed.trim_end_matches('\r'));
        if let Some(more) = whole.strip_suffix('\\') {
            joined = Some((first, format!("{more} ")));
            continue;
        }
        take(&whole, first, file, &mut section, &mut directives);
    }
    if let Some((first, whole)) = joined {
        take(&whole, first, file, &mut section, &mut directives);
    }
    directives
}

fn take(
    line: &str,
    number: usize,
    file: &Path,
    section: &mut String,
    into: &mut Vec<Directive<String>>,
) {
    let line = line.trim();
    if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        name.clone_into(section);
        return;
    }
    let (key, value) = line.split_once('=').unwrap_or(("", line));
    into.push(Directive {
        file: file.to_owned(),
        line: number,
        section: section.clone(),
        key: key.trim().to_owned(),
        value: value.trim().to_owned(),
    });
}

/// Splits a value at blanks; quotes and backslashes as in `systemd.syntax(7)`.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => word.get_or_insert_default().extend(characters.next()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn lines_keep_their_places() {
        let text = "# a\n[Unit]\nAfter=a \\\n# between\n  b\n\n[Service]\r\nExecStart = /x 'a b' \\\n--c\nnonsense\n";
        let parsed = parse(text, Path::new("/u"));
        let told: Vec<_> = parsed
            .iter()
            .map(|d| (d.line, d.section.as_str(), d.key.as_str(), d.value.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (3, "Unit", "After", "a  b"),
                (8, "Service", "ExecStart", "/x 'a b'  --c"),
                (10, "Service", "", "nonsense")
            ]
        );
        assert_eq!(split("/x 'a b' \"c\\\"d\" e\\ f"), ["/x", "a b", "c\"d", "e f"]);
    }

    #[test]
    fn files_of_others_make_no_unit_large() {
        let (folder, root) = crate::platform::fs::empty_root();
        let units = folder.path().join("etc/systemd/system");
        std::fs::create_dir_all(units.join("circleci.service.d")).unwrap();
        std::fs::write(units.join("circleci.service"), "[Service]\nUser=ci\n").unwrap();
        for number in 0..2 * FILES {
            let path = units.join(format!("circleci.service.d/{number}.conf"));
            std::fs::write(path, "[Service]\n".to_owned() + &"a\n".repeat(5000)).unwrap();
        }
        let units = find(&root, soon()).unwrap();
        assert_eq!((units[0].definitions.len(), units[0].directives.len()), (FILES, DIRECTIVES));
        assert!(units[0].definitions[1].trouble.is_some());
        assert!(units[0].definitions[0].trouble.is_none());
    }

    #[test]
    fn a_folder_that_is_filled_costs_the_other_units_nothing() {
        let (folder, root) = crate::platform::fs::empty_root();
        let units = folder.path().join("etc/systemd/system");
        std::fs::create_dir_all(units.join("circleci.service.d")).unwrap();
        for name in ["circleci.service", "circleci-x.service"] {
            std::fs::write(units.join(name), "[Service]\nUser=ci\n").unwrap();
        }
        for number in 0..20 * FILES {
            std::fs::write(units.join(format!("circleci.service.d/{number}.conf")), "").unwrap();
        }
        for until in [soon(), Instant::now()] {
            let mut drop_ins = DropIns::default();
            drop_ins.add(&root, Path::new("/etc/systemd/system/circleci.service.d"), until);
            assert!(drop_ins.files.len() <= FILES && drop_ins.trouble.is_some());
            let units = find(&root, until).unwrap();
            let troubled = |unit: &Unit| unit.definitions.iter().any(|own| own.trouble.is_some());
            let told: Vec<_> = units.iter().map(|own| (own.name.as_str(), troubled(own))).collect();
            assert_eq!(told, [("circleci-x.service", false), ("circleci.service", true)]);
        }
    }

    #[test]
    fn drop_ins_of_all_services_and_of_beginnings_of_a_name_are_read() {
        let (folder, root) = crate::platform::fs::empty_root();
        let units = folder.path().join("etc/systemd/system");
        for (name, user) in
            [("service.d", "a"), ("circleci-.service.d", "b"), ("circleci-x.service.d", "c")]
        {
            std::fs::create_dir_all(units.join(name)).unwrap();
            std::fs::write(units.join(name).join("a.conf"), format!("User={user}\n")).unwrap();
            std::fs::write(units.join(name).join(user), "User=not").unwrap();
            std::fs::write(
                units.join(name).join(format!("{user}.conf")),
                format!("Group={user}\n"),
            )
            .unwrap();
        }
        std::fs::write(units.join("circleci-x.service"), "[Service]\n").unwrap();
        let units = find(&root, soon()).unwrap();
        let of = |key: &str| -> Vec<String> {
            let own = units[0].directives.iter().filter(|own| own.key == key);
            own.map(|own| own.value.clone()).collect()
        };
        assert_eq!((of("User"), of("Group")), (vec!["c".to_owned()], vec!["b".into(), "c".into()]));
    }

    #[test]
    fn a_units_drop_ins_count_by_name_and_folder() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "usr/lib/systemd/system/ci.service",
            "[Service]\nExecStart=/opt/circleci-runner machine\n",
        );
        write("usr/lib/systemd/system/other.service", "[Service]\nExecStart=/bin/true\n");
        write("usr/lib/systemd/system/ci.service.d/a.conf", "[Service]\nUser=hidden\n");
        write("etc/systemd/system/ci.service.d/a.conf", "[Service]\nUser=seen\n");
        write("etc/systemd/system/ci.service.d/b.conf.bak", "[Service]\nUser=not\n");
        let units = find(&Root::open(folder.path()).unwrap(), soon()).unwrap();
        assert_eq!(units.len(), 1);
        assert_eq!(units[0].command(), ["/opt/circleci-runner", "machine"]);
        let users: Vec<_> = units[0]
            .directives
            .iter()
            .filter(|d| d.key == "User")
            .map(|d| d.value.as_str())
            .collect();
        assert_eq!(users, ["seen"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,200}", lines in "([\\[\\]a-zA-Z=\\\\#; \n]{0,200})") {
            for text in [text, lines] {
                let directives = parse(&text, Path::new("/u"));
                prop_assert!(directives.iter().all(|d| d.line >= 1 && d.line <= text.lines().count()));
                split(&text);
            }
        }
    }
}
