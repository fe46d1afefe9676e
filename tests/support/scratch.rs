//! A scratch root to install into, and the program to do it with.

use super::{
    host_tree::Tree,
    lab::{TOKEN, said},
    loopback::Loopback,
};
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

/// A scratch root, and the token beside it.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new() -> Self {
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
    pub fn hand_made() -> Self {
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

    pub fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    pub fn token(&self) -> PathBuf {
        self.0.path().join("token")
    }

    pub fn tree(&self) -> Tree {
        Tree::of(&self.root())
    }

    pub fn command(&self, words: &[&str]) -> Vec<String> {
        let mut command = vec![env!("CARGO_BIN_EXE_runnerup").to_owned(), words[0].to_owned()];
        command.extend(["--yes".to_owned(), "--root".to_owned()]);
        command.push(self.root().display().to_string());
        if words[0] != "uninstall" {
            let (url, token) = (bucket().url(), self.token().display().to_string());
            let more = ["--release-url", &url, "--token-file", &token, "--name", "scratch"];
            command.extend(more.map(str::to_owned));
            command.extend(["--service", "systemd"].map(str::to_owned));
            if !words.contains(&"--agent") {
                command.extend(["--agent", "launch-agent"].map(str::to_owned));
            }
        }
        command.extend(words[1..].iter().map(|word| (*word).to_owned()));
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        let command = self.command(words);
        Command::new(&command[0]).args(&command[1..]).env_clear().output().unwrap()
    }

    /// Runs it, killed at the `n`th call of the main thread; `false` when there are fewer.
    pub fn is_killed(&self, words: &[&str], call: &str, n: usize) -> bool {
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
    pub fn records(&self) -> Vec<Value> {
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

/// A well-behaved bucket for all tests of a program.
pub fn bucket() -> &'static Loopback {
    static BUCKET: OnceLock<Loopback> = OnceLock::new();
    BUCKET.get_or_init(|| {
        // Some kilobytes that begin as a program of this machine do.
        let agent = fs::read("/proc/self/exe").unwrap();
        Loopback::start(&agent[..64 << 10], TOKEN)
    })
}

/// How two trees differ but for times, numbers and keys of the state folder. Kept copies have
/// names of their own; there must be as many.
pub fn difference(one: &Tree, other: &Tree) -> Vec<String> {
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

/// True, having said so, when `what` must be left out because nothing can be traced here.
#[must_use]
pub fn is_left_out(what: &str) -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if works.is_ok_and(|status| status.success()) {
        return false;
    }
    super::leave_out(what, "strace cannot trace here");
    true
}
