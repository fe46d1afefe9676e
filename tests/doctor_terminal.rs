//! The doctor as a person at a terminal has it, and a DNS server that lies, on a real host.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;
#[path = "support/terminal.rs"]
#[allow(unreachable_pub, dead_code)]
mod terminal;

use rustix::process::Signal;
use serde_json::Value;
use std::{process::Command, thread, time::Duration};
use support::{
    faults::PRELUDE,
    host::Suite,
    lab::{Lab, PROGRAM, said},
    process::{self, Server},
};
use terminal::Terminal;

/// The hosts of a test reach nothing but themselves.
const HERE: &str = "--endpoint=storage=none,vcs=none";

fn installed(what: &str) -> Option<Lab> {
    let lab = Lab::new(Suite::Bookworm, what)?;
    for tool in ["git", "ssh"] {
        lab.host.write(&format!("/usr/local/bin/{tool}"), b"#!/bin/sh\n", 0o755);
    }
    lab.install(&[], 0);
    Some(lab)
}

fn script(lab: &Lab, text: &str) -> String {
    lab.host.ok(&["sh", "-c", &format!("{PRELUDE}\n{text}")])
}

fn at_terminal(lab: &Lab, args: &[&str]) -> Terminal {
    let words = [&[PROGRAM, "doctor", HERE], args].concat();
    Terminal::run(lab.host.command(&words), 100)
}

#[test]
fn a_cure_is_shown_and_asked_for_first() {
    let Some(lab) = installed("doctor --fix at a terminal") else { return };
    let mode = |lab: &Lab| script(lab, "stat -c %a $C");
    script(&lab, "chmod 644 $C");
    let mut person = at_terminal(&lab, &["--fix"]);
    person.expect("fail   permissions/config-private");
    person.choose("Do this?", "No");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 1);
    assert_eq!(mode(&lab), "644");
    person.assert_restored();
    let mut person = at_terminal(&lab, &["--fix"]);
    person.expect("launch-agent-config.yaml");
    person.choose("Do this?", "Yes");
    person.expect("Fixed: permissions/config-private");
    assert_eq!(person.end(), 0);
    assert_eq!(mode(&lab), "600");
    person.assert_restored();
    person.assert_fits();
}

#[test]
fn a_running_job_is_not_cut_off_without_a_word() {
    let Some(lab) = installed("doctor --fix beside a job") else { return };
    // A changed unit wants a restart, which a job that runs forbids.
    lab.host.write(support::lab::CONTROL, b"job 300\n", 0o644);
    lab.wait_for_job();
    script(&lab, "drop '[Service]\\nKillSignal=SIGKILL\\n'");
    let main = lab.property(support::lab::UNIT, "MainPID");
    let mut person = at_terminal(&lab, &["--fix"]);
    person.answer("A job is running", "n");
    person.expect("needs --allow restart-busy");
    assert_eq!(person.end(), 1);
    assert_eq!(lab.property(support::lab::UNIT, "MainPID"), main, "{}", person.shown());
}

#[test]
fn watching_shows_what_changes() {
    let Some(lab) = installed("doctor --watch at a terminal") else { return };
    let mut person = at_terminal(&lab, &["--watch"]);
    person.expect("Watching; Ctrl-C ends it.");
    script(&lab, "chmod 644 $C");
    person.expect("permissions/config-private");
    script(&lab, "chmod 600 $C");
    person.expect("permissions/config-private");
    // `nsenter` stands between the terminal's child and the program.
    process::children(person.pid()).into_iter().for_each(|pid| process::signal(pid, Signal::INT));
    assert_eq!(person.end(), 0);
    person.assert_restored();
}

#[test]
fn a_dns_server_that_lies_or_refuses_is_told() {
    let what = "the doctor and a DNS server that lies";
    let Some(dnsmasq) = support::tool("dnsmasq", what) else { return };
    let Some(lab) = installed(what) else { return };
    script(&lab, "edit 's#url: .*#url: https://runner.example#'");
    script(&lab, "echo nameserver 127.0.0.53 >/etc/resolv.conf");
    let report = |more: &[&str]| {
        let mut command: Command = lab.host.neighbour(dnsmasq.to_str().unwrap());
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
        ]);
        command.args(["--listen-address=127.0.0.53", "--bind-interfaces", "--pid-file="]);
        let server = Server::start(command.args(more));
        thread::sleep(Duration::from_millis(300));
        let args = [PROGRAM, "doctor", "--json", "--only", "connectivity", HERE];
        let output = lab.host.run(&args);
        drop(server);
        serde_json::from_slice::<Value>(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", said(&output, -1)))
    };
    // Nobody is at that address.
    let lied = bad(&report(&["--address=/runner.example/127.0.0.9"]));
    assert_eq!(lied[0].0, "connectivity/reachable", "{lied:?}");
    assert!(lied[0].1.contains("127.0.0.9"), "{lied:?}");
    // Another program is.
    let port = lab.api.url().rsplit(':').next().unwrap().to_owned();
    script(&lab, &format!("edit 's#url: .*#url: https://runner.example:{port}#'"));
    let other = bad(&report(&["--address=/runner.example/127.0.0.1"]));
    assert_eq!(other[0].0, "connectivity/tls-trusted", "{other:?}");
    for answer in ["--address=/runner.example/", "--server=/example/"] {
        let found = bad(&report(&[answer]));
        assert_eq!(found[0].0, "connectivity/names-resolve", "{answer}: {found:?}");
        assert!(found[0].1.contains("127.0.0.53"), "which resolver: {found:?}");
    }
}

/// Checks that failed, each with what was seen.
fn bad(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |own: &Value, key: &str| own[key].as_str().unwrap_or_default().to_owned();
    findings
        .filter(|own| own["status"] == "fail")
        .map(|own| {
            (text(own, "check"), format!("{} {}", text(own, "summary"), text(own, "evidence")))
        })
        .collect()
}
