//! Lines that systemd takes otherwise than they are meant.

use super::{mend::mended, unit};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Verdict},
    host::{Install, Misread, Misreading, Survey},
    service::systemd::specifier_words::meaning,
};

pub(in crate::doctor::service) const AS_MEANT: Check = Check {
    name: "service/lines-as-meant",
    holds: "systemd takes the unit and its environment files as they are meant",
    why: "systemd is no shell: it fills in specifiers such as %s, ends an assignment at a blank, \
          knows no comment at the end of a line, expands no $PATH in a variable and ignores a line \
          that begins with export. Only its log says so.",
    found: "The doctor reads the unit, its drop-ins and its environment files by systemd's rules, \
            and compares what is written with what systemd makes of it.",
    cure: "Write the line as the finding says.",
    after: &["service/loaded"],
    judge: Judge::Agent(as_meant),
};

/// Directives without which systemd does not start the agent, or starts something else.
const NEEDED: [&str; 6] =
    ["EnvironmentFile", "ExecStart", "ExecStartPre", "Group", "User", "WorkingDirectory"];

fn as_meant(_: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let count = service.misread.len();
    let problem = |(at, misread): (usize, &Misread)| {
        let (title, advice) = described(misread, install);
        let is_needed = misread.key.is_empty() || misread.key == "Environment";
        let is_needed = is_needed || NEEDED.contains(&misread.key.as_str());
        let problem = match misread.matters && is_needed && is_lost(&misread.what) {
            true => Problem::fail(title),
            false => Problem::warn(title),
        };
        let place = format!("{}:{}", misread.file.display(), misread.line);
        let cure = mended(misread, install, service, at + 1 == count);
        problem.seen(format!("{place}: {advice}")).cure(cure)
    };
    let problems = service.misread.iter().enumerate().map(problem).collect();
    Ok(Verdict::of(problems, "every line means to systemd what it says"))
}

/// Whether what was meant is lost altogether.
fn is_lost(what: &Misreading) -> bool {
    !matches!(what, Misreading::Specifier(_))
}

