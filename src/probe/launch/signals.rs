//! What a shell script does at TERM while the agent runs that it has started: whether a `trap` passes
//! the signal on. What is not certain by the text is unknown.

use super::text::{Statement, statements};
use crate::host::Way;
use std::collections::BTreeSet;

/// Most statements of a handler that are looked at.
const HANDLER: usize = 64;

/// Commands of a handler that signal nothing.
const HARMLESS: [&str; 13] = [
    "exit", "echo", "printf", "logger", "rm", "true", ":", "return", "sleep", "unset", "trap",
    "set", "local",
];

/// What a script tells of signals.
#[derive(Debug, Clone, Default)]
pub(super) struct Signals {
    /// What its handler of TERM does; `None`: there is none.
    handler: Option<Way>,
    /// It starts something in the background.
    has_background: bool,
}

/// What one command of a handler does with a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Passes,
    /// Until what was started has ended.
    Waits,
    Nothing,
    Unknown,
}

impl Signals {
    /// By the statements of a script.
    pub(super) fn of(all: &[Statement]) -> Self {
        let mut found = Self::default();
        let begun = all.iter().position(|statement| numbers(statement).is_some());
        let children: BTreeSet<&str> = all.iter().filter_map(numbers).collect();
        let is_wait =
            |statement: &Statement| statement.words.first().is_some_and(|word| word == "wait");
        let waits = all.iter().position(is_wait).unwrap_or(all.len());
        for (at, statement) in all.iter().enumerate() {
            found.has_background |= statement.end == Some('&');
            let Some(text) = of_term(statement) else { continue };
            let (text, is_early) = unquoted(text, begun.is_none_or(|begun| at < begun));
            found.handler = match text.trim() {
                // Behind the first wait only the result is taken.
                "-" if at > waits => continue,
                "-" => None,
                // The number of a process that is not there yet.
                _ if is_early => Some(Way::Unknown),
                text => Some(handler(text, all, &children)),
            };
        }
        found
    }

    /// What the shell does while the program of a statement runs.
    pub(super) fn way(&self, statement: &Statement) -> Way {
        let Some(handler) = self.handler else { return Way::Waits };
        match statement.end {
            Some('&') => handler,
            // A shell runs no handler before the program in the foreground has ended.
            _ if !self.has_background => Way::Waits,
            _ => Way::Unknown,
        }
    }
}

/// The variable that a statement sets to the number of what was started last.
fn numbers(statement: &Statement) -> Option<&str> {
    let mut of = statement.words.iter().filter_map(|word| word.split_once('='));
    of.find(|(_, value)| matches!(bare(value), "$!" | "${!}")).map(|(name, _)| name)
}

/// The handler that a statement sets for TERM.
fn of_term(statement: &Statement) -> Option<&str> {
    let mut words = statement.words.iter().map(String::as_str);
    let is_trap = words.find(|word| !super::script::LEADS.contains(word)) == Some("trap");
    let mut words = words.filter(|word| *word != "--");
    let handler = words.next().filter(|_| is_trap)?;
    words.any(|word| matches!(bare(word), "TERM" | "SIGTERM" | "15")).then_some(handler)
}

/// A handler's text without its quotes; and whether it was filled in too early, where `is_early`
/// says that the agent had not been started.
fn unquoted(text: &str, is_early: bool) -> (String, bool) {
    let of = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    match (of('\''), of('"')) {
        (Some(text), _) => (text.to_owned(), false),
        (_, Some(text)) => {
            let is_filled = text.replace("\\$", "").contains('$');
            (text.replace("\\$", "$"), is_early && is_filled)
        }
        _ => (text.to_owned(), false),
    }
}

/// What the text of a handler does, functions of the script included.
fn handler(text: &str, all: &[Statement], children: &BTreeSet<&str>) -> Way {
    let mut deeds = Vec::new();
    for command in statements(text).iter().take(HANDLER) {
        let name = command.words.first().map_or("", String::as_str);
        match body(all, name) {
            Some(body) => deeds.extend(body.iter().map(|inner| deed(inner, children))),
            None => deeds.push(deed(command, children)),
        }
    }
    match () {
        () if deeds.contains(&Deed::Passes) && deeds.contains(&Deed::Waits) => Way::Forwards,
        () if deeds.contains(&Deed::Passes) => behind_the_signal(all),
        () if deeds.contains(&Deed::Unknown) => Way::Unknown,
        () => Way::Waits,
    }
}

