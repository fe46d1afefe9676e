//! What a shell script sets and starts, statement by statement.

use super::{
    Follower, Run, is_name, prefix,
    signals::Signals,
    text::{Known, Statement, Word, statements},
};
use crate::{
    agent::Kind,
    host::{Link, Way},
    probe::{environment::Raw, task_action::program_name},
};
use std::{collections::BTreeSet, path::Path};

/// Most statements of a script that are looked at.
const STATEMENTS: usize = 4000;

/// Words in front of a command that belong to the shell.
pub(super) const LEADS: [&str; 13] = [
    "then", "do", "else", "if", "elif", "while", "until", "!", "{", "}", "time", "command",
    "builtin",
];

/// A script, from a file or from a shell's arguments.
pub(super) struct Script<'a> {
    pub(super) text: &'a str,
    /// Its file.
    pub(super) path: Option<&'a Path>,
    /// The shell that reads it.
    pub(super) shell: &'a str,
    pub(super) arguments: &'a [String],
}

/// What is known behind some statements.
#[derive(Clone, Default)]
struct State {
    known: Known,
    /// Variables that programs are given.
    exported: BTreeSet<String>,
    /// All that is set is given to programs: `set -a`.
    exports_all: bool,
    /// What the script does with signals.
    signals: Signals,
}

/// How good a statement is as the one that runs the agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Names,
    Configures,
    Executes,
}

