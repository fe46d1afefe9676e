//! Installing on real hosts with systemd 247, 252 and 257, and taking it all away again.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};
use support::{
    host::Suite,
    lab::{CONTROL, Lab, PROGRAM, TOKEN, UNIT},
};

/// The unit of CircleCI's documentation (docs/agents.md, Places), to be better than.
const DOCUMENTED_UNIT: &str = "[Unit]\nDescription=CircleCI Runner\nAfter=network.target\n\
    [Service]\nExecStart=/opt/circleci/circleci-launch-agent --config \
    /etc/opt/circleci/launch-agent-config.yaml\nRestart=always\nUser=circleci\n\
    NotifyAccess=exec\nTimeoutStopSec=18300\n[Install]\nWantedBy=multi-user.target\n";

const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";

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
    let Some(mut lab) = Lab::new(suite, &format!("install under systemd {}", suite.systemd()))
    else {
        return;
    };
    let before = lab.state();
    let told = lab.install(&[], 0);
    assert!(told.contains("active (running), Healthy"), "{told}");
    is_up(&lab);
    is_closed(&lab);
    assert_eq!(
        lab.host.ok(&["systemd-analyze", "verify", "/etc/systemd/system/circleci.service"]),
        ""
    );

    // Nothing to do changes nothing, and does not start the agent again.
    let (installed, process) = (lab.state(), lab.property(UNIT, "MainPID"));
    let again = lab.install(&[], 0);
    assert!(again.contains("Nothing to do"), "{again}");
    assert_eq!(installed.diff(&lab.state()), Vec::<String>::new());
    assert_eq!(lab.property(UNIT, "MainPID"), process);

    // Another setting changes what it is about, and the agent sees it.
    lab.install(&["--max-run-time", "2h"], 0);
    let changed: Vec<String> = installed
        .diff(&lab.state())
        .iter()
        .filter_map(|line| Some(line.strip_prefix("~ ")?.split(": ").next()?.to_owned()))
        .collect();
    let receipt = "/var/lib/runnerup/receipts/default.json";
    let lock = "/var/lib/runnerup/lock";
    assert_eq!(changed, [CONFIG, "/etc/systemd/system/circleci.service", lock, receipt]);
    assert_ne!(lab.property(UNIT, "MainPID"), process);
    assert_eq!(lab.property(UNIT, "TimeoutStopUSec"), "2h 5min");
    assert_eq!(lab.property(UNIT, "NeedDaemonReload"), "no");

    lab.host.reboot();
    lab.wait_for(UNIT, "StatusText", "Healthy");
    is_up(&lab);

    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
}

fn is_up(lab: &Lab) {
    assert_eq!(lab.host.ok(&["systemctl", "is-active", UNIT]), "active");
    assert_eq!(lab.host.ok(&["systemctl", "is-enabled", UNIT]), "enabled");
    assert_eq!(lab.property(UNIT, "StatusText"), "Healthy");
    let log = lab.host.ok(&["journalctl", "--no-pager", "--unit", UNIT]);
    assert!(log.contains("starting agent"), "{log}");
    assert!(lab.api.requests().iter().any(|line| line == "POST /api/v2/runner/claim"));
}

/// The account reads its configuration, and nobody else does.
fn is_closed(lab: &Lab) {
    let read_as = |user: &str| lab.host.run(&["runuser", "--user", user, "--", "cat", CONFIG]);
    assert!(String::from_utf8_lossy(&read_as("circleci").stdout).contains(TOKEN));
    assert!(!read_as("nobody").status.success());
    assert_eq!(lab.host.ok(&["stat", "--format", "%a %U %G", CONFIG]), "600 circleci circleci");
    let shadow = lab.host.ok(&["getent", "shadow", "circleci"]);
    assert!(shadow.starts_with("circleci:!"), "an account without a password: {shadow}");
}

