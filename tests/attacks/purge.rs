//! What an uninstall removes, and what it says of it. One file for each thing that could keep it from
//! that.

mod bounds;
mod mounts;
mod processes;

use crate::support::{
    lab::{Lab, said},
    scratch::{Scratch, difference, is_left_out},
};
use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// The configuration of the default instance.
pub const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";
const WORK: &str = "/var/opt/circleci/workdir";

/// All goes, without a question.
pub const PURGE: [&str; 3] = ["uninstall", "--purge", "--yes"];

/// Starts a shell script on the host that goes on by itself.
fn start(lab: &Lab, user: &str, script: &str) {
    let line = r#"exec setsid -f runuser -u "$1" -- sh -c "$2" </dev/null >/dev/null 2>&1"#;
    lab.host.ok(&["sh", "-c", line, "sh", user, script]);
}

/// Waits until a shell condition holds on the host.
fn wait_until(lab: &Lab, condition: &str) {
    let begun = Instant::now();
    while !lab.host.run(&["sh", "-c", condition]).status.success() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{condition}");
        thread::sleep(Duration::from_millis(30));
    }
}

/// Whether a shell condition holds on the host.
pub fn holds(lab: &Lab, condition: &str) -> bool {
    lab.host.run(&["sh", "-c", condition]).status.success()
}

/// Whatever fails of a purge, and however late: what is said of it is true.
#[test]
fn a_purge_that_fails_says_what_is_gone_and_the_next_one_ends_it() {
    if is_left_out("a purge that fails at each removal") {
        return;
    }
    let words = ["uninstall", "--purge"];
    let made = || {
        let scratch = Scratch::hand_made();
        said(&scratch.run(&["install"]), 0);
        let job = scratch.root().join(&WORK[1..]).join("job/deep");
        fs::create_dir_all(&job).unwrap();
        fs::write(job.join("result"), "data").unwrap();
        scratch
    };
    let untouched = Scratch::hand_made().tree();
    let mut ends = [0, 0];
    for n in 1..200 {
        let scratch = made();
        let before = scratch.tree();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=unlinkat"]);
        strace.args(["-e", &format!("inject=unlinkat:error=EIO:when={n}"), "--"]);
        let output = strace.args(scratch.command(&words)).env_clear().output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let left = difference(&before, &scratch.tree());
        let left: Vec<_> = left.iter().filter(|line| !line.contains("/var/lib/runnerup")).collect();
        match output.status.code() {
            Some(0) if untouched.diff(&scratch.tree()).is_empty() => break,
            // What could not be tidied up at the end.
            Some(0) => {}
            Some(6) => {
                assert_eq!(left, Vec::<&String>::new(), "{n}: {told}");
                ends[0] += 1;
            }
            Some(7) => {
                assert!(!told.contains("everything was rolled back"), "{n}: {told}");
                assert!(told.contains("runnerup uninstall"), "{n}: {told}");
                ends[1] += 1;
                // A cure is no way round it.
                let fix = Command::new(env!("CARGO_BIN_EXE_runnerup"))
                    .args(["doctor", "--fix", "--yes", "--offline", "--root"])
                    .arg(scratch.root())
                    .output()
                    .unwrap();
                let fix = said(&fix, 3);
                assert!(fix.contains("runnerup uninstall"), "{n}: {fix}");
            }
            code => panic!("{n}: ended with {code:?}: {told}"),
        }
        let then = said(&scratch.run(&words), 0);
        assert_eq!(untouched.diff(&scratch.tree()), Vec::<String>::new(), "{n}: {told}; {then}");
    }
    assert!(ends.iter().all(|count| *count > 1), "{ends:?}");
}
