//! What an uninstall removes, and what it says of it.

use crate::support::{
    self,
    host::Suite,
    lab::{Lab, PROGRAM, UNIT, said},
    scratch::{Scratch, difference, is_left_out},
};
use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The configuration of the default instance.
pub const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";
const WORK: &str = "/var/opt/circleci/workdir";

/// All goes, without a question.
pub const PURGE: [&str; 3] = ["uninstall", "--purge", "--yes"];

/// Names whose bytes alone are more than [`MEMORY`].
const NAMES: u32 = 80_000;

/// Bytes of data that a purge may have.
const MEMORY: u32 = 16 << 20;

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

/// How many processes a number has on all hosts and on this machine.
fn processes_of(number: u32) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|process| process.metadata().is_ok_and(|about| about.uid() == number)).count()
}

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

#[test]
fn processes_of_the_account_end_before_anything_is_removed() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a purge against processes of the account") else {
        return;
    };
    let before = lab.state();
    lab.install(&[], 0);
    // Other systems make it with the account.
    lab.host.ok(&["install", "-o", "circleci", "-m", "0660", "/dev/null", "/var/mail/circleci"]);
    start(&lab, "circleci", "touch /tmp/one; exec sleep 1000");
    start(&lab, "circleci", "trap '' TERM; touch /tmp/two; while :; do sleep 0.1; done");
    // Each of them starts two, as often as the account may. The kernel counts the processes of this
    // number on all test hosts together.
    let bomb = "touch /tmp/three; f() { while :; do f & f; sleep 0.01; done; }; f";
    let most = 400 + processes_of(lab.host.ok(&["id", "-u", "circleci"]).parse().unwrap());
    start(&lab, "circleci", &format!("exec prlimit --nproc={most}:{most} sh -c '{bomb}'"));
    wait_until(&lab, "test -e /tmp/one && test -e /tmp/two && test -e /tmp/three");
    // One of another account, whose number begins with the same digits.
    lab.host.ok(&["useradd", "--no-create-home", "other"]);
    start(&lab, "other", "touch /tmp/four; exec sleep 1000");
    wait_until(&lab, "test -e /tmp/four");
    // It runs a program that a job made set-user-id: the account is its effective user alone.
    start(&lab, "circleci", "cp /bin/sleep /var/tmp/lent; chmod 4755 /var/tmp/lent");
    wait_until(&lab, "test -u /var/tmp/lent");
    start(&lab, "other", "exec /var/tmp/lent 1000");
    // Subordinate numbers, as processes in a container of either account have them.
    for (account, name) in [("circleci", "inner"), ("other", "outer")] {
        let first = format!("$(sed -n 's/^{account}:\\([0-9]*\\):.*/\\1/p' /etc/subuid)");
        let copy = format!("install -m 0755 /bin/sleep /var/tmp/{name}");
        let become_it =
            format!("exec setpriv --reuid=$(({first} + 7)) --clear-groups unshare --user");
        start(&lab, "root", &format!("{copy}; {become_it} /var/tmp/{name} 1000"));
    }
    wait_until(&lab, "pgrep -x lent && pgrep -x inner && pgrep -x outer");
    // What a sandbox with root's rights makes for whoever calls it: namespaces, and another root.
    let jail = "mkdir /srv/jail; mount -t tmpfs none /srv/jail; cd /srv/jail; mkdir usr
        mount --bind /usr usr; for name in bin lib lib64; do ln -s usr/$name $name; done
        for name in boxed caged inmate; do cp /bin/sleep $name; done";
    lab.host.ok(&["sh", "-ec", jail]);
    start(
        &lab,
        "root",
        "exec unshare --pid --fork setpriv --reuid circleci --clear-groups /srv/jail/boxed 1000",
    );
    for (slice, name) in [("user.slice", "caged"), ("machine.slice", "inmate")] {
        let scope = format!("exec systemd-run --quiet --scope --slice={slice}");
        let become_it = "chroot --userspec=\"$(id -u circleci)\" /srv/jail";
        start(&lab, "root", &format!("{scope} {become_it} /{name} 1000"));
    }
    wait_until(&lab, "pgrep -x boxed && pgrep -x caged && pgrep -x inmate");
    let told = lab.runnerup(&PURGE, 0);
    assert!(!holds(&lab, "pgrep -x 'boxed|caged'"), "{told}");
    // A container of root's, where the number means another account.
    let passed_over = told.lines().find(|line| line.contains("processes of containers"));
    assert!(passed_over.is_some_and(|line| line.contains("(inmate)")), "{told}");
    assert!(holds(&lab, "pgrep -x inmate"), "{told}");
    lab.host.ok(&["pkill", "-KILL", "-x", "inmate"]);
    wait_until(&lab, "! pgrep -x inmate");
    lab.host.ok(&["sh", "-c", "umount /srv/jail/usr /srv/jail; rmdir /srv/jail"]);
    assert!(told.contains("end the processes of circleci"), "{told}");
    assert!(told.contains("(sleep)"), "the processes are named: {told}");
    assert!(!holds(&lab, "pgrep -x 'lent|inner'"), "{told}");
    assert!(holds(&lab, "pgrep -u other sleep && pgrep -x outer"), "{told}");
    lab.host.ok(&["pkill", "-KILL", "-u", "other"]);
    lab.host.ok(&["pkill", "-KILL", "-x", "outer"]);
    wait_until(&lab, "! pgrep -u other && ! pgrep -x outer");
    lab.host.ok(&["userdel", "other"]);
    lab.host.ok(&["sh", "-c", "rm -f /var/tmp/lent /var/tmp/inner /var/tmp/outer"]);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new(), "{told}");
}

