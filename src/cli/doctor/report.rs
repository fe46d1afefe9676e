//! A diagnosis, for people and for programs.

use crate::{
    Result,
    cli::{
        Output,
        text::{Fold, Line, Text, Tone},
    },
    doctor::{Command, Consent, Diagnosis, Finding, Status, consequence},
    host::{Provenance, Seen, Survey},
    platform::Os,
};
use std::path::Path;

/// Width of a status, so that all checks begin in the same column.
const INDENT: usize = 7;

/// As many blanks. Only labels of this program begin in that column: a folded value is indented
/// further.
const COLUMN: &str = "       ";

/// Prints a diagnosis as the command's result.
pub(super) fn tell(survey: &Survey, diagnosis: &Diagnosis, out: &Output) -> Result<()> {
    if out.is_json() {
        return out.document(diagnosis);
    }
    out.result(text(survey, diagnosis, out.options().verbose > 0))
}

/// The whole report.
fn text(survey: &Survey, diagnosis: &Diagnosis, is_verbose: bool) -> Text {
    let mut text = Text::new();
    if is_verbose {
        for finding in diagnosis.findings.iter().filter(|finding| !finding.is_problem()) {
            text.line(head(finding, None));
        }
    }
    text.append(problems(diagnosis, |_| true));
    text.line(counted(survey, diagnosis));
    if is_partial(survey) {
        text.line("Facts that only root can read were not examined.");
    }
    text.line(last_line(diagnosis, survey));
    text
}

/// What is wrong, of the findings that are meant.
pub(super) fn problems(diagnosis: &Diagnosis, is_meant: impl Fn(&Finding) -> bool) -> Text {
    let mut text = Text::new();
    for finding in diagnosis.problems().filter(|finding| is_meant(finding)) {
        failure(finding, diagnosis, &mut text);
    }
    text
}

/// `fail   check (instance): sentence`, after the time where one is given.
pub(super) fn head(finding: &Finding, time: Option<String>) -> Line {
    let tone = match finding.status {
        Status::Pass => Tone::Good,
        Status::Warn => Tone::Warning,
        Status::Fail | Status::Error => Tone::Bad,
        Status::Skip | Status::NotApplicable => Tone::Dim,
    };
    let label = match finding.status {
        Status::NotApplicable => "n/a",
        status => status.word(),
    };
    let gap = COLUMN.get(label.len()..).unwrap_or(" ");
    let of = finding.instance.as_deref().map_or_else(String::new, |name| format!(" ({name})"));
    let line = Line::new().text(time.unwrap_or_default()).toned(tone, label).text(gap);
    let line = line.text(finding.check).text(of).text(": ").text(finding.summary.clone());
    line.hang(INDENT + 2).fold(Fold::Always)
}

fn failure(finding: &Finding, diagnosis: &Diagnosis, text: &mut Text) {
    let line = |label: &'static str, words: String| {
        Line::new().lead(COLUMN).text(label).text(words).hang(2).fold(Fold::Always)
    };
    text.line(head(finding, None));
    for evidence in finding.evidence.lines() {
        text.line(line("evidence: ", evidence.to_owned()));
    }
    if let Some(remedy) = &finding.remedy {
        let by_fix = if remedy.fixable { " (`doctor --fix` does it)" } else { "" };
        text.line(line("fix: ", format!("{}{by_fix}", remedy.text())));
        for command in remedy.commands() {
            // Not folded: a command is copied whole.
            text.line(Line::new().lead("         ").text(command.to_owned()).fold(Fold::Never));
        }
    }
    let names: Vec<&str> = diagnosis.consequences(finding).map(|skipped| skipped.check).collect();
    match names.len() {
        0 => {}
        1 => text.line(line("explains 1 check that was skipped: ", names.concat())),
        many => text.line(line(
            "",
            format!("explains {many} checks that were skipped: {}", names.join(", ")),
        )),
    }
    text.blank();
}

fn counted(survey: &Survey, diagnosis: &Diagnosis) -> String {
    let counts = &diagnosis.summary;
    let agents = match survey.installs.len() {
        1 => "1 agent".to_owned(),
        many => format!("{many} agents"),
    };
    let mut parts = vec![format!("{} checks pass", counts.pass)];
    let mut add = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => parts.push(format!("1 {one}")),
        count => parts.push(format!("{count} {many}")),
    };
    add(counts.fail, "fails", "fail");
    add(counts.warn, "warns", "warn");
    add(counts.error, "could not be done", "could not be done");
    add(counts.skip, "was skipped", "were skipped");
    let host = match survey.host.hostname.as_str() {
        "" if survey.host.image => "this image",
        "" => "this host",
        name => name,
    };
    format!("{agents} on {host}, {} ms: {}.", diagnosis.elapsed_ms, parts.join(", "))
}

