//! What an uninstall takes that no receipt names, and what it says of an install by hand.

use super::purge::{CONFIG, PURGE, holds};
use crate::support::{
    host::Suite,
    lab::{Lab, said},
    scratch::{Scratch, is_left_out},
};

/// The next account of the name, or of the number, would start it and own it.
#[test]
fn what_a_job_planted_outside_of_the_home_goes_with_the_account() {
    let Some(lab) = Lab::new(Suite::Bookworm, "files of the account outside of its home") else {
        return;
    };
    // As these programs have them; they are not on the test host.
    let folders = "install -d -m 1730 /var/spool/cron/crontabs; install -d /var/lib/systemd/linger
        install -d -m 1770 -o daemon -g daemon /var/spool/cron/atjobs
        for file in crontabs/root atjobs/root; do echo root >/var/spool/cron/$file; done
        echo >/var/lib/systemd/linger/root; install -o nobody /dev/null /tmp/nobodys
        ln -s nobodys /tmp/circleci; install -d -m 0777 -o nobody /dev/shm/nobodys";
    lab.host.ok(&["sh", "-ec", folders]);
    // A group of the administrator's that has the name of the account.
    lab.host.ok(&["groupadd", "--gid", "5555", "circleci"]);
    let before = lab.state();
    lab.install(&[], 0);
    let number = lab.host.ok(&["id", "-u", "circleci"]);
    let number = number.trim();
    let plant = || {
        let spools = "cd /var/spool/cron; for file in crontabs/circleci atjobs/a0001; do
            echo job >$file; chown circleci $file; done; echo >/var/lib/systemd/linger/circleci";
        lab.host.ok(&["sh", "-ec", spools]);
        let files = "cp /bin/sh /var/tmp/shell; chmod 4755 /var/tmp/shell
            ln -sf /etc/passwd /tmp/link; mkdir -p /dev/shm/left/deep /tmp/point
            echo x >/dev/shm/left/deep/file; test -p /var/tmp/fifo || mkfifo /var/tmp/fifo
            echo x >/dev/shm/nobodys/file";
        lab.host.ok(&["runuser", "-u", "circleci", "--", "sh", "-ec", files]);
    };
    let places = "find /tmp /var/tmp /dev/shm /var/spool /var/lib/systemd/linger";
    let list = |test: &str| lab.host.ok(&["sh", "-c", &format!("{places} {test} | sort")]);
    let theirs = || list(&format!("-uid {number}"));

    // Nothing tells the files of two accounts with one number apart.
    plant();
    let whole = theirs();
    lab.host.ok(&["useradd", "--non-unique", "--uid", number, "--no-create-home", "twin"]);
    let told = lab.runnerup(&PURGE, 6);
    assert!(told.contains("twin has the same number") && theirs() == whole, "{told}");
    lab.host.ok(&["sed", "-i", "/^twin:/d", "/etc/passwd", "/etc/shadow", "/etc/group"]);
    lab.host.ok(&["sed", "-i", "/^twin:/d", "/etc/gshadow", "/etc/subuid", "/etc/subgid"]);

    // Where the account stays after all, what is gone is not called rolled back.
    lab.host.ok(&["sh", "-c", "echo 1 >/etc/passwd.lock"]);
    let told = lab.runnerup(&PURGE, 6);
    let stays = "the files of circleci outside of its home that were removed stay removed";
    assert!(told.contains(stays) && told.contains("everything else was rolled back"), "{told}");
    assert!(holds(&lab, "id circleci && test -d /home/circleci"), "{told}");
    lab.host.ok(&["rm", "/etc/passwd.lock"]);

    // What is mounted there is another place, whoever owns what is in it.
    plant();
    lab.host.ok(&["install", "-d", "-o", number, "/srv/cache"]);
    lab.host.ok(&["install", "-o", number, "/dev/null", "/srv/cache/file"]);
    lab.host.ok(&["mount", "--bind", "/srv/cache", "/tmp/point"]);
    // As logind has it; no test host has that.
    let session = "cat >/run/systemd/system/user-runtime-dir@$1.service <<'END'
        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=mount -t tmpfs -o mode=0700 session /run/user/%i
        ExecStop=sh -c 'umount /run/user/%i && rmdir /run/user/%i'\nEND
        mkdir -p /run/user/$1; systemctl daemon-reload; systemctl start user-runtime-dir@$1
        chown $1 /run/user/$1; mkdir /run/user/$1/systemd; chown $1 /run/user/$1/systemd";
    lab.host.ok(&["sh", "-ec", session, "sh", number]);
    let memory = "perl -e 'shmget(7, 99, 01600) // die; msgget(7, 01600) // die; \
        semget(7, 1, 01600) // die'";
    lab.host.ok(&["runuser", "-u", "circleci", "--", "sh", "-ec", memory]);
    lab.host.ok(&["runuser", "-u", "nobody", "--", "perl", "-e", "shmget(8, 99, 01600) // die"]);
    let told = lab.runnerup(&PURGE, 0);
    let objects = lab.host.ok(&["sh", "-c", "tail -q -n +2 /proc/sysvipc/*"]);
    assert!(objects.lines().count() == 1 && objects.contains("65534"), "{objects}");
    assert!(!holds(&lab, &format!("test -e /run/user/{number}")), "{told}");
    lab.host.ok(&[
        "sh",
        "-c",
        "rm /run/systemd/system/user-runtime-dir@*; systemctl daemon-reload",
    ]);
    let line = told.lines().find(|line| line.contains("sudo find / ")).unwrap_or_default();
    let places: Vec<&str> = line.split_whitespace().collect();
    assert!(["/dev/shm", "/run", "/tmp"].iter().all(|place| places.contains(place)), "{told}");
    assert!(line.contains(&format!("-xdev -uid {number}")), "{told}");
    assert!(holds(&lab, "test -f /srv/cache/file"), "{told}");
    lab.host.ok(&["umount", "/tmp/point"]);
    lab.host.ok(&["rm", "-r", "/srv/cache", "/tmp/point"]);
    assert_eq!(theirs().trim(), "", "also in a folder of another account's: {told}");
    assert_eq!(list("-name circleci").trim(), "/tmp/circleci", "{told}");
    let kept = list("-name root -o -name nobodys");
    assert_eq!(kept.lines().count(), 5, "{kept}");
    assert_eq!(lab.host.ok(&["getent", "group", "circleci"]), "circleci:x:5555:", "{told}");
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new(), "{told}");
}

#[test]
fn an_install_by_hand_is_named_and_not_called_nothing() {
    if is_left_out("an uninstall of an install by hand") {
        return;
    }
    let scratch = Scratch::hand_made();
    let untouched = scratch.tree();
    let told = said(&scratch.run(&["uninstall", "--purge"]), 0);
    assert!(told.contains("Nothing was removed") && told.contains(CONFIG), "{told}");
    assert!(told.contains("/etc/systemd/system/circleci.service"), "{told}");
    let told = said(&scratch.run(&["uninstall", "--json"]), 0);
    assert!(told.contains("installed by hand") && told.contains(CONFIG), "{told}");
    // There is nothing of another instance.
    let told = said(&scratch.run(&["uninstall", "--instance", "other"]), 0);
    assert!(told.contains("has not installed") && !told.contains(CONFIG), "{told}");
    assert_eq!(untouched.diff(&scratch.tree()), Vec::<String>::new());
}
