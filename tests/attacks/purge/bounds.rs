//! How much there is, how large it is and who holds it decides neither the time nor the memory that an
//! uninstall takes, nor whether it can be stopped.

use super::{CONFIG, PURGE, WORK, holds, start, wait_until};
use crate::support::{
    self,
    host::Suite,
    lab::{Lab, PROGRAM, said},
    scratch::Scratch,
};
use std::{
    fs::{self, File},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Names whose bytes alone are more than [`MEMORY`].
const NAMES: u32 = 80_000;

/// Bytes of data that a purge may have.
const MEMORY: u32 = 16 << 20;

#[test]
fn a_folder_that_is_filled_again_and_again_holds_up_no_purge() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a work folder that is filled all the while") else {
        return;
    };
    let before = lab.state();
    lab.install(&[], 0);
    lab.host.ok(&["chmod", "0777", "/var/opt/circleci", WORK]);
    // Trees that are deeper than the folders that a removal holds open; a few at a time, and for two
    // two minutes at most, so that no disk is filled.
    let script = format!(
        "exec perl -e 'alarm 110; for ($n = 0; ; $n++) {{ chdir \"{WORK}\" or next; \
         mkdir \"/tmp/fills\"; next if -e (\"t\" . ($n % 40)); mkdir(\"t\" . ($n % 40)); \
         chdir(\"t\" . ($n % 40)) or next; for (1..70) {{ mkdir \"d\"; chdir \"d\" or last }} }}'"
    );
    start(&lab, "nobody", &script);
    wait_until(&lab, "test -e /tmp/fills");
    let begun = Instant::now();
    let words: Vec<&str> = [PROGRAM].into_iter().chain(PURGE).collect();
    let output = lab.host.run(&words);
    assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
    lab.host.ok(&["pkill", "-KILL", "perl"]);
    let is_filled = output.status.code() == Some(7);
    let told = said(&output, if is_filled { 7 } else { 0 });
    assert_eq!(told.contains("keeps adding files"), is_filled, "{told}");
    if is_filled {
        assert!(told.contains("this stays: "), "{told}");
        lab.runnerup(&PURGE, 0);
    }
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new(), "{told}");
}

#[test]
fn a_purge_that_takes_long_can_be_stopped() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a purge that is stopped by a signal") else {
        return;
    };
    let before = lab.state();
    for folder in ["/home/circleci", WORK] {
        lab.install(&[], 0);
        let fill = format!(
            "cd {folder} && perl -e 'for $a (1..300) {{ mkdir $a; for (1..400) \
                            {{ open F, \">$a/$_\" }} }}'"
        );
        lab.host.ok(&["sh", "-c", &fill]);
        let words: Vec<&str> = [PROGRAM].into_iter().chain(PURGE).collect();
        let mut command = lab.host.command(&words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let run = command.spawn().unwrap();
        wait_until(&lab, &format!("test $(ls {folder} | wc -l) -lt 290"));
        lab.host.ok(&["pkill", "-TERM", "-x", "runnerup"]);
        let told = said(&run.wait_with_output().unwrap(), 7);
        assert!(told.contains("interrupted") && told.contains("cannot be"), "{told}");
        assert!(holds(&lab, &format!("test $(ls {folder} | wc -l) -gt 1")), "it went on: {told}");
        // The next account gets the number, and nothing that jobs left.
        let left = "find /home/circleci /var/opt/circleci -maxdepth 0 ! \\( -uid 0 -perm 0700 \\)";
        let left = lab.host.run(&["sh", "-c", left]);
        assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{told}");
        lab.runnerup(&PURGE, 0);
        assert_eq!(before.diff(&lab.state()), Vec::<String>::new(), "{told}");
    }
}

/// A hard link costs its owner no inode.
#[test]
fn the_names_in_a_folder_do_not_decide_how_much_memory_a_purge_takes() {
    if support::needs_root("a folder with many names") {
        return;
    }
    let scratch = Scratch::hand_made();
    let untouched = scratch.tree();
    said(&scratch.run(&["install"]), 0);
    let folder = scratch.root().join(&WORK[1..]);
    let name = |number: u32| folder.join(format!("{number:0>240}"));
    fs::write(name(0), "").unwrap();
    (1..NAMES).for_each(|number| fs::hard_link(name(0), name(number)).unwrap());
    let mut program = scratch.command(&["uninstall", "--purge"]);
    program.splice(0..0, ["prlimit".to_owned(), format!("--data={MEMORY}")]);
    said(&Command::new(&program[0]).args(&program[1..]).env_clear().output().unwrap(), 0);
    assert_eq!(untouched.diff(&scratch.tree()), Vec::<String>::new());
}

/// A sparse file costs its owner nothing, and whoever reads it hours.
#[test]
fn a_file_that_the_account_made_huge_is_not_read() {
    if support::needs_root("a huge file of the account") {
        return;
    }
    for place in [&CONFIG[1..], "opt/circleci/circleci-launch-agent"] {
        let scratch = Scratch::hand_made();
        let untouched = scratch.tree();
        said(&scratch.run(&["install"]), 0);
        let grow = || {
            let file = File::options().write(true).open(scratch.root().join(place)).unwrap();
            file.set_len(4 << 40).unwrap();
        };
        let timed = |words: &[&str], code: i32| {
            let begun = Instant::now();
            let mut program = scratch.command(words);
            program.splice(0..0, ["timeout".to_owned(), "20".to_owned()]);
            let output = Command::new(&program[0]).args(&program[1..]).output().unwrap();
            let told = said(&output, code);
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(5), "{place}, {words:?}: {took:?}: {told}");
            told
        };
        grow();
        timed(&["plan"], 0);
        timed(&["install"], 0);
        grow();
        let told = timed(&["uninstall"], 0);
        // A program that updates itself is expected to change.
        let is_told = told.contains("changed since");
        assert_eq!(is_told, place == &CONFIG[1..], "{place}: {told}");
        timed(&["uninstall", "--purge", "--force"], 0);
        assert_eq!(untouched.diff(&scratch.tree()), Vec::<String>::new(), "{place}");
    }
}

/// A lease makes every attempt to open the file fail.
#[test]
fn a_lease_on_the_configuration_stops_neither_install_nor_uninstall() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a lease on the configuration") else { return };
    let before = lab.state();
    lab.install(&[], 0);
    let hold = || {
        let script = format!(
            "exec perl -e '$SIG{{IO}} = \"IGNORE\"; open F, \"+<\", \"{CONFIG}\" or die; \
             fcntl(F, 1024, 1) or die; mkdir \"/tmp/held\"; sleep 1000'"
        );
        lab.host.ok(&["rm", "-rf", "/tmp/held"]);
        start(&lab, "circleci", &script);
        wait_until(&lab, "test -e /tmp/held && grep -q LEASE /proc/locks");
    };
    hold();
    lab.install(&["--max-run-time", "2h"], 0);
    lab.host.ok(&["grep", "2h", CONFIG]);
    lab.host.ok(&["pkill", "-KILL", "perl"]);
    hold();
    let told = lab.runnerup(&["uninstall", "--yes"], 0);
    assert!(!holds(&lab, &format!("test -e {CONFIG}")), "{told}");
    lab.runnerup(&PURGE, 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
}