/// What becomes of a line, and how to write it.
fn described(misread: &Misread, install: &Install) -> (String, String) {
    let variable = misread.variable.as_deref();
    let of = variable.unwrap_or("a variable");
    let key = misread.key.as_str();
    let subject = variable.map_or_else(|| format!("{key}="), str::to_owned);
    let in_force = variable.and_then(|name| install.variable(name)?.value.as_deref());
    match &misread.what {
        Misreading::NoSpecifier(text) if key.starts_with("Exec") => (
            format!("systemd refuses {key}=: {text} is no specifier"),
            format!("a percent sign begins a specifier in a unit: write %{text}"),
        ),
        Misreading::NoSpecifier(text) => (
            format!("systemd drops {of}: {text} is no specifier"),
            format!("a percent sign begins a specifier in a unit: write %{text}"),
        ),
        Misreading::Specifier(text) => {
            let meaning = text.chars().nth(1).and_then(meaning);
            let meaning = meaning.unwrap_or("something else");
            let value = in_force.map(|value| format!(": the value is {value}")).unwrap_or_default();
            (
                format!("systemd puts {meaning} in the place of {text} in {of}{value}"),
                format!("a percent sign begins a specifier in a unit: write %{text}"),
            )
        }
        Misreading::NoAssignment(count) => {
            let words = if *count == 1 { "a word that is" } else { "words that are" };
            let value = match (variable, in_force) {
                (Some(name), Some(value)) => format!("{name} is cut at the blank, it is {value:?}"),
                (Some(name), None) => format!("{name} is cut at the blank"),
                (None, _) => "nothing is set by them".to_owned(),
            };
            (
                format!("systemd drops {words} no assignment of {subject}: {value}"),
                "quote the whole assignment: Environment=\"NAME=value with blanks\"".to_owned(),
            )
        }
        Misreading::Keyword(word) => (
            format!("systemd ignores the line that sets {of}: it begins with {word}"),
            "an environment file is no script of a shell: write NAME=value".to_owned(),
        ),
        Misreading::BadName => (
            "systemd ignores a line of an environment file: it names no variable".to_owned(),
            "write NAME=value, with letters, digits and underscores in the name".to_owned(),
        ),
        Misreading::OpenQuote => (
            format!("systemd drops the rest of a line of {key}=: a quote is not closed"),
            "close the quote".to_owned(),
        ),
        Misreading::Escape => (
            format!("systemd drops the rest of a line of {key}=: a backslash begins no escape"),
            "write two backslashes for one".to_owned(),
        ),
        Misreading::NotExpanded(text) if key.starts_with("Exec") => (
            format!("systemd passes {text} on to the program of {key}=: no shell runs the command"),
            "use StandardOutput= for a redirection, or /bin/sh -c 'exec …' for a shell".to_owned(),
        ),
        Misreading::NotExpanded(text) => (
            format!("{of} holds {text} as it is: systemd expands nothing in a variable"),
            format!("write what {text} stands for"),
        ),
        Misreading::Comment => (
            format!("the comment behind {}= is a part of its value", variable.unwrap_or(key)),
            "systemd knows no comment at the end of a line: put it on a line of its own".to_owned(),
        ),
        Misreading::Quoted if key.starts_with("Exec") => (
            format!("quotes make the whole command of {key}= the path of a program"),
            "take the quotes away".to_owned(),
        ),
        Misreading::Quoted => {
            (format!("the quotes are a part of the value of {key}="), "take the quotes away".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Selection, Status, fixtures::*, judge},
        host::{Misread, Misreading, Provenance},
    };

    #[test]
    fn a_value_that_nothing_expands_is_told_once() {
        let mut survey = healthy();
        let variable = Some("LAUNCH_AGENT_RUNNER_WORK_DIR".to_owned());
        let (file, what) = ("/etc/default/ci".into(), Misreading::NotExpanded("$BASE".into()));
        let misread = Misread { file, line: 2, key: String::new(), variable, matters: true, what };
        service_of(&mut survey).misread.push(misread);
        agent(&mut survey).environment.push(crate::host::Variable {
            name: "LAUNCH_AGENT_RUNNER_WORK_DIR".into(),
            value: Some("$BASE/work".into()),
            secret: None,
            source: "/etc/default/ci:2".into(),
            written_by: Provenance::Root,
        });
        let all = judge(&survey, &Selection::default());
        let bad = all.iter().filter(|finding| finding.is_problem()).map(|finding| finding.check);
        assert_eq!(bad.collect::<Vec<_>>(), ["service/lines-as-meant"]);
        let because = |check| all.iter().find(|own| own.check == check).unwrap().because;
        assert_eq!(because("config/environment-overrides"), Some("service/lines-as-meant"));
    }

    fn found(key: &str, variable: Option<&str>, what: Misreading) -> crate::doctor::Finding {
        let mut survey = healthy();
        let variable = variable.map(str::to_owned);
        let (file, key) = (UNIT.into(), key.to_owned());
        let misread = Misread { file, line: 9, key, variable, matters: true, what };
        service_of(&mut survey).misread.push(misread);
        finding(&survey, "service/lines-as-meant")
    }

    #[test]
    fn each_line_is_told_with_what_to_write() {
        let environment = |name, what| found("Environment", Some(name), what);
        for (found, status, title, advice) in [
            (
                environment("HTTPS_PROXY", Misreading::NoSpecifier("%40".into())),
                Status::Fail,
                "systemd drops HTTPS_PROXY: %40 is no specifier",
                "write %%40",
            ),
            (
                environment("LAUNCH_AGENT_RUNNER_WORK_DIR", Misreading::Specifier("%s".into())),
                Status::Warn,
                "the shell of root",
                "write %%s",
            ),
            (
                environment("NO_PROXY", Misreading::NoAssignment(2)),
                Status::Fail,
                "NO_PROXY is cut at the blank",
                "quote the whole assignment",
            ),
            (
                found("", Some("HTTPS_PROXY"), Misreading::Keyword("export".into())),
                Status::Fail,
                "it begins with export",
                "write NAME=value",
            ),
            (
                found("User", None, Misreading::Comment),
                Status::Fail,
                "the comment behind User=",
                "systemd knows no comment at the end of a line",
            ),
            (
                found("TimeoutStopSec", None, Misreading::Comment),
                Status::Warn,
                "the comment behind TimeoutStopSec=",
                "systemd knows no comment at the end of a line",
            ),
            (
                found("ExecStart", None, Misreading::Quoted),
                Status::Fail,
                "quotes make the whole command",
                "take the quotes away",
            ),
            (
                environment("PATH", Misreading::NotExpanded("$PATH".into())),
                Status::Fail,
                "PATH holds $PATH as it is",
                "write what $PATH stands for",
            ),
        ] {
            assert_eq!(found.status, status, "{title}");
            assert!(found.summary.contains(title), "{}", found.summary);
            assert!(found.evidence.contains(advice), "{}", found.evidence);
            assert!(found.evidence.starts_with(&format!("{UNIT}:9: ")), "{}", found.evidence);
        }
    }

    #[test]
    fn root_is_told_no_command_for_a_line_of_an_accounts() {
        for (by, expected) in [(Provenance::Root, true), (Provenance::Account(UID), false)] {
            let mut survey = healthy();
            survey.installs[0].named_by = by;
            let (file, key) = (UNIT.into(), "User".to_owned());
            let what = Misreading::Comment;
            let misread = Misread { file, line: 9, key, variable: None, matters: true, what };
            service_of(&mut survey).misread.push(misread);
            directive(&mut survey, "Service", "User", "circleci # x");
            service_of(&mut survey).directives.last_mut().unwrap().line = 9;
            let remedy = finding(&survey, "service/lines-as-meant").remedy.unwrap();
            assert_eq!(remedy.commands().iter().any(|line| line.contains("sed")), expected);
        }
    }
}
