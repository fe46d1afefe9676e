//! A diagnosis, for people and for programs.

use crate::{
    Result,
    cli::{
        Output,
        text::{folded, harmless},
    },
    doctor::{CHECKS, Command, Diagnosis, Finding, Status},
    facts::survey::{Provenance, Survey},
};
use std::fmt::Write;

/// The label's width, so that sentences stand in a column.
const INDENT: usize = 7;

/// Prints a diagnosis as the command's result.
pub(super) fn tell(survey: &Survey, diagnosis: &Diagnosis, out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(diagnosis);
    }
    out.result(&text(survey, diagnosis, out))
}

/// The whole report.
pub(super) fn text(survey: &Survey, diagnosis: &Diagnosis, out: &Output) -> String {
    let mut text = String::new();
    if out.manner().verbose > 0 {
        let quiet = |finding: &&Finding| matches!(finding.status, Status::Pass | Status::Skip);
        for finding in diagnosis.findings.iter().filter(quiet) {
            text.push_str(&head(finding, out));
        }
    }
    for finding in diagnosis.troubles() {
        text.push_str(&trouble(finding, diagnosis, out));
    }
    let _ = writeln!(text, "{}", counted(survey, diagnosis));
    text.push_str(&folded(&harmless(&last_line(diagnosis, survey)), out.width(), 0));
    text
}

/// `fail   check (instance): sentence`.
pub(super) fn head(finding: &Finding, out: &Output) -> String {
    let style = match finding.status {
        Status::Pass => out.style().green(),
        Status::Warn => out.style().yellow().bold(),
        Status::Fail | Status::Error => out.style().red().bold(),
        Status::Skip => out.style().dim(),
    };
    let of = finding.instance.as_deref().map_or_else(String::new, |name| format!(" ({name})"));
    let words = format!("{}{of}: {}", finding.check, finding.summary);
    let lines = lines(&words, out);
    let label = finding.status.word();
    format!("{}{}\n", style.apply_to(format!("{label:INDENT$}")), lines.trim_start())
}

fn trouble(finding: &Finding, diagnosis: &Diagnosis, out: &Output) -> String {
    let mut text = head(finding, out);
    if !finding.evidence.is_empty() {
        for line in finding.evidence.lines() {
            let _ = writeln!(text, "{}", lines(&format!("seen: {line}"), out));
        }
    }
    if let Some(remedy) = &finding.remedy {
        let by_fix = if remedy.fixable { " (`doctor --fix` does it)" } else { "" };
        let _ = writeln!(text, "{}", lines(&format!("cure: {}{by_fix}", remedy.text), out));
        for command in remedy.commands() {
            // Not folded: a command is copied whole.
            let _ = writeln!(text, "{:INDENT$}  {}", "", harmless(command));
        }
    }
    let names: Vec<&str> = diagnosis.consequences(finding).map(|skipped| skipped.check).collect();
    match names.as_slice() {
        [] => {}
        [one] => {
            let words = format!("it explains one more that was not judged: {one}");
            let _ = writeln!(text, "{}", lines(&words, out));
        }
        many => {
            let words = format!(
                "it explains {} more that were not judged: {}",
                many.len(),
                many.join(", ")
            );
            let _ = writeln!(text, "{}", lines(&words, out));
        }
    }
    text.push('\n');
    text
}

fn lines(words: &str, out: &Output) -> String {
    let indented = format!("{:INDENT$}{}", "", harmless(words).replace('\n', " "));
    folded(&indented, out.width(), 0)
}

fn counted(survey: &Survey, diagnosis: &Diagnosis) -> String {
    let counts = &diagnosis.summary;
    let agents = match survey.installs.len() {
        1 => "1 agent".to_owned(),
        many => format!("{many} agents"),
    };
    let mut parts = vec![format!("{} checks hold", counts.pass)];
    let mut add = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => parts.push(format!("1 {one}")),
        count => parts.push(format!("{count} {many}")),
    };
    add(counts.fail, "fails", "fail");
    add(counts.warn, "warns", "warn");
    add(counts.error, "could not be made", "could not be made");
    add(counts.skip, "was skipped", "were skipped");
    let host = if survey.host.hostname.is_empty() { "this host" } else { &survey.host.hostname };
    format!("{agents} on {host}, {} ms: {}.", diagnosis.elapsed_ms, parts.join(", "))
}

/// What will happen if nothing is done, and the next command.
fn last_line(diagnosis: &Diagnosis, survey: &Survey) -> String {
    let Some(worst) = diagnosis.troubles().next() else {
        return "Nothing has to be done.".to_owned();
    };
    let why = CHECKS.iter().find(|check| check.name == worst.check).map_or("", |check| check.why);
    let why = why.split_inclusive(". ").next().unwrap_or(why).trim_end();
    let fixable = |finding: &Finding| finding.remedy.as_ref().is_some_and(|remedy| remedy.fixable);
    let next = if diagnosis.troubles().any(fixable) {
        fix(survey)
    } else {
        let command = worst.remedy.as_ref().and_then(|remedy| remedy.commands().first());
        command.cloned().unwrap_or_else(|| format!("runnerup explain {}", worst.check))
    };
    format!("If nothing is done: {why} Next: {next}")
}

/// The command that cures what is found: of an image, with its folder.
fn fix(survey: &Survey) -> String {
    let fix = Command::root("runnerup doctor --fix");
    let fix = match &survey.base {
        Some(base) => fix.then("--root").path(base, Provenance::Root),
        None => fix,
    };
    fix.line().unwrap_or("sudo runnerup doctor --fix --root DIR").to_owned()
}
