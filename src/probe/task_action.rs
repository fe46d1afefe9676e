//! What the action of a scheduled task comes to: an agent directly, by a shell's command line, or
//! by a script that gives it an environment first.

use super::{
    environment::Raw,
    reader::{self, Part},
    task_starts::{is_agent, starts_agent},
};
use crate::{
    platform::fs::{Provenance, Root},
    service::task_scheduler::xml,
    text::{has_drive, inner, is_whole},
};
use std::path::{Path, PathBuf};

/// Most bytes of a script that are read.
const LIMIT: u64 = 64 << 10;

/// Folders that definitions name by a variable, as they are on every host that has them at their
/// usual place.
const VARIABLES: [(&str, &str); 6] = [
    ("%programfiles%", r"C:\Program Files"),
    ("%programdata%", r"C:\ProgramData"),
    ("%systemroot%", r"C:\Windows"),
    ("%windir%", r"C:\Windows"),
    ("%systemdrive%", "C:"),
    ("%comspec%", r"C:\Windows\System32\cmd.exe"),
];

/// Where a task starts whose definition names no folder.
const SCHEDULERS: &str = r"C:\Windows\System32";

/// What the path of the configuration stands behind.
const CONFIG: [&str; 3] = ["--config", "-config", "-c"];

/// Words in front of a program that a shell takes for itself.
const LEADS: [&str; 6] = ["&", "call", "start", "/wait", "/b", "/min"];

/// An `Exec` of a definition.
#[derive(Debug, Default, Clone)]
pub(super) struct Action {
    pub(super) command: String,
    pub(super) arguments: String,
    pub(super) folder: String,
}

/// What an action runs.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// The agent with its arguments, or the action itself where it is no agent.
    pub(super) words: Vec<String>,
    /// What a script sets before.
    pub(super) variables: Vec<Raw>,
    /// The script.
    pub(super) script: Option<PathBuf>,
    /// Not all of what it runs could be read.
    pub(super) is_unread: bool,
}

impl Run {
    /// Whether it runs an agent.
    pub(super) fn is_agent(&self) -> bool {
        starts_agent(&self.words)
    }
}

/// The name of a program by its path, of any system, without `.exe`.
pub(super) fn program_name(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

/// Follows an action to the agent.
pub(super) fn follow(root: &Root, action: &Action, named_by: Provenance) -> Run {
    let program = expanded(action.command.trim().trim_matches('"'));
    let arguments = expanded(&action.arguments);
    let line = match program_name(&program).as_str() {
        "cmd" => after(&arguments, &["/c", "/k", "/r"]),
        "powershell" | "pwsh" => after(&arguments, &["-command", "-c", "-file", "-f"]),
        _ => None,
    };
    let plain = || {
        let mut line = vec![program.clone()];
        line.extend(words(&arguments.replace("\\\"", "\"")));
        line
    };
    let statements = line.map_or_else(|| vec![plain()], |line| statements(&bare(line)));
    let folder = folder(action);
    // A command in code is one that a person cannot read either.
    let mut is_unread = words(&arguments).iter().any(|word| is_encoded(word));
    let mut run = statements
        .iter()
        .find(|statement| starts_agent(statement))
        .map(|statement| Run { words: statement.clone(), ..Run::default() })
        .or_else(|| {
            let mut scripts = statements.iter().filter_map(|text| text.first());
            scripts.find_map(|word| match of_script(root, word, &folder, named_by) {
                Script::Read(run) => run,
                Script::Unread => {
                    is_unread = true;
                    None
                }
                Script::None => None,
            })
        })
        .unwrap_or_else(|| Run { words: plain(), is_unread, ..Run::default() });
    if let Some(first) = run.words.first_mut().filter(|first| !is_whole(Path::new(first.as_str())))
        && is_agent(first)
        && !folder.is_empty()
    {
        *first = within(&folder, first);
    }
    if run.is_agent() {
        resolve_config(&mut run.words, &folder);
    }
    run
}

/// The folder that an action starts its program in.
pub(super) fn folder(action: &Action) -> String {
    expanded(action.folder.trim().trim_matches('"'))
}

fn within(folder: &str, name: &str) -> String {
    let name = name.strip_prefix(".\\").or(name.strip_prefix("./")).unwrap_or(name);
    format!("{}\\{name}", folder.trim_end_matches(['\\', '/']))
}

/// A configuration that is named without its folder is in that of the task: the scheduler's own where
/// the task names none.
fn resolve_config(words: &mut [String], folder: &str) {
    let folder = if folder.is_empty() { SCHEDULERS } else { folder };
    let is_relative = |path: &str| {
        !path.is_empty()
            && !is_whole(Path::new(path))
            && !path.starts_with(['/', '\\', '%', '-'])
            && !has_drive(Path::new(path))
    };
    let mut is_next = false;
    for word in words {
        if is_next && is_relative(word) {
            *word = within(folder, word);
        } else if let Some((option, path)) = word.split_once('=')
            && CONFIG.contains(&option)
            && is_relative(path)
        {
            *word = format!("{option}={}", within(folder, path));
        }
        is_next = CONFIG.contains(&word.as_str());
    }
}

/// Whether it is PowerShell's option of a command in Base64, in any of the forms that it takes.
fn is_encoded(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let option = word.strip_prefix(['-', '/']).unwrap_or_default();
    option == "ec" || option.len() > 1 && "encodedcommand".starts_with(option)
}

/// A text with the variables filled in that stand for known folders.
fn expanded(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, value) in VARIABLES {
        while let Some(at) = text.to_ascii_lowercase().find(name) {
            text.replace_range(at..at + name.len(), value);
        }
    }
    text
}

