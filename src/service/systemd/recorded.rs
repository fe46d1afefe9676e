//! What systemd itself made of lines, as `systemctl show` and a process's environment told it.

use super::{
    environment_file, environment_line, show,
    specifiers::{Specifiers, Unfilled},
    unit_text::parse,
    words::{split, strict},
};
use std::path::Path;

const LINES: &str = include_str!("../../../tests/recorded_facts/systemd/lines.txt");
const FILE: &str = include_str!("../../../tests/recorded_facts/systemd/environment.env");
const ENVIRONMENT: &str = include_str!("../../../tests/recorded_facts/systemd/environment.txt");

const UNIT: &str = "a-q@x-y\\x2dz.service";

/// Each line with what was in force.
fn recorded() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in LINES.lines() {
        match (line.strip_prefix("Q "), line.strip_prefix("R ")) {
            (Some(asked), _) => all.push((asked, Vec::new())),
            (_, Some(told)) => all.last_mut().unwrap().1.push(told),
            _ => {}
        }
    }
    assert!(all.len() > 40);
    all
}

fn shell(letter: char) -> Option<String> {
    (letter == 's').then(|| "/bin/bash".to_owned())
}

#[test]
fn assignments_are_those_that_systemd_made() {
    let specifiers = Specifiers { unit: UNIT, of_host: &shell };
    for (line, told) in recorded() {
        let directive = parse(&format!("[Service]\n{line}\n"), Path::new("/u")).remove(0);
        if directive.key != "Environment" {
            continue;
        }
        let read = environment_line::read(&directive.value, &specifiers);
        let mut set: Vec<(String, Option<String>)> = Vec::new();
        for assigned in read.set {
            set.retain(|(name, _)| *name != assigned.name);
            set.push((assigned.name, assigned.value));
        }
        let told = show::assigned(show::words(told.first().unwrap_or(&"")));
        let told: Vec<_> = told.into_iter().map(|own| (own.name, own.value)).collect();
        assert_eq!(set, told, "{line}");
    }
}

#[test]
fn commands_are_those_that_systemd_made() {
    let specifiers = Specifiers { unit: UNIT, of_host: &shell };
    for (line, told) in recorded() {
        let Some(value) = line.strip_prefix("ExecStopPost=") else { continue };
        let is_open = strict(value).1.is_some_and(|flaw| flaw == super::words::Flaw::OpenQuote);
        let words = split(value);
        let filled: Result<Vec<String>, Unfilled> =
            words.iter().map(|word| specifiers.fill(word)).collect();
        match filled {
            Ok(words) if !is_open => assert_eq!(words.join(" "), told.join(" ; "), "{line}"),
            _ => assert_eq!(told, ["refused"], "{line}"),
        }
    }
}

#[test]
fn an_environment_file_sets_what_systemd_made_of_it() {
    let mut set: Vec<String> = Vec::new();
    for assigned in
        environment_file::read(FILE).into_iter().filter(environment_file::Assignment::is_taken)
    {
        set.push(format!("{}={}", assigned.name, assigned.value));
    }
    assert_eq!(set.join("\n"), ENVIRONMENT.trim_end_matches('\n'));
}
