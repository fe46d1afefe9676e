//! Faults planted on a real host, and what the doctor must say of each; what a healthy host of some
//! form must be told of: nothing.

#![allow(clippy::print_stdout)]

pub use super::report::problems;
use super::{
    faults::{Cure, Fault, Healthy, PRELUDE},
    lab::{Lab, PROGRAM, UNIT, said},
};
use serde_json::Value;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The hosts of a test reach nothing but themselves.
pub const HERE: &str = "--endpoint=storage=none,vcs=none";

/// Plants faults on a host with an install of our own, one after another, and prints a line for each.
pub fn plant<'a>(lab: &Lab, all: impl Iterator<Item = &'a Fault>) {
    healthy(lab, "before any fault");
    let lines = all.filter(|fault| is_chosen(fault.name)).map(|fault| tried(lab, fault));
    judge(&lines.collect::<Vec<_>>());
}

/// Gives a host one healthy form after another, and prints a line for each.
pub fn forms<'a>(lab: &Lab, all: impl Iterator<Item = &'a Healthy>) {
    let lines = all.filter(|form| is_chosen(form.name)).map(|form| silent(lab, form));
    judge(&lines.collect::<Vec<_>>());
}

/// Whether `RUNNERUP_FAULT` names this row: parts of names, with `|` between them.
fn is_chosen(name: &str) -> bool {
    let chosen = std::env::var("RUNNERUP_FAULT");
    chosen.map_or(true, |parts| parts.split('|').any(|part| name.contains(part)))
}

/// An install of our own, and copies of what a fault changes.
pub fn prepare(lab: &Lab) {
    ready(lab);
    lab.install(&[], 0);
    for (from, to) in [
        ("/opt/circleci/circleci-launch-agent", "/root/binary.kept"),
        ("/etc/opt/circleci/launch-agent-config.yaml", "/root/config.kept"),
        ("/etc/systemd/system/circleci.service", "/root/unit.kept"),
    ] {
        lab.host.ok(&["cp", "-p", from, to]);
    }
}

fn judge(lines: &[String]) {
    let bad: Vec<_> = lines.iter().filter(|line| !line.contains(" ok ")).cloned().collect();
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), lines.len(), bad.join("\n"));
}

/// A line of the table: what was expected and what was found.
fn tried(lab: &Lab, fault: &Fault) -> String {
    script(lab, fault.plant);
    let report = doctor(lab, &[]);
    let found: Vec<String> = problems(&report);
    let mut wrong = Vec::new();
    if !found.iter().any(|check| check == fault.check) {
        wrong.push(format!("not found; found {found:?}"));
    }
    let unrelated: Vec<_> = found
        .iter()
        .filter(|check| *check != fault.check && !fault.also.contains(&check.as_str()))
        // A script changes files and restarts nothing.
        .filter(|check| *check != CURRENT)
        .collect();
    if !unrelated.is_empty() {
        wrong.push(format!("also found {unrelated:?}"));
    }
    let own = finding(&report, fault.check);
    let text = own.map(ToString::to_string).unwrap_or_default();
    for words in fault.says.iter().filter(|words| !text.contains(**words)) {
        wrong.push(format!("does not say {words:?}: {text}"));
    }
    let fixable = own.is_some_and(|own| own["remedy"]["fixable"] == true);
    if fixable != (fault.cure == Cure::Fix) {
        wrong.push(format!("fixable: {fixable}"));
    }
    wrong.extend(cured(lab, fault, own));
    script(lab, fault.heal);
    if let Err(left) = becomes_healthy(lab) {
        wrong.push(format!("not healthy afterwards: {left:?}"));
    }
    let how = match fault.cure {
        Cure::Fix => "--fix",
        Cure::Paste => "pasted",
        Cure::Hand => "by hand",
    };
    line(fault.name, fault.check, how, &wrong)
}

/// What went wrong with the cure.
fn cured(lab: &Lab, fault: &Fault, own: Option<&Value>) -> Option<String> {
    match fault.cure {
        Cure::Hand => {
            let failed = pasted(lab, own).find(|(line, _)| cannot_be_run(line, own).is_none());
            if let Some((line, told)) = failed {
                return Some(format!("pasted {line:?}: {told}"));
            }
            let stays = problems(&doctor(lab, &[])).iter().any(|check| check == fault.check);
            (!stays).then(|| "its commands cure it: it is no fault for a person's hand".to_owned())
        }
        Cure::Fix => {
            let output = lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", HERE]);
            let code = output.status.code().unwrap_or(-1);
            (code != 0).then(|| format!("--fix did not cure it: {}", said(&output, code)))
        }
        Cure::Paste => {
            let lines: Vec<&str> = commands(own).collect();
            if lines.is_empty() {
                return Some("no command to paste".to_owned());
            }
            if let Some((line, told)) = pasted(lab, own).next() {
                return Some(format!("pasted {line:?}: {told}"));
            }
            let begun = Instant::now();
            while problems(&doctor(lab, &[])).iter().any(|check| check == fault.check) {
                if begun.elapsed() > Duration::from_secs(20) {
                    return Some(format!("stays after {lines:?}"));
                }
                thread::sleep(Duration::from_millis(300));
            }
            None
        }
    }
}

/// How long a doctor takes, of nine runs the middle one, in milliseconds.
pub fn median(lab: &Lab, more: &[&str]) -> u64 {
    let mut all: Vec<u64> =
        (0..9).map(|_| doctor(lab, more)["elapsed_ms"].as_u64().unwrap()).collect();
    all.sort_unstable();
    all[4]
}

/// What tells that a file was changed after the agent was started.
const CURRENT: &str = "service/runs-current";

