//! What the account that runs jobs can write is hostile ground: whatever it plants there, a run
//! by root changes nothing outside, waits for nothing, and prints nothing that it found.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use support::{
    host_tree::Tree,
    lab::said,
    scratch::{Scratch, difference},
};

/// The account's number in the scratch roots.
const ACCOUNT: u32 = 4242;

/// Stands in every file that root must neither change nor print.
const FOREIGN: &str = "FOREIGN-CONTENT";

/// A root that knows the account, and a folder of root's beside what the account can reach.
struct Ground(Scratch);

impl Ground {
    fn new() -> Self {
        let scratch = Scratch::new();
        let replaceable_by = Self(scratch);
        fs::set_permissions(replaceable_by.top(), fs::Permissions::from_mode(0o755)).unwrap();
        let place = |path: &str, content: &str, mode: u32| {
            let path = replaceable_by.at(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let line = format!("circleci:x:{ACCOUNT}:{ACCOUNT}::/home/circleci:/bin/sh\n");
        place("etc/passwd", &format!("root:x:0:0::/root:/bin/sh\n{line}"), 0o644);
        place("etc/group", &format!("root:x:0:\ncircleci:x:{ACCOUNT}:\n"), 0o644);
        place("etc/shadow", FOREIGN, 0o600);
        place("etc/cron.d/job", FOREIGN, 0o644);
        place("foreign/file", FOREIGN, 0o640);
        place("foreign/inner/file", FOREIGN, 0o600);
        place("foreign/workdir/file", FOREIGN, 0o600);
        replaceable_by
    }

    fn top(&self) -> PathBuf {
        self.0.root().parent().unwrap().to_owned()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.root().join(path)
    }

    /// Root's own files, which no run may touch.
    fn foreign(&self) -> (Tree, Tree, Vec<u8>) {
        let tree = |path: &str| Tree::of(&self.at(path));
        (tree("foreign"), tree("etc/cron.d"), fs::read(self.at("etc/shadow")).unwrap())
    }

    /// Runs it, within seconds and without a word of what is root's.
    fn run(&self, words: &[&str], what: &str) -> Output {
        let begun = Instant::now();
        let output = self.0.run(words);
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: it waited");
        let told = [output.stdout.as_slice(), &output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(!told.contains(FOREIGN), "{what}: {told}");
        assert!(matches!(output.status.code(), Some(0 | 3 | 6 | 7)), "{what}: {told}");
        output
    }

    fn install(&self, more: &[&str]) {
        let words = [["install", "--auto-update", "true"].as_slice(), more].concat();
        said(&self.0.run(&words), 0);
    }

    /// Plants something at a path, as the account would.
    fn plant(&self, path: &str, kind: &str) {
        let (path, root) = (self.at(path), self.0.root());
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
        match kind {
            "link to a file" => symlink(root.join("foreign/file"), &path).unwrap(),
            "link to the shadow" => symlink("/etc/shadow", &path).unwrap(),
            "link to a folder" => symlink(root.join("foreign"), &path).unwrap(),
            "relative link" => symlink("../../../foreign", &path).unwrap(),
            "link to nothing" => symlink(root.join("etc/cron.d/new"), &path).unwrap(),
            "link in a circle" => symlink(&path, &path).unwrap(),
            "hard link" => fs::hard_link(root.join("foreign/file"), &path).unwrap(),
            "folder" => fs::create_dir(&path).unwrap(),
            "FIFO" => {
                let made = Command::new("mkfifo").arg(&path).status().unwrap();
                assert!(made.success());
            }
            "device" => {
                let made = Command::new("mknod").arg(&path).args(["c", "1", "3"]).status().unwrap();
                assert!(made.success());
            }
            kind => panic!("{kind}"),
        }
        if kind != "hard link" {
            std::os::unix::fs::lchown(&path, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
        }
    }
}

const KINDS: [&str; 10] = [
    "link to a file",
    "link to the shadow",
    "link to a folder",
    "relative link",
    "link to nothing",
    "link in a circle",
    "hard link",
    "folder",
    "FIFO",
    "device",
];

#[test]
fn what_the_account_plants_leads_a_second_install_and_an_uninstall_nowhere() {
    if support::needs_root("links, FIFOs and devices planted by the account") {
        return;
    }
    let places = ["opt/circleci/circleci-launch-agent", "var/opt/circleci/workdir"];
    for place in places {
        for kind in KINDS {
            let what = format!("{kind} at {place}");
            let replaceable_by = Ground::new();
            let foreign = replaceable_by.foreign();
            replaceable_by.install(&[]);
            replaceable_by.plant(place, kind);
            replaceable_by
                .run(&["install", "--max-run-time", "3h", "--auto-update", "true"], &what);
            assert!(replaceable_by.foreign() == foreign, "{what}: install");
            replaceable_by.run(&["uninstall", "--purge", "--force"], &what);
            assert!(replaceable_by.foreign() == foreign, "{what}: uninstall");
        }
    }
}

/// A folder on the way to the work folder, which the account owns as well.
#[test]
fn a_link_on_the_way_leads_nowhere() {
    if support::needs_root("a link planted on the way to a folder") {
        return;
    }
    let deep = ["--workdir", "/var/opt/circleci/deep/workdir"];
    for kind in ["link to a folder", "relative link", "link in a circle", "FIFO"] {
        let replaceable_by = Ground::new();
        replaceable_by.install(&deep);
        let foreign = replaceable_by.foreign();
        replaceable_by.plant("var/opt/circleci/deep", kind);
        let again =
            [["install", "--auto-update", "true", "--mode", "single-task"].as_slice(), &deep];
        replaceable_by.run(&again.concat(), kind);
        assert!(replaceable_by.foreign() == foreign, "{kind}: install");
        replaceable_by.run(&["uninstall", "--purge", "--force"], kind);
        assert!(replaceable_by.foreign() == foreign, "{kind}: uninstall");
    }
}

/// The documentation gives the account the folder of its configuration.
#[test]
fn a_hand_made_configuration_folder_leads_nowhere() {
    if support::needs_root("a configuration folder of the account's own") {
        return;
    }
    for kind in KINDS {
        let what = format!("{kind} for a configuration");
        let replaceable_by = Ground::new();
        fs::create_dir_all(replaceable_by.at("etc/opt/circleci")).unwrap();
        replaceable_by.plant("etc/opt/circleci/launch-agent-config.yaml", kind);
        chown(replaceable_by.at("etc/opt/circleci"), Some(ACCOUNT), Some(ACCOUNT)).unwrap();
        let foreign = replaceable_by.foreign();
        replaceable_by.run(&["install"], &what);
        assert!(replaceable_by.foreign() == foreign, "{what}: install");
        replaceable_by.run(&["uninstall", "--purge", "--force"], &what);
        assert!(replaceable_by.foreign() == foreign, "{what}: uninstall");
    }
}

/// What a configuration says is the account's word: it must not make root create files for it.
#[test]
fn a_configuration_that_names_roots_places_is_not_believed() {
    if support::needs_root("a configuration that names places of root's") {
        return;
    }
    let named = "runner:\n  working_directory: /etc/systemd/system/x.service.d\n\
                 logging:\n  file: /etc/cron.d/evil\n";
    // Made by hand, before anything of ours.
    let replaceable_by = Ground::new();
    let config = replaceable_by.at("etc/opt/circleci/launch-agent-config.yaml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, named).unwrap();
    chown(&config, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
    let foreign = replaceable_by.foreign();
    let told = said(&replaceable_by.run(&["install"], "hand-made"), 3);
    assert!(told.contains("E3006") && told.contains("--workdir"), "{told}");
    assert!(replaceable_by.foreign() == foreign);
    assert!(!replaceable_by.at("etc/systemd/system/x.service.d").exists());

    // Ours, edited by the account afterwards.
    let replaceable_by = Ground::new();
    replaceable_by.install(&[]);
    let config = replaceable_by.at("etc/opt/circleci/launch-agent-config.yaml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "logging:\n  file: /etc/cron.d/evil\n").unwrap();
    let foreign = replaceable_by.foreign();
    replaceable_by.run(&["install", "--max-run-time", "3h"], "edited");
    assert!(replaceable_by.foreign() == foreign);
}

/// The account swaps its folders for links all the while.
#[test]
fn folders_that_are_swapped_meanwhile_lead_nowhere() {
    if support::needs_root("folders swapped by the account during runs") {
        return;
    }
    let replaceable_by = Ground::new();
    replaceable_by.install(&[]);
    let foreign = replaceable_by.foreign();
    let swapper = |place: &str, own: &str| {
        let script = format!(
            "cd {} || exit; while :; do mv {own} kept && ln -s {} {own}; rm -f {own}; mv kept {own}; done",
            replaceable_by.at(place).display(),
            replaceable_by.at("foreign").display()
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script]).uid(ACCOUNT).gid(ACCOUNT).stderr(Stdio::null());
        Swapper(command.spawn().unwrap())
    };
    let swappers =
        [swapper("var/opt/circleci", "workdir"), swapper("opt/circleci", "circleci-launch-agent")];
    for round in 0..12 {
        let time = if round % 2 == 0 { "3h" } else { "4h" };
        replaceable_by
            .run(&["install", "--auto-update", "true", "--max-run-time", time], "swapping");
        assert!(replaceable_by.foreign() == foreign, "install, round {round}");
    }
    replaceable_by.run(&["uninstall", "--purge", "--force"], "swapping");
    assert!(replaceable_by.foreign() == foreign, "uninstall");
    drop(swappers);
}

struct Swapper(Child);

impl Drop for Swapper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_umask_changes_no_mode() {
    let reference = Scratch::new();
    said(&reference.run(&["install"]), 0);
    for umask in ["000", "077"] {
        let scratch = Scratch::new();
        let script = format!("umask {umask}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).args(scratch.command(&["install"]));
        said(&command.output().unwrap(), 0);
        let left = difference(&reference.tree(), &scratch.tree());
        assert_eq!(left, Vec::<String>::new(), "umask {umask}");
    }
}

/// Tools are found in fixed folders, and get an environment of their own.
#[test]
fn a_prepared_environment_is_not_followed() {
    if support::needs_root("a prepared environment") {
        return;
    }
    let replaceable_by = Ground::new();
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    for tool in ["visudo", "useradd", "systemctl", "sudo", "sh"] {
        let path = folder.path().join(tool);
        fs::write(&path, format!("#!/bin/sh\n: >{}\n", marker.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = |locale: &str| {
        let command = replaceable_by.0.command(&["install", "--passwordless-sudo", "-vv"]);
        let mut program = Command::new(&command[0]);
        program.args(&command[1..]).env_clear();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        program.env("PATH", path).env("LD_LIBRARY_PATH", folder.path());
        program.env("HOME", "/nowhere").env("TMPDIR", "/nowhere").env("BASH_ENV", &marker);
        program.env("LANG", locale).env("LC_ALL", locale).env("LANGUAGE", locale);
        said(&program.output().unwrap(), 0)
    };
    let told = run("tr_TR.UTF-8");
    assert!(told.contains("visudo -cf"), "it was run, from where it belongs: {told}");
    run("ja_JP.eucJP");
    assert!(!marker.exists(), "a prepared program was run");
    assert!(Path::new("/usr/sbin/visudo").exists(), "or this proves nothing");
    let mode =
        fs::metadata(replaceable_by.at("etc/sudoers.d/circleci")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o440);
}
