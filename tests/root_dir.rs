//! `--root DIR`: into a scratch folder without root, and into an image that is booted afterwards.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};
use support::{
    host::{Host, Suite},
    host_tree::Tree,
    lab::{TOKEN, said},
    loopback::Loopback,
};

/// Nobody's number on every Linux.
const NOBODY: u32 = 65534;

/// A place that anyone may reach, with the binary, a token and an empty root, all of them the
/// user's that runs it.
struct Scratch {
    folder: tempfile::TempDir,
    owner: u32,
}

impl Scratch {
    /// For nobody where the test may choose, and else for whoever runs it.
    fn new(binary: &Path) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        let owner = if is_root { NOBODY } else { rustix::process::geteuid().as_raw() };
        let folder = tempfile::tempdir().unwrap();
        let scratch = Self { folder, owner };
        fs::set_permissions(scratch.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // By another process: a file that this one had open for writing could be "busy" for as
        // long as a child of another test's thread has not got rid of its copy.
        let copied = Command::new("cp").arg(binary).arg(scratch.path("runnerup")).status().unwrap();
        assert!(copied.success());
        fs::write(scratch.path("token"), TOKEN).unwrap();
        fs::set_permissions(scratch.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(scratch.path("root")).unwrap();
        for name in ["token", "root"] {
            std::os::unix::fs::chown(scratch.path(name), Some(owner), Some(owner)).unwrap();
        }
        scratch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn runnerup(&self, args: &[&str]) -> Output {
        let mut command = Command::new(self.path("runnerup"));
        command.args(args).arg("--root").arg(self.path("root")).env_clear();
        if rustix::process::geteuid().is_root() {
            command.uid(self.owner).gid(self.owner);
        }
        command.output().unwrap()
    }

    /// The same with the folder named from where it is.
    fn run_outside(&self, args: &[&str]) -> Output {
        let mut command = Command::new(self.path("runnerup"));
        command.args(args).args(["--root", "root"]).env_clear().current_dir(self.folder.path());
        if rustix::process::geteuid().is_root() {
            command.uid(self.owner).gid(self.owner);
        }
        command.output().unwrap()
    }

    fn install(&self, url: &str, more: &[&str]) -> Output {
        let token = self.path("token").display().to_string();
        let mut args = vec!["install", "--yes", "--release-url", url, "--url", url];
        args.extend(["--token-file", &token, "--name", "scratch"]);
        args.extend(more);
        self.runnerup(&args)
    }
}

#[test]
fn a_user_without_root_installs_twice_and_uninstalls_without_a_trace() {
    let binary = Path::new(env!("CARGO_BIN_EXE_runnerup"));
    let bucket = Loopback::start(&fs::read(binary).unwrap(), TOKEN);
    for service in ["none", "systemd"] {
        let scratch = Scratch::new(binary);
        let root = scratch.path("root");
        let before = Tree::of(&root);
        said(&scratch.install(&bucket.url(), &["--service", service]), 0);
        let mode =
            |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode("opt/circleci/circleci-launch-agent"), 0o755);
        assert_eq!(mode("etc/opt/circleci/launch-agent-config.yaml"), 0o600);
        assert_eq!(mode("var/opt/circleci/workdir"), 0o750);
        let unit = root.join("etc/systemd/system/circleci.service");
        assert_eq!(unit.exists(), service == "systemd");

        let installed = Tree::of(&root);
        let again = said(&scratch.install(&bucket.url(), &["--service", service]), 0);
        assert!(again.contains("Nothing to do"), "{again}");
        assert_eq!(installed.diff(&Tree::of(&root)), Vec::<String>::new());

        said(&scratch.runnerup(&["uninstall", "--purge", "--yes"]), 0);
        assert_eq!(before.diff(&Tree::of(&root)), Vec::<String>::new());
    }
}

/// A command that is printed for a folder must not act on the host of whoever pastes it.
#[test]
fn no_command_of_ours_is_told_without_the_folder() {
    let what = "an uninstall that fails half-way";
    if support::needs_root(what) {
        return;
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_runnerup"));
    let bucket = Loopback::start(&fs::read(binary).unwrap(), TOKEN);
    let scratch = Scratch::new(binary);
    let root = scratch.path("root");
    let told = |args: &[&str], code: i32, expected: &str| {
        // From another folder than the one that is named: what is told holds everywhere.
        let text = said(&scratch.run_outside(args), code);
        assert!(text.contains(expected), "{args:?}: {text}");
        let named = format!("--root {}", root.display());
        for line in text.lines().filter(|line| !line.contains("runnerup explain")) {
            let rest = line.split_once("runnerup ").map_or("", |(_, rest)| rest);
            let acts = ["install", "uninstall", "doctor", "plan"].iter();
            let acts = acts.into_iter().any(|verb| rest.starts_with(verb));
            assert!(!acts || line.contains(&named), "{args:?}: {line}");
        }
    };
    said(&scratch.install(&bucket.url(), &["--service", "systemd"]), 0);
    // Of root, which whoever uninstalls cannot remove.
    let job = root.join("var/opt/circleci/workdir/job");
    fs::create_dir(&job).unwrap();
    fs::write(job.join("x"), "").unwrap();
    told(&["uninstall", "--purge", "--yes"], 7, "continues the removal");
    fs::remove_dir_all(&job).unwrap();
    told(&["uninstall", "--yes"], 0, "");

    let state = root.join("var/lib/runnerup");
    fs::create_dir_all(&state).unwrap();
    let begun = r#"{"event":"begin","command":"x` help: sudo sh","instance":"gpu","at":"now","run":"0123456789abcdef","made":[]}"#;
    let step = r#"{"event":"intent","step":1,"what":"x","target":{"file":"/opt/circleci/f"},"before":"absent","restores":false,"data":false}"#;
    fs::write(state.join("journal.jsonl"), format!("{begun}\n{step}\n")).unwrap();
    told(&["doctor", "--fix", "--yes"], 3, "a run");
    let text = said(&scratch.run_outside(&["doctor", "--fix", "--yes"]), 3);
    assert!(!text.contains("sudo sh"), "{text}");
}

/// What fails and has no cure that is done is told, and not called right.
#[test]
fn a_rehearsal_of_cures_that_has_none_tells_what_fails() {
    let scratch = Scratch::new(Path::new(env!("CARGO_BIN_EXE_runnerup")));
    let text = said(&scratch.runnerup(&["doctor", "--fix", "--dry-run"]), 1);
    assert!(text.contains("there is nothing that --fix can do"), "{text}");
    assert!(text.contains("agent/installed") && !text.contains("as it should be"), "{text}");
}

#[test]
fn an_image_that_was_installed_into_without_root_brings_the_agent_up_at_its_first_boot() {
    let what = "a tree made without root, booted";
    let Some((binary, agent)) = support::programs_for_hosts(what) else { return };
    let mut host = Host::boot(Suite::Bookworm);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // The agent on the host claims at the port where the bucket was when the tree was made.
    let port = listener.local_addr().unwrap().port();
    let bucket = Loopback::on(listener, &agent, TOKEN);
    let scratch = Scratch::new(&binary);
    said(&scratch.install(&bucket.url(), &["--service", "systemd"]), 0);

    // As an image is built: everything in it is root's.
    let copied = Command::new("sh")
        .arg("-c")
        .arg("tar --create --owner=0 --group=0 . | tar --extract --same-owner --directory \"$0\"")
        .arg(host.root())
        .current_dir(scratch.path("root"))
        .status()
        .unwrap();
    assert!(copied.success());
    // systemd-sysusers acts on a system that was never booted.
    let _ = fs::remove_file(host.root().join("etc/.updated"));
    host.reboot();
    let api = Loopback::on(host.listen(port), &agent, TOKEN);
    comes_up(&host, &api);
    let config = "/etc/opt/circleci/launch-agent-config.yaml";
    assert_eq!(host.ok(&["stat", "--format", "%U %a", config]), "circleci 600");
}

#[test]
fn an_image_that_was_installed_into_as_root_has_its_account_and_is_left_as_it_was() {
    let what = "a mounted image with accounts of its own";
    let Some((binary, agent)) = support::programs_for_hosts(what) else { return };
    let mut host = Host::boot(Suite::Trixie);
    let before = (host.snapshot(), host.accounts(), host.units());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let bucket = Loopback::on(listener, &agent, TOKEN);
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(token.path(), TOKEN).unwrap();
    let mut install = Command::new(&binary);
    install.args(["install", "--yes", "--name", "image", "--release-url", &bucket.url()]);
    install.args(["--agent", "launch-agent"]);
    install.args(["--url", &bucket.url()]).arg("--token-file").arg(token.path());
    install.arg("--root").arg(host.root()).env_clear();
    said(&install.output().unwrap(), 0);
    host.reboot();
    let api = Loopback::on(host.listen(port), &agent, TOKEN);
    comes_up(&host, &api);

    host.copy_in(&binary, "/tmp/runnerup", 0o755);
    host.ok(&["/tmp/runnerup", "uninstall", "--purge", "--yes"]);
    let after = (host.snapshot(), host.accounts(), host.units());
    assert_eq!(before.0.diff(&after.0), Vec::<String>::new());
    assert_eq!((before.1, before.2), (after.1, after.2));
}

fn comes_up(host: &Host, api: &Loopback) {
    let begun = Instant::now();
    while api.requests().is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{}",
            host.ok(&["journalctl", "--no-pager", "--lines", "30"])
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(host.ok(&["systemctl", "is-active", "circleci.service"]), "active");
    let shown =
        host.ok(&["systemctl", "show", "--property", "User,StatusText", "circleci.service"]);
    assert!(shown.contains("User=circleci") && shown.contains("Healthy"), "{shown}");
}
