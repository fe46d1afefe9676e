//! Unit files of agents, with their drop-ins, by the rules of `systemd.unit(5)`.

use super::{
    drop_ins::{DropIn, DropIns, by_name},
    environment::Raw,
    launch,
    reader::{self, Part},
    scrub::Scrub,
};
use crate::{
    Result,
    agent::Kind as Agent,
    host::{
        Definition, Directive, Misread, PathWalk, Provenance, Scrubbed, Seen, limits::DIRECTIVES,
    },
    platform::fs::{Kind, Root},
    service::systemd::{
        drop_ins::{is_template, template_of},
        meant,
        specifiers::{Specifiers, instantiated},
        unit_folders::UnitFolders,
        unit_text::{command, parse},
        untrusted::Search,
    },
    values::Manager,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Instant,
};

/// Most bytes of a unit that are read, all of its files together: an account may have written some
/// of them.
pub(super) const LIMIT: u64 = 512 << 10;

/// Most files of a unit that are looked at.
pub(super) const FILES: usize = 100;

/// Most instances of a template, and most units with scripts, that are looked at.
const INSTANCES: usize = 64;
const SCRIPTS: usize = 64;

/// A unit, unread by anyone but us.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) manager: Manager,
    pub(super) definitions: Vec<Definition>,
    /// As in [`Service`](crate::host::Service).
    pub(super) strange_parts: Seen<Vec<PathWalk>>,
    pub(super) directives: Vec<Directive<String>>,
    /// What it runs, where no directive has to be split for that.
    pub(super) command: Option<Vec<String>>,
    /// Its environment, where that stands in no directive.
    pub(super) variables: Vec<Raw>,
}

/// The units that were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those of agents: of a template its instances, or itself where it has none.
    pub(super) units: Vec<Unit>,
    /// The templates of agents.
    pub(super) templates: Vec<String>,
    /// Others that start something that may be a script which runs an agent.
    pub(super) scripts: Vec<Unit>,
}

/// Finds the units of agents. What cannot be read is noted in its place. `more` are services that run
/// agents, whatever their definitions say, and further instances.
pub(super) fn find(root: &Root, more: &BTreeSet<String>, until: Instant) -> Found {
    let folders = UnitFolders::list(root);
    let mut drop_ins = DropIns::default();
    // The same file by another name is the same unit.
    let services = folders.services().filter(|(name, _)| !folders.is_alias(name));
    let mut found = Found::default();
    let mut read =
        |name: &str, path: &Path| unit(root, name, path, &drop_ins.of(root, &folders, name, until));
    for (name, path) in services {
        let unit = read(name, path);
        match () {
            () if !unit.is_agents() && more.contains(name) => found.units.push(unit),
            () if !unit.is_agents() => {
                let starts = || launch::may_be_script(&unit.command());
                if found.scripts.len() < SCRIPTS && !is_template(name) && starts() {
                    found.scripts.push(unit);
                }
            }
            () if is_template(name) => found.templates.push(name.to_owned()),
            () => found.units.push(unit),
        }
    }
    let mut instances = match found.templates.is_empty() {
        true => BTreeSet::new(),
        false => folders.instances(root),
    };
    instances.extend(more.iter().cloned());
    for template in &found.templates {
        let Some(path) = folders.places(template).first() else { continue };
        let is_own = |name: &&String| template_of(name).as_ref() == Some(template);
        let without_file = |name: &&String| found.units.iter().all(|unit| unit.name != **name);
        let of_template: Vec<_> = instances.iter().filter(is_own).filter(without_file).collect();
        let units: Vec<Unit> =
            of_template.into_iter().take(INSTANCES).map(|name| read(name, path)).collect();
        found.units.extend(units);
        if !found.units.iter().any(|unit| template_of(&unit.name).as_ref() == Some(template)) {
            found.units.push(read(template, path));
        }
    }
    let mut search = Search::new(root, &folders);
    for unit in found.units.iter_mut().chain(&mut found.scripts) {
        unit.strange_parts = unit.search(root, &mut search).into();
    }
    found
}