#[test]
fn strict_hardening_lets_jobs_run_and_shuts_more_than_the_documented_unit() {
    let Some(lab) = Lab::new(Suite::Bookworm, "strict hardening") else { return };
    lab.install(&["--hardening", "strict"], 0);
    let verified = ["systemd-analyze", "verify", "/etc/systemd/system/circleci.service"];
    assert_eq!(lab.host.ok(&verified), "");
    let exposure = |unit: &str| {
        let line = lab.host.ok(&["systemd-analyze", "security", "--no-pager", unit]);
        let words: Vec<&str> = line.lines().last().unwrap().split_whitespace().collect();
        words.iter().find_map(|word| word.parse::<f64>().ok()).unwrap()
    };
    let strict = exposure(UNIT);
    lab.host.write("/etc/systemd/system/documented.service", DOCUMENTED_UNIT.as_bytes(), 0o644);
    lab.host.ok(&["systemctl", "daemon-reload"]);
    let documented = exposure("documented.service");
    assert!(strict < documented, "strict {strict}, documented {documented}");
    runs_a_job(&lab);

    // Where jobs step down through sudo, they still can.
    let prefix = ["--command-prefix", "sudo -niHu circleci --", "--passwordless-sudo"];
    lab.install(&[["--hardening", "strict"].as_slice(), &prefix].concat(), 0);
    assert_eq!(lab.host.ok(&verified), "");
    assert!(exposure(UNIT) < documented);
    assert_eq!(lab.host.ok(&["stat", "--format", "%a", "/etc/sudoers.d/circleci"]), "440");
    runs_a_job(&lab);

    // What is no longer asked for goes.
    lab.install(&["--no-start"], 0);
    let sudoers = ["test", "-e", "/etc/sudoers.d/circleci"];
    assert!(lab.host.run(&sudoers).status.success(), "a switch stays on until it is turned off");
}

