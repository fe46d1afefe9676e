//! A real host with a release bucket and a runner API on its loopback, and `runnerup` in it.

use super::{
    host::{Host, Suite},
    host_tree::Tree,
    loopback::Loopback,
};
use std::{
    collections::BTreeSet,
    fs,
    process::Output,
    thread,
    time::{Duration, Instant},
};

/// Has the length and alphabet of a resource class token, and opens nothing.
pub const TOKEN: &str =
    "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

/// Where the program stands on the host.
pub const PROGRAM: &str = "/usr/local/bin/runnerup";

/// The orders of the stand-in agent of the default instance.
pub const CONTROL: &str = "/etc/opt/circleci/stand-in.control";

/// The unit of the default instance.
pub const UNIT: &str = "circleci.service";

/// A host, and what serves it.
pub struct Lab {
    pub host: Host,
    pub api: Loopback,
}

/// All that an uninstall must leave as it was.
#[derive(PartialEq, Eq)]
pub struct State {
    files: Tree,
    accounts: BTreeSet<String>,
    units: BTreeSet<String>,
}

impl Lab {
    /// Boots a host; `None`, having said so, where that cannot be done.
    pub fn new(suite: Suite, what: &str) -> Option<Self> {
        if super::needs_hosts(what) {
            return None;
        }
        let program = super::portable("runnerup", what)?;
        let agent = super::portable("stand-in-agent", what)?;
        let host = Host::boot(suite);
        let api = Loopback::on(host.listen(0), &fs::read(agent).unwrap(), TOKEN);
        host.copy_in(&program, PROGRAM, 0o755);
        host.write("/root/token", TOKEN.as_bytes(), 0o600);
        Some(Self { host, api })
    }

    /// The arguments of an install from this lab's bucket.
    pub fn arguments(&self, more: &[&str]) -> Vec<String> {
        let url = self.api.url();
        let mut words = vec![PROGRAM, "install", "--yes", "--release-url", &url, "--url", &url];
        words.extend(["--token-file", "/root/token", "--name", "lab"]);
        words.extend(more);
        words.into_iter().map(str::to_owned).collect()
    }

    /// Installs; standard output and error together.
    pub fn install(&self, more: &[&str], code: i32) -> String {
        let words = self.arguments(more);
        said(&self.host.run(&words.iter().map(String::as_str).collect::<Vec<_>>()), code)
    }

    /// Runs `runnerup` with these arguments.
    pub fn runnerup(&self, args: &[&str], code: i32) -> String {
        let words: Vec<&str> = [PROGRAM].into_iter().chain(args.iter().copied()).collect();
        said(&self.host.run(&words), code)
    }

    /// A property of a unit, as systemd shows it.
    pub fn property(&self, unit: &str, name: &str) -> String {
        self.host.ok(&["systemctl", "show", "--property", name, "--value", unit])
    }

    /// Waits until a unit's property has a value.
    pub fn wait_for(&self, unit: &str, name: &str, value: &str) {
        let begun = Instant::now();
        while self.property(unit, name) != value {
            let log =
                || self.host.ok(&["journalctl", "--no-pager", "--lines", "40", "--unit", unit]);
            assert!(begun.elapsed() < Duration::from_secs(30), "{unit} {name}: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the stand-in agent of the default instance has begun a job.
    pub fn wait_for_job(&self) {
        let begun = Instant::now();
        let log = || self.host.ok(&["journalctl", "--no-pager", "--output", "cat", "--unit", UNIT]);
        while !log().contains("job started") {
            assert!(begun.elapsed() < Duration::from_secs(30), "no job: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Files, accounts and units as they are.
    pub fn state(&self) -> State {
        State {
            files: self.host.snapshot(),
            accounts: self.host.accounts(),
            units: self.host.units(),
        }
    }
}

impl State {
    /// How it differs from a later one, a line a thing.
    pub fn diff(&self, later: &Self) -> Vec<String> {
        let mut lines = self.files.diff(&later.files);
        let sets = [(&self.accounts, &later.accounts), (&self.units, &later.units)];
        for (before, after) in sets {
            lines.extend(before.difference(after).map(|line| format!("- {line}")));
            lines.extend(after.difference(before).map(|line| format!("+ {line}")));
        }
        lines
    }
}

/// What a program printed; it must have ended with `code`.
pub fn said(output: &Output, code: i32) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}