/// What stands behind the first of these options, whatever their case.
fn after<'a>(arguments: &'a str, options: &[&str]) -> Option<&'a str> {
    let small = arguments.to_ascii_lowercase();
    let mut at = 0;
    for word in small.split_whitespace() {
        at = small.get(at..)?.find(word)? + at + word.len();
        if options.contains(&word) {
            return arguments.get(at..).map(str::trim);
        }
        // What is behind the first word of the command itself is no option of the shell's.
        if !word.starts_with(['/', '-']) && !word.chars().all(char::is_alphanumeric) {
            return None;
        }
    }
    None
}

/// A shell's command without the quotes around all of it, and with those in it made single.
fn bare(line: &str) -> String {
    let inner = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
    // A path alone in quotes is one word with them.
    let inner =
        inner.filter(|inner| inner.contains('"') || inner.contains("'") || inner.contains('&'));
    inner.unwrap_or(line).replace("\\\"", "\"").replace("\"\"", "\"")
}

/// The statements of a command line, each in words.
fn statements(line: &str) -> Vec<Vec<String>> {
    let mut quote = None;
    let mut statements = vec![String::new()];
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (';' | '&' | '|' | '\n', None) => {
                statements.push(String::new());
                continue;
            }
            _ => {}
        }
        statements.last_mut().map(|last| last.push(c)).unwrap_or_default();
    }
    let led = |word: &String| LEADS.contains(&word.to_ascii_lowercase().as_str());
    let told = statements.iter().map(|statement| words(statement.trim().trim_start_matches('@')));
    told.map(|agent_folder| agent_folder.into_iter().skip_while(led).collect::<Vec<_>>())
        .filter(|text: &Vec<String>| !text.is_empty())
        .collect()
}

/// Splits at blanks outside of quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What the first word of a statement comes to.
enum Script {
    /// No script.
    None,
    /// One that could not be read.
    Unread,
    /// What it sets and runs, if it runs an agent.
    Read(Option<Run>),
}

fn of_script(root: &Root, word: &str, folder: &str, named_by: Provenance) -> Script {
    let small = word.to_ascii_lowercase();
    if ![".cmd", ".bat", ".ps1", ".vbs"].iter().any(|end| small.ends_with(end)) {
        return Script::None;
    }
    let whole =
        if is_whole(Path::new(word)) { word.to_owned() } else { format!("{folder}\\{word}") };
    let path = inner(&whole);
    let Ok((walk, content)) = reader::read_at(root, &path, Part::Head(LIMIT), named_by) else {
        return Script::Unread;
    };
    if content.cut {
        return Script::Unread;
    }
    let written_by = named_by.and(walk.written_by());
    let text = xml::decoded(&content.bytes);
    let here = whole.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder);
    let mut run = Run { script: Some(path.clone()), ..Run::default() };
    let mut folder = folder.to_owned();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('@').trim_start();
        let is_note =
            ["rem ", "::", "#"].iter().any(|note| line.to_ascii_lowercase().starts_with(note));
        if is_note {
            continue;
        }
        if let Some((name, value)) = assignment(line) {
            let source = format!("{}:{}", crate::text::shown(&path), at + 1);
            run.variables.push(Raw { name, value, source, written_by });
            continue;
        }
        let line = line.replace("%~dp0", &format!("{here}\\")).replace("$PSScriptRoot", here);
        let runs = statements(&expanded(&line));
        for statement in &runs {
            let into = entered(statement).filter(|_| run.words.is_empty());
            let into = into.map(|into| into.trim_end_matches(['\\', '/']).to_owned());
            folder =
                into.filter(|into| is_whole(Path::new(&format!("{into}\\")))).unwrap_or(folder);
        }
        if let Some(words) = runs.into_iter().find(|run| starts_agent(run)) {
            run.words = words;
        }
    }
    resolve_config(&mut run.words, &folder);
    Script::Read((!run.words.is_empty()).then_some(run))
}