fn runs_a_job(lab: &Lab) {
    lab.host.write(CONTROL, b"job 1\n", 0o644);
    let finished = || {
        let log = lab.host.ok(&["journalctl", "--no-pager", "--output", "cat", "--unit", UNIT]);
        let count =
            log.lines().filter(|line| line.contains("job finished    result=\"success\"")).count();
        (count, log)
    };
    let already = finished().0;
    lab.host.write(CONTROL, b"job  1\n", 0o644);
    for _ in 0..100 {
        if finished().0 > already {
            lab.host.ok(&["rm", CONTROL]);
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("no job was finished: {}", finished().1);
}

#[test]
fn an_agent_that_does_not_come_up_is_told_with_its_log() {
    let Some(lab) = Lab::new(Suite::Bookworm, "an agent that does not come up") else { return };
    lab.host.write("/root/token", TOKEN.replace('7', "8").as_bytes(), 0o600);
    let told = lab.install(&[], 8);
    assert!(told.contains("E8001") && told.contains("invalid bearer token"), "{told}");
    assert_eq!(lab.host.ok(&["systemctl", "is-enabled", UNIT]), "enabled", "it stays in place");

    // One that ends at once is in a crash loop.
    lab.host.write(CONTROL, b"exit 3\n", 0o644);
    lab.host.write("/root/token", TOKEN.as_bytes(), 0o600);
    let told = lab.install(&[], 8);
    assert!(told.contains("E8001") && told.contains("started again"), "{told}");
    lab.host.ok(&["rm", CONTROL]);
    lab.wait_for(UNIT, "StatusText", "Healthy");
}

#[test]
fn a_job_ends_before_its_agent_is_taken_away_and_gets_no_signal() {
    let Some(lab) = Lab::new(Suite::Bookworm, "draining") else { return };
    lab.install(&[], 0);
    // The job tells of every signal that it gets.
    let trap = "for s in TERM INT HUP USR1; do trap \"echo got $s >>/srv/signals\" $s; done; \
                for i in 1 2 3 4 5 6; do /bin/sleep 0.5; done; echo whole >>/srv/signals";
    // Root's, since a purge takes what is the account's.
    lab.host.write("/srv/signals", b"", 0o666);
    lab.host.write("/usr/local/bin/sleep", format!("#!/bin/bash\n{trap}\n").as_bytes(), 0o755);
    lab.host.write(CONTROL, b"job 3\n", 0o644);
    lab.wait_for_job();
    let told = lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    assert!(told.contains("waiting for circleci.service"), "{told}");
    assert_eq!(lab.host.ok(&["cat", "/srv/signals"]), "whole");
    let log = lab.host.ok(&["journalctl", "--no-pager", "--output", "cat", "--unit", UNIT]);
    assert!(log.contains("draining") && log.contains("result=\"success\""), "{log}");
}

#[test]
fn an_uninstall_that_is_interrupted_while_it_drains_leaves_the_agent_at_work() {
    let Some(lab) = Lab::new(Suite::Bookworm, "an interrupted drain") else { return };
    lab.install(&[], 0);
    lab.host.write(CONTROL, b"job 8\n", 0o644);
    let log = || lab.host.ok(&["journalctl", "--no-pager", "--output", "cat", "--unit", UNIT]);
    lab.wait_for_job();
    let mut uninstall = lab.host.command(&[PROGRAM, "uninstall", "--yes"]);
    uninstall.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let uninstall = uninstall.spawn().unwrap();
    let begun = Instant::now();
    while !log().contains("draining") {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not drain: {}", log());
        thread::sleep(Duration::from_millis(50));
    }
    lab.host.ok(&["pkill", "-INT", "-x", "runnerup"]);
    let told = support::lab::said(&uninstall.wait_with_output().unwrap(), 130);
    assert!(told.contains("E130001"), "{told}");
    lab.host.ok(&["rm", CONTROL]);
    lab.wait_for(UNIT, "ActiveState", "active");
    lab.wait_for(UNIT, "StatusText", "Healthy");
    assert!(log().contains("job finished    result=\"success\""), "{}", log());
    assert!(lab.install(&[], 0).contains("Nothing to do"));
}

#[test]
fn two_instances_share_nothing_and_data_stays_until_purged() {
    let Some(lab) = Lab::new(Suite::Trixie, "two instances") else { return };
    let before = lab.state();
    lab.install(&[], 0);
    let first = lab.state();
    lab.install(&["--instance", "gpu"], 0);
    assert_eq!(
        lab.host.ok(&["systemctl", "is-active", UNIT, "circleci-gpu.service"]),
        "active\nactive"
    );
    let process = lab.property(UNIT, "MainPID");
    lab.runnerup(&["uninstall", "--instance", "gpu", "--purge", "--yes"], 0);
    assert_eq!(
        first.diff(&lab.state()).iter().filter(|line| !line.contains("runnerup/lock")).count(),
        0
    );
    assert_eq!(lab.property(UNIT, "MainPID"), process);

    // What a person changed is said and kept.
    lab.host.ok(&["sed", "-i", "s/name: lab/name: mine/", CONFIG]);
    let told = lab.runnerup(&["uninstall", "--yes"], 0);
    assert!(told.contains("changed since") && told.contains("--purge"), "{told}");
    lab.host.ok(&["test", "-d", "/var/opt/circleci/workdir"]);
    lab.host.ok(&["getent", "passwd", "circleci"]);
    lab.host.ok(&["grep", "name: mine", CONFIG]);
    lab.runnerup(&["uninstall", "--purge", "--force", "--yes"], 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());

    // An account that another instance uses by default stays, and so does its running job.
    lab.install(&["--instance", "gpu", "--user", "circleci"], 0);
    lab.install(&[], 0);
    let process = lab.property(UNIT, "MainPID");
    let told = lab.runnerup(&["uninstall", "--instance", "gpu", "--purge", "--yes"], 0);
    assert!(told.contains("another instance uses it"), "{told}");
    assert_eq!(lab.property(UNIT, "MainPID"), process);
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    lab.runnerup(&["uninstall", "--instance", "gpu", "--purge", "--yes"], 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
}

#[test]
fn without_a_service_manager_the_plan_says_how_to_run_the_agent() {
    let Some(lab) = Lab::new(Suite::Bullseye, "no service manager") else { return };
    let before = lab.state();
    let told = lab.install(&["--service", "none"], 0);
    let how = format!("sudo -u circleci /opt/circleci/circleci-launch-agent --config {CONFIG}");
    assert!(told.contains(&how), "{told}");
    lab.host.ok(&["sh", "-c", &format!("! test -e /etc/systemd/system/{UNIT}")]);
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());

    // As in a container: systemd's mark is not there.
    let words = lab.arguments(&["--service", "systemd"]);
    let script = format!(
        "umount /run/systemd 2>/dev/null; mount -t tmpfs none /run/systemd && {}",
        words.join(" ")
    );
    let output = lab.host.run(&["unshare", "--mount", "sh", "-c", &script]);
    let told = support::lab::said(&output, 3);
    assert!(told.contains("E3003") && told.contains("--service none"), "{told}");
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
}
