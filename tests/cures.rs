//! What `doctor --fix` changes of an install that was made by hand, and how it is taken back.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
    process::Command,
};
use support::{lab::said, scratch::Scratch};

const UNIT: &str = "etc/systemd/system/circleci.service";

#[test]
fn owner_and_mode_are_put_back_and_what_was_written_since_stays() {
    let scratch = Scratch::hand_made();
    let unit = scratch.root().join(UNIT);
    let mode = || fs::metadata(&unit).unwrap().permissions().mode() & 0o7777;
    let before = scratch.tree();
    let runnerup = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        command.args(words).arg("--yes").arg("--root").arg(scratch.root()).env_clear();
        command.output().unwrap()
    };
    // Other checks fail of this image, and stay so.
    let told = said(&runnerup(&["doctor", "--fix", "--only", "service/definition-mode"]), 0);
    assert!(told.contains("Cured: service/definition-mode"), "{told}");
    assert_eq!(mode(), 0o644);
    let copies = scratch.root().join("var/lib/runnerup/backup");
    let copies: Vec<_> = fs::read_dir(copies).into_iter().flatten().collect();
    assert!(copies.is_empty(), "its content is nobody's to copy: {copies:?}");

    OpenOptions::new().append(true).open(&unit).unwrap().write_all(b"# since then\n").unwrap();
    said(&runnerup(&["uninstall", "--instance", "doctor"]), 0);
    assert_eq!(mode(), 0o755);
    assert!(fs::read_to_string(&unit).unwrap().ends_with("# since then\n"));
    fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
    assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new());
}
