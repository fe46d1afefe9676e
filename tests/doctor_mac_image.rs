//! The doctor's looks at macOS, on a folder that holds what a Mac's disk does: found by its
//! definitions, judged by what stands there. What only runs is not in it.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::PathBuf,
    process::Command,
};

const CONFIG: &str = "Library/Preferences/com.circleci.runner/launch-agent-config.yaml";
const DAEMON: &str = "Library/LaunchDaemons/com.circleci.runner.plist";
const BINARY: &str = "opt/circleci/circleci-launch-agent";
const CI: u32 = 501;

/// As documented (docs/agents.md, Places); `/var` is a link, as on every Mac.
struct Image(tempfile::TempDir);

impl Image {
    fn new(what: &str) -> Option<Self> {
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

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, mode: u32, content: impl AsRef<[u8]>) {
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

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    /// Adds keys to the definition.
    fn add(&self, keys: &str) {
        self.edit(DAEMON, "<key>ProcessType</key>", &format!("{keys}<key>ProcessType</key>"));
    }

    /// Puts another value in the place of `KeepAlive`'s.
    fn keep_alive(&self, value: &str) {
        let written = "<key>KeepAlive</key><true/>";
        self.edit(DAEMON, written, &format!("<key>KeepAlive</key>{value}"));
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn doctor(&self, more: &[&str]) -> Value {
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

    fn problems(&self) -> Vec<String> {
        let report = self.doctor(&[]);
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .filter(|own| matches!(own["status"].as_str(), Some("fail" | "warn" | "error")))
            .map(|own| own["check"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn plist(keys: &str) -> String {
    format!("<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>{keys}</dict></plist>")
}

#[test]
fn a_documented_mac_is_found_and_healthy() {
    let Some(image) = Image::new("the doctor on a Mac's disk") else { return };
    let report = image.doctor(&[]);
    let names = report["findings"].as_array().unwrap().iter();
    assert!(names.clone().any(|own| own["instance"] == "com.circleci.runner"), "{report:#}");
    assert_eq!(image.problems(), Vec::<String>::new(), "{report:#}");
    assert!(report["summary"]["pass"].as_u64().unwrap() > 25, "{report:#}");
}

#[test]
fn the_documented_hang_is_found_cured_and_proven() {
    let Some(image) = Image::new("the documented hang of a Mac") else { return };
    let binary = image.path(BINARY);
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(image.problems(), ["permissions/binary-executable"]);
    let fixed = image.doctor(&["--fix", "--yes"]);
    assert_eq!(fixed["cured"][0], "permissions/binary-executable", "{fixed:#}");
    assert_eq!(fs::metadata(&binary).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(image.problems(), Vec::<String>::new());
}

/// A wrapper that fetches the token, as a password manager's guide for Macs has it: the agent behind
/// it is judged, and jobs run as the account that its configuration names.
#[test]
fn a_wrapper_is_looked_through() {
    let Some(image) = Image::new("a wrapper on a Mac's disk") else { return };
    let wrapper = "usr/local/bin/runner-wrapper";
    let script = |then: &str| {
        format!(
            "#!/bin/bash\nexport LAUNCH_AGENT_API_AUTH_TOKEN=\"$(op read op://ci/runner)\"\n{then}\n"
        )
    };
    let agent = format!("/opt/circleci/circleci-launch-agent --config /{CONFIG}");
    image.write(wrapper, 0o755, script(&format!("exec {agent}")));
    let keys = "<key>Label</key><string>org.ci.runner</string><key>ProgramArguments</key><array>\
        <string>/usr/local/bin/runner-wrapper</string></array><key>RunAtLoad</key><true/>\
        <key>KeepAlive</key><true/><key>ProcessType</key><string>Interactive</string>\
        <key>ExitTimeOut</key><integer>18300</integer><key>StandardErrorPath</key>\
        <string>/Library/Logs/com.circleci.runner.start.log</string>";
    fs::remove_file(image.path(DAEMON)).unwrap();
    image.write("Library/LaunchDaemons/org.ci.runner.plist", 0o644, plist(keys));
    let found = image.problems();
    let wrong =
        ["config/exists", "permissions/power-known", "service/user-exists", "agent/installed"];
    assert!(!found.iter().any(|check| wrong.contains(&check.as_str())), "{found:?}");
    // The agent's own faults are seen behind it.
    image.edit(CONFIG, ", \"--\"]", "]");
    assert!(image.problems().contains(&"config/prefix-ends-options".to_owned()));
    // What cannot be read is no failure, and nobody is said to run jobs.
    image.write(wrapper, 0o755, script("exec \"$AGENT\" --config \"$CONFIG\""));
    let keys = keys.replace("org.ci.runner", "com.circleci.runner");
    image.write("Library/LaunchDaemons/org.ci.runner.plist", 0o644, plist(&keys));
    let found = image.problems();
    assert!(!found.iter().any(|check| wrong.contains(&check.as_str())), "{found:?}");
}

/// What people have and what works.
#[test]
fn other_forms_of_a_definition_are_healthy() {
    type Plant = fn(&Image);
    let forms: [(&str, Plant); 7] = [
        ("a copy beside the definition", |image| {
            let copy = fs::read(image.path(DAEMON)).unwrap();
            image.write("Library/LaunchDaemons/com.circleci.runner.plist.bak", 0o644, copy);
        }),
        ("every end is followed by a start", |image| {
            image.keep_alive(
                "<dict><key>SuccessfulExit</key><false/><key>Crashed</key><false/></dict>",
            );
        }),
        ("a start while a file is there", |image| {
            let binary = "<key>PathState</key><dict><key>/opt/circleci/circleci-launch-agent</key>";
            image.keep_alive(&format!("<dict>{binary}<true/></dict></dict>"));
        }),
        ("a key in small letters", |image| {
            image.edit(DAEMON, "<key>KeepAlive</key>", "<key>keepalive</key>");
        }),
        ("a folder and a group of its own", |image| {
            image.add(
                "<key>WorkingDirectory</key><string>/opt/circleci</string><key>GroupName</key>\
                 <string>staff</string><key>Umask</key><string>022</string>",
            );
        }),
        ("a group of the directory alone", |image| {
            image.write("private/var/db/dslocal/nodes/Default/groups/builders.plist", 0o600, "");
            image.add("<key>GroupName</key><string>builders</string>");
        }),
        ("switched off in the file, and on by launchctl", |image| {
            image.add("<key>Disabled</key><true/>");
            let overrides = "private/var/db/com.apple.xpc.launchd/disabled.plist";
            image.write(overrides, 0o600, plist("<key>com.circleci.runner</key><false/>"));
        }),
    ];
    for (what, plant) in forms {
        let Some(image) = Image::new("forms of a Mac's definitions") else { return };
        plant(&image);
        assert_eq!(image.problems(), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn faults_of_a_macs_disk_are_found() {
    type Plant = fn(&Image);
    let faults: [(&str, Plant, &str); 36] = [
        (
            "an open configuration",
            |image| image.write(CONFIG, 0o644, fs::read(image.path(CONFIG)).unwrap()),
            "permissions/config-private",
        ),
        ("no configuration", |image| fs::remove_file(image.path(CONFIG)).unwrap(), "config/exists"),
        (
            "a prefix without --",
            |image| image.edit(CONFIG, ", \"--\"]", "]"),
            "config/prefix-ends-options",
        ),
        (
            "a binary for Linux",
            |image| {
                image.write(
                    BINARY,
                    0o755,
                    b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0".repeat(1000),
                );
            },
            "permissions/binary-architecture",
        ),
        ("a page", |image| image.write(BINARY, 0o755, "<html>"), "permissions/binary-is-program"),
        (
            "a work folder of root's",
            |image| chown(image.path("private/var/opt/circleci"), Some(0), Some(0)).unwrap(),
            "permissions/workdir-usable",
        ),
        (
            "a work folder in Documents",
            |image| {
                image.write("Users/ci/Documents/work/.keep", 0o644, "");
                for folder in ["Users/ci/Documents", "Users/ci/Documents/work"] {
                    chown(image.path(folder), Some(CI), Some(20)).unwrap();
                }
                image.edit(CONFIG, "/var/opt/circleci", "/Users/ci/Documents/work");
            },
            "permissions/privacy-folders",
        ),
        (
            "a definition that is not root's",
            |image| chown(image.path(DAEMON), Some(502), Some(20)).unwrap(),
            "service/definition-mode",
        ),
        (
            "a definition that all may write to",
            |image| {
                fs::set_permissions(image.path(DAEMON), fs::Permissions::from_mode(0o666)).unwrap();
            },
            "service/definition-mode",
        ),
        (
            "a definition that is no plist",
            |image| image.write(DAEMON, 0o644, "oops"),
            "service/loaded",
        ),
        (
            "a placeholder",
            |image| {
                let text = fs::read_to_string(image.path(CONFIG)).unwrap();
                let token = text.lines().nth(1).unwrap().to_owned();
                image.edit(CONFIG, &token, "  auth_token: '[[RESOURCE_CLASS_TOKEN]]'");
            },
            "config/token-set",
        ),
        (
            "an output into the void",
            |image| image.edit(DAEMON, "/Library/Logs/com.circleci.runner.start.log", "/dev/null"),
            "service/output-kept",
        ),
        (
            "an output into a folder that is not there",
            |image| image.edit(DAEMON, "/Library/Logs/com.circleci.runner.start", "/Library/Lgs/x"),
            "service/output-kept",
        ),
        (
            "a daemon for a desktop",
            |image| {
                let more = "</integer><key>LimitLoadToSessionType</key><array><string>Aqua\
                    </string></array><key>StandardErrorPath";
                image.edit(DAEMON, "</integer><key>StandardErrorPath", more);
            },
            "service/domain-right",
        ),
        (
            "a job in the background",
            |image| image.edit(DAEMON, "Interactive", "Background"),
            "service/not-throttled",
        ),
        (
            "no start after a good end",
            |image| {
                let more = "<dict><key>SuccessfulExit</key><false/></dict><key>ProcessType";
                image.edit(DAEMON, "<true/><key>ProcessType", more);
            },
            "service/restarts",
        ),
        (
            "few open files",
            |image| {
                let more = "</integer><key>SoftResourceLimits</key><dict><key>NumberOfFiles</key>\
                    <integer>64</integer></dict><key>StandardErrorPath";
                image.edit(DAEMON, "</integer><key>StandardErrorPath", more);
            },
            "service/limits-sensible",
        ),
        (
            "an account that is not there",
            |image| {
                let more = "</integer><key>UserName</key><string>ghost</string>\
                    <key>StandardErrorPath";
                image.edit(DAEMON, "</integer><key>StandardErrorPath", more);
            },
            "service/user-exists",
        ),
        (
            "a start after a good end alone",
            |image| image.keep_alive("<dict><key>SuccessfulExit</key><true/></dict>"),
            "service/restarts",
        ),
        (
            "a start with the network",
            |image| image.keep_alive("<dict><key>NetworkState</key><true/></dict>"),
            "service/restarts",
        ),
        (
            "a start after a crash alone",
            |image| image.keep_alive("<dict><key>Crashed</key><true/></dict>"),
            "service/restarts",
        ),
        (
            "a start while another job is there",
            |image| {
                image.keep_alive(
                    "<dict><key>OtherJobEnabled</key><dict><key>org.vpn</key><true/></dict></dict>",
                );
            },
            "service/restarts",
        ),
        (
            "a start while a file is there that is not",
            |image| {
                image.keep_alive(
                    "<dict><key>PathState</key><dict><key>/etc/ci-on</key><true/></dict></dict>",
                );
            },
            "service/restarts",
        ),
        (
            "a text for a truth",
            |image| image.keep_alive("<string>true</string>"),
            "service/restarts",
        ),
        (
            "no label",
            |image| image.edit(DAEMON, "<key>Label</key><string>com.circleci.runner</string>", ""),
            "service/directives-known",
        ),
        (
            "a stop in a text",
            |image| {
                image.edit(DAEMON, "<integer>18300</integer>", "<string>18300</string>");
            },
            "service/stop-waits",
        ),
        (
            "a variable that is a number",
            |image| {
                image.add("<key>EnvironmentVariables</key><dict><key>RETRIES</key><integer>3</integer></dict>");
            },
            "service/directives-known",
        ),
        (
            "a folder that is not there",
            |image| image.add("<key>WorkingDirectory</key><string>/opt/gone</string>"),
            "service/plist-startable",
        ),
        (
            "a root that is not there",
            |image| image.add("<key>RootDirectory</key><string>/opt/gone</string>"),
            "service/plist-startable",
        ),
        (
            "a group that is not there",
            |image| image.add("<key>GroupName</key><string>builders</string>"),
            "service/plist-startable",
        ),
        (
            "a definition that is switched off",
            |image| image.add("<key>Disabled</key><true/>"),
            "service/enabled",
        ),
        (
            "a home by its sign",
            |image| {
                image.edit(DAEMON, "/Library/Logs/com.circleci.runner.start", "~/Library/Logs/x");
            },
            "service/plist-literal",
        ),
        (
            "a path that is to be added to",
            |image| {
                image.add("<key>EnvironmentVariables</key><dict><key>PATH</key><string>$PATH:/opt/homebrew/bin</string></dict>");
            },
            "service/plist-literal",
        ),
        (
            "a definition that an editor has called a text",
            |image| image.rename(DAEMON, "Library/LaunchDaemons/com.circleci.runner.plist.txt"),
            "service/domain-right",
        ),
        (
            "a definition without the end of its name",
            |image| image.rename(DAEMON, "Library/LaunchDaemons/com.circleci.runner"),
            "service/domain-right",
        ),
        (
            "two agents with one label",
            |image| {
                image.write(
                    "Library/LaunchAgents/com.circleci.runner.plist",
                    0o644,
                    fs::read(image.path(DAEMON)).unwrap(),
                );
            },
            "agent/label-free",
        ),
    ];
    for (what, plant, check) in faults {
        let Some(image) = Image::new("faults of a Mac's disk") else { return };
        plant(&image);
        let found = image.problems();
        assert!(found.iter().any(|own| own == check), "{what}: {found:?}");
    }
}