/// The unit of a name, with its drop-ins.
pub(super) fn named(root: &Root, name: &str, until: Instant) -> Option<Unit> {
    let folders = UnitFolders::list(root);
    let of_template = || folders.places(&template_of(name)?).first();
    let path = folders.places(name).first().or_else(of_template)?;
    let mut unit = unit(root, name, path, &DropIns::default().of(root, &folders, name, until));
    unit.strange_parts = unit.search(root, &mut Search::new(root, &folders)).into();
    Some(unit)
}

/// A unit with its drop-ins.
fn unit(root: &Root, name: &str, path: &Path, drop_ins: &[&DropIn]) -> Unit {
    let mut unit = Unit { name: name.to_owned(), ..Unit::default() };
    let mut left = LIMIT;
    unit.read(root, path, &mut left);
    for path in by_name(drop_ins) {
        unit.read(root, path, &mut left);
    }
    let failure = drop_ins.iter().find_map(|drop_in| drop_in.failure.clone());
    if let (Some(failure), Some(last)) = (failure, unit.definitions.last_mut()) {
        last.failure = Some(failure);
    }
    unit
}

impl Unit {
    /// Whether it is an agent's, by its name or by what it names.
    fn is_agents(&self) -> bool {
        self.name.starts_with("circleci") || self.runs_agent()
    }

    /// Whether it names an agent's program.
    pub(super) fn runs_agent(&self) -> bool {
        self.directives.iter().any(|directive| {
            directive.key.starts_with("Exec") && Agent::named_in(&directive.value).is_some()
        })
    }

    /// One whose manager reads nothing but its own file.
    pub(super) fn of_one_file(name: String, manager: Manager) -> Self {
        Self { name, manager, strange_parts: Seen::Known(Vec::new()), ..Self::default() }
    }

    /// Looks for what else could have been written by others than root.
    fn search(&self, root: &Root, search: &mut Search<'_>) -> Result<Vec<PathWalk>> {
        let is_read = |path: &PathBuf| {
            self.definitions.iter().any(|definition| definition.walk.path == *path)
        };
        let found = search.of(&self.name)?.into_iter().filter(|path| !is_read(path));
        found.take(FILES).map(|path| root.walk(&path)).collect()
    }

    pub(super) fn read(&mut self, root: &Root, path: &Path, left: &mut u64) {
        if self.definitions.len() >= FILES {
            let last = self.definitions.last_mut();
            last.into_iter().for_each(|last| {
                last.failure =
                    Some(format!("the unit has more than {FILES} files: the rest was not read"));
            });
            return;
        }
        let walk = root.walk(path);
        let mut definition = Definition {
            walk: PathWalk { path: path.to_owned(), ..PathWalk::default() },
            failure: None,
        };
        match walk.and_then(|walk| {
            definition.walk = walk;
            // Its folder is the manager's own: the name is nobody else's.
            reader::read(root, &definition.walk, Part::Head(*left), Provenance::Root)
        }) {
            Ok(content) => {
                *left = left.saturating_sub(content.bytes.len() as u64);
                let mut directives = parse(&String::from_utf8_lossy(&content.bytes), path);
                if template_of(&self.name).is_some() {
                    for directive in &mut directives {
                        directive.value = instantiated(&directive.value, &self.name);
                    }
                }
                let room = DIRECTIVES.saturating_sub(self.directives.len());
                if content.cut || directives.len() > room {
                    definition.failure = Some(format!(
                        "the unit has more than {LIMIT} bytes or {DIRECTIVES} lines: the rest was \
                         not read"
                    ));
                }
                self.directives.extend(directives.into_iter().take(room));
            }
            // It is masked: an administrator took it away on purpose.
            Err(_) if definition.walk.leads_to_null() => {}
            Err(error) => definition.failure = Some(error.message().to_owned()),
        }
        self.definitions.push(definition);
    }

    /// The command line that it runs, word by word.
    pub(super) fn command(&self) -> Vec<String> {
        if let Some(command) = &self.command {
            return command.clone();
        }
        let filled = |word: String| self.filled(&word).replace("$$", "$");
        command(&self.directives).into_iter().map(filled).collect()
    }