/// What the first failure leads to, where that is known, and the one command, or the one thing to do,
/// that removes it.
fn last_line(diagnosis: &Diagnosis, survey: &Survey) -> Line {
    let line = Line::new().fold(Fold::Always).hang(2);
    let Some(worst) = diagnosis.problems().next() else {
        return match is_partial(survey) {
            false => line.text(no_problem(diagnosis.summary.skip, survey)),
            true => line
                .text(if survey.is_saved { "Next, on that host: " } else { "Next: " })
                .text(whole(survey).line().unwrap_or_default().to_owned()),
        };
    };
    let line = match consequence(worst) {
        Some(consequence) => line.text("If nothing is done: ").text(consequence).text(" "),
        None => line,
    };
    match next(worst, survey) {
        Next::Command(command) => line.text("Next: ").text(command),
        Next::Words(words) => line.text("Next, by hand: ").text(words),
    }
}

/// What is said where nothing is wrong. What was not examined is no reason to rest.
fn no_problem(skipped: usize, survey: &Survey) -> String {
    let why = match survey.network {
        _ if survey.host.image => " (image)",
        Seen::Known(_) => "",
        Seen::Unseen(_) => " (offline)",
    };
    match skipped {
        0 => "No action is needed.".to_owned(),
        1 => format!("No problem was found. 1 check was not run{why}: -v lists it."),
        many => format!("No problem was found. {many} checks were not run{why}: -v lists them."),
    }
}

/// The one command, or the one thing to do, that removes a failure.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Command(String),
    Words(String),
}

fn next(finding: &Finding, survey: &Survey) -> Next {
    let Some(remedy) = &finding.remedy else {
        return Next::Command(format!("runnerup explain {}", finding.check));
    };
    match remedy.first_cure() {
        _ if remedy.fixable => Next::Command(fix(survey.base.as_deref(), remedy.consent)),
        Some(command) => Next::Command(command.to_owned()),
        None => Next::Words(remedy.text().to_owned()),
    }
}

/// Whether whoever took the survey could not read all of the host.
fn is_partial(survey: &Survey) -> bool {
    !survey.host.privileged && !survey.host.image
}

/// The command that examines all of a host.
fn whole(survey: &Survey) -> Command {
    let command = match survey.host.os {
        Os::Windows => Command::fixed("runnerup doctor"),
        Os::Linux | Os::Darwin => Command::root("runnerup doctor"),
    };
    match survey.is_saved {
        true => command.then("--save-facts host.json"),
        false => command,
    }
}

/// The command that fixes what was found: of an image, with its folder, and with the consent that
/// the fix needs.
fn fix(base: Option<&Path>, consent: Option<Consent>) -> String {
    let fix = Command::root("runnerup doctor --fix");
    let fix = consent.iter().fold(fix, |fix, consent| fix.then("--allow").then(consent.word()));
    let fix = match base {
        Some(base) => fix.then("--root").path(base, Provenance::Root),
        None => fix,
    };
    fix.line().unwrap_or("sudo runnerup doctor --fix --root DIR").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Selection, fixtures::*, judge};
    use crate::host::{Attempt, Route};

    /// What the last line names.
    fn next(survey: &Survey) -> Next {
        let diagnosis = Diagnosis::new(judge(survey, &Selection::default()), 0);
        super::next(diagnosis.problems().next().unwrap(), survey)
    }

    #[test]
    fn the_last_line_names_what_removes_the_first_failure() {
        let lost = Attempt { ms: 5, outcome: Err("no name server".into()), route: Route::NoName };
        let mut survey = online(|api| api.resolved = lost);
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.needs_reload = true;
        }
        let found = finding(&survey, "service/reloaded");
        assert!(found.remedy.is_some_and(|remedy| remedy.fixable));
        let by_hand = Next::Words("Correct the DNS resolver, or the host name.".to_owned());
        assert_eq!(next(&survey), by_hand);
        let mut survey = healthy();
        if let Seen::Known(walk) = &mut agent(&mut survey).binary.as_mut().unwrap().walk {
            walk.end = Some(file(0, 0o644));
        }
        assert_eq!(next(&survey), Next::Command("sudo runnerup doctor --fix".to_owned()));
    }

    #[test]
    fn what_was_not_run_is_told_where_nothing_is_wrong() {
        let mut survey = healthy();
        assert_eq!(no_problem(0, &survey), "No action is needed.");
        survey.network = Seen::not("not asked: --offline");
        assert!(no_problem(1, &survey).contains("1 check was not run (offline)"));
        survey.host.image = true;
        assert!(no_problem(7, &survey).contains("7 checks were not run (image)"));
    }

    #[test]
    fn the_consent_that_a_cure_waits_for_is_in_the_command() {
        assert_eq!(fix(None, None), "sudo runnerup doctor --fix");
        let asked = fix(None, Some(Consent::RestartBusy));
        assert_eq!(asked, "sudo runnerup doctor --fix --allow restart-busy");
    }
}
