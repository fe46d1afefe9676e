//! launchd definitions of agents, and what `launchctl` says of them.

use super::{
    environment::Raw,
    reader::{self, Part},
    units::Unit,
};
use crate::{
    agent::Kind as Agent,
    host::{Definition, Directive, Provenance, Seen, ServiceState, Trail},
    platform::{
        command::Commands,
        fs::{Kind, Root},
        macos::SYSTEM,
    },
    service::launchd::Launchd,
    values::Manager,
};
use plist::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Whoever is logged in at the screen, in place of a name.
pub(super) const CONSOLE: &str = "";

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

/// A label, and the domains that launchd may have loaded it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) label: String,
    pub(super) domains: Vec<String>,
}

/// Where launchd loads a definition: a daemon's for the system, an agent's for the user whose
/// home it is in, else for the one who is logged in; with a desktop, or without one.
pub(super) fn job(label: &str, file: &Path, uid_of: impl Fn(&str) -> Option<u32>) -> Job {
    let user = file.strip_prefix("/Users").ok().and_then(|rest| rest.components().next());
    let uid = match user {
        Some(user) => uid_of(&user.as_os_str().to_string_lossy()),
        None if file.starts_with("/Library/LaunchAgents") => uid_of(CONSOLE),
        None => None,
    };
    let domains = match uid {
        Some(uid) => vec![format!("gui/{uid}"), format!("user/{uid}")],
        None => vec![SYSTEM.to_owned()],
    };
    Job { label: label.to_owned(), domains }
}

/// What launchd says of each label.
pub(super) fn states(
    commands: &dyn Commands,
    jobs: &[Job],
) -> Seen<BTreeMap<String, ServiceState>> {
    let launchd = Launchd::new(commands);
    let state = |job: &Job| Ok((job.label.clone(), launchd.state_in(&job.domains, &job.label)?));
    match jobs.iter().map(state).collect::<crate::Result<_>>() {
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
        reader::read(root, &definition.trail, Part::Head(LIMIT), Provenance::Root)
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
            let definitions = vec![definition];
            return Some(Unit { definitions, ..Unit::of_one_file(stem, Manager::Launchd) });
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
    let is_agents =
        name.contains("circleci") || command.iter().any(|word| Agent::named_in(word).is_some());
    let directive = |section: &str, key: &str, value: String| Directive {
        file: path.to_owned(),
        line: 1,
        section: section.to_owned(),
        key: key.to_owned(),
        value,
    };
    let written_by = definition.trail.written_by();
    let mut directives = Vec::new();
    let mut variables = Vec::new();
    for (key, value) in &keys {
        if let Some(inner) = value.as_dictionary() {
            for (name, value) in inner {
                let value = scalar(value);
                if key == "EnvironmentVariables" {
                    let source = path.display().to_string();
                    variables.push(Raw { name: name.clone(), value, source, written_by });
                } else {
                    directives.push(directive(key, name, value));
                }
            }
        } else {
            directives.push(directive("", key, scalar(value)));
        }
    }
    is_agents.then_some(Unit {
        definitions: vec![definition],
        directives,
        command: Some(command),
        variables,
        ..Unit::of_one_file(name, Manager::Launchd)
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
    use crate::{
        host::{AUTO_RESTART, Activity, Load},
        platform::command::Script,
    };

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

    fn daemon(label: &str) -> Job {
        Job { label: label.to_owned(), domains: vec![SYSTEM.to_owned()] }
    }

    #[test]
    fn launchds_words_become_a_state() {
        let script = Script::new(&[
            ("launchctl print-disabled system", 0, ""),
            (
                "launchctl print system/a",
                0,
                "system/a = {\n\tstate = spawn scheduled\n\truns = 9\n\tlast exit code = 78: \
                 EX_CONFIG\n}\n",
            ),
        ]);
        let states = states(&script, &[daemon("a")]);
        let state = &states.ok().unwrap()["a"];
        assert_eq!((state.active, state.sub.as_str()), (Activity::Activating, AUTO_RESTART));
        assert_eq!((state.restarts, state.exit_status), (8, Some(78)));
        assert_eq!(state.result, "exit-code");
        assert_eq!(state.domain.as_deref(), Some("system"));
    }

    #[test]
    fn an_agent_of_a_users_is_looked_for_with_a_desktop_and_without() {
        let uid = |name: &str| (name == "ci").then_some(501);
        let home = Path::new("/Users/ci/Library/LaunchAgents/a.plist");
        assert_eq!(job("a", home, uid).domains, ["gui/501", "user/501"]);
        let all = Path::new("/Library/LaunchAgents/a.plist");
        assert_eq!(job("a", all, uid).domains, ["system"]);
        assert_eq!(job("a", all, |_| Some(502)).domains, ["gui/502", "user/502"]);
        let script = Script::new(&[
            ("launchctl print-disabled gui/501", 125, ""),
            ("launchctl print gui/501/a", 113, ""),
            ("launchctl print-disabled user/501", 0, ""),
            ("launchctl print user/501/a", 0, "user/501/a = {\n\tstate = running\n\tpid = 9\n}\n"),
        ]);
        let states = states(&script, &[job("a", home, uid)]);
        let state = &states.ok().unwrap()["a"];
        assert_eq!((state.active, state.domain.as_deref()), (Activity::Active, Some("user/501")));
        script.assert_done();
    }

    #[test]
    fn what_is_nowhere_is_not_loaded() {
        let script = Script::new(&[
            ("launchctl print-disabled system", 0, "\t\"a\" => disabled\n"),
            ("launchctl print system/a", 113, ""),
        ]);
        let states = states(&script, &[daemon("a")]);
        let state = &states.ok().unwrap()["a"];
        assert_eq!((state.load, state.enabled), (Load::NotFound, false));
    }
}
