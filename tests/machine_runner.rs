//! Machine runner 3 on real hosts with systemd 247, 252 and 257: up, proved by its log, and taken away.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};
use support::{
    host::Suite,
    lab::{Lab, TOKEN},
    loopback::NEWEST_RUNNER,
};

const UNIT: &str = "circleci-runner.service";
const CONFIG: &str = "/etc/circleci-runner/circleci-runner-config.yaml";
const CONTROL: &str = "/etc/circleci-runner/stand-in.control";
const AGENT: [&str; 2] = ["--agent", "machine-runner"];

#[test]
fn debian_11_has_it_up_and_is_left_as_it_was() {
    up_and_away(Suite::Bullseye);
}

#[test]
fn debian_12_has_it_up_and_is_left_as_it_was() {
    up_and_away(Suite::Bookworm);
}

#[test]
fn debian_13_has_it_up_and_is_left_as_it_was() {
    up_and_away(Suite::Trixie);
}

fn up_and_away(suite: Suite) {
    let what = format!("machine runner under systemd {}", suite.systemd());
    let Some(mut lab) = Lab::new(suite, &what) else { return };
    let before = lab.state();
    let told = lab.install(&AGENT, 0);
    assert!(told.contains("active (running)") && told.contains(NEWEST_RUNNER), "{told}");
    is_up(&lab);
    let unit = format!("/etc/systemd/system/{UNIT}");
    assert_eq!(lab.host.ok(&["systemd-analyze", "verify", &unit]), "");
    assert_eq!(lab.host.ok(&["stat", "--format", "%a %U", CONFIG]), "600 circleci");

    // Nothing to do changes nothing, whether the agent is named again or not.
    let (installed, process) = (lab.state(), lab.property(UNIT, "MainPID"));
    let again = lab.install(&AGENT, 0);
    assert!(again.contains("Nothing to do"), "{again}");
    assert!(lab.install(&[], 0).contains("Nothing to do"));
    assert_eq!(installed.diff(&lab.state()), Vec::<String>::new());
    assert_eq!(lab.property(UNIT, "MainPID"), process);

    // The other agent does not come over it.
    let refused = lab.install(&["--agent", "launch-agent"], 3);
    assert!(refused.contains("machine runner 3 is installed as this instance"), "{refused}");
    assert_eq!(installed.diff(&lab.state()), Vec::<String>::new());

    lab.host.reboot();
    lab.wait_for(UNIT, "ActiveState", "active");
    is_up(&lab);

    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
}

fn is_up(lab: &Lab) {
    assert_eq!(lab.host.ok(&["systemctl", "is-enabled", UNIT]), "enabled");
    let begun = Instant::now();
    let claims = || lab.api.requests().iter().any(|line| line == "POST /api/v3/runner/claim");
    while !log(lab).contains("status_code=204") || !claims() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it claims nothing: {}", log(lab));
    }
    assert!(log(lab).contains("starting agent app.date="), "{}", log(lab));
}

fn log(lab: &Lab) -> String {
    lab.host.ok(&["journalctl", "--no-pager", "--output", "cat", "--unit", UNIT])
}

/// It reports no health: its log is the proof that it came up, and that it did not.
#[test]
fn an_agent_that_does_not_come_up_is_told_with_its_reason() {
    let Some(lab) = Lab::new(Suite::Bookworm, "machine runner that does not come up") else {
        return;
    };
    lab.host.write("/root/token", TOKEN.replace('7', "8").as_bytes(), 0o600);
    let told = lab.install(&AGENT, 8);
    assert!(told.contains("invalid bearer token"), "{told}");
    assert!(!told.contains(&TOKEN.replace('7', "8")), "{told}");

    // The right token alone puts it right.
    lab.host.write("/root/token", TOKEN.as_bytes(), 0o600);
    lab.install(&AGENT, 0);
    is_up(&lab);

    // A job is not ended by a new setting: the agent drains.
    lab.host.write(CONTROL, b"job 4\n", 0o644);
    let begun = Instant::now();
    while !log(&lab).contains("job started") {
        assert!(begun.elapsed() < Duration::from_secs(30), "no job: {}", log(&lab));
    }
    lab.install(&[&AGENT[..], &["--max-run-time", "2h"]].concat(), 0);
    assert!(log(&lab).contains("job finished result=\"success\""), "{}", log(&lab));
}
