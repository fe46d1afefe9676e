//! A person without root goes on through sudo, on a real host.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod support;
#[path = "support/terminal.rs"]
#[allow(dead_code, unreachable_pub, clippy::panic)]
mod terminal;

use support::host::{Host, Suite};
use support::loopback::Loopback;
use terminal::Terminal;

const TOKEN: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCD0123456789abcdefghijklmnopqrstuvwxyzABCD";
const PASSWORD: &str = "correct-horse";
const PROGRAM: &str = "/usr/local/bin/runnerup";

struct Stage {
    host: Host,
    bucket: Loopback,
}

impl Stage {
    fn new(what: &str) -> Option<Self> {
        let (program, agent) = support::programs_for_hosts(what)?;
        let host = Host::boot(Suite::Trixie);
        host.copy_in(&program, PROGRAM, 0o755);
        host.ok(&["useradd", "--create-home", "--shell", "/bin/bash", "ann"]);
        host.run_with(&["chpasswd"], &[], format!("ann:{PASSWORD}\n").as_bytes());
        host.write("/etc/sudoers.d/ann", b"ann ALL=(ALL:ALL) ALL\n", 0o440);
        let bucket = Loopback::on(host.listen(0), &agent, TOKEN);
        Some(Self { host, bucket })
    }

    /// What ann types at a terminal.
    fn ann(&self, args: &[&str]) -> Terminal {
        let argv = [&["runuser", "-u", "ann", "--", PROGRAM], args].concat();
        Terminal::run(self.host.command(&argv), 80)
    }

    /// Arguments and environment of every process of the host.
    fn processes(&self) -> String {
        let all =
            "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true";
        self.host.ok(&["sh", "-c", all])
    }
}

#[test]
fn the_dialogue_needs_no_root_and_sudo_sees_no_secret() {
    let Some(stage) = Stage::new("install and uninstall through sudo") else { return };
    let url = stage.bucket.url();
    let (files, accounts) = (stage.host.snapshot(), stage.host.accounts());

    let mut ann = stage.ann(&["install", "--release-url", &url, "--url", &url]);
    ann.answer("What is the token of the resource class?", TOKEN);
    ann.answer("What name should the runner have?", "");
    ann.answer("Which account should run the jobs?", "");
    ann.answer("In which folder should jobs run?", "");
    ann.answer("Empty that folder after each job?", "");
    ann.answer("Start the agent now?", "");
    ann.choose("Install this?", "Yes");
    ann.expect("This needs root");
    ann.expect("password for ann:");
    let processes = stage.processes();
    assert!(processes.contains("--answers") && !processes.contains(TOKEN), "{processes}");
    ann.keys(&format!("{PASSWORD}\r"));
    ann.expect("Installed");
    assert_eq!(ann.end(), 0, "{}", ann.shown());
    ann.assert_restored();
    assert!(!ann.shown().contains(TOKEN));
    assert_eq!(stage.host.ok(&["systemctl", "is-active", "circleci.service"]), "active");
    let config = stage.host.ok(&["cat", "/etc/opt/circleci/launch-agent-config.yaml"]);
    assert!(config.contains(TOKEN) && config.contains(&url), "{config}");

    let mut ann = stage.ann(&["uninstall", "--purge"]);
    ann.choose("Do this?", "Yes");
    ann.expect("password for ann:");
    ann.keys(&format!("{PASSWORD}\r"));
    ann.expect("Uninstalled");
    assert_eq!(ann.end(), 0, "{}", ann.shown());
    let left = files.diff(&stage.host.snapshot());
    // sudo's own memory of who gave a password, and the journal, are no part of the install.
    let is_ours = |line: &&String| line.contains("circleci") || line.contains("runnerup");
    assert_eq!(left.iter().filter(is_ours).count(), 0, "{left:#?}");
    assert_eq!(stage.host.accounts(), accounts);
}

#[test]
fn without_a_terminal_it_ends_with_the_exact_command() {
    let Some(stage) = Stage::new("install without root and without a terminal") else { return };
    let url = stage.bucket.url();
    let files = stage.host.snapshot();
    let install = ["install", "--yes", "--release-url", &url, "--url", &url, "--name", "a(b)"];
    let argv = [&["runuser", "-u", "ann", "--", PROGRAM], &install[..]].concat();
    let output = stage.host.run_with(&argv, &[("RUNNERUP_TOKEN", TOKEN)], b"");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("error[E3001]") && !told.contains(TOKEN), "{told}");
    let command = told.lines().find_map(|line| line.split_once("help: sudo ")).unwrap().1;
    let expected = install.join(" ").replace("a(b)", "'a(b)'");
    assert_eq!(command, format!("--preserve-env=RUNNERUP_TOKEN -- {PROGRAM} {expected}"));
    assert_eq!(files.diff(&stage.host.snapshot()), [] as [String; 0]);

    // The command does what it says, as someone who may.
    let as_root = format!("sudo {command}");
    let output = stage.host.run_with(&["sh", "-c", &as_root], &[("RUNNERUP_TOKEN", TOKEN)], b"");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
