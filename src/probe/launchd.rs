//! launchd definitions of agents.

use super::{
    environment::Raw,
    launch,
    reader::{self, Part},
    unit::Unit,
};
use crate::{
    agent::{Kind as Agent, is_job_name},
    host::{Definition, Directive, PathWalk, Provenance, ValueKind},
    platform::fs::{Kind, Root},
    service::launchd::{AGENTS, DAEMONS, Plist},
    values::Manager,
};
use std::path::{Path, PathBuf};

/// Most files of other names in the folders of definitions that are read.
const OTHERS: usize = 64;

/// What `launchctl enable` and `disable` have set, label by label.
const OVERRIDES: &str = "/var/db/com.apple.xpc.launchd/disabled.plist";

/// Most bytes of a definition that are read.
const LIMIT: u64 = 256 << 10;

/// Finds the definitions of agents: the administrator's, and those of every user.
pub(super) fn find(root: &Root) -> Vec<Unit> {
    let mut folders = vec![PathBuf::from(DAEMONS), PathBuf::from(AGENTS)];
    let homes = Path::new("/Users");
    for name in names(root, homes) {
        folders.push(homes.join(name).join("Library/LaunchAgents"));
    }
    let files = folders.into_iter().flat_map(|folder| {
        let files = names(root, &folder).into_iter().filter(|name| !name.starts_with('.'));
        files.map(|name| folder.join(name)).collect::<Vec<_>>()
    });
    let is_read = |path: &PathBuf| path.extension().is_some_and(|end| end == "plist");
    let (read, others): (Vec<PathBuf>, Vec<PathBuf>) = files.partition(is_read);
    let mut units: Vec<Unit> = read.iter().filter_map(|path| definition(root, path)).collect();
    // launchd reads no file of another name. One whose label no other file has was meant to be read;
    // the rest are copies.
    for path in others.iter().take(OTHERS) {
        let meant = definition(root, path).filter(|unit| unit.command.is_some());
        units.extend(meant.filter(|unit| units.iter().all(|other| other.name != unit.name)));
    }
    if !root.is_host() {
        override_disabled(root, &mut units);
    }
    units
}

/// Adds what the file says by which `launchctl enable` and `disable` outlast a restart of a Mac that
/// does not run: for daemons, which belong to the system's domain.
fn override_disabled(root: &Root, units: &mut [Unit]) {
    let path = Path::new(OVERRIDES);
    let read = reader::read_at(root, path, Part::Head(LIMIT), Provenance::Root);
    let plist = read.ok().and_then(|(_, content)| {
        plist::Value::from_reader(std::io::Cursor::new(content.bytes)).ok()?.into_dictionary()
    });
    let Some(plist) = plist else { return };
    for unit in units {
        let file = unit.definitions.first().map(|definition| definition.walk.path.as_path());
        if !file.is_some_and(|file| file.starts_with(DAEMONS)) {
            continue;
        }
        let is_off = plist.get(&unit.name).and_then(plist::Value::as_boolean);
        unit.directives.extend(is_off.map(|is_off| Directive {
            file: path.to_owned(),
            line: 1,
            section: String::new(),
            key: "Disabled".to_owned(),
            value: is_off.to_string(),
            kind: ValueKind::Truth,
        }));
    }
}

