//! Killed after every journal entry, by enumeration: the journal is written with one `fdatasync`
//! an entry, and `strace` kills the real binary at the first, the second, the third … of them.
//! Then `install` must finish what was begun, and `uninstall` must take it away.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use serde_json::Value;
use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::ExitStatusExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};
use support::{
    host::Suite,
    host_tree::Tree,
    lab::{Lab, TOKEN, said},
    loopback::{Loopback, OLDER},
};

/// More entries than any plan has: an enumeration that does not end is a failure of its own.
const MOST: usize = 200;

/// A scratch root, and the token beside it.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        // In memory where there is such a folder: hundreds of runs would wait for the disk.
        let place = Path::new("/dev/shm");
        let place = if place.is_dir() { place.to_owned() } else { std::env::temp_dir() };
        let scratch = Self(tempfile::tempdir_in(place).unwrap());
        fs::create_dir(scratch.root()).unwrap();
        fs::write(scratch.token(), TOKEN).unwrap();
        fs::set_permissions(scratch.token(), fs::Permissions::from_mode(0o600)).unwrap();
        scratch
    }

    /// With a host's own folders, and files of a hand-made install that ours replaces.
    fn hand_made() -> Self {
        let scratch = Self::new();
        let place = |path: &str, content: &str, mode: u32| {
            let path = scratch.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        place("etc/opt/circleci/launch-agent-config.yaml", "runner:\n  name: by-hand\n", 0o640);
        place("etc/systemd/system/circleci.service", "[Service]\nExecStart=/bin/true\n", 0o755);
        place("opt/circleci/circleci-launch-agent", "#!/bin/sh\n# an old one\n", 0o700);
        place("var/lib/keep", "", 0o600);
        let folder = scratch.root().join("opt/circleci");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).unwrap();
        if rustix::process::geteuid().is_root() {
            for path in [folder.clone(), folder.join("circleci-launch-agent")] {
                chown(path, Some(1234), Some(4321)).unwrap();
            }
        }
        scratch
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn token(&self) -> PathBuf {
        self.0.path().join("token")
    }

    fn tree(&self) -> Tree {
        Tree::of(&self.root())
    }

    fn command(&self, words: &[&str]) -> Vec<String> {
        let mut command = vec![env!("CARGO_BIN_EXE_runnerup").to_owned(), words[0].to_owned()];
        command.extend(["--yes".to_owned(), "--root".to_owned()]);
        command.push(self.root().display().to_string());
        if words[0] == "install" {
            let (url, token) = (bucket().url(), self.token().display().to_string());
            let more = ["--release-url", &url, "--token-file", &token, "--name", "scratch"];
            command.extend(more.map(str::to_owned));
            command.extend(["--service", "systemd"].map(str::to_owned));
        }
        command.extend(words[1..].iter().map(|word| (*word).to_owned()));
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        let command = self.command(words);
        Command::new(&command[0]).args(&command[1..]).env_clear().output().unwrap()
    }

    /// Runs it, killed at the `n`th call of the main thread; `false` when there are fewer.
    fn is_killed(&self, words: &[&str], call: &str, n: usize) -> bool {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={n}"), "--"]);
        let output = strace.args(self.command(words)).env_clear().output().unwrap();
        if output.status.signal() == Some(9) {
            return true;
        }
        said(&output, 0);
        false
    }

    /// What the receipt says was changed and how it stood before, without times and numbers.
    fn records(&self) -> Vec<Value> {
        let path = self.root().join("var/lib/runnerup/receipts/default.json");
        let receipt: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(receipt["complete"], true, "{receipt}");
        let bare = |record: &Value| {
            let before = &record["before"];
            let kind = before.as_object().map_or(before.clone(), |map| {
                map.keys().next().map_or(Value::Null, |kind| Value::from(kind.as_str()))
            });
            serde_json::json!([record["target"], kind, record["data"]])
        };
        let mut records: Vec<Value> =
            receipt["records"].as_array().unwrap().iter().map(bare).collect();
        records.sort_by_key(ToString::to_string);
        records
    }
}

fn bucket() -> &'static Loopback {
    static BUCKET: OnceLock<Loopback> = OnceLock::new();
    BUCKET.get_or_init(|| {
        // Some kilobytes that begin as a program of this machine do.
        let agent = fs::read("/proc/self/exe").unwrap();
        Loopback::start(&agent[..64 << 10], TOKEN)
    })
}

/// How two trees differ but for times, numbers and keys of the state folder. Kept copies have
/// names of their own; there must be as many.
fn difference(one: &Tree, other: &Tree) -> Vec<String> {
    let state = "/var/lib/runnerup/";
    let (copies, mut rest): (Vec<String>, Vec<String>) = one
        .diff(other)
        .into_iter()
        .partition(|line| line[2..].starts_with(&format!("{state}backup/")));
    let count = |sign: &str| copies.iter().filter(|line| line.starts_with(sign)).count();
    rest.retain(|line| {
        !["key", "lock", "receipts/"]
            .iter()
            .any(|name| line.starts_with(&format!("~ {state}{name}")))
    });
    if count("-") != count("+") {
        rest.extend(copies);
    }
    rest
}

fn is_left_out(what: &str) -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if works.is_ok_and(|status| status.success()) {
        return false;
    }
    support::leave_out(what, "strace cannot trace here");
    true
}

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
    for call in ["renameat", "mkdirat", "unlinkat", "fchmod", "symlinkat"] {
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
