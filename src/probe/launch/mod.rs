//! Follows the command of a service to the agent: through programs that start the program in their
//! arguments, through shells, and through scripts. Scripts are read, never run, and with the rights
//! of whoever named them.

mod of_unit;
pub(super) mod prefix;
mod script;
mod signals;
mod testify;
mod text;

use super::{
    environment::Raw,
    reader::{self, Part},
    task_action::program_name,
};
use crate::{
    agent::Kind,
    host::{Link, PathWalk, Provenance, StepDown, Way},
    platform::fs::{Kind as FileKind, Root},
    service::systemd::environment_line::is_name,
};
pub(super) use of_unit::{Command, of_unit};
use script::Script;
use std::path::{Path, PathBuf};

/// Most bytes of a script that are read, most scripts for one service, and how deep they may start
/// one another.
const LIMIT: u64 = 64 << 10;
const SCRIPTS: usize = 8;
const DEPTH: usize = 12;

/// Folders of the system's own programs, none of which is a script that runs an agent.
const SYSTEM: [&str; 9] = [
    "/usr/bin/",
    "/usr/sbin/",
    "/bin/",
    "/sbin/",
    "/usr/lib/",
    "/lib/",
    "/usr/libexec/",
    "/usr/share/",
    "/System/",
];

/// A command to be followed.
#[derive(Debug, Clone, Default)]
pub(super) struct Start<'a> {
    pub(super) words: Vec<String>,
    /// What the service sets.
    pub(super) variables: &'a [Raw],
    /// The working directory.
    pub(super) folder: Option<PathBuf>,
    /// Who could have named it.
    pub(super) named_by: Provenance,
}

/// Where a command leads.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    /// The agent's command line; empty where none was found.
    pub(super) words: Vec<String>,
    /// What stands in front of it.
    pub(super) links: Vec<Link>,
    /// What is set on the way.
    pub(super) variables: Vec<Raw>,
    /// Variables that are set on the way to what is not known, each with its place.
    pub(super) unknown: Vec<Raw>,
    /// The scripts on the way.
    pub(super) scripts: Vec<PathWalk>,
    /// The working directory, where it is changed on the way.
    pub(super) folder: Option<PathBuf>,
    /// The account that something on the way steps over to.
    pub(super) account: Option<String>,
    /// Who could have named the words.
    pub(super) named_by: Provenance,
    /// Why not all of it is known.
    pub(super) unread: Option<String>,
}

/// Follows a command to the agent.
pub(super) fn follow(root: &Root, start: &Start<'_>) -> Run {
    let mut follower = Follower { root, given: start.variables, left: SCRIPTS };
    let mut run = Run { named_by: start.named_by, folder: start.folder.clone(), ..Run::default() };
    follower.words(&start.words, &mut run, 0);
    if run.folder == start.folder {
        run.folder = None;
    }
    run
}

/// Whether a command leads to something that could be a script.
pub(super) fn may_be_script(words: &[String]) -> bool {
    words.iter().any(|word| is_script_path(word) || word.contains(char::is_whitespace))
}

fn is_script_path(word: &str) -> bool {
    word.starts_with('/') && !SYSTEM.iter().any(|folder| word.starts_with(folder))
}

struct Follower<'a> {
    root: &'a Root,
    given: &'a [Raw],
    /// Scripts that may still be read.
    left: usize,
}