    /// What specifiers stand for that differ from unit to unit, and are not in its name.
    pub(super) fn specifiers(&self) -> impl Fn(char) -> Option<String> {
        let file = self.definitions.first().map(|definition| definition.walk.path.clone());
        let name = self.name.clone();
        move |letter| match letter {
            'y' => Some(file.as_ref()?.display().to_string()),
            'Y' => Some(file.as_ref()?.parent()?.display().to_string()),
            'd' => Some(format!("/run/credentials/{name}")),
            _ => None,
        }
    }

    /// A value with its specifiers filled in, as far as they are known.
    pub(super) fn filled(&self, value: &str) -> String {
        let of_host = self.specifiers();
        let specifiers = Specifiers { unit: &self.name, of_host: &of_host };
        specifiers.fill(value).unwrap_or_else(|_| value.to_owned())
    }

    /// Its lines that systemd takes otherwise than they are meant, but for those about variables.
    pub(super) fn misread(&self) -> Vec<Misread> {
        let of_host = self.specifiers();
        let specifiers = Specifiers { unit: &self.name, of_host: &of_host };
        let misread = |line: &Directive<String>| {
            let what = meant::of_directive(line, &specifiers)?;
            let (file, line, key) = (line.file.clone(), line.line, line.key.clone());
            Some(Misread { file, line, key, variable: None, matters: true, what })
        };
        let in_force = self.directives.iter().enumerate().filter(|(at, line)| {
            let mut later = self.directives[at + 1..].iter();
            !later.any(|later| meant::takes_back(later, line))
        });
        in_force.filter_map(|(_, line)| misread(line)).take(FILES).collect()
    }

    /// Who could have written a file of the definition.
    pub(super) fn written_by(&self, file: &Path) -> Provenance {
        let of_file = self.definitions.iter().find(|definition| definition.walk.path == file);
        of_file.map_or(Provenance::Anybody, |definition| definition.walk.written_by())
    }

    /// Who could have written any part of the definition.
    pub(super) fn provenance(&self) -> Provenance {
        let definitions = self.definitions.iter().map(|definition| {
            let walk = &definition.walk;
            // No file, as a mask is none: who could put another one there still counts.
            let is_file = walk.end.is_some_and(|end| end.kind == Kind::File);
            if is_file { walk.written_by() } else { walk.replaceable_by }
        });
        let others = match &self.strange_parts {
            Seen::Known(parts) => parts.iter().map(PathWalk::made_by).collect(),
            Seen::Unseen(_) => vec![Provenance::Anybody],
        };
        definitions.chain(others).fold(Provenance::Root, Provenance::and)
    }