fn names(root: &Root, folder: &Path) -> Vec<String> {
    let Ok(walk) = root.walk(folder) else { return Vec::new() };
    if !walk.is(Kind::Folder) {
        return Vec::new();
    }
    let listed = root.find(&walk.real).ok().flatten().and_then(|spot| spot.list().ok());
    let mut names: Vec<String> =
        listed.unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// A definition, if it is an agent's.
fn definition(root: &Root, path: &Path) -> Option<Unit> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let mut definition = Definition {
        walk: PathWalk { path: path.to_owned(), ..PathWalk::default() },
        failure: None,
    };
    let read = root.walk(path).and_then(|walk| {
        definition.walk = walk;
        reader::read(root, &definition.walk, Part::Head(LIMIT), Provenance::Root)
    });
    let plist = read.map_err(|error| error.message().to_owned());
    let plist = match plist.and_then(|content| Plist::read(&content.bytes, path)) {
        Ok(plist) => plist,
        Err(failure) => {
            // Of one that cannot be read only the name tells whose it is.
            if !stem.contains("circleci") {
                return None;
            }
            definition.failure = Some(failure);
            let definitions = vec![definition];
            return Some(Unit { definitions, ..Unit::of_one_file(stem, Manager::Launchd) });
        }
    };
    let name = plist.label.unwrap_or(stem);
    let is_agent = |word: &String| Agent::named_in(word).is_some();
    let is_like_agents = name.contains("circleci") || plist.command.iter().any(is_agent);
    let written_by = definition.walk.written_by();
    let source = path.display().to_string();
    let variables = plist.variables.into_iter();
    let variables =
        variables.map(|(name, value)| Raw { name, value, source: source.clone(), written_by });
    let unit = Unit {
        definitions: vec![definition],
        directives: plist.directives,
        command: Some(plist.command),
        variables: variables.collect(),
        ..Unit::of_one_file(name, Manager::Launchd)
    };
    (is_job_name(&unit.name) || leads_to_agent(root, &unit, is_like_agents)).then_some(unit)
}

