//! launchd definitions of agents, and what `launchctl` says of them.

use super::{
    environment::Raw,
    ground::{self, Part},
    units::{PROGRAMS, Unit},
};
use crate::{
    facts::survey::{Definition, Directive, Seen, State, Trail},
    platform::{
        command::Commands,
        fs::{Kind, Root},
        macos::launchd::Launchd,
        service::{Manager, Services},
    },
};
use plist::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Most bytes of a definition that are read.
const LIMIT: u64 = 256 << 10;

/// Finds the definitions of agents: the administrator's, and those of every user.
pub(super) fn find(root: &Root) -> Vec<Unit> {
    let mut folders =
        vec![PathBuf::from("/Library/LaunchDaemons"), PathBuf::from("/Library/LaunchAgents")];
    let homes = Path::new("/Users");
    for name in names(root, homes) {
        folders.push(homes.join(name).join("Library/LaunchAgents"));
    }
    let files = folders.into_iter().flat_map(|folder| {
        let files = names(root, &folder).into_iter().filter(|name| name.ends_with(".plist"));
        files.map(|name| folder.join(name)).collect::<Vec<_>>()
    });
    files.filter_map(|path| definition(root, &path)).collect()
}

/// What launchd says of each label.
pub(super) fn states(commands: &dyn Commands, labels: &[String]) -> Seen<BTreeMap<String, State>> {
    let launchd = Launchd::new(commands);
    let state = |label: &String| {
        let status = launchd.status(label)?;
        let is_running = status.main_pid.is_some();
        let failed = status.words.contains("last exit");
        let state = State {
            load: if status.loaded { "loaded" } else { "not-found" }.to_owned(),
            enabled: status.enabled,
            enabled_word: if status.enabled { "enabled" } else { "disabled" }.to_owned(),
            active: match (status.loaded, is_running) {
                (true, true) => "active",
                (true, false) => "activating",
                (false, _) => "inactive",
            }
            .to_owned(),
            sub: status.words,
            main_pid: status.main_pid,
            restarts: status.restarts,
            result: if failed { "exit-code" } else { "success" }.to_owned(),
            ..State::default()
        };
        Ok((label.clone(), state))
    };
    match labels.iter().map(state).collect::<crate::Result<_>>() {
        Ok(states) => Seen::Known(states),
        Err(error) => Seen::broken(error.message()),
    }
}

fn names(root: &Root, folder: &Path) -> Vec<String> {
    let Ok(trail) = root.trail(folder) else { return Vec::new() };
    if !trail.is(Kind::Folder) {
        return Vec::new();
    }
    let listed = root.find(&trail.real).ok().flatten().and_then(|spot| spot.list().ok());
    let mut names: Vec<String> =
        listed.unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// A definition, if it is an agent's.
fn definition(root: &Root, path: &Path) -> Option<Unit> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let mut definition =
        Definition { trail: Trail { path: path.to_owned(), ..Trail::default() }, trouble: None };
    let read = root.trail(path).and_then(|trail| {
        definition.trail = trail;
        ground::read(root, &definition.trail, Part::Head(LIMIT))
    });
    let plist = read.map_err(|error| error.message().to_owned()).and_then(|content| {
        let reader = std::io::Cursor::new(content.bytes);
        let plist = Value::from_reader(reader).map_err(|error| format!("no plist: {error}"))?;
        plist.into_dictionary().ok_or_else(|| "it is no dictionary".to_owned())
    });
    let keys = match plist {
        Ok(keys) => keys,
        Err(trouble) => {
            // Of one that cannot be read only the name tells whose it is.
            if !stem.contains("circleci") {
                return None;
            }
            definition.trouble = Some(trouble);
            return Some(Unit {
                name: stem,
                manager: Manager::Launchd,
                definitions: vec![definition],
                ..Unit::default()
            });
        }
    };
    let text = |key: &str| keys.get(key).and_then(Value::as_string).map(str::to_owned);
    let words = keys.get("ProgramArguments").and_then(Value::as_array);
    let mut command: Vec<String> =
        words.into_iter().flatten().filter_map(|word| Some(word.as_string()?.to_owned())).collect();
    if let Some(program) = text("Program") {
        // The first argument is only what the program is told that it is called.
        match command.first_mut() {
            Some(first) => *first = program,
            None => command.push(program),
        }
    }
    let name = text("Label").unwrap_or(stem);
    let is_agents = name.contains("circleci")
        || command.iter().any(|word| PROGRAMS.iter().any(|program| word.contains(program)));
    let directive = |section: &str, key: &str, value: String| Directive {
        file: path.to_owned(),
        line: 1,
        section: section.to_owned(),
        key: key.to_owned(),
        value,
    };
    let mut directives = Vec::new();
    let mut variables = Vec::new();
    for (key, value) in &keys {
        if let Some(inner) = value.as_dictionary() {
            for (name, value) in inner {
                let value = scalar(value);
                if key == "EnvironmentVariables" {
                    let source = path.display().to_string();
                    variables.push(Raw { name: name.clone(), value, source });
                } else {
                    directives.push(directive(key, name, value));
                }
            }
        } else {
            directives.push(directive("", key, scalar(value)));
        }
    }
    is_agents.then_some(Unit {
        name,
        manager: Manager::Launchd,
        definitions: vec![definition],
        directives,
        command: Some(command),
        variables,
    })
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Array(values) => values.iter().map(scalar).collect::<Vec<_>>().join(" "),
        _ => "(a value of another kind)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

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
        assert!(unit.directives.iter().any(|own| own.key == "KeepAlive" && own.value == "true"));
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
        assert!(found[0].definitions[0].trouble.as_ref().unwrap().contains("no plist"));
    }

    #[test]
    fn launchds_words_become_a_state() {
        let script = Script::new(&[
            ("launchctl print-disabled system", 0, ""),
            (
                "launchctl print system/a",
                0,
                "system/a = {\n\tstate = spawn scheduled\n\truns = 9\n\tlast exit code = 78\n}\n",
            ),
        ]);
        let states = states(&script, &["a".to_owned()]);
        let state = &states.ok().unwrap()["a"];
        assert_eq!((state.active.as_str(), state.restarts), ("activating", 8));
        assert_eq!(state.result, "exit-code");
    }
}