    /// Its directives as they may be told.
    pub(super) fn scrubbed(directives: Vec<Directive<String>>, scrub: &Scrub) -> Vec<Directive> {
        let value = |directive: &Directive<String>| match directive.key.as_str() {
            "Environment" => Scrubbed::assignments(&directive.value, scrub),
            "SetCredential" | "SetCredentialEncrypted" => Scrubbed::credential(&directive.value),
            // No directive: it may be the rest of one that held a secret.
            "" => Scrubbed::nothing(),
            _ => Scrubbed::text(&shortened(&directive.value), scrub),
        };
        let scrubbed = |directive: Directive<String>| Directive {
            value: value(&directive),
            file: directive.file,
            line: directive.line,
            section: directive.section,
            key: directive.key,
            kind: directive.kind,
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn found(root: &Root, until: Instant) -> Vec<Unit> {
        find(root, &BTreeSet::new(), until).units
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
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
        let units = found(&root, soon());
        assert_eq!((units[0].definitions.len(), units[0].directives.len()), (FILES, DIRECTIVES));
        assert!(units[0].definitions[1].failure.is_some());
        assert!(units[0].definitions[0].failure.is_none());
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
            let filled = [PathBuf::from("/etc/systemd/system/circleci.service.d")];
            let drop_ins = DropIn::read(&root, &filled, until);
            assert!(drop_ins.files.len() <= FILES && drop_ins.failure.is_some());
            let units = found(&root, until);
            let troubled = |unit: &Unit| {
                unit.definitions.iter().any(|definition| definition.failure.is_some())
            };
            let units: Vec<_> =
                units.iter().map(|unit| (unit.name.as_str(), troubled(unit))).collect();
            assert_eq!(units, [("circleci-x.service", false), ("circleci.service", true)]);
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
        let units = found(&root, soon());
        let of = |key: &str| -> Vec<String> {
            let directives = units[0].directives.iter().filter(|directive| directive.key == key);
            directives.map(|directive| directive.value.clone()).collect()
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
        let units = found(&Root::open(folder.path()).unwrap(), soon());
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

    /// As Buildkite packages its agent, for one instance on each queue.
    #[cfg(unix)]
    #[test]
    fn a_template_is_its_instances() {
        let (folder, root) = crate::platform::fs::empty_root();
        let units = folder.path().join("etc/systemd/system");
        let write = |name: &str, text: &str| {
            let path = units.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let line = "ExecStart=/opt/circleci-runner machine -c /etc/ci-%i/c.yaml";
        write("ci@.service", &format!("[Service]\nUser=ci-%i\n{line} %%i\n"));
        let names = |more: &[&str]| {
            let more = more.iter().map(|name| (*name).to_owned()).collect();
            let units = find(&root, &more, soon()).units;
            units.into_iter().map(|unit| unit.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["ci@.service"]);
        let link = |name: &str| {
            std::fs::create_dir_all(units.join(name).parent().unwrap()).unwrap();
            std::os::unix::fs::symlink("/etc/systemd/system/ci@.service", units.join(name))
                .unwrap();
        };
        link("multi-user.target.wants/ci@gpu.service");
        link("ci@linked.service");
        write("ci@own.service", &format!("[Service]\n{line}\n"));
        write("ci@gpu.service.d/a.conf", "[Service]\nNice=1\n");
        write("ci@.service.d/b.conf", "[Service]\nGroup=%i\n");
        let expected = ["ci@own.service", "ci@gpu.service", "ci@linked.service"];
        assert_eq!(names(&[]), expected);
        let started = ["ci@own.service", "ci@7.service", "ci@gpu.service", "ci@linked.service"];
        assert_eq!(names(&["ci@7.service", "other@7.service"]), started);
        let all = found(&root, soon());
        let of = |key: &str| -> Vec<&str> {
            let directives = all[1].directives.iter().filter(|line| line.key == key);
            directives.map(|line| line.value.as_str()).collect()
        };
        assert_eq!((of("User"), of("Group"), of("Nice")), (vec!["ci-gpu"], vec!["gpu"], vec!["1"]));
        assert_eq!(all[1].command()[3..], ["/etc/ci-gpu/c.yaml", "%i"]);
        assert_eq!(all[1].provenance(), Provenance::Root);
    }

    #[cfg(unix)]
    #[test]
    fn all_names_of_a_unit_count_and_it_is_found_once() {
        let (folder, root) = crate::platform::fs::empty_root();
        let units = folder.path().join("etc/systemd/system");
        for name in ["agent.service.d", "circleci.service.d", "service.wants"] {
            std::fs::create_dir_all(units.join(name)).unwrap();
        }
        std::fs::write(units.join("circleci.service"), "[Service]\nUser=ci\n").unwrap();
        std::os::unix::fs::symlink("circleci.service", units.join("agent.service")).unwrap();
        for name in ["circleci-a.service", "circleci-b.service"] {
            std::os::unix::fs::symlink("/dev/null", units.join(name)).unwrap();
        }
        std::fs::write(units.join("agent.service.d/a.conf"), "[Service]\nGroup=a\n").unwrap();
        let all = found(&root, soon());
        let names: Vec<_> = all.iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(names, ["circleci-a.service", "circleci-b.service", "circleci.service"]);
        assert_eq!((all[2].directives.len(), all[2].provenance()), (2, Provenance::Root));
        for name in ["agent.service.d", "circleci.service.d", "service.wants"] {
            let open = |mode| {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
                std::fs::set_permissions(units.join(name), mode).unwrap();
            };
            open(0o777);
            let all = found(&root, soon());
            let parts: Vec<_> = all[2]
                .strange_parts
                .known()
                .unwrap()
                .iter()
                .map(|strange_part| &strange_part.path)
                .collect();
            open(0o755);
            assert_eq!(parts, [&Path::new("/etc/systemd/system").join(name)]);
            assert_eq!(all[2].provenance(), Provenance::Anybody);
        }
    }
}
