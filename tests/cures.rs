//! What `doctor --fix` changes of an install that was made by hand, and how it is taken back.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Command, Output},
};
use support::{lab::said, scratch::Scratch};

const UNIT: &str = "etc/systemd/system/circleci.service";

#[test]
fn owner_and_mode_are_put_back_and_what_was_written_since_stays() {
    let scratch = Scratch::hand_made();
    let unit = scratch.root().join(UNIT);
    let mode = || fs::metadata(&unit).unwrap().permissions().mode() & 0o7777;
    let before = scratch.tree();
    // Other checks fail of this image, and stay so.
    let told =
        said(&runnerup(&scratch, &["doctor", "--fix", "--only", "service/definition-mode"]), 0);
    assert!(told.contains("Fixed: service/definition-mode"), "{told}");
    assert_eq!(mode(), 0o644);
    let copies = scratch.root().join("var/lib/runnerup/backup");
    let copies: Vec<_> = fs::read_dir(copies).into_iter().flatten().collect();
    assert!(copies.is_empty(), "its content is nobody's to copy: {copies:?}");

    OpenOptions::new().append(true).open(&unit).unwrap().write_all(b"# since then\n").unwrap();
    said(&runnerup(&scratch, &["uninstall", "--instance", "doctor"]), 0);
    assert_eq!(mode(), 0o755);
    assert!(fs::read_to_string(&unit).unwrap().ends_with("# since then\n"));
    fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
    assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new());
}

#[test]
fn what_was_put_in_its_place_since_is_not_given_away() {
    let what = "a cure that is taken back where the account has put a second name";
    if support::needs_root(what) {
        return;
    }
    let scratch = Scratch::hand_made();
    let binary = scratch.root().join("opt/circleci/circleci-launch-agent");
    let unit =
        "[Service]\nUser=runner\nExecStart=/opt/circleci/circleci-launch-agent --config /x\n";
    fs::write(scratch.root().join(UNIT), unit).unwrap();
    // The account whose binary it is: that of another one is not cured.
    let accounts = "runner:x:1234:4321::/home/runner:/bin/sh\n";
    fs::write(scratch.root().join("etc/passwd"), accounts).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o600)).unwrap();
    let cured = ["doctor", "--fix", "--only", "permissions/binary-executable"];
    said(&runnerup(&scratch, &cured), 0);
    let kept = scratch.root().join("var/lib/keep");
    let about = |path| fs::metadata(path).map(|own| (own.uid(), own.mode() & 0o7777)).unwrap();
    let before = about(&kept);
    fs::remove_file(&binary).unwrap();
    fs::hard_link(&kept, &binary).unwrap();
    let output = runnerup(&scratch, &["uninstall", "--instance", "doctor"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("second name"), "{told}");
    assert_eq!(about(&kept), before);
}

fn runnerup(scratch: &Scratch, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
    command.args(words).arg("--yes").arg("--root").arg(scratch.root()).env_clear();
    command.output().unwrap()
}

#[test]
fn what_no_fix_removes_is_told_and_stays() {
    let scratch = Scratch::hand_made();
    let config = scratch.root().join("etc/opt/circleci/launch-agent-config.yaml");
    fs::write(&config, "runner:\n  name: a b\n").unwrap();
    let command =
        "/opt/circleci/circleci-launch-agent --config /etc/opt/circleci/launch-agent-config.yaml";
    fs::write(scratch.root().join(UNIT), format!("[Service]\nExecStart={command}\n")).unwrap();
    let before = scratch.tree();
    for more in [&["--dry-run"][..], &[]] {
        let words = [&["doctor", "--fix", "--only", "config/name-valid"], more].concat();
        let told = said(&runnerup(&scratch, &words), 1);
        assert!(told.contains("config/name-valid"), "{told}");
        assert!(told.contains("nothing that --fix can do"), "{told}");
        assert!(!told.contains("as it should be"), "{told}");
    }
    assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new());
}