/// Restarts the agent where nothing but that is left to do: a remedy may have started it with the
/// fault.
fn make_current(lab: &Lab, found: &[String]) {
    if found.iter().all(|check| [CURRENT, "service/healthy"].contains(&check.as_str())) {
        lab.host.run(&["systemctl", "restart", UNIT]);
    }
}

/// Commands of remedies that cannot be run to their end here, by how they begin, and why.
const CANNOT_BE_RUN: &[(&str, &str)] = &[
    ("sudo visudo", "a person edits the rules"),
    ("sudoedit ", "a person edits the file"),
    ("sudo systemctl edit ", "a person edits the unit"),
    ("ls -ld ", "shows that nothing is there"),
    ("getent hosts ", "shows that the name has no address"),
    ("curl ", "is not on the host"),
    ("sudo apt-get ", "the host reaches no mirror"),
    ("sudo systemd-analyze ", "shows what systemd objects to"),
];

fn cannot_be_run(line: &str, own: Option<&Value>) -> Option<&'static str> {
    // Elsewhere a command of a remedy that fails is a defect.
    if line == "sudo runnerup install" && own.is_some_and(|own| own["check"] == "config/exists") {
        return Some("asks for the token, which is lost, and replaces nothing that is no file");
    }
    CANNOT_BE_RUN.iter().find(|(begin, _)| line.starts_with(begin)).map(|(_, why)| *why)
}

/// The commands of a finding's remedy.
fn commands(own: Option<&Value>) -> impl Iterator<Item = &str> {
    let commands = own.and_then(|own| own["remedy"]["commands"].as_array());
    commands.into_iter().flatten().filter_map(Value::as_str)
}

/// Pastes the commands of a remedy, each as it is: those that failed, with what they said.
fn pasted<'a>(lab: &'a Lab, own: Option<&'a Value>) -> impl Iterator<Item = (&'a str, String)> {
    commands(own).filter_map(move |line| {
        let output = lab.host.run(&["sh", "-ec", line]);
        let code = output.status.code().unwrap_or(-1);
        println!(
            "pasted: {line}: {}",
            match (code, cannot_be_run(line, own)) {
                (0, _) => "0".to_owned(),
                (code, None) => code.to_string(),
                (code, Some(why)) => format!("{code}, {why}"),
            }
        );
        (code != 0).then(|| (line, said(&output, code)))
    })
}

/// A line of the table of healthy hosts.
fn silent(lab: &Lab, form: &Healthy) -> String {
    script(lab, form.plant);
    let begun = Instant::now();
    let (mut wrong, mut report);
    loop {
        report = doctor(lab, &[]);
        wrong = problems(&report);
        make_current(lab, &wrong);
        // What was only just started comes up meanwhile.
        if wrong.is_empty() || begun.elapsed() > Duration::from_secs(8) {
            break;
        }
        thread::sleep(Duration::from_millis(300));
    }
    let text = report.to_string();
    wrong.retain(|check| !form.but.contains(&check.as_str()));
    for words in form.says.iter().filter(|words| !text.contains(**words)) {
        wrong.push(format!("does not say {words:?}"));
    }
    if !wrong.is_empty() {
        wrong.push(format!("{report:#}"));
    }
    script(lab, form.heal);
    if let Err(left) = becomes_healthy(lab) {
        wrong.push(format!("not healthy afterwards: {left:?}"));
    }
    line(form.name, "-", "healthy", &wrong)
}

fn line(name: &str, check: &str, how: &str, wrong: &[String]) -> String {
    let told =
        if wrong.is_empty() { " ok ".to_owned() } else { format!(" WRONG {}", wrong.join("; ")) };
    let line = format!("{name:52} {check:38} {how:8}{told}");
    println!("{line}");
    line
}

/// What jobs need and a minimal host does not have: stand-ins that are never run.
pub fn ready(lab: &Lab) {
    for tool in ["git", "ssh"] {
        lab.host.write(&format!("/usr/local/bin/{tool}"), b"#!/bin/sh\n", 0o755);
    }
}

/// Runs a script on the host, behind the [`PRELUDE`].
pub fn script(lab: &Lab, text: &str) {
    if !text.is_empty() {
        lab.host.ok(&["sh", "-c", &format!("{PRELUDE}\n{text}")]);
    }
}

/// The doctor's report.
pub fn doctor(lab: &Lab, more: &[&str]) -> Value {
    let words: Vec<&str> =
        [PROGRAM, "doctor", "--json", HERE].into_iter().chain(more.iter().copied()).collect();
    let output = lab.host.run(&words);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", said(&output, output.status.code().unwrap_or(-1)))
    })
}

/// What a check found that is neither a pass nor a skip.
pub fn finding<'a>(report: &'a Value, check: &str) -> Option<&'a Value> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["check"] == check && own["status"] != "pass" && own["status"] != "skip")
}

/// Nothing is wrong, and much was looked at.
pub fn healthy(lab: &Lab, when: &str) {
    let report = doctor(lab, &[]);
    assert!(problems(&report).is_empty(), "{when}: {:?}\n{report:#}", problems(&report));
    assert!(report["summary"]["pass"].as_u64().unwrap() > 40, "{when}: {report:#}");
}

/// Has the service run again, as a person would after a cure by hand.
fn becomes_healthy(lab: &Lab) -> Result<(), Vec<String>> {
    let begun = Instant::now();
    loop {
        let found = problems(&doctor(lab, &[]));
        if found.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(20) {
            return Err(found);
        }
        make_current(lab, &found);
        if lab.property(UNIT, "ActiveState") != "active" {
            lab.host.run(&["systemctl", "reset-failed", UNIT]);
            lab.host.run(&["systemctl", "start", UNIT]);
        }
        thread::sleep(Duration::from_millis(300));
    }
}
