//! The account's processes end before anything is removed: those of others do not.

use super::{CONFIG, PURGE, WORK, holds, start, wait_until};
use crate::support::{
    host::Suite,
    lab::{Lab, UNIT},
};
use std::{fs, os::unix::fs::MetadataExt};

/// How many processes a number has on all hosts and on this machine.
fn processes_of(number: u32) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|process| process.metadata().is_ok_and(|about| about.uid() == number)).count()
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
