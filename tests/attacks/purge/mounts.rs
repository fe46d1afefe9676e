//! What is mounted in a folder that a purge removes is another's data: nothing of it goes.

use super::{PURGE, WORK, holds, start, wait_until};
use crate::support::{
    self,
    host::Suite,
    lab::{Lab, PROGRAM, UNIT, said},
    scratch::Scratch,
};
use std::{
    fs,
    process::{Command, Stdio},
};

/// Everything that the state of a host must be compared by, with a bind mount that it may keep.
#[test]
fn what_is_mounted_in_a_purged_folder_stops_the_run_before_anything_is_removed() {
    for suite in [Suite::Bookworm, Suite::Bullseye] {
        let Some(lab) = Lab::new(suite, "a purge where something is mounted") else { return };
        lab.host.write("/srv/cache/file", b"kept", 0o644);
        lab.host.write("/srv/b c/file", b"kept", 0o644);
        let before = lab.state();
        lab.install(&[], 0);
        let mounted = [
            ("--bind /srv/cache", "/var/opt/circleci/workdir/cache", false),
            ("-t tmpfs none", "/var/opt/circleci/workdir/memory", false),
            ("-t tmpfs none", "/home/circleci/memory", false),
            // A file, and a name that no command line is made of.
            ("--bind /srv/cache/file", "/home/circleci/one", false),
            ("--bind '/srv/b c'", "/home/circleci/b c", false),
            // No other account can put another folder in the place of this one.
            ("--bind /srv/cache", "/home/circleci", true),
        ];
        for (what, point, is_roots) in mounted {
            let script = format!(
                "if test -f $(echo {what} | sed 's/.* //'); then touch '{point}'; \
                 else mkdir -p '{point}'; fi; mount {what} '{point}'; touch '{point}/own'; true"
            );
            lab.host.ok(&["sh", "-c", &script]);
            let process = lab.property(UNIT, "MainPID");
            for words in [PURGE.as_slice(), &["uninstall", "--purge", "--dry-run"]] {
                let told = lab.runnerup(words, 3);
                assert!(told.contains(point), "{suite:?}, {point}: {told}");
                let umount = format!("sudo umount {point}");
                assert_eq!(told.contains(&umount), is_roots, "{suite:?}, {point}: {told}");
            }
            assert_eq!(lab.property(UNIT, "MainPID"), process, "{suite:?}, {point}");
            assert!(holds(&lab, "test -f /srv/cache/file"), "{suite:?}, {point}");
            lab.host.ok(&["test", "-e", point]);
            lab.host.ok(&["umount", point]);
        }
        lab.host.ok(&["rm", "/srv/cache/own", "/srv/b c/own"]);
        lab.runnerup(&PURGE, 0);
        assert_eq!(before.diff(&lab.state()), Vec::<String>::new(), "{suite:?}");
    }
}

#[test]
fn what_is_mounted_during_a_purge_stays_and_the_next_one_goes_on() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a mount that appears during a purge") else {
        return;
    };
    lab.host.write("/srv/cache/file", b"kept", 0o644);
    let before = lab.state();
    lab.install(&[], 0);
    // It refuses to end, which leaves some seconds between the first look and the removal.
    start(&lab, "circleci", "trap '' TERM; touch /tmp/waits; while :; do sleep 0.1; done");
    wait_until(&lab, "test -e /tmp/waits");
    let words: Vec<&str> = [PROGRAM].into_iter().chain(PURGE).collect();
    let mut command = lab.host.command(&words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = command.spawn().unwrap();
    wait_until(&lab, &format!("! systemctl is-active --quiet {UNIT}"));
    let points = [format!("{WORK}/cache"), "/home/circleci/cache".to_owned()];
    for point in &points {
        lab.host.ok(&["mkdir", "-p", point]);
        lab.host.ok(&["mount", "--bind", "/srv/cache", point]);
    }
    let told = said(&run.wait_with_output().unwrap(), 7);
    assert!(holds(&lab, "test -f /srv/cache/file"), "{told}");
    for point in &points {
        assert!(told.contains(&format!("something is mounted at {point}")), "{told}");
        lab.host.ok(&["umount", point]);
    }
    assert!(told.contains("this stays: ") && told.contains("--purge"), "{told}");
    lab.runnerup(&PURGE, 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
}

/// A look at a file system whose server is dead is never answered.
#[test]
fn a_mount_that_never_answers_is_named_at_once() {
    if support::needs_root("a dead file system") {
        return;
    }
    let scratch = Scratch::hand_made();
    let untouched = scratch.tree();
    said(&scratch.run(&["install"]), 0);
    let work = &WORK[1..];
    fs::create_dir(scratch.root().join(work).join("cache")).unwrap();
    let script = r#"exec 9<>/dev/fuse
        mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0,allow_other none "$1" || exit 99
        shift; exec timeout -s KILL 10 "$@""#;
    for point in ["var/opt/circleci", work, &format!("{work}/cache")] {
        let mut dead = Command::new("unshare");
        dead.args(["--mount", "sh", "-c", script, "sh"]).arg(scratch.root().join(point));
        let output = dead.args(scratch.command(&["uninstall", "--purge"])).output().unwrap();
        if output.status.code() == Some(99) {
            return support::leave_out("a dead file system", "needs /dev/fuse");
        }
        let told = said(&output, 3);
        assert!(told.contains(&format!("{point}\"; nothing was changed")), "{point}: {told}");
    }
    said(&scratch.run(&["uninstall", "--purge"]), 0);
    assert_eq!(untouched.diff(&scratch.tree()), Vec::<String>::new());
}
