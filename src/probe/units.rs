//! Finds the units of agents, with their drop-ins, by the rules of `systemd.unit(5)`.

use super::{
    drop_ins::{DropIn, DropIns, by_name},
    launch,
    reader::{self, Part},
    unit::{LIMIT, Unit},
};
use crate::{
    host::Provenance,
    platform::fs::Root,
    service::systemd::{
        drop_ins::{is_template, template_of},
        unit_folders::UnitFolders,
        unit_text::parse,
        untrusted::Search,
    },
};
use std::{collections::BTreeSet, path::Path, time::Instant};

/// Most instances of a template, and most units with scripts, that are looked at.
const INSTANCES: usize = 64;
const SCRIPTS: usize = 64;

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
        let has_none = |found: &Found| {
            found.units.iter().all(|unit| template_of(&unit.name).as_ref() != Some(template))
        };
        if has_none(&found) {
            let named = named_instances(root, &folders, template);
            found.units.extend(named.iter().map(|name| read(name, path)));
        }
        if has_none(&found) {
            found.units.push(read(template, path));
        }
    }
    let mut search = Search::new(root, &folders);
    for unit in found.units.iter_mut().chain(&mut found.scripts) {
        unit.strange_parts = unit.search(root, &mut search).into();
    }
    found
}

/// Instances of a template that an administrator's units name, such as a target for all of them.
fn named_instances(root: &Root, folders: &UnitFolders, template: &str) -> BTreeSet<String> {
    const KEYS: [&str; 5] = ["Wants", "Requires", "Requisite", "BindsTo", "Upholds"];
    let names =
        folders.names().filter(|name| name.ends_with(".target") || name.ends_with(".service"));
    let own = names.filter_map(|name| folders.places(name).first());
    let own = own.filter(|path| {
        path.starts_with("/etc")
            && !folders.untrusted().iter().any(|folder| path.starts_with(folder))
    });
    let mut found = BTreeSet::new();
    for path in own.take(SCRIPTS) {
        let Ok((_, content)) = reader::read_at(root, path, Part::Head(LIMIT), Provenance::Root)
        else {
            continue;
        };
        let lines = parse(&String::from_utf8_lossy(&content.bytes), path);
        let named = lines.iter().filter(|line| KEYS.contains(&line.key.as_str()));
        let named = named.flat_map(|line| line.value.split_whitespace());
        let own = named.filter(|name| template_of(name).as_deref() == Some(template));
        found.extend(own.take(INSTANCES).map(str::to_owned));
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

#[cfg(test)]
mod tests {
    use super::{super::unit::FILES, *};
    use crate::host::limits::DIRECTIVES;
    use std::{path::PathBuf, time::Duration};

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
        write("all.target", "[Unit]\nWants=ci@a.service ci@b.service other@a.service\n");
        assert_eq!(names(&[]), ["ci@a.service", "ci@b.service"]);
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
