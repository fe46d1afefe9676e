//! Killed after every journal entry, by enumeration: the journal is written with one `fdatasync`
//! an entry, and `strace` kills the real binary at the first, the second, the third … of them.
//! Then `install` must finish what was begun, and `uninstall` must take it away.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use support::{
    host::Suite,
    host_tree::Tree,
    lab::{Lab, TOKEN, said},
    loopback::OLDER,
    scratch::{Scratch, difference, is_left_out},
};

/// More entries than any plan has: an enumeration that does not end is a failure of its own.
const MOST: usize = 200;

/// Kills `command` at each call in turn, on a root that `prepare` and `earlier` runs made. After
/// each kill one root is finished by `install`, and another is taken away by `uninstall`.
fn enumerate(prepare: fn() -> Scratch, earlier: &[&[&str]], command: &[&str], call: &str) {
    let last: Vec<&str> = if command[0] == "install" { command.to_vec() } else { vec!["install"] };
    let made = |runs: &[&[&str]]| {
        let scratch = prepare();
        runs.iter().for_each(|words| drop(said(&scratch.run(words), 0)));
        scratch
    };
    let before = prepare().tree();
    let undisturbed = made(&[earlier, &[&last[..]]].concat());
    let (finished, records) = (undisturbed.tree(), undisturbed.records());
    for n in 1..=MOST {
        let what = format!("{command:?}, killed at {call} number {n}");
        let scratch = made(earlier);
        if !scratch.is_killed(command, call, n) {
            assert!(n > 1, "{command:?} made no call of {call}");
            return;
        }
        let told = said(&scratch.run(&last), 0);
        assert_eq!(difference(&finished, &scratch.tree()), Vec::<String>::new(), "{what}: {told}");
        assert_eq!(records, scratch.records(), "{what}: {told}");
        assert!(said(&scratch.run(&last), 0).contains("Nothing to do"), "{what}");
        said(&scratch.run(&["uninstall", "--purge"]), 0);
        assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new(), "{what}, install");

        let scratch = made(earlier);
        assert!(scratch.is_killed(command, call, n), "{what}: not the second time");
        let told = said(&scratch.run(&["uninstall", "--purge"]), 0);
        assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new(), "{what}: {told}");
    }
    panic!("{command:?} makes more than {MOST} calls of {call}");
}

#[test]
fn the_first_install_on_an_empty_root() {
    if !is_left_out("kill -9 after each journal entry") {
        enumerate(Scratch::new, &[], &["install"], "fdatasync");
        enumerate(Scratch::new, &[], &["install", "--agent", "machine-runner"], "fdatasync");
    }
}

#[test]
fn the_first_install_over_a_hand_made_one() {
    if !is_left_out("kill -9 after each journal entry") {
        enumerate(Scratch::hand_made, &[], &["install"], "fdatasync");
    }
}

#[test]
fn a_second_install_with_other_settings() {
    if !is_left_out("kill -9 after each journal entry") {
        let other =
            ["install", "--version", OLDER, "--max-run-time", "2h", "--workdir", "/srv/work"];
        enumerate(Scratch::hand_made, &[&["install"]], &other, "fdatasync");
    }
}

#[test]
fn an_uninstall() {
    if !is_left_out("kill -9 after each journal entry") {
        let purge = ["uninstall", "--purge"];
        enumerate(Scratch::hand_made, &[&["install"]], &purge, "fdatasync");
    }
}

/// More than the journal's own entries: between any two changes to the file system.
#[test]
fn any_change_of_the_first_install() {
    if is_left_out("kill -9 at each change of the file system") {
        return;
    }
    for call in ["renameat", "mkdirat", "unlinkat", "fchmod", "symlinkat", "fsync"] {
        enumerate(Scratch::hand_made, &[], &["install"], call);
    }
}

/// Accounts, units and a real service manager, on a real host.
#[test]
fn an_install_on_a_real_host() {
    let what = "kill -9 after each journal entry on a real host";
    if is_left_out(what) {
        return;
    }
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let state = || {
        let tree = |folder: &str| Tree::of(&lab.host.root().join(folder));
        let trees = ["etc", "opt", "home", "var/opt", "var/lib/runnerup"]
            .map(|folder| lab.host.root().join(folder).is_dir().then(|| tree(folder)));
        (trees, lab.host.accounts(), lab.host.units())
    };
    let before = state();
    let is_as_before = |what: &str, told: &str| {
        let after = state();
        for (one, other) in before.0.iter().zip(&after.0) {
            match (one, other) {
                (Some(one), Some(other)) => {
                    let mut lines = one.diff(other);
                    // The account tools keep a copy of the state before: passwd-, shadow-.
                    lines.retain(|line| !line.contains("-: file of"));
                    assert_eq!(lines, Vec::<String>::new(), "{what}: {told}");
                }
                (one, other) => assert_eq!(one.is_some(), other.is_some(), "{what}: {told}"),
            }
        }
        assert_eq!((&before.1, &before.2), (&after.1, &after.2), "{what}: {told}");
    };
    let words = lab.arguments(&["--hardening", "strict"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_killed = |n: usize| {
        let inside = lab.host.command(&words);
        let mut strace = Command::new("strace");
        // Only the journal's own: the account tools sync their files too.
        strace.args(["-f", "-qq", "-o", "/dev/null", "-P", "/var/lib/runnerup/journal.jsonl"]);
        strace.args(["-e", "trace=fdatasync"]);
        strace.args(["-e", &format!("inject=fdatasync:signal=SIGKILL:when={n}"), "--"]);
        let output = strace.arg(inside.get_program()).args(inside.get_args()).output().unwrap();
        // What ran inside was killed; nsenter and strace tell of it, each in its way.
        !output.status.success()
    };
    for n in 1..=MOST {
        let what = format!("killed after journal entry {n}");
        if !is_killed(n) {
            assert!(n > 20, "only {n} entries");
            lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
            is_as_before("undisturbed", "");
            return;
        }
        let told = lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
        is_as_before(&what, &told);
        assert!(is_killed(n), "{what}: not the second time");
        // The proof takes its seconds; that the service runs is enough here.
        let told = lab.install(&["--hardening", "strict", "--no-start"], 0);
        assert!(lab.install(&["--hardening", "strict", "--no-start"], 0).contains("Nothing to do"));
        let told = told + &lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
        is_as_before(&what, &told);
    }
    panic!("more than {MOST} entries");
}

#[test]
fn a_run_that_was_cut_off_is_told_of() {
    if is_left_out("what is said of a run that was cut off") {
        return;
    }
    let scratch = Scratch::new();
    assert!(scratch.is_killed(&["install"], "fdatasync", 8));
    assert!(journal(&scratch.root()).lines().count() >= 7);
    let told = said(&scratch.run(&["install"]), 0);
    assert!(told.contains("was cut off after"), "{told}");
    let scratch = Scratch::new();
    assert!(scratch.is_killed(&["install"], "fdatasync", 8));
    let told = said(&scratch.run(&["uninstall", "--purge"]), 0);
    assert!(told.contains("was cut off after"), "{told}");
}

/// The journal is readable by anyone, and so is what it says.
fn journal(root: &Path) -> String {
    let path = root.join("var/lib/runnerup/journal.jsonl");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    let text = fs::read_to_string(path).unwrap();
    assert!(!text.contains(TOKEN));
    text
}
