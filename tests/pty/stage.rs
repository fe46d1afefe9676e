//! A folder to install into, a bucket to install from, and the dialogue of a guided install.

use crate::{support::loopback::Loopback, terminal::Terminal};
use std::{fs, path::Path};

pub(super) const TOKEN: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCD0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// Every question of an install into a folder, with an answer. `--root` starts nothing, so there
/// is no question of starting.
pub(super) const DIALOGUE: [(&str, &str); 8] = [
    ("Where do the jobs come from?", "server"),
    ("What is the server's URL?", "https://ci.example.com"),
    ("Which version of CircleCI server is it?", "4.6"),
    ("What is the token of the resource class?", TOKEN),
    ("What name should the runner have?", "builder-7"),
    ("Which account should run the jobs?", ""),
    ("In which folder should jobs run?", ""),
    ("Empty that folder after each job?", "n"),
];

/// The questions that are menus.
pub(super) const MENUS: [&str; 2] =
    ["Where do the jobs come from?", "Empty that folder after each job?"];

pub(super) fn reply(person: &mut Terminal, (question, answer): (&str, &str)) {
    match (MENUS.contains(&question), answer) {
        (true, "n") => person.choose(question, "No"),
        (true, answer) => person.choose(question, answer),
        (false, answer) => person.answer(question, answer),
    }
}

pub(super) struct Stage {
    pub(super) folder: tempfile::TempDir,
    pub(super) bucket: Loopback,
}

impl Stage {
    pub(super) fn new() -> Self {
        // Any program of this platform will do: it is placed, not run.
        let agent = fs::read("/bin/sh").unwrap();
        Self { folder: tempfile::tempdir().unwrap(), bucket: Loopback::start(&agent, TOKEN) }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A guided install into the folder, with these further arguments.
    pub(super) fn install(&self, more: &[&str]) -> Terminal {
        self.install_in(80, more)
    }

    pub(super) fn install_in(&self, columns: u16, more: &[&str]) -> Terminal {
        let (root, url) = (self.root().display().to_string(), self.bucket.url());
        let fixed = ["install", "--root", &root, "--service", "none", "--release-url", &url];
        Terminal::start(&[&fixed, more].concat(), self.root(), columns)
    }

    /// An unattended one, from a bucket at `url`, with a token in a file beside the root.
    pub(super) fn install_from(&self, url: &str, root: &Path) -> Terminal {
        let token = self.root().join("token");
        fs::write(&token, TOKEN).unwrap();
        fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let root = root.display().to_string();
        let args = ["install", "--yes", "--token-file", "token", "--root", &root];
        let more = ["--service", "none", "--name", "pty", "--agent", "launch-agent"];
        let more = [&more[..], &["--release-url", url]].concat();
        Terminal::start(&[&args[..], &more].concat(), self.root(), 60)
    }

    pub(super) fn assert_untouched(&self) {
        let found: Vec<_> = fs::read_dir(self.root()).unwrap().collect();
        assert!(found.is_empty(), "{found:?}");
    }
}