impl Script<'_> {
    /// Whether it leads to an agent; what is found is noted.
    pub(super) fn lead(&self, follower: &mut Follower<'_>, run: &mut Run, depth: usize) -> bool {
        let mut state = State::default();
        for raw in follower.given.iter().chain(&run.variables) {
            let word = Word { text: raw.value.clone(), is_known: true };
            state.known.variables.insert(raw.name.clone(), word);
            state.exported.insert(raw.name.clone());
        }
        state.known.arguments = self.arguments.to_vec();
        state.known.script =
            self.path.map_or_else(|| self.shell.to_owned(), |path| path.display().to_string());
        let all = statements(self.text);
        state.signals = Signals::of(all.get(..STATEMENTS).unwrap_or(&all));
        let mut best: Option<(Rank, Run)> = None;
        for (at, statement) in all.iter().take(STATEMENTS).enumerate() {
            let is_last = at + 1 == all.len();
            let Some(found) = self.statement(statement, is_last, &mut state, follower, run, depth)
            else {
                continue;
            };
            if best.as_ref().is_none_or(|(rank, _)| *rank <= found.0) {
                best = Some(found);
            }
        }
        let Some((_, found)) = best else { return false };
        *run = found;
        true
    }

    /// What one statement sets, or starts.
    fn statement(
        &self,
        statement: &Statement,
        is_last: bool,
        state: &mut State,
        follower: &mut Follower<'_>,
        run: &mut Run,
        depth: usize,
    ) -> Option<(Rank, Run)> {
        let mut words = statement.words.iter().map(String::as_str).peekable();
        let mut executes = false;
        while let Some(word) = words.next_if(|word| LEADS.contains(word) || *word == "exec") {
            executes |= word == "exec";
        }
        let mut set: Vec<(String, Word)> = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
            set.push((name.to_owned(), state.known.filled(value)));
            words.next();
        }
        let rest: Vec<&str> = words.collect();
        let Some(first) = rest.first() else {
            for (name, value) in set {
                state.set(name, value, None, run, &self.place(statement));
            }
            return None;
        };
        match *first {
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                let exports = *first == "export" || rest.contains(&"-x");
                for word in rest.iter().skip(1).filter(|word| !word.starts_with('-')) {
                    let (name, value) = match assignment(word) {
                        Some((name, value)) => (name, state.known.filled(value)),
                        None => match state.known.variables.get(*word).cloned() {
                            Some(value) => (*word, value),
                            None => continue,
                        },
                    };
                    let place = self.place(statement);
                    state.set(name.to_owned(), value, exports.then_some(()), run, &place);
                }
                None
            }
            "set" => {
                state.exports_all |= rest.contains(&"-a") || rest.contains(&"allexport");
                state.exports_all &= !rest.contains(&"+a");
                None
            }
            "unset" => {
                for name in rest.iter().skip(1) {
                    state.known.variables.remove(*name);
                    run.variables.retain(|raw| raw.name != *name);
                }
                None
            }
            "cd" => {
                let folder = state.known.filled(rest.get(1)?);
                let path = Path::new(&folder.text);
                if folder.is_known && path.is_absolute() {
                    run.folder = Some(path.to_owned());
                }
                None
            }
            "." | "source" => {
                self.sourced(&state.known.filled(rest.get(1)?), state, follower, run, depth)
            }
            _ => {
                let written = rest.iter().skip_while(|word| executes && word.starts_with('-'));
                let words: Vec<Word> =
                    written.flat_map(|word| state.known.expanded(word)).collect();
                self.started(
                    statement,
                    (executes, is_last),
                    set,
                    &words,
                    state,
                    follower,
                    run,
                    depth,
                )
            }
        }
    }

    /// Another file whose lines the shell takes as if they stood here.
    fn sourced(
        &self,
        file: &Word,
        state: &mut State,
        follower: &mut Follower<'_>,
        run: &mut Run,
        depth: usize,
    ) -> Option<(Rank, Run)> {
        let path = Path::new(&file.text);
        if !file.is_known || !path.is_absolute() || depth > super::DEPTH {
            return None;
        }
        let content = follower.read(path, run)?;
        let text = String::from_utf8_lossy(&content);
        let other = Script { text: &text, path: Some(path), shell: self.shell, arguments: &[] };
        let mut best = None;
        for statement in statements(&text).iter().take(STATEMENTS) {
            let found = other.statement(statement, false, state, follower, run, depth + 1);
            best = found.or(best);
        }
        best
    }

    /// A command of the script.
    #[expect(clippy::too_many_arguments, reason = "all that a command can depend on")]
    fn started(
        &self,
        statement: &Statement,
        (executes, is_last): (bool, bool),
        set: Vec<(String, Word)>,
        words: &[Word],
        state: &State,
        follower: &mut Follower<'_>,
        run: &mut Run,
        depth: usize,
    ) -> Option<(Rank, Run)> {
        let name = program_name(&words.first()?.text);
        let leads = Kind::of_program(&name).is_some()
            || prefix::is_shell(&name)
            || prefix::way(std::slice::from_ref(&name)).is_some()
            || super::is_script_path(&words.first()?.text);
        if !leads {
            return None;
        }
        // What cannot be read of another command does not matter once this one leads to an agent.
        let mut found = Run { unread: None, ..run.clone() };
        // Of a text in its arguments a shell makes way for the last command.
        // In the background or in front of a pipe `exec` replaces another shell.
        let background = statement.end == Some('&');
        let is_replaced = executes && !background && statement.end != Some('|')
            || self.path.is_none() && is_last && statement.end.is_none();
        let way = if is_replaced { Way::Replaces } else { state.signals.way(statement) };
        found.links.push(Link {
            program: self.shell.to_owned(),
            way,
            script: self.path.map(Path::to_owned),
            line: self.path.map(|_| statement.line),
            background,
        });
        let place = self.place(statement);
        for (name, value) in set {
            note(&mut found, name, &value, &place);
        }
        let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
        let is_unknown = words.iter().any(|word| !word.is_known);
        if !follower.words(&texts, &mut found, depth + 1) {
            run.unread = run.unread.take().or(found.unread);
            return None;
        }
        // A word that is not known may be any part of the agent's command line, or all of it.
        if is_unknown {
            found.words.retain(|word| !word.is_empty());
            found.unread = Some(format!("{place} takes words from what only a run tells"));
        }
        let configures =
            found.words.iter().any(|word| word.starts_with("-c") || word.contains("config"));
        let rank = match (executes, configures) {
            (true, _) => Rank::Executes,
            (_, true) => Rank::Configures,
            _ => Rank::Names,
        };
        Some((rank, found))
    }

    fn place(&self, statement: &Statement) -> String {
        match self.path {
            Some(path) => format!("{}:{}", crate::text::shown(path), statement.line),
            None => format!("the arguments of {}", self.shell),
        }
    }
}

