//! Scheduled tasks of agents, from the files in which the scheduler keeps them.

use super::{
    reader::{self, Part},
    task_action::{self, Action},
    unit::Unit,
};
use crate::{
    agent::{Kind as Agent, is_job_name},
    host::{Definition, Directive, PathWalk, Provenance, ValueKind},
    platform::fs::{Kind, Root},
    service::task_scheduler::xml,
    text::{inner, is_whole},
    values::Manager,
};
use std::path::{Path, PathBuf};

/// Where the scheduler keeps its tasks, in folders of their own names.
const FOLDER: &str = "C:/Windows/System32/Tasks";

/// Microsoft's own, some two hundred: none of them is an agent's.
const THEIRS: &str = "Microsoft";

/// Most bytes of a definition that are read.
const LIMIT: u64 = 256 << 10;

/// Most definitions, and deepest folders, that are looked at.
const COUNT: usize = 2000;
const DEPTH: usize = 8;

/// What a task is called that keeps the session of an agent open.
const KEEPER: &str = "session keeper";

/// Finds the tasks of agents, each with the one that keeps its session open.
pub(super) fn find(root: &Root) -> Vec<Unit> {
    let mut files = Vec::new();
    list(root, Path::new(FOLDER), 0, &mut files);
    let found: Vec<Unit> = files.iter().filter_map(|path| definition(root, path)).collect();
    let (keepers, mut tasks): (Vec<Unit>, Vec<Unit>) = found.into_iter().partition(is_keeper);
    for keeper in keepers {
        let of_name =
            |task: &Unit| keeper.name.to_lowercase().starts_with(&task.name.to_lowercase());
        let of_account = |task: &Unit| account(task).is_some() && account(task) == account(&keeper);
        // Of several names that fit the longest is meant: an instance's.
        let by_name = (0..tasks.len()).filter(|at| tasks.get(*at).is_some_and(of_name));
        let by_name = by_name.max_by_key(|at| tasks.get(*at).map(|task| task.name.len()));
        let at = by_name.or_else(|| tasks.iter().position(of_account));
        if let Some(task) = at.and_then(|at| tasks.get_mut(at)) {
            keep(task, keeper);
        }
    }
    tasks
}

/// Notes at a task which other one keeps its session open.
fn keep(task: &mut Unit, keeper: Unit) {
    let file = keeper
        .definitions
        .first()
        .map(|definition| definition.walk.path.clone())
        .unwrap_or_default();
    let line = |section: String, key: &str, value: String, line: usize| Directive {
        file: file.clone(),
        line,
        section,
        key: key.to_owned(),
        value,
        kind: ValueKind::Unknown,
    };
    task.directives.push(line(String::new(), "SessionKeeper", keeper.name, 1));
    for directive in keeper.directives {
        let section = format!("SessionKeeper/{}", directive.section);
        task.directives.push(line(section, &directive.key, directive.value, directive.line));
    }
    task.definitions.extend(keeper.definitions);
}

fn is_keeper(task: &Unit) -> bool {
    let runs = |word: &String| Agent::of_program(&task_action::program_name(word)).is_some();
    task.name.to_lowercase().contains(KEEPER) && !task.command().iter().any(runs)
}

fn list(root: &Root, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let names = root.find(folder).ok().flatten().and_then(|spot| spot.list().ok());
    let mut names: Vec<String> =
        names.into_iter().flatten().filter_map(|name| name.into_string().ok()).collect();
    names.sort_unstable();
    for name in names.into_iter().filter(|name| depth > 0 || name != THEIRS) {
        let path = folder.join(name);
        match root.metadata(&path) {
            Ok(Some(meta)) if meta.kind == Kind::Folder && depth < DEPTH => {
                list(root, &path, depth + 1, files);
            }
            Ok(Some(meta)) if meta.kind == Kind::File && files.len() < COUNT => files.push(path),
            _ => {}
        }
    }
}

/// A task, if it is an agent's.
fn definition(root: &Root, path: &Path) -> Option<Unit> {
    let name = path.strip_prefix(FOLDER).ok()?.display().to_string().replace('/', "\\");
    let mut definition = Definition {
        walk: PathWalk { path: path.to_owned(), ..PathWalk::default() },
        failure: None,
    };
    let read = root.walk(path).and_then(|walk| {
        definition.walk = walk;
        reader::read(root, &definition.walk, Part::Head(LIMIT), Provenance::Root)
    });
    let directives = match read {
        Err(error) => Err(error.message().to_owned()),
        Ok(content) if content.cut => Err(format!("it is longer than {LIMIT} bytes")),
        Ok(content) => xml::directives(&xml::decoded(&content.bytes), path),
    };
    let mut unit = Unit::of_one_file(name, Manager::TaskScheduler);
    match directives {
        Ok(directives) => unit.directives = directives,
        // Of one that cannot be read only the name tells whose it is.
        Err(failure) => definition.failure = Some(failure),
    }
    let definition_failed = definition.failure.is_some();
    unit.definitions.push(definition);
    let named_by = unit.provenance();
    let runs: Vec<_> =
        actions(&unit).iter().map(|action| task_action::follow(root, action, named_by)).collect();
    let at = runs.iter().position(task_action::Run::is_agent);
    // One that cleans up after agents or watches them is called so too: a name alone counts where
    // nobody else has it, or where not all that the task runs is known.
    let small = unit.name.to_lowercase();
    let is_unknown = definition_failed || runs.iter().any(|run| run.is_unread) || runs.is_empty();
    let is_agents = at.is_some()
        || is_job_name(&unit.name)
        || small.contains("circleci") && (is_unknown || small.contains(KEEPER));
    let run = runs.into_iter().nth(at.unwrap_or_default()).unwrap_or_default();
    unit.command = Some(run.words);
    unit.variables = run.variables;
    if let Some(script) = run.script {
        let walk = root.walk(&script);
        let walk = walk.unwrap_or_else(|_| PathWalk { path: script, ..PathWalk::default() });
        unit.definitions.push(Definition { walk, failure: None });
    }
    is_agents.then_some(unit)
}

