//! The text of units, by the rules of `systemd.syntax(7)`.

pub(crate) use super::words::split;

use super::meant::is_quoted_whole;
use crate::{
    host::{Directive, ValueKind},
    text::may_be_secret,
};
use std::path::Path;

/// The lines of a unit. A backslash at the end of a line joins it to the next; a comment between
/// the two is passed over.
pub(crate) fn parse(text: &str, file: &Path) -> Vec<Directive<String>> {
    let mut directives = Vec::new();
    let mut section = String::new();
    let mut joined: Option<(usize, String)> = None;
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && joined.is_none()) {
            continue;
        }
        let (first, mut whole) = joined.take().unwrap_or((at + 1, String::new()));
        whole.push_str(trimmed.trim_end_matches('\r'));
        if let Some(more) = whole.strip_suffix('\\') {
            joined = Some((first, format!("{more} ")));
            continue;
        }
        take(&whole, first, file, &mut section, &mut directives);
    }
    if let Some((first, whole)) = joined {
        take(&whole, first, file, &mut section, &mut directives);
    }
    directives
}

fn take(
    line: &str,
    number: usize,
    file: &Path,
    section: &mut String,
    into: &mut Vec<Directive<String>>,
) {
    let line = line.trim();
    if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        *section = if is_name(name) { name.to_owned() } else { String::new() };
        return;
    }
    let directive = line.split_once('=').filter(|(key, _)| is_name(key.trim()));
    let (key, value) = directive.unwrap_or(("", line));
    into.push(Directive {
        file: file.to_owned(),
        line: number,
        section: section.clone(),
        key: key.trim().to_owned(),
        value: value.trim().to_owned(),
        kind: ValueKind::Unknown,
    });
}

/// The value of the last line of a key; none where that takes it back.
pub(crate) fn value<'a>(
    directives: &'a [Directive<String>],
    section: &str,
    key: &str,
) -> Option<&'a str> {
    let is_it = |line: &&Directive<String>| line.section == section && line.key == key;
    let last = directives.iter().rev().find(is_it).map(|line| line.value.as_str());
    last.filter(|value| !value.is_empty())
}

/// What may stand in front of the program of a command.
pub(crate) const SIGNS: [char; 6] = ['@', '-', ':', '+', '!', '|'];

/// The line of the last `ExecStart`.
pub(crate) fn last_command<Value>(lines: &[Directive<Value>]) -> Option<&Directive<Value>> {
    lines.iter().rev().find(|line| line.key == "ExecStart" && line.section == "Service")
}

/// The command line of the last `ExecStart`, split as systemd does.
pub(crate) fn command(directives: &[Directive<String>]) -> Vec<String> {
    let value = last_command(directives).map_or("", |line| line.value.as_str());
    let mut words = split(value);
    if let ([whole], true) = (words.as_slice(), is_quoted_whole(value)) {
        // What is meant; that the quotes make one word of it is told elsewhere.
        words = split(whole);
    }
    take_signs(&mut words);
    words
}

/// Takes the signs from a command's program, and the name that `@` gives its process:
/// `systemd.service(5)`, COMMAND LINES.
pub(crate) fn take_signs(words: &mut Vec<String>) {
    let Some(first) = words.first_mut() else { return };
    let program = first.trim_start_matches(SIGNS);
    let is_named = first[..first.len() - program.len()].contains('@');
    *first = program.to_owned();
    if is_named && words.len() > 1 {
        words.remove(1);
    }
}

/// Whether it can be the name of a directive or of a section. What else stands there may be a part of
/// a value that lost its line, and a secret.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
    begins && text.len() <= 40 && digits <= 2 && text.bytes().all(fits) && !may_be_secret(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_name_of_a_directive_is_a_line_without_one() {
        for line in ["c3VwZXJzZWNyZXRrZXk=", "Z29vZHNlY3JldGJhc2U2NA==", "a b=c", "=x", "x"] {
            let parsed = parse(&format!("[Service]\n{line}\n"), Path::new("/u"));
            assert_eq!((parsed[0].key.as_str(), parsed[0].value.as_str()), ("", line));
        }
        for name in ["X-Foo", "IPv6SendRA", "ManagedOOMMemoryPressureDurationSec", "TTYVHangup"] {
            let parsed = parse(&format!("[Service]\n{name}=1\n"), Path::new("/u"));
            assert_eq!(parsed[0].key, name);
        }
    }

    #[test]
    fn signs_are_no_part_of_a_command() {
        for (line, words) in [
            ("-/opt/a --config c", &["/opt/a", "--config", "c"][..]),
            ("@/opt/a ci-agent --config c", &["/opt/a", "--config", "c"]),
            ("-@/opt/a ci-agent", &["/opt/a"]),
            ("!!/opt/a b", &["/opt/a", "b"]),
        ] {
            let parsed = parse(&format!("[Service]\nExecStart={line}\n"), Path::new("/u"));
            assert_eq!(command(&parsed), words, "{line}");
        }
    }

    #[test]
    fn lines_keep_their_places() {
        let text = "# a\n[Unit]\nAfter=a \\\n# between\n  b\n\n[Service]\r\nExecStart = /x 'a b' \\\n--c\nnonsense\n";
        let parsed = parse(text, Path::new("/u"));
        let directives: Vec<_> = parsed
            .iter()
            .map(|d| (d.line, d.section.as_str(), d.key.as_str(), d.value.as_str()))
            .collect();
        assert_eq!(
            directives,
            [
                (3, "Unit", "After", "a  b"),
                (8, "Service", "ExecStart", "/x 'a b'  --c"),
                (10, "Service", "", "nonsense")
            ]
        );
        assert_eq!(split("/x 'a b' \"c\\\"d\" e\\x20f"), ["/x", "a b", "c\"d", "e f"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,200}", lines in "([\\[\\]a-zA-Z=\\\\#; \n]{0,200})") {
            for text in [text, lines] {
                let directives = parse(&text, Path::new("/u"));
                prop_assert!(directives.iter().all(|d| d.line >= 1 && d.line <= text.lines().count()));
                split(&text);
            }
        }
    }
}
