//! Faults of a Mac's disk, each with the one check that finds it.

use crate::image::{BINARY, CI, CONFIG, DAEMON, Image};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
};

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
