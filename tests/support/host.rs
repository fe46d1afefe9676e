//! A booted systemd host to install on: Debian 11, 12 or 13 under `systemd-nspawn`.
//!
//! Each host has its own mounts, network (loopback only) and processes, kept by one process
//! (`host_keeper.sh`) that ends with the test, however the test ends. Booting takes about a second.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::host_tree::Tree;
use super::process;

/// No command of a test takes this long; one that does hangs.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);
const BOOT_LIMIT: Duration = Duration::from_secs(90);
/// A unit may drain before it lets the machine go down.
const POWER_OFF_LIMIT: Duration = Duration::from_secs(120);

/// A Debian release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    Bullseye,
    Bookworm,
    Trixie,
}

impl Suite {
    pub const ALL: [Suite; 3] = [Suite::Bullseye, Suite::Bookworm, Suite::Trixie];

    pub fn name(self) -> &'static str {
        match self {
            Suite::Bullseye => "bullseye",
            Suite::Bookworm => "bookworm",
            Suite::Trixie => "trixie",
        }
    }

    pub fn systemd(self) -> u32 {
        match self {
            Suite::Bullseye => 247,
            Suite::Bookworm => 252,
            Suite::Trixie => 257,
        }
    }

    /// The unpacked root file system, made when the cache lacks it. Never write to it.
    pub fn root_file_system(self) -> PathBuf {
        let made = Command::new(super::repository().join("ci/rootfs"))
            .arg(self.name())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(made.status.success(), "ci/rootfs {} failed", self.name());
        PathBuf::from(String::from_utf8(made.stdout).unwrap().trim_end())
    }
}

/// A running host. Dropped: its power is cut and all of its files are removed.
pub struct Host {
    suite: Suite,
    keeper: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    disk: PathBuf,
    console: PathBuf,
    nspawn: u32,
    init: u32,
    commands: AtomicU64,
}