impl State {
    fn set(&mut self, name: String, value: Word, exports: Option<()>, run: &mut Run, place: &str) {
        if exports.is_some() || self.exports_all {
            self.exported.insert(name.clone());
        }
        if self.exported.contains(&name) {
            note(run, name.clone(), &value, place);
        }
        self.known.variables.insert(name, value);
    }
}

/// Notes a variable that the agent is given.
fn note(run: &mut Run, name: String, value: &Word, source: &str) {
    let raw = Raw {
        name,
        value: value.text.clone(),
        source: source.to_owned(),
        written_by: run.named_by,
    };
    match value.is_known {
        true => run.variables.push(raw),
        false => run.unknown.push(Raw { value: String::new(), ..raw }),
    }
}

/// `NAME=value`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    is_name(name).then_some((name, value))
}

#[cfg(test)]
#[cfg(unix)] // Paths are whole only there.
mod tests {
    use super::super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    const AGENT: &str = "/opt/circleci/circleci-launch-agent";
    const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";

    /// Follows a command on a host with these files.
    fn followed(files: &[(&str, &str)], command: &str) -> Run {
        let (folder, root) = crate::platform::fs::empty_root();
        for (path, text) in files {
            let file = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let words = crate::service::systemd::words::split(command);
        follow(&root, &Start { words, ..Start::default() })
    }

    fn ways(run: &Run) -> Vec<(&str, Way)> {
        run.links.iter().map(|link| (link.program.as_str(), link.way)).collect()
    }

    #[test]
    fn the_agent_is_found_behind_programs_and_shells() {
        let agent = format!("{AGENT} --config {CONFIG}");
        for (command, expected) in [
            (agent.clone(), vec![]),
            (format!("/usr/bin/env A=b -u X {agent}"), vec![("env", Way::Replaces)]),
            (format!("/bin/bash -c \"exec {agent}\""), vec![("bash", Way::Replaces)]),
            (format!("/bin/bash -lc '{agent}'"), vec![("bash", Way::Replaces)]),
            (format!("/bin/sh -ec 'umask 077; {agent}; true'"), vec![("sh", Way::Waits)]),
            (format!("/bin/bash -o pipefail -c '{agent} | tee /x'"), vec![("bash", Way::Waits)]),
            (format!("/usr/bin/flock -n /run/lock/ci {agent}"), vec![("flock", Way::Waits)]),
            (
                format!("/usr/bin/script -qc \"{agent}\" /dev/null"),
                vec![("script", Way::Leaves), ("sh", Way::Replaces)],
            ),
            (
                format!("/usr/bin/nice -n 5 ionice -c3 chrt -b 0 {agent}"),
                vec![("nice", Way::Replaces), ("ionice", Way::Replaces), ("chrt", Way::Replaces)],
            ),
            (
                format!("/usr/bin/tini -s -- /usr/bin/timeout -k 5 1d {agent}"),
                vec![("tini", Way::Forwards), ("timeout", Way::Forwards)],
            ),
            (
                format!("/usr/bin/setpriv --reuid ci --init-groups systemd-cat -t ci {agent}"),
                vec![("setpriv", Way::Replaces), ("systemd-cat", Way::Replaces)],
            ),
        ] {
            let run = followed(&[], &command);
            assert_eq!(run.words, [AGENT, "--config", CONFIG], "{command}");
            assert_eq!((ways(&run), run.unread.as_deref()), (expected, None), "{command}");
        }
    }

    /// The forms of start scripts that CircleCI's own container image, a public note on keeping the
    /// token in 1Password, and a provisioning script have.
    #[test]
    fn scripts_are_read_for_what_they_set_and_start() {
        let waits = "#!/bin/bash\nset -euo pipefail\nexport LAUNCH_AGENT_API_AUTH_TOKEN=\"$(cat /run/secrets/token)\"\nAGENT=/opt/circleci/circleci-launch-agent\n$AGENT --config /etc/opt/circleci/launch-agent-config.yaml\n";
        let run = followed(&[("/opt/circleci/start.sh", waits)], "/opt/circleci/start.sh");
        assert_eq!(run.words, [AGENT, "--config", CONFIG]);
        assert_eq!(ways(&run), [("bash", Way::Waits)]);
        assert_eq!((run.links[0].line, run.unknown.len()), (Some(5), 1));
        assert_eq!(run.unknown[0].name, "LAUNCH_AGENT_API_AUTH_TOKEN");

        let execs = "#!/bin/sh\nset -a\n. /etc/default/ci\nset +a\nHERE=$(cd \"$(dirname \"$0\")\" && pwd)\nif [ ! -x \"$HERE/circleci-launch-agent\" ]; then\n  curl -o \"$HERE/circleci-launch-agent\" https://x/circleci-launch-agent\n  chmod +x \"$HERE/circleci-launch-agent\"\nfi\n\"$HERE/circleci-launch-agent\" --version || true\nexec nice \"$HERE/circleci-launch-agent\" --config \"${CONFIG:-/none}\" \"$@\"\n";
        let files = [
            ("/opt/circleci/run", execs),
            ("/etc/default/ci", "# x\nCONFIG=/etc/opt/circleci/launch-agent-config.yaml\n"),
        ];
        let run = followed(&files, "/usr/bin/env bash /opt/circleci/run --runner.name x");
        assert_eq!(run.words, [AGENT, "--config", CONFIG, "--runner.name", "x"]);
        let expected = [("env", Way::Replaces), ("bash", Way::Replaces), ("nice", Way::Replaces)];
        assert_eq!(ways(&run), expected);
        let set: Vec<_> = run.variables.iter().map(|raw| raw.name.as_str()).collect();
        assert_eq!((set, run.scripts.len()), (vec!["CONFIG"], 2));
    }

    #[test]
    fn a_shell_that_passes_the_signal_on_is_known() {
        let text = "#!/bin/bash\ntrap 'kill -TERM $child' TERM INT\ncd /opt/circleci\n./circleci-launch-agent -c x.yaml &\nchild=$!\nwait $child\nwait $child\n";
        let run = followed(&[("/srv/a", text)], "/srv/a");
        assert_eq!(ways(&run), [("bash", Way::Forwards)]);
        assert_eq!(
            (run.words[0].as_str(), run.folder),
            ("./circleci-launch-agent", Some("/opt/circleci".into()))
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_and_not_guessed() {
        let run = followed(&[("/srv/a", "#!/usr/bin/env python3\nimport os\n")], "/srv/a");
        assert_eq!(run.unread.as_deref(), Some("/srv/a is a script of python3"));
        assert!(run.words.is_empty());
        let run = followed(
            &[("/srv/a", "#!/bin/sh\nexec circleci-launch-agent --config $(x)\n")],
            "/srv/a",
        );
        assert!(run.unread.unwrap().contains("/srv/a:2"));
        let circle = "#!/bin/sh\nexec /srv/a\n";
        let run = followed(&[("/srv/a", circle)], "/srv/a");
        assert!(run.words.is_empty() && run.unread.is_some());
        for text in ["\u{7f}ELF", "", "echo /opt/circleci/circleci-launch-agent"] {
            let run = followed(&[("/srv/a", text)], "/srv/a");
            assert_eq!((run.words.len(), run.unread), (0, None), "{text}");
        }
    }
}
