//! `runnerup explain CODE`.

use super::{
    options::ExplainArgs,
    output::Output,
    text::{Fold, Line, Text, Tone},
};
use crate::{
    Code, Command, Error, Help, Result,
    doctor::{CHECKS, Check},
    error::Entry,
    text::nearest,
};
use serde::Serialize;
use std::{fmt::Write, process::ExitCode};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Explained<'a> {
    code: &'a str,
    exit: u8,
    title: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct List<'a> {
    codes: Vec<Explained<'a>>,
}

/// Prints one entry of the catalogue, or the list of all.
pub fn run(args: &ExplainArgs, out: &Output) -> Result<ExitCode> {
    match args.code.as_deref() {
        Some(word) => match CHECKS.iter().find(|check| check.name == word) {
            Some(check) => of_check(check, out)?,
            None => one(find(word)?, out)?,
        },
        None => all(out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn find(word: &str) -> Result<&'static Entry> {
    if let Some(entry) = Code::ALL.iter().find(|entry| entry.id.eq_ignore_ascii_case(word)) {
        return Ok(entry);
    }
    let names = CHECKS.iter().map(|check| check.name);
    let ids: Vec<_> = Code::ALL.iter().map(|entry| entry.id).chain(names).collect();
    let error = Error::new(Code::CodeUnknown, format!("there is no code {word:?}"));
    Err(match nearest(word, &ids) {
        Some(near) => error.help(Help::words(format!("runnerup explain {near}"))),
        None => error,
    }
    .help(Help::of_program(Command::fixed("runnerup explain --list"), "all errors"))
    .help(Help::of_program(Command::fixed("runnerup doctor --list"), "all checks")))
}

fn of_check(check: &Check, out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(&super::doctor::Listed::from(check));
    }
    let mut text = head(check.name, check.holds);
    for (label, words) in
        [("Why", check.why), ("How it is checked", check.found), ("Fix", check.cure)]
    {
        text.line(Line::new().text(label).text(": ").text(words).hang(2).fold(Fold::Always));
    }
    out.result(text)
}

fn one(entry: &Entry, out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(&explained(entry));
    }
    let mut text = head(entry.id, entry.title);
    text.line(Line::new().text(entry.text).fold(Fold::Always));
    text.blank();
    text.line(format!("Exit code {}.", entry.code.exit()));
    out.result(text)
}

fn head(name: &'static str, title: &'static str) -> Text {
    let title = [name, ": ", title].into_iter();
    let line = title.fold(Line::new(), |line, part| line.toned(Tone::Strong, part));
    let mut text = Text::from(line);
    text.blank();
    text
}

fn all(out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(&List { codes: Code::ALL.iter().map(explained).collect() });
    }
    let width = Code::ALL.iter().map(|entry| entry.id.len()).max().unwrap_or_default();
    let mut text = String::new();
    for entry in Code::ALL {
        let _ = writeln!(text, "{:width$}  {}", entry.id, entry.title);
    }
    out.page(&text)
}

fn explained(entry: &Entry) -> Explained<'_> {
    Explained { code: entry.id, exit: entry.code.exit(), title: entry.title, text: entry.text }
}
