//! Every step fails, one by one: `strace` makes the first, the second, the third … call of each
//! kind that changes the file system fail in the real binary. What was done must be undone.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{fs, process::Command};
use support::{
    host_tree::Tree,
    lab::said,
    loopback::OLDER,
    scratch::{Scratch, bucket, difference, is_left_out},
};

/// Calls that a step makes, each with an error that a host gives for it.
const CALLS: [(&str, &str); 7] = [
    ("mkdirat", "ENOSPC"),
    ("renameat", "EIO"),
    ("fchmod", "EPERM"),
    ("symlinkat", "EROFS"),
    ("fsync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("unlinkat", "EIO"),
];

/// How often the main thread makes a call in an undisturbed run.
fn count(scratch: &Scratch, words: &[&str], call: &str) -> usize {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(log.path()).args(["-e", &format!("trace={call}"), "--"]);
    let output = strace.args(scratch.command(words)).env_clear().output().unwrap();
    said(&output, 0);
    let text = fs::read_to_string(log.path()).unwrap();
    let lines = text.lines().filter(|line| line.contains(&format!("{call}(")));
    // With -f each line begins with its thread's number; the main one has the lowest.
    let threads: Vec<u32> =
        lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    let main = threads.iter().min().copied().unwrap_or_default();
    threads.iter().filter(|thread| **thread == main).count()
}

fn enumerate(prepare: fn() -> Scratch, earlier: &[&[&str]], words: &[&str]) {
    let made = || {
        let scratch = prepare();
        earlier.iter().for_each(|words| drop(said(&scratch.run(words), 0)));
        scratch
    };
    let untouched = prepare().tree();
    for (call, error) in CALLS {
        for n in 1..=count(&made(), words, call) {
            let what = format!("{words:?}: {error} at {call} number {n}");
            let scratch = made();
            let before = scratch.tree();
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            strace.args(["-e", &format!("inject={call}:error={error}:when={n}"), "--"]);
            let output = strace.args(scratch.command(words)).env_clear().output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                // What fails once the work is done, or is not needed for it, is told or passed over.
                Some(0) => {}
                Some(3..=6) => {
                    let left = difference(&before, &scratch.tree());
                    let left: Vec<_> =
                        left.iter().filter(|line| !line.contains("/var/lib/runnerup")).collect();
                    assert_eq!(left, Vec::<&String>::new(), "{what}: {told}");
                }
                Some(7) => assert!(told.contains("not undone"), "{what}: {told}"),
                code => panic!("{what}: ended with {code:?}: {told}"),
            }
            let then = said(&scratch.run(&["uninstall", "--purge"]), 0);
            let left = untouched.diff(&scratch.tree());
            assert_eq!(left, Vec::<String>::new(), "{what}: {told}; then: {then}");
        }
    }
}

#[test]
fn a_first_install_is_rolled_back_wherever_it_fails() {
    if !is_left_out("failure of every step") {
        enumerate(Scratch::hand_made, &[], &["install"]);
    }
}

#[test]
fn a_first_install_on_an_empty_root_leaves_not_even_its_state_folder() {
    if is_left_out("failure of every step") {
        return;
    }
    for n in 1..=40 {
        let scratch = Scratch::new();
        let before = scratch.tree();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=mkdirat"]);
        strace.args(["-e", &format!("inject=mkdirat:error=EIO:when={n}"), "--"]);
        let output = strace.args(scratch.command(&["install"])).env_clear().output().unwrap();
        if output.status.success() {
            assert!(n > 10, "only {n} folders were made");
            return;
        }
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{n}: {told}");
        assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new(), "{n}: {told}");
    }
}

#[test]
fn a_second_install_falls_back_to_the_first() {
    if !is_left_out("failure of every step of a second install") {
        let other = ["install", "--version", OLDER, "--max-run-time", "2h"];
        enumerate(Scratch::hand_made, &[&["install"]], &other);
    }
}

#[test]
fn an_uninstall_is_taken_back() {
    if !is_left_out("failure of every step of an uninstall") {
        enumerate(Scratch::hand_made, &[&["install"]], &["uninstall"]);
    }
}

/// A real full disk, of several sizes, so that different steps find no room.
#[test]
fn a_full_disk_is_named_and_nothing_stays() {
    if support::needs_root("a full disk") {
        return;
    }
    let url = bucket().url();
    for kilobytes in [16, 24, 40, 48, 64, 80] {
        let script = "mount -t tmpfs -o size=$1k,mode=755 none $2 && \
                      find $2 | sort >$3/before && shift 3 && \"$@\"; code=$?; \
                      find $ROOT | sort >$NOTES/after; exit $code";
        let scratch = Scratch::new();
        let notes = tempfile::tempdir().unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", &kilobytes.to_string()]);
        command.arg(scratch.root()).arg(notes.path());
        command.args(scratch.command(&["install"]));
        command.env("ROOT", scratch.root()).env("NOTES", notes.path());
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(3 | 6)), "{kilobytes} kB: {told} {url}");
        assert!(told.contains("No space left"), "{kilobytes} kB: {told}");
        let read = |name: &str| fs::read_to_string(notes.path().join(name)).unwrap();
        assert_eq!(read("before"), read("after"), "{kilobytes} kB: {told}");
    }
}

#[test]
fn a_read_only_etc_is_named_and_nothing_stays() {
    if support::needs_root("a read-only /etc") {
        return;
    }
    let scratch = Scratch::hand_made();
    let before: Tree = scratch.tree();
    let script = "mount --bind $1/etc $1/etc && mount -o remount,ro,bind $1/etc && shift && \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(scratch.root());
    let output = command.args(scratch.command(&["install"])).output().unwrap();
    let told = said(&output, 6);
    assert!(told.contains("Read-only file system") && told.contains("/etc/"), "{told}");
    assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new(), "{told}");
}