/// What a shell whose handler has passed the signal on does then: the signal ends the `wait` that it was
/// in, and only another one keeps the shell until the agent has ended.
fn behind_the_signal(all: &[Statement]) -> Way {
    let is = |statement: &Statement, name: &str| {
        let mut words = statement.words.iter();
        words
            .find(|word| !super::script::LEADS.contains(&word.as_str()))
            .is_some_and(|word| word == name)
    };
    let is_loop = |statement: &Statement| {
        statement
            .words
            .first()
            .is_some_and(|word| matches!(word.as_str(), "while" | "until" | "for"))
    };
    let waits = all.iter().filter(|statement| is(statement, "wait")).count();
    let last = all.iter().rposition(|statement| is(statement, "wait"));
    let rest = last.map_or(&[][..], |last| all.get(last + 1..).unwrap_or_default());
    let is_idle = |statement: &Statement| deed(statement, &BTreeSet::new()) == Deed::Nothing;
    match waits {
        1 if !all.iter().any(is_loop) && rest.iter().all(is_idle) => Way::Leaves,
        0 | 1 => Way::Unknown,
        _ => Way::Forwards,
    }
}

/// The statements of a function: `name() {` or `function name {` up to `}`.
fn body(all: &[Statement], name: &str) -> Option<Vec<Statement>> {
    let begins = |statement: &Statement| match statement.words.as_slice() {
        [first] => first == name && statement.end == Some('('),
        [first, second, ..] => first == "function" && second == name,
        [] => false,
    };
    let at = all.iter().position(begins)?;
    let rest = all.get(at + 1..)?;
    let is_end = |statement: &Statement| statement.words.first().is_some_and(|word| word == "}");
    let first = all.get(at)?;
    let inner = first.words.iter().skip_while(|word| *word != "{").skip(1);
    let first = Statement { words: inner.cloned().collect(), ..first.clone() };
    let rest = rest.get(..rest.iter().position(is_end)?)?.iter().take(HANDLER).cloned();
    Some(std::iter::once(first).chain(rest).collect())
}

fn deed(command: &Statement, children: &BTreeSet<&str>) -> Deed {
    let mut words = command.words.iter().map(String::as_str);
    let name = words.find(|word| !super::script::LEADS.contains(word));
    let words: Vec<&str> = words.collect();
    match name {
        None => Deed::Nothing,
        Some("wait") => Deed::Waits,
        Some(name) if HARMLESS.contains(&name) || name.starts_with('[') => Deed::Nothing,
        Some(name) if name.contains('=') || matches!(name, "fi" | "done" | "test") => Deed::Nothing,
        Some("kill") => kill(&words, children),
        // `$$` is the shell itself.
        Some("pkill") if words.iter().any(|word| bare(word) == "$$") && words.contains(&"-P") => {
            Deed::Passes
        }
        Some(_) => Deed::Unknown,
    }
}

/// `kill`, by its signal and its targets.
fn kill(words: &[&str], children: &BTreeSet<&str>) -> Deed {
    let mut rest = words.iter().copied().peekable();
    let mut signal = "TERM";
    match rest.peek().copied() {
        Some("-s" | "-n") => {
            rest.next();
            signal = rest.next().unwrap_or_default();
        }
        // `-$$` is a group of processes.
        Some(word) if word.starts_with('-') && word != "--" && !word.contains('$') => {
            signal = word.trim_start_matches('-');
            rest.next();
        }
        _ => {}
    }
    let signal = bare(signal);
    if matches!(signal, "0" | "l" | "L") {
        return Deed::Nothing;
    }
    let is_end = matches!(signal.trim_start_matches("SIG"), "TERM" | "15" | "INT" | "2");
    let is_child = |word: &str| {
        let name = word.trim_start_matches("${").trim_start_matches('$').trim_end_matches('}');
        matches!(word, "$!" | "${!}" | "%1" | "%%" | "%+" | "0" | "-$$" | "-0")
            || word.contains("jobs -p")
            || word.starts_with('$') && children.contains(name)
    };
    let mut targets = rest.map(bare).filter(|word| *word != "--");
    match targets.any(is_child) && is_end {
        true => Deed::Passes,
        false => Deed::Unknown,
    }
}

