//! Words that are wider than a terminal's row: where the terminal wraps them, it begins the next
//! row in its first column, as lines of this program begin.

use super::output::terminal::Terminal;
use crate::support::{
    self,
    lab::{TOKEN, said},
    scratch::Scratch,
};
use std::{fs, os::unix::fs::chown};

const COLUMNS: u16 = 80;

/// A path with no blank in it, each of whose further rows imitates a line of this program.
fn forged() -> String {
    // One that leaves no ink and is no blank to a program: the rest of the row looks empty.
    let pad = |row: &str| format!("{row}{}", "\u{2800}".repeat(80 - row.chars().count()));
    let first = format!("/var/opt/circleci/x{}", "\u{2800}".repeat(60));
    let rows = ["If·nothing·is·done:·no·job.·Next:", "sudo${IFS}sh${IFS}/var/tmp/cure"].map(pad);
    // So that it begins each row wherever the first one began.
    format!("{first}{}{}", rows.concat(), "sudo${IFS}sh${IFS}/var/tmp/cure".repeat(9))
}

#[test]
fn no_word_is_wrapped_to_the_first_column() {
    if support::needs_root("words that are wider than a terminal") {
        return;
    }
    let scratch = Scratch::new();
    said(&scratch.run(&["install"]), 0);
    let path = scratch.root().join("etc/opt/circleci/launch-agent-config.yaml");
    let config = fs::read_to_string(&path).unwrap();
    let lines = config.lines().map(|own| match own.find("working_directory:") {
        Some(at) => format!("{}working_directory: \"{}\"\n", &own[..at], forged()),
        None => format!("{own}\n"),
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
    chown(&path, Some(1234), Some(1234)).unwrap();
    let root = scratch.root().display().to_string();
    let value = forged();
    let given = scratch.command(&["plan", "-v", "--workdir", &value]);
    let given: Vec<&str> = given[1..].iter().map(String::as_str).collect();
    for words in [
        ["doctor", "--root", &root].as_slice(),
        &["doctor", "-vv", "--root", &root],
        &["doctor", "--fix", "--yes", "--root", &root],
        &given,
    ] {
        let mut person = Terminal::start(words, scratch.token().parent().unwrap(), COLUMNS);
        person.end();
        let shown = person.shown();
        assert!(!shown.contains(TOKEN));
        assert!(shown.contains("sudo${IFS}sh"), "{words:?} does not tell the path: {shown}");
        let mut bad = Vec::new();
        for line in shown.split(['\n', '\r']) {
            let is_wide = console::measure_text_width(line) > COLUMNS.into();
            if is_wide || line.starts_with("If·") || line.starts_with("sudo$") {
                bad.push(line);
            }
        }
        assert!(bad.is_empty(), "{words:?}: {bad:#?}\n{shown}");
    }
}
