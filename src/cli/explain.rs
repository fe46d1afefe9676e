//! `runnerup explain CODE`.

use super::{options::ExplainArgs, output::Output, text::folded};
use crate::{
    Code, Error, Result,
    doctor::{CHECKS, Check},
    error::Entry,
    spec::nearest,
};
use serde::Serialize;
use std::{fmt::Write, process::ExitCode};

#[derive(Serialize)]
struct Explained<'a> {
    code: &'a str,
    exit: u8,
    title: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct List<'a> {
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
        Some(near) => error.help(format!("runnerup explain {near}")),
        None => error,
    }
    .help("runnerup explain --list"))
}

fn of_check(check: &Check, out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(&super::doctor::Listed::from(check));
    }
    let head = out.style().bold().apply_to(format!("{}: {}", check.name, check.holds));
    let part = |label: &str, text: &str| folded(&format!("{label}: {text}"), out.width(), 2);
    out.result(&format!(
        "{head}\n\n{}\n{}\n{}",
        part("Why", check.why),
        part("Found", check.found),
        part("Cured", check.cure)
    ))
}

fn one(entry: &Entry, out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(&explained(entry));
    }
    let head = out.style().bold().apply_to(format!("{}: {}", entry.id, entry.title));
    let text = folded(entry.text, out.width(), 0);
    out.result(&format!("{head}\n\n{text}\n\nExit code {}.", entry.code.exit()))
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
    out.result(&text)
}

fn explained(entry: &Entry) -> Explained<'_> {
    Explained { code: entry.id, exit: entry.code.exit(), title: entry.title, text: entry.text }
}
