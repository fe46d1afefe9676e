//! Locks, tools, core dumps and names that another account could use against root.

use crate::support::{
    self,
    host::{Host, Suite},
    lab::{Lab, TOKEN, said},
    scratch::Scratch,
};
use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        process::ExitStatusExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
};

const LOCK: &str = "/var/lib/runnerup/lock";
const PROGRAM: &str = env!("CARGO_BIN_EXE_runnerup");

fn sh(host: &Host, script: &str) -> String {
    host.ok(&["sh", "-ec", script])
}

/// Another account that holds the lock for some seconds, if it can.
fn hold_lock(host: &Host) -> Child {
    let script = format!("flock --nonblock {LOCK} sh -c 'echo held; sleep 4' || echo refused");
    let mut command = host.command(&["runuser", "-u", "mallory", "--", "sh", "-c", &script]);
    command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap()
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let output = std::io::BufReader::new(child.stdout.as_mut().unwrap());
    std::io::BufRead::read_line(&mut { output }, &mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn no_account_holds_roots_lock() {
    let Some(lab) = Lab::new(Suite::Bookworm, "the lock against other accounts") else { return };
    sh(&lab.host, "useradd mallory");
    lab.install(&[], 0);
    let mut holder = hold_lock(&lab.host);
    assert_eq!(first_line(&mut holder), "refused");
    holder.wait().unwrap();

    // As an earlier version left it, and held already.
    sh(&lab.host, &format!("chmod 644 {LOCK}; echo 36 >{LOCK}"));
    let mut holder = hold_lock(&lab.host);
    assert_eq!(first_line(&mut holder), "held");
    let told = lab.install(&["--max-run-time", "6h"], 3);
    assert!(told.contains("fuser") && !told.contains("36"), "{told}");
    holder.wait().unwrap();
    let mut holder = hold_lock(&lab.host);
    assert_eq!(first_line(&mut holder), "refused");
    holder.wait().unwrap();
    lab.install(&["--max-run-time", "6h"], 0);
    assert_eq!(lab.host.ok(&["stat", "--format", "%U %a", LOCK]), "root 600");
}

#[test]
fn programs_that_others_can_write_are_not_run() {
    let what = "programs in a folder of a group";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    lab.install(&[], 0);
    sh(
        &lab.host,
        "usermod --append --groups staff circleci
         chown root:staff /usr/local/bin /usr/local/sbin; chmod 2775 /usr/local/bin /usr/local/sbin
         mv /usr/sbin/useradd /usr/sbin/adduser /root",
    );
    let plant = "for name in systemctl journalctl getent sudo useradd adduser; do
                     for folder in bin sbin; do
                         printf '#!/bin/sh\\ntouch /root/pwned\\n' >/usr/local/$folder/$name
                         chmod 755 /usr/local/$folder/$name
                     done
                 done";
    lab.host.ok(&["runuser", "-u", "circleci", "-G", "staff", "--", "sh", "-ec", plant]);
    lab.host.run(&[support::lab::PROGRAM, "doctor", "--offline"]);
    let told = lab.install(&["--instance", "other", "--dry-run"], 3);
    assert!(told.contains("useradd"), "{told}");
    lab.runnerup(&["uninstall", "--yes"], 0);
    sh(&lab.host, "test ! -e /root/pwned");
}

/// The token is in memory while the bucket is asked; the end of the process leaves none of it.
#[test]
fn no_core_dump_has_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let unlimited = |words: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh"]).args(words);
        command.current_dir(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    let dumps = unlimited(&["sh", "-c", "kill -ABRT $$"]).status().unwrap();
    if !dumps.core_dumped() {
        support::leave_out("a core dump", "this machine makes none");
        return;
    }
    let token = folder.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    let bucket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", bucket.local_addr().unwrap());
    let mut words =
        vec![PROGRAM, "install", "--yes", "--agent=launch-agent", "--release-url", &url, "--root"];
    words.extend([root.to_str().unwrap(), "--token-file", token.to_str().unwrap()]);
    let mut child = unlimited(&words).spawn().unwrap();
    let asked = bucket.accept().unwrap();
    let pid = child.id();
    let killed = Command::new("kill").args(["-ABRT", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    drop(asked);
    assert_eq!(status.signal(), Some(6), "{status:?}");
    assert!(!status.core_dumped(), "{status:?}");
}

#[test]
fn names_of_receipts_are_no_names_of_instances() {
    let scratch = Scratch::new();
    let before = scratch.tree();
    for name in ["doctor", "default"] {
        let told = said(&scratch.run(&["install", "--instance", name]), 2);
        assert!(told.contains(&format!("cannot be named \"{name}\"")), "{told}");
    }
    said(&scratch.run(&["uninstall", "--instance", "default"]), 2);
    // What `doctor --fix` changed is taken back by this name.
    said(&scratch.run(&["uninstall", "--instance", "doctor"]), 0);
    assert_eq!(before.diff(&scratch.tree()), Vec::<String>::new());
}

#[test]
fn saved_facts_harm_nothing_in_a_folder_of_others() {
    let scratch = Scratch::new();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let (victim, facts) = (folder.path().join("victim"), folder.path().join("facts.json"));
    let save = |name: &Path| {
        let mut command = Command::new("timeout");
        // At the name that can be guessed: the target's, with the number of the process.
        let script = "echo planted >\"$1.$$\"; exec \"$0\" doctor --offline --root \"$2\" \
                      --save-facts \"$1\"";
        command.args(["60", "sh", "-c", script, PROGRAM]).arg(name).arg(scratch.root());
        command.env_clear().stdin(Stdio::null()).output().unwrap()
    };
    let planted = || {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| fs::read(path).is_ok_and(|text| text == b"planted\n")).count()
    };
    let plants: [(&str, &dyn Fn()); 3] = [
        ("nothing", &|| ()),
        ("a link", &|| symlink(&victim, &facts).unwrap()),
        ("a FIFO", &|| {
            assert!(Command::new("mkfifo").arg(&facts).status().unwrap().success());
        }),
    ];
    fs::write(&victim, "of root").unwrap();
    for (number, (what, plant)) in plants.into_iter().enumerate() {
        let _ = fs::remove_file(&facts);
        plant();
        let output = save(&facts);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {output:?}");
        let about = fs::symlink_metadata(&facts).unwrap();
        assert!(about.is_file() && about.mode() & 0o777 == 0o600, "{what}: {about:?}");
        assert_eq!(fs::read(&victim).unwrap(), b"of root", "{what}");
        assert_eq!(planted(), number + 1, "{what}");
    }
    // A folder in the way: what was made is taken away, and nothing else.
    fs::remove_file(&facts).unwrap();
    fs::create_dir(&facts).unwrap();
    let output = save(&facts);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!((planted(), names), (4, 6), "planted, the victim and the folder");
    // A link of others on the way is not followed.
    symlink("/root", folder.path().join("way")).unwrap();
    let output = save(&folder.path().join("way/facts.json"));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