impl Follower<'_> {
    /// Whether these words lead to an agent; what is found is noted.
    fn words(&mut self, words: &[String], run: &mut Run, depth: usize) -> bool {
        let Some(first) = words.first() else { return false };
        if depth > DEPTH {
            run.unread = Some("too many programs start one another".to_owned());
            return false;
        }
        let name = program_name(first);
        if Kind::of_program(&name).is_some() {
            run.words = words.to_vec();
            return true;
        }
        if prefix::is_shell(&name) {
            return self.shell(&name, words, run, depth);
        }
        if let Some(way) = prefix::way(words) {
            return self.prefix(&name, way, words, run, depth);
        }
        self.script(first, &name, &words[1..], run, depth)
    }

    /// A program that starts the one in its arguments.
    fn prefix(
        &mut self,
        name: &str,
        way: Way,
        words: &[String],
        run: &mut Run,
        depth: usize,
    ) -> bool {
        let before = run.clone();
        run.links.push(Link { program: name.to_owned(), way, ..Link::default() });
        if let Some(user) = StepDown::of(words).and_then(|step| step.user) {
            run.account = Some(user);
        }
        if let Some(text) = prefix::text(words) {
            return self.text("sh", text, &[], run, depth);
        }
        let is_script = |word: &str| {
            is_script_path(word)
                && self.root.walk(Path::new(word)).is_ok_and(|walk| is_executable(&walk))
        };
        let Some(at) = prefix::next(words, is_script) else {
            *run = before;
            return false;
        };
        let (own, rest) = words.split_at(at);
        if matches!(name, "env" | "sudo") {
            let source = format!("the arguments of {name}");
            for (key, value) in own.iter().skip(1).filter_map(|word| word.split_once('=')) {
                if is_name(key) {
                    run.variables.push(Raw {
                        name: key.to_owned(),
                        value: value.to_owned(),
                        source: source.clone(),
                        written_by: run.named_by,
                    });
                }
            }
        }
        self.words(rest, run, depth + 1)
    }

    /// A shell with its arguments.
    fn shell(&mut self, name: &str, words: &[String], run: &mut Run, depth: usize) -> bool {
        let mut rest = words.iter().skip(1);
        while let Some(word) = rest.next() {
            let is_option = word.starts_with(['-', '+']);
            let is_short = is_option && !word.starts_with("--");
            if is_short && word.starts_with('-') && word.contains('c') {
                // An option that takes a word may stand in front of the text.
                let text = rest.by_ref().find(|word| !word.starts_with('-'));
                let arguments: Vec<String> = rest.skip(1).cloned().collect();
                let Some(text) = text else { return false };
                return self.text(name, text, &arguments, run, depth);
            }
            if is_short && word.ends_with('o') {
                rest.next();
            } else if !is_option {
                let arguments: Vec<String> = rest.cloned().collect();
                return self.script(word, name, &arguments, run, depth);
            }
        }
        false
    }

    /// A text that a shell was given in its arguments.
    fn text(
        &mut self,
        shell: &str,
        text: &str,
        arguments: &[String],
        run: &mut Run,
        depth: usize,
    ) -> bool {
        let text = text.get(..text.floor_char_boundary(LIMIT as usize)).unwrap_or_default();
        let script = Script { text, path: None, shell, arguments };
        script.lead(self, run, depth)
    }

    /// A script in a file, `shell` being whom it was given to.
    fn script(
        &mut self,
        word: &str,
        shell: &str,
        arguments: &[String],
        run: &mut Run,
        depth: usize,
    ) -> bool {
        let path = match (Path::new(word).is_absolute(), &run.folder) {
            (true, _) => PathBuf::from(word),
            (false, Some(folder)) if word.contains('/') => folder.join(word),
            _ => return false,
        };
        if !is_script_path(&path.display().to_string()) {
            return false;
        }
        let Some(content) = self.read(&path, run) else { return false };
        let text = String::from_utf8_lossy(&content);
        let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!"));
        let named = |line: &str| {
            let mut words = line.split_whitespace().map(program_name);
            words.find(|name| name != "env" && !name.starts_with('-'))
        };
        let of_line = interpreter.and_then(named);
        let shell = match (&of_line, prefix::is_shell(shell)) {
            (_, true) => shell.to_owned(),
            (Some(name), _) if prefix::is_shell(name) => name.clone(),
            (Some(name), _) => {
                run.unread = Some(format!("{} is a script of {name}", path.display()));
                return false;
            }
            // A program, not a script.
            (None, false) => return false,
        };
        let script = Script { text: &text, path: Some(&path), shell: &shell, arguments };
        script.lead(self, run, depth)
    }

    /// What is in a script, which whoever could have named or written it answers for from here on.
    fn read(&mut self, path: &Path, run: &mut Run) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1).or_else(|| {
            run.unread = Some(format!("more than {SCRIPTS} scripts start one another"));
            None
        })?;
        match reader::read_at(self.root, path, Part::Head(LIMIT), run.named_by) {
            Ok((walk, content)) if !content.cut => {
                run.named_by = run.named_by.and(walk.written_by());
                run.scripts.push(walk);
                Some(content.bytes)
            }
            // A program is longer than any script.
            Ok((_, content)) if !content.bytes.starts_with(b"#!") => None,
            Ok(_) => {
                run.unread = Some(format!("{} has more than {LIMIT} bytes", path.display()));
                None
            }
            Err(error) => {
                run.unread = Some(error.message().to_owned());
                None
            }
        }
    }
}

fn is_executable(walk: &PathWalk) -> bool {
    walk.is(FileKind::File) && walk.end.is_some_and(|end| !end.has_none(0o111))
}