/// A word without the quotes around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(text: &str) -> Way {
        let all = statements(text);
        let is_start = |statement: &&Statement| {
            statement.words.first().is_some_and(|word| word.ends_with("agent"))
        };
        Signals::of(&all).way(all.iter().find(is_start).unwrap())
    }

    /// Forms of entry points that public container images and start scripts have.
    #[test]
    fn a_trap_that_passes_the_signal_on_is_known() {
        for (text, expected) in [
            ("trap 'kill $p' TERM\n/a/agent & p=$!\nwait $p\nwait $p", Way::Forwards),
            ("trap 'kill $p' TERM\n/a/agent & p=$!\nwait $p || wait $p", Way::Forwards),
            (
                "trap 'kill $p' TERM\n/a/agent & p=$!\nwhile kill -0 $p; do wait $p; done",
                Way::Unknown,
            ),
            (
                "trap 'kill $p' TERM\n/a/agent & p=$!\nwait $p\ntail --pid=$p -f /dev/null",
                Way::Unknown,
            ),
            (
                "trap 'kill $p' TERM\n/a/agent & p=$!\nwait $p\ncode=$?\necho ended\nexit $code",
                Way::Leaves,
            ),
            (
                "trap 'kill -TERM $PID' TERM INT\n/a/agent &\nPID=$!\nwait $PID\ntrap - TERM INT\nwait $PID",
                Way::Forwards,
            ),
            ("/a/agent & pid=$!; trap \"kill -TERM $pid\" TERM; wait $pid", Way::Leaves),
            (
                "/a/agent &\nchild=$!\ntrap \"kill \\$child 2>/dev/null\" SIGTERM\nwait \"$child\"",
                Way::Leaves,
            ),
            (
                "_term() {\n  echo caught\n  kill -TERM \"$child\" 2>/dev/null\n}\ntrap _term SIGTERM\n/a/agent &\nchild=$!\nwait \"$child\"",
                Way::Leaves,
            ),
            (
                "function stop { kill -s TERM ${pid}; wait ${pid}; }\ntrap stop 15\n/a/agent &\npid=${!}\nwait",
                Way::Forwards,
            ),
            ("trap 'kill $(jobs -p)' EXIT TERM\n/a/agent &\nwait", Way::Leaves),
            ("trap 'kill 0' TERM\n/a/agent &\nwait", Way::Leaves),
            ("trap 'trap - TERM; kill -- -$$' TERM INT\n/a/agent &\nwait", Way::Leaves),
            ("trap 'pkill -TERM -P $$' TERM\n/a/agent &\nwait", Way::Leaves),
        ] {
            assert_eq!(way(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_certain_is_unknown() {
        for (text, expected) in [
            ("/a/agent &\nwait", Way::Waits),
            ("trap '' TERM\n/a/agent &\nwait", Way::Waits),
            ("trap 'rm -f /run/x; exit 0' TERM\n/a/agent &\nwait", Way::Waits),
            ("trap cleanup TERM\n/a/agent &\nwait", Way::Unknown),
            ("trap 'kill -9 $p' TERM\n/a/agent &\np=$!\nwait", Way::Unknown),
            ("trap 'kill $(cat /run/x)' TERM\n/a/agent &\nwait", Way::Unknown),
            ("trap \"kill $p\" TERM\n/a/agent &\np=$!\nwait", Way::Unknown),
            // The shell runs it when the agent has ended.
            ("trap 'kill $p' TERM\n/a/agent", Way::Waits),
            ("trap 'kill 0' EXIT\n/a/agent &\nwait", Way::Waits),
            ("trap 'kill 0' TERM\nrun() {\n/a/agent\n}\nrun &\nwait", Way::Unknown),
        ] {
            assert_eq!(way(text), expected, "{text}");
        }
    }
}
