//! A folder that holds what the disk of a documented Mac does.

use crate::support::{self, report::problems};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::PathBuf,
    process::Command,
};

pub(super) const CONFIG: &str = "Library/Preferences/com.circleci.runner/launch-agent-config.yaml";
pub(super) const DAEMON: &str = "Library/LaunchDaemons/com.circleci.runner.plist";
pub(super) const BINARY: &str = "opt/circleci/circleci-launch-agent";
pub(super) const CI: u32 = 501;

/// As documented (docs/agents.md, Places); `/var` is a link, as on every Mac.
pub(super) struct Image(pub(super) tempfile::TempDir);

impl Image {
    pub(super) fn new(what: &str) -> Option<Self> {
        if support::needs_root(what) {
            return None;
        }
        let image = Self(tempfile::tempdir().unwrap());
        // A folder of the system's, not one of the test's that nobody may pass through.
        fs::set_permissions(image.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
        image.write(
            "System/Library/CoreServices/SystemVersion.plist",
            0o644,
            plist("<key>ProductVersion</key><string>14.5</string>"),
        );
        image.write(
            "etc/passwd",
            0o644,
            "root:*:0:0:System Administrator:/var/root:/bin/sh\n\
            ci:*:501:20:CI:/Users/ci:/bin/zsh\n",
        );
        image.write("etc/group", 0o644, "wheel:*:0:root\nstaff:*:20:root\n");
        image.write("bin/sh", 0o755, "");
        image.write("bin/zsh", 0o755, "");
        image.write("usr/bin/sudo", 0o755, "");
        // An arm64 Mach-O header: magic, then the processor's number.
        let mut header = vec![0xCF, 0xFA, 0xED, 0xFE, 0x0C, 0, 0, 1];
        header.resize(64 << 10, 0);
        image.write(BINARY, 0o755, header);
        image.write(CONFIG, 0o600, "api:\n  auth_token: \
            0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n  \
            url: https://ci.example.com\nrunner:\n  name: mini\n  command_prefix: [\"sudo\", \"-niHu\", \
            \"ci\", \"--\"]\n  working_directory: /var/opt/circleci\n  \
            cleanup_working_directory: true\nlogging:\n  file: /Library/Logs/com.circleci.runner.log\n");
        image.write("private/var/opt/circleci/.keep", 0o644, "");
        fs::remove_file(image.path("private/var/opt/circleci/.keep")).unwrap();
        chown(image.path("private/var/opt/circleci"), Some(CI), Some(20)).unwrap();
        image.write("private/var/root/.keep", 0o644, "");
        image.write("Users/ci/.keep", 0o644, "");
        chown(image.path("Users/ci"), Some(CI), Some(20)).unwrap();
        image.write("Library/Logs/.keep", 0o644, "");
        symlink("private/var", image.path("var")).unwrap();
        image.write(
            DAEMON,
            0o644,
            plist(
                "<key>Label</key><string>com.circleci.runner</string>\
             <key>Program</key><string>/opt/circleci/circleci-launch-agent</string>\
             <key>ProgramArguments</key><array><string>circleci-launch-agent</string>\
             <string>--config</string>\
             <string>/Library/Preferences/com.circleci.runner/launch-agent-config.yaml</string>\
             </array><key>RunAtLoad</key><true/><key>KeepAlive</key><true/>\
             <key>ProcessType</key><string>Interactive</string>\
             <key>ThrottleInterval</key><integer>3</integer>\
             <key>ExitTimeOut</key><integer>18300</integer>\
             <key>StandardErrorPath</key><string>/Library/Logs/com.circleci.runner.start.log</string>",
            ),
        );
        Some(image)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, mode: u32, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        for folder in path
            .ancestors()
            .skip(1)
            .take_while(|folder| !folder.exists())
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    /// Adds keys to the definition.
    pub(super) fn add(&self, keys: &str) {
        self.edit(DAEMON, "<key>ProcessType</key>", &format!("{keys}<key>ProcessType</key>"));
    }

    /// Puts another value in the place of `KeepAlive`'s.
    pub(super) fn keep_alive(&self, value: &str) {
        let written = "<key>KeepAlive</key><true/>";
        self.edit(DAEMON, written, &format!("<key>KeepAlive</key>{value}"));
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn doctor(&self, more: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
            .args(["doctor", "--json", "--offline", "--root"])
            .arg(self.0.path())
            .args(more)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
        })
    }

    pub(super) fn problems(&self) -> Vec<String> {
        problems(&self.doctor(&[]))
    }
}

pub(super) fn plist(keys: &str) -> String {
    format!("<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>{keys}</dict></plist>")
}