/// The folder that a statement of a script goes into.
fn entered(words: &[String]) -> Option<&str> {
    const GO: [&str; 6] = ["cd", "chdir", "pushd", "set-location", "sl", "push-location"];
    let (first, rest) = words.split_first()?;
    let is_option = |word: &&String| {
        word.eq_ignore_ascii_case("/d") || word.to_ascii_lowercase().ends_with("path")
    };
    let folder = rest.iter().find(|word| !is_option(word))?;
    GO.contains(&first.to_ascii_lowercase().as_str()).then_some(folder.as_str())
}

/// `set "A=b"` and `set A=b` of cmd, `$env:A = 'b'` of PowerShell.
fn assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = match line.get(..4)?.to_ascii_lowercase().as_str() {
        "set " => {
            let rest = line.get(4..)?.trim();
            let rest =
                rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(rest);
            let (name, value) = rest.split_once('=')?;
            (name, value.replace("%%", "%"))
        }
        "$env" => {
            let (name, value) = line.get(5..)?.split_once('=')?;
            (name, value.trim().trim_matches(['"', '\'']).to_owned())
        }
        _ => return None,
    };
    let name = name.trim();
    (!name.is_empty() && !name.contains(' ')).then(|| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = r"C:\Program Files\CircleCI\circleci-launch-agent.exe";
    const CONFIG: &str = r"C:\Program Files\CircleCI\launch-agent-config.yaml";

    fn root() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let agent_folder = folder.path().join("Program Files/CircleCI");
        std::fs::create_dir_all(&agent_folder).unwrap();
        let ours = format!(
            "@rem Written by runnerup\r\n@set \"HTTPS_PROXY=http://a%%3Cb@p:1\"\r\n@\"{AGENT}\" --config \"{CONFIG}\"\r\n"
        );
        std::fs::write(agent_folder.join("circleci-launch-agent.cmd"), ours).unwrap();
        let theirs = "# x\n$env:NO_PROXY = 'a.b'\n& \"$PSScriptRoot\\circleci-launch-agent.exe\" --config \"$PSScriptRoot\\launch-agent-config.yaml\"\n";
        std::fs::write(agent_folder.join("run.ps1"), theirs).unwrap();
        let root = Root::open(folder.path()).unwrap();
        (folder, root)
    }

    fn run(command: &str, arguments: &str) -> Run {
        let (_folder, root) = root();
        let folder = r"C:\Program Files\CircleCI".to_owned();
        let (command, arguments) = (command.to_owned(), arguments.to_owned());
        follow(&root, &Action { command, arguments, folder }, Provenance::Root)
    }

    #[test]
    fn the_agent_is_found_behind_every_shell() {
        let powershell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let logs_off = format!(
            "-NoProfile -Command \"& \"\"{AGENT}\"\" --config \"\"{CONFIG}\"\"; & logoff (Get-Process -Id $PID).SessionID\""
        );
        for (command, arguments) in [
            (AGENT, format!("--config \"{CONFIG}\"")),
            (
                r#""%ProgramFiles%\CircleCI\circleci-launch-agent.exe""#,
                format!("--config \"{CONFIG}\""),
            ),
            ("circleci-launch-agent.exe", format!("--config \"{CONFIG}\"")),
            ("cmd.exe", format!("/c \"\"{AGENT}\" --config \"{CONFIG}\" & logoff\"")),
            ("%ComSpec%", format!("/d /c call \"{AGENT}\" --config \"{CONFIG}\" && shutdown /l")),
            (powershell, logs_off),
            ("powershell", format!("-c \"& '{AGENT}' --config '{CONFIG}'; logoff\"")),
            ("powershell", "-ExecutionPolicy Bypass -File run.ps1".to_owned()),
            (
                r"C:\Windows\System32\cmd.exe",
                r#"/d /c ""C:\Program Files\CircleCI\circleci-launch-agent.cmd"""#.to_owned(),
            ),
            (r"%ProgramFiles%\CircleCI\circleci-launch-agent.cmd", String::new()),
        ] {
            let run = run(command, &arguments);
            assert_eq!(run.words, [AGENT, "--config", CONFIG], "{command} {arguments}");
            assert!(run.is_agent());
        }
    }

    /// Of a task whose folder is named, and of one whose script goes there.
    #[test]
    fn a_configuration_without_its_folder_is_in_that_of_the_task() {
        let config = |command: &str, arguments: &str, folder: &str| {
            let (_folder, root) = root();
            let agent_folder = _folder.path().join("Program Files/CircleCI");
            let line = "cd /d \"%~dp0\"\r\n.\\circleci-launch-agent.exe --config launch-agent-config.yaml\r\n";
            std::fs::write(agent_folder.join("start.cmd"), line).unwrap();
            let [command, arguments, folder] = [command, arguments, folder].map(str::to_owned);
            let run = follow(&root, &Action { command, arguments, folder }, Provenance::Root);
            run.words.last().cloned().unwrap()
        };
        let here = r"C:\Program Files\CircleCI";
        for (command, arguments, folder) in [
            (AGENT, "--config launch-agent-config.yaml", here),
            (AGENT, r"-c .\launch-agent-config.yaml", r"%ProgramFiles%\CircleCI\"),
            (
                "circleci-launch-agent.exe",
                "-c launch-agent-config.yaml",
                "\"C:\\Program Files\\CircleCI\"",
            ),
            ("cmd.exe", "/c circleci-launch-agent.exe -c launch-agent-config.yaml", here),
            (r"C:\Program Files\CircleCI\start.cmd", "", ""),
            ("start.cmd", "", here),
        ] {
            assert_eq!(
                config(command, arguments, folder),
                CONFIG,
                "{command} {arguments} {folder}"
            );
        }
        let inline = config(AGENT, "--config=launch-agent-config.yaml", here);
        assert_eq!(inline, format!("--config={CONFIG}"));
        let nowhere = config(AGENT, "-c launch-agent-config.yaml", "");
        assert_eq!(nowhere, r"C:\Windows\System32\launch-agent-config.yaml");
        assert_eq!(config(AGENT, r"-c D:\c.yaml", here), r"D:\c.yaml");
    }

    #[test]
    fn the_environment_is_what_a_script_sets() {
        let ours = run("cmd", "/c \"C:\\Program Files\\CircleCI\\circleci-launch-agent.cmd\"");
        assert_eq!(ours.variables[0].name, "HTTPS_PROXY");
        assert_eq!(ours.variables[0].value, "http://a%3Cb@p:1");
        assert_eq!(
            ours.variables[0].source,
            r"C:\Program Files\CircleCI\circleci-launch-agent.cmd:2"
        );
        let theirs = run("powershell", "-File \"C:\\Program Files\\CircleCI\\run.ps1\"");
        assert_eq!(
            (theirs.variables[0].name.as_str(), theirs.variables[0].value.as_str()),
            ("NO_PROXY", "a.b")
        );
    }

    #[test]
    fn what_runs_no_agent_is_told_as_it_stands() {
        for (command, arguments) in [
            ("mstsc.exe", "/v:localhost"),
            ("powershell", "-Command \"while ($true) { mstsc /v:localhost; Start-Sleep 10 }\""),
            ("cmd", "/c gone.cmd"),
            ("cmd", ""),
            ("", ""),
        ] {
            assert!(!run(command, arguments).is_agent(), "{command} {arguments}");
        }
        for (command, arguments, is_unread) in [
            ("cmd", "/c gone.cmd", true),
            ("powershell", "-NoProfile -enc ZQB4AGkAdAA=", true),
            ("powershell", "-ExecutionPolicy Bypass -Command exit", false),
            ("taskkill", "/im circleci-launch-agent.exe", false),
        ] {
            assert_eq!(run(command, arguments).is_unread, is_unread, "{command} {arguments}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_action_is_followed_without_panic(command in ".{0,30}", arguments in "(/c|-c| |\"|'|&|;|%ProgramFiles%|é|circleci-launch-agent.exe|x\\.cmd){0,20}") {
            run(&command, &arguments);
            run("cmd", &arguments);
            run("powershell", &arguments);
        }
    }
}