#[test]
fn processes_that_cannot_be_ended_and_an_account_that_stays_stop_the_run_in_time() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a purge that cannot remove the account") else {
        return;
    };
    let before = lab.state();
    lab.install(&[], 0);
    lab.host.ok(&["runuser", "-u", "circleci", "--", "touch", &format!("{WORK}/result")]);
    let is_whole = |told: &str, have_ended: bool| {
        assert_eq!(told.contains("everything was rolled back"), !have_ended, "{told}");
        let stays = "the processes of circleci that were ended stay ended";
        assert_eq!(told.contains(stays), have_ended, "{told}");
        assert!(holds(&lab, &format!("test -f {WORK}/result")), "the jobs' data is gone: {told}");
        assert!(holds(&lab, "test -d /home/circleci && id circleci"), "{told}");
        assert!(holds(&lab, &format!("test -f {CONFIG}")), "{told}");
        lab.wait_for(UNIT, "ActiveState", "active");
    };
    // Another account starts one for each that ends, before a look for the others has ended, by a
    // program that the account has left to it.
    lab.host.ok(&["useradd", "mallory"]);
    lab.host.ok(&["install", "-d", "-m", "0777", "/srv/open"]);
    let lend = "cp /usr/bin/perl /srv/open/lent; chmod 4755 /srv/open/lent";
    lab.host.ok(&["runuser", "-u", "circleci", "--", "sh", "-ec", lend]);
    let starter = r#"$n = 0; $0 = "starter"; while (1) {
        while ($n++ < 20) { if (!fork) { exec "/srv/open/lent", "-e", "sleep 1000" } }
        wait; $n = 19;
    }"#;
    start(&lab, "root", &format!("exec nice -n -20 runuser -u mallory -- perl -e '{starter}'"));
    wait_until(&lab, "pgrep -u circleci -x lent");
    let told = lab.runnerup(&PURGE, 6);
    let mallory = lab.host.ok(&["id", "-u", "mallory"]);
    let words = format!("processes of user ID {} start them; they run", mallory.trim());
    assert!(told.contains(&words) && told.contains("/srv/open/lent"), "{told}");
    assert!(told.contains("-perm -4000 -uid"), "{told}");
    assert!(told.contains("cannot be ended") && told.contains("(lent)"), "{told}");
    assert!(told.contains("sudo pkill -KILL -u circleci"), "{told}");
    is_whole(&told, true);
    lab.host.ok(&["sh", "-c", "pkill -KILL -x starter; pkill -KILL -U mallory; rm -r /srv/open"]);
    wait_until(&lab, "! pgrep -U mallory");
    lab.host.ok(&["userdel", "mallory"]);

    // The system's tool refuses.
    lab.host.ok(&["sh", "-c", "echo 1 >/etc/passwd.lock"]);
    let told = lab.runnerup(&PURGE, 6);
    assert!(told.contains("userdel"), "{told}");
    is_whole(&told, false);
    lab.host.ok(&["rm", "/etc/passwd.lock"]);

    // One of root's that acts for the account, as a file server does, is named and goes on.
    let acting = r#"$0 = "acting"; $> = getpwnam("circleci"); sleep 1000 while 1"#;
    start(&lab, "root", &format!("exec perl -e '{acting}'"));
    wait_until(&lab, "pgrep -u circleci -x acting");
    let told = lab.runnerup(&PURGE, 6);
    assert!(told.contains("(acting)") && told.contains("root's"), "{told}");
    assert!(told.contains("sudo ps -A -o pid,ruser,euser,suser,args"), "{told}");
    assert!(holds(&lab, "pgrep -x acting"), "{told}");
    is_whole(&told, false);
    lab.host.ok(&["pkill", "-KILL", "-x", "acting"]);

    // Whose the subordinate numbers are is believed of a file that root alone writes to.
    lab.host.ok(&["chmod", "0666", "/etc/subuid"]);
    let first = "$(sed -n 's/^circleci:\\([0-9]*\\):.*/\\1/p' /etc/subuid)";
    let lent = format!(
        "exec setpriv --reuid={first} --clear-groups unshare --user perl -e '$0 = \"lent\"; sleep 1000'"
    );
    start(&lab, "root", &lent);
    wait_until(&lab, "pgrep -x lent");
    let told = lab.runnerup(&PURGE, 6);
    assert!(told.contains("userdel") && holds(&lab, "pgrep -x lent"), "{told}");
    assert!(told.contains("sudo ps -A -o pid,ruser,euser,suser,args"), "{told}");
    is_whole(&told, false);
    lab.host.ok(&["pkill", "-KILL", "-x", "lent"]);
    lab.host.ok(&["chmod", "0644", "/etc/subuid"]);

    lab.runnerup(&PURGE, 0);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
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
