//! The real program with `--root`, in what every system has: download, verification, receipt,
//! journal, a file in use that is replaced, a kill on the way. Under Wine it runs as a Windows
//! program.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use support::loopback::{Loopback, NEWEST, OLDER};

const TOKEN: &str =
    "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

struct Stage {
    folder: tempfile::TempDir,
    bucket: Loopback,
}

impl Stage {
    /// The agent is this very test program: it is placed, and run once.
    fn new() -> Self {
        let agent = fs::read(std::env::current_exe().unwrap()).unwrap();
        let stage =
            Self { folder: tempfile::tempdir().unwrap(), bucket: Loopback::start(&agent, TOKEN) };
        fs::create_dir(stage.root()).unwrap();
        let token = stage.folder.path().join("token");
        fs::write(&token, TOKEN).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        stage
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn install(&self, more: &[&str]) -> Command {
        let mut command = self.command("install");
        command.args(["--token-file", "token", "--name", "n", "--service", "none"]);
        command.args(["--agent", "launch-agent"]);
        command.args(["--release-url", &self.bucket.url()]).args(more);
        command
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        command.args([name, "--yes", "--json", "--root", "root"]);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Every file below the root, without the state folder's.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(&self.root(), &self.root(), &mut files);
        files.sort();
        files
    }

    fn file(&self, end: &str) -> PathBuf {
        let files = self.files();
        let found = files.iter().find(|file| file.ends_with(end));
        self.root().join(found.unwrap_or_else(|| panic!("no {end} in {files:?}")))
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string().replace('\\', "/");
            files.push(name);
        }
    }
}

fn said(output: &Output, code: i32) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
    text
}

#[test]
fn an_install_is_verified_recorded_repeated_and_taken_away() {
    let stage = Stage::new();
    said(&stage.install(&[]).output().unwrap(), 0);
    let agent = format!("circleci-launch-agent{}", std::env::consts::EXE_SUFFIX);
    let placed = fs::read(stage.file(&agent)).unwrap();
    assert!(placed == fs::read(std::env::current_exe().unwrap()).unwrap());
    let config = fs::read_to_string(stage.file("launch-agent-config.yaml")).unwrap();
    assert!(config.contains(TOKEN));
    assert_eq!(config.contains("\r\n"), cfg!(windows), "{config:?}");
    let receipt = fs::read_to_string(stage.file("receipts/default.json")).unwrap();
    assert!(receipt.contains(NEWEST) && !receipt.contains(TOKEN), "{receipt}");
    assert!(!stage.files().iter().any(|file| file.contains("journal")), "{:?}", stage.files());
    let again = said(&stage.install(&[]).output().unwrap(), 0);
    assert!(again.contains("nothing to do"), "{again}");
    said(&stage.command("uninstall").arg("--purge").output().unwrap(), 0);
    assert_eq!(stage.files(), Vec::<String>::new());
}

/// What a system says only by its own programs is asked for once, and may not be said at all:
/// under Wine PowerShell ends without a word.
#[test]
fn a_host_is_examined_in_time_whatever_its_programs_say() {
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(["doctor", "--offline", "--json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let of = |name: &str| findings.iter().find(|own| own["check"] == name).unwrap();
    assert_eq!(of("host/clock-right")["status"], "pass", "{report:#}");
    let told = of("host/long-paths");
    // A look that broke is told once, by the first check that wanted it.
    let is_lost = |own: &serde_json::Value| {
        own["status"] == "error" && own["summary"].as_str().unwrap().contains("PowerShell")
    };
    let is_told = match cfg!(windows) {
        true => told["status"] != "skip" || findings.iter().any(is_lost),
        false => told["summary"] == "this host does not run Windows",
    };
    assert!(is_told, "{report:#}");
}

#[test]
fn a_checksum_that_does_not_match_leaves_nothing() {
    let stage = Stage::new();
    let wrong = "00".repeat(32);
    let told = said(&stage.install(&["--sha256", &wrong]).output().unwrap(), 5);
    assert!(told.contains(&wrong), "{told}");
    assert_eq!(stage.files(), Vec::<String>::new());
}

#[test]
fn an_agent_that_runs_is_replaced() {
    let stage = Stage::new();
    said(&stage.install(&["--version", OLDER]).output().unwrap(), 0);
    let agent = stage.file(&format!("circleci-launch-agent{}", std::env::consts::EXE_SUFFIX));
    let older = fs::metadata(&agent).unwrap().len();
    let mut runs = Command::new(&agent)
        .args(["--exact", "sleeps"])
        .env("RUNNERUP_TEST_SLEEPS", "30")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let told = stage.install(&["--version", NEWEST]).output().unwrap();
    let still = runs.try_wait().unwrap();
    runs.kill().unwrap();
    runs.wait().unwrap();
    said(&told, 0);
    assert!(still.is_none(), "it was to run all the while: {still:?}");
    assert_eq!(fs::metadata(&agent).unwrap().len() + 1, older);
    said(&stage.command("uninstall").arg("--purge").output().unwrap(), 0);
    assert_eq!(stage.files(), Vec::<String>::new());
}

/// What a placed agent does while it is replaced: told to, it stays for a while.
#[test]
fn sleeps() {
    let seconds = std::env::var("RUNNERUP_TEST_SLEEPS").ok().and_then(|text| text.parse().ok());
    thread::sleep(Duration::from_secs(seconds.unwrap_or_default()));
}

#[test]
fn a_run_that_is_killed_is_finished_by_the_next() {
    let stage = Stage::new();
    let mut is_cut = false;
    // At moments that differ: the sooner after the start, the earlier in the journal.
    for wait in [5, 20, 40, 60, 80, 120] {
        let mut run =
            stage.install(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        let in_journal = || stage.files().iter().any(|file| file.ends_with("journal.jsonl"));
        while !in_journal() && run.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
        thread::sleep(Duration::from_millis(wait));
        run.kill().unwrap();
        run.wait().unwrap();
        is_cut |= in_journal();
        said(&stage.install(&[]).output().unwrap(), 0);
        assert!(!in_journal(), "after {wait} ms");
        let config = fs::read_to_string(stage.file("launch-agent-config.yaml")).unwrap();
        assert!(config.contains(TOKEN));
        let left: Vec<_> =
            stage.files().into_iter().filter(|file| file.contains(".runnerup-")).collect();
        assert!(left.is_empty(), "after {wait} ms: {left:?}");
        said(&stage.command("uninstall").arg("--purge").output().unwrap(), 0);
        assert_eq!(stage.files(), Vec::<String>::new(), "after {wait} ms");
    }
    assert!(is_cut, "no run was cut off: it is over too soon");
}