/// The programs that a task starts, in order.
fn actions(unit: &Unit) -> Vec<Action> {
    let mut actions: Vec<Action> = Vec::new();
    for directive in unit.directives.iter().filter(|directive| directive.section == "Actions/Exec")
    {
        // An element of every action; the schema lets it come in any order, but only once.
        if directive.key == "Command" || actions.is_empty() {
            actions.push(Action::default());
        }
        let Some(last) = actions.last_mut() else { continue };
        match directive.key.as_str() {
            "Command" => last.command.clone_from(&directive.value),
            "Arguments" => last.arguments.clone_from(&directive.value),
            "WorkingDirectory" => last.folder.clone_from(&directive.value),
            _ => {}
        }
    }
    actions
}

/// The folder that a task starts in, without the quotes that a person may have written around it.
pub(super) fn start_folder(unit: &Unit) -> Option<PathBuf> {
    if unit.manager != Manager::TaskScheduler {
        return None;
    }
    let folder = actions(unit).into_iter().map(|action| task_action::folder(&action));
    folder.map(|folder| inner(&folder)).find(|folder| is_whole(folder))
}

fn account(unit: &Unit) -> Option<String> {
    unit.manager.profile().account(&unit.directives, Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join("Windows/System32/Tasks").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            std::fs::write(file, [&[0xff, 0xfe], wide.as_slice()].concat()).unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        (folder, root)
    }

    fn task(user: &str, command: &str, arguments: &str) -> String {
        format!(
            "<Task><Principals><Principal id=\"Author\"><UserId>{user}</UserId></Principal>\
             </Principals><Actions><Exec><Command>{command}</Command><Arguments>{arguments}\
             </Arguments></Exec></Actions></Task>"
        )
    }

    /// As on public hosts.
    const WATCHDOG: &str = "-Command \"if (!(Get-Process circleci-launch-agent)) { \
        Start-ScheduledTask 'CircleCI Launch Agent' }\"";

    const AGENT: &str = r"C:\Program Files\CircleCI\circleci-launch-agent.exe";

    #[test]
    fn tasks_are_found_by_what_they_run_with_their_keepers() {
        let (_folder, root) = image(&[
            ("CircleCI Launch Agent", &task(r"WIN-1\circleci", AGENT, "--config C:\\c.yaml")),
            ("CircleCI Launch Agent session keeper", &task(".\\circleci", "mstsc", "/v:localhost")),
            ("ci/build", &task("S-1-5-18", r"D:\x\circleci-runner.exe", "machine -c D:\\c.yaml")),
            ("Microsoft/Windows/Defrag", &task("S-1-5-18", "defrag", "")),
            ("Backup", &task("bob", "backup.exe", "")),
            ("CircleCI broken", "<Task><"),
            ("CircleCI Cleanup", &task("S-1-5-18", "cmd", "/c rd /s /q C:\\w")),
            ("CI watchdog", &task("S-1-5-18", "powershell", WATCHDOG)),
        ]);
        let found = find(&root);
        let accounts: Vec<_> =
            found.iter().map(|unit| (unit.name.as_str(), account(unit))).collect();
        assert_eq!(
            accounts,
            [
                ("CircleCI Launch Agent", Some("circleci".to_owned())),
                ("CircleCI broken", None),
                (r"ci\build", Some("SYSTEM".to_owned())),
            ]
        );
        assert_eq!(found[0].command(), [AGENT, "--config", "C:\\c.yaml"]);
        let keeper =
            found[0].directives.iter().find(|directive| directive.key == "SessionKeeper").unwrap();
        assert_eq!(keeper.value, "CircleCI Launch Agent session keeper");
        assert!(
            found[0]
                .directives
                .iter()
                .any(|directive| directive.section == "SessionKeeper/Actions/Exec")
        );
        assert!(found[1].definitions[0].failure.as_ref().unwrap().contains("no XML"));
    }

    #[test]
    fn an_instances_keeper_is_its_own() {
        let agent = task("ci", AGENT, "--config C:\\c.yaml");
        let keeper = task("ci", "mstsc", "");
        let (_folder, root) = image(&[
            ("CircleCI Launch Agent", &agent),
            ("CircleCI Launch Agent gpu", &agent),
            ("CircleCI Launch Agent gpu session keeper", &keeper),
        ]);
        let found = find(&root);
        let kept: Vec<bool> = found
            .iter()
            .map(|unit| unit.directives.iter().any(|line| line.key == "SessionKeeper"))
            .collect();
        assert_eq!(kept, [false, true]);
    }
}