/// Whether a job starts an agent, whatever the job is called: one that cleans up after agents or
/// watches them names them too. Where not all of its command could be read, its words decide.
fn leads_to_agent(root: &Root, unit: &Unit, is_like_agents: bool) -> bool {
    let command = unit.command();
    if !is_like_agents && !launch::may_be_script(&command) {
        return false;
    }
    let run = launch::of_unit(root, unit, &unit.variables).run;
    !run.words.is_empty() || is_like_agents && (run.unread.is_some() || command.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(path: &str, text: &str) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        let root = Root::open(folder.path()).unwrap();
        (folder, root)
    }

    fn plist(keys: &str) -> String {
        format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>")
    }

    #[test]
    fn a_definition_is_found_by_what_it_runs() {
        let keys = "<key>Label</key><string>org.runner</string>\
            <key>Program</key><string>/opt/circleci/circleci-launch-agent</string>\
            <key>ProgramArguments</key><array><string>agent</string><string>--config</string>\
            <string>/c.yaml</string></array><key>KeepAlive</key><true/>\
            <key>EnvironmentVariables</key><dict><key>HTTPS_PROXY</key><string>http://p:1</string>\
            </dict>";
        let (_folder, root) = image("Library/LaunchDaemons/mine.plist", &plist(keys));
        let found = find(&root);
        assert_eq!(found.len(), 1);
        let unit = &found[0];
        assert_eq!(unit.name, "org.runner");
        let command = ["/opt/circleci/circleci-launch-agent", "--config", "/c.yaml"];
        assert_eq!(unit.command(), command);
        assert_eq!(unit.variables[0].value, "http://p:1");
        assert!(
            unit.directives
                .iter()
                .any(|directive| directive.key == "KeepAlive" && directive.value == "true")
        );
    }

    #[test]
    fn a_file_that_launchd_does_not_read_counts_where_no_other_has_its_label() {
        let keys = "<key>Label</key><string>com.circleci.runner</string><key>Program</key>\
            <string>/opt/circleci/circleci-launch-agent</string>";
        for name in ["com.circleci.runner.plist.txt", "com.circleci.runner"] {
            let (folder, root) = image(&format!("Library/LaunchDaemons/{name}"), &plist(keys));
            let found = find(&root);
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].name, "com.circleci.runner");
            let daemons = folder.path().join("Library/LaunchDaemons");
            std::fs::write(daemons.join("com.circleci.runner.plist"), plist(keys)).unwrap();
            std::fs::write(daemons.join(".com.circleci.runner.plist"), "?").unwrap();
            let found = find(&root);
            assert_eq!(found.len(), 1, "{name} is a copy");
            let file = &found[0].definitions[0].walk.path;
            assert!(file.extension().is_some_and(|end| end == "plist"));
        }
        let (_folder, root) = image("Library/LaunchDaemons/circleci.txt", "notes");
        assert!(find(&root).is_empty());
    }

    #[test]
    fn the_override_of_an_image_comes_last() {
        let keys = "<key>Label</key><string>com.circleci.runner</string><key>Disabled</key><true/>";
        let path = "Library/LaunchDaemons/com.circleci.runner.plist";
        let (folder, root) = image(path, &plist(keys));
        let is_off = |root: &Root| {
            let lines = find(root).remove(0).directives;
            lines.iter().rfind(|line| line.key == "Disabled").unwrap().value.clone()
        };
        assert_eq!(is_off(&root), "true");
        let file = folder.path().join(&OVERRIDES[1..]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, plist("<key>com.circleci.runner</key><false/>")).unwrap();
        assert_eq!(is_off(&root), "false");
    }

    /// A wrapper that fetches the token, as a password manager's guide for Macs has it.
    #[cfg(unix)]
    #[test]
    fn a_job_is_an_agents_by_the_script_that_it_runs() {
        let keys = "<key>Label</key><string>org.ci</string><key>ProgramArguments</key><array>\
            <string>/usr/local/bin/runner-wrapper</string></array>";
        let (folder, root) = image("Library/LaunchDaemons/org.ci.plist", &plist(keys));
        assert!(find(&root).is_empty());
        let script = folder.path().join("usr/local/bin/runner-wrapper");
        std::fs::create_dir_all(script.parent().unwrap()).unwrap();
        std::fs::write(&script, "#!/bin/bash\nsleep 1\n").unwrap();
        assert!(find(&root).is_empty(), "of another");
        let text = "#!/bin/bash\nexec /opt/circleci/circleci-launch-agent --config /c.yaml\n";
        std::fs::write(&script, text).unwrap();
        assert_eq!(find(&root)[0].name, "org.ci");
    }

    /// As administrators' own jobs beside an agent are.
    #[cfg(unix)]
    #[test]
    fn a_job_that_only_names_agents_is_anothers() {
        for (label, words) in [
            ("com.circleci.cleanup", &["/bin/sh", "-c", "rm -rf /var/opt/circleci/workdir/*"][..]),
            ("org.ci.watchdog", &["/bin/sh", "-c", "pgrep -f circleci-launch-agent || reboot"]),
            ("com.circleci.exporter", &["/usr/bin/nc", "-lk", "9100"]),
        ] {
            let words: String =
                words.iter().map(|word| format!("<string>{word}</string>")).collect();
            let keys = format!(
                "<key>Label</key><string>{label}</string><key>ProgramArguments</key>\
                 <array>{words}</array>"
            );
            let file = format!("Library/LaunchDaemons/{label}.plist");
            let (_folder, root) = image(&file, &plist(&keys));
            assert!(find(&root).iter().all(|unit| unit.name != label), "{label}");
        }
        let keys = "<key>Label</key><string>com.circleci.ci</string><key>ProgramArguments</key>\
            <array><string>/opt/gone.sh</string></array>";
        let (_folder, root) = image("Library/LaunchDaemons/com.circleci.ci.plist", &plist(keys));
        assert_eq!(find(&root).len(), 1, "what it runs is not known");
    }

    #[test]
    fn anothers_definition_is_passed_over_and_a_broken_one_is_told() {
        let (_folder, root) = image(
            "Library/LaunchDaemons/org.other.plist",
            &plist("<key>Label</key><string>org.other</string>"),
        );
        assert!(find(&root).is_empty());
        let (_folder, root) = image("Users/ci/Library/LaunchAgents/com.circleci.runner.plist", "?");
        let found = find(&root);
        assert!(found[0].definitions[0].failure.as_ref().unwrap().contains("no plist"));
    }
}