impl Host {
    /// Boots a fresh host and waits until systemd has finished starting it.
    pub fn boot(suite: Suite) -> Host {
        let work = tempfile::Builder::new().prefix("runnerup-host-").tempdir().unwrap().keep();
        let mut keeper = Command::new("unshare")
            .args(["--mount", "--net", "--", "sh"])
            .arg(super::repository().join("tests/support/host_keeper.sh"))
            .arg(suite.root_file_system())
            .arg(&work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C ends the test; the keeper then sees its input end, and cleans up.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut host = Host {
            suite,
            orders: keeper.stdin.take(),
            answers: BufReader::new(keeper.stdout.take().unwrap()),
            disk: PathBuf::from(format!("/proc/{}/root{}/root", keeper.id(), work.display())),
            console: work.join("console"),
            keeper,
            nspawn: 0,
            init: 0,
            commands: AtomicU64::new(0),
        };
        assert_eq!(host.answer(), "ready", "the keeper of the host did not get ready");
        host.power_on();
        host
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The host's disk as this process sees it: what survives a reboot, without `/proc`, `/run`
    /// and whatever else is mounted inside. Absolute links in it lead out of it.
    pub fn root(&self) -> &Path {
        &self.disk
    }

    /// Runs a command as the host's root, with nothing but `PATH`, `HOME` and `LANG` set.
    pub fn run(&self, argv: &[&str]) -> Output {
        self.run_with(argv, &[], b"")
    }

    /// As [`Host::run`], with more variables and something on standard input.
    ///
    /// # Panics
    /// When it takes longer than two minutes.
    pub fn run_with(&self, argv: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Output {
        let mut command = self.command(argv);
        command.envs(env.iter().copied()).stdin(Stdio::piped());
        process::finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()), stdin, COMMAND_LIMIT)
            .unwrap_or_else(|| panic!("{argv:?} took longer than {COMMAND_LIMIT:?} on the host"))
    }

    /// As [`Host::run`]; the command must succeed. Its standard output, without the last newline.
    pub fn ok(&self, argv: &[&str]) -> String {
        let output = self.run(argv);
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        assert!(
            output.status.success(),
            "{argv:?} on {}: {}\n{text}\n{}",
            self.suite.name(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    /// A command in all of the host's namespaces, to be started by the caller: for a terminal, for
    /// what is to be killed on the way. The process that it starts is `nsenter`, whose only child
    /// is the command.
    pub fn command(&self, argv: &[&str]) -> Command {
        self.commands.fetch_add(1, Ordering::Relaxed);
        // By its path: looked for in the `PATH` below, it would be started by a fork, which copies
        // the page tables of the whole test.
        let mut command = Command::new(nsenter());
        command
            .args(["--all", "--target", &self.init.to_string(), "--"])
            .args(argv)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8");
        command
    }

    /// How many commands were made for the host.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    /// A command of this machine, on the network of the host: a server for it to reach. Give it to
    /// [`process::Server::start`].
    pub fn neighbour(&self, program: &str) -> Command {
        let mut command = Command::new(nsenter());
        command.arg(format!("--net={}", self.network().display())).arg("--").arg(program);
        command
    }

    /// A socket of this process that listens on the host's loopback; port 0 is any free one.
    pub fn listen(&self, port: u16) -> TcpListener {
        let network = File::open(self.network()).unwrap();
        // A socket stays in the network it was made in; the thread that went there ends.
        let listening = thread::spawn(move || {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            TcpListener::bind(("127.0.0.1", port)).unwrap()
        });
        listening.join().unwrap()
    }

    /// Copies a file of this machine to the host, owned by root; folders on the way are made.
    pub fn copy_in(&self, from: &Path, to: &str, mode: u32) {
        self.write(to, &fs::read(from).unwrap(), mode);
    }

    /// Writes a file on the host, owned by root; folders on the way are made.
    pub fn write(&self, path: &str, content: &[u8], mode: u32) {
        let mode = format!("{mode:o}");
        let install = ["install", "-D", "-m", &mode, "/dev/stdin", path];
        let output = self.run_with(&install, &[], content);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Goes down in order, as `reboot` does, and comes up again.
    pub fn reboot(&mut self) {
        // What it answers does not matter: it may be killed on the way down.
        self.run(&["systemctl", "--no-block", "reboot"]);
        let nspawn = self.nspawn;
        self.wait_for("to go down", POWER_OFF_LIMIT, |_| process::has_ended(nspawn).then_some(()));
        self.order("off");
        assert_eq!(self.answer(), "off");
        self.power_on();
    }

    /// Takes the power away, as a crash would, and boots again.
    pub fn cut_power(&mut self) {
        self.order("cut");
        assert_eq!(self.answer(), "off");
        self.power_on();
    }

    /// Every file on the disk but what changes by itself.
    pub fn snapshot(&self) -> Tree {
        Tree::of(self.root())
    }

    /// Users and groups, one line each as `getent` prints them.
    pub fn accounts(&self) -> BTreeSet<String> {
        let of = |database: &str| {
            let text = self.ok(&["getent", database]);
            text.lines().map(|line| format!("{database}: {line}")).collect::<Vec<_>>()
        };
        ["passwd", "group", "shadow", "gshadow"].into_iter().flat_map(of).collect()
    }

    /// Unit files with their state (`enabled`, `static`…), one line each.
    pub fn units(&self) -> BTreeSet<String> {
        let list = ["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--full"];
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        self.ok(&list).lines().map(words).collect()
    }

    fn network(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/net", self.keeper.id()))
    }

    fn power_on(&mut self) {
        self.order("boot");
        self.nspawn = self.answer().parse().unwrap();
        self.init = self.wait_for("to start systemd", BOOT_LIMIT, |host| init_of(host.nspawn));
        self.wait_for("to finish booting", BOOT_LIMIT, |host| {
            let state = host.run(&["systemctl", "is-system-running"]);
            matches!(state.stdout.trim_ascii(), b"running" | b"degraded").then_some(())
        });
    }

    fn wait_for<T>(&self, what: &str, limit: Duration, metadata: impl Fn(&Host) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = metadata(self) {
                return found;
            }
            assert!(
                begin.elapsed() < limit,
                "{} took longer than {limit:?} {what}; its console:\n{}",
                self.suite.name(),
                fs::read_to_string(&self.console).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.keeper.wait();
    }
}

fn nsenter() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| super::tool("nsenter", "a host").unwrap())
}

/// The systemd that `nspawn` started, once it is one.
fn init_of(nspawn: u32) -> Option<u32> {
    let is_systemd = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "systemd")
    };
    process::children(nspawn).into_iter().find(is_systemd)
}
