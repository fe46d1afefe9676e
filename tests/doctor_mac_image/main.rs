//! The doctor's looks at macOS, on a folder that holds what a Mac's disk does: found by its
//! definitions, judged by what stands there. What only runs is not in it.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod image;
#[path = "../support/mod.rs"]
mod support;

use image::{BINARY, CONFIG, DAEMON, Image, plist};
use std::{fs, os::unix::fs::PermissionsExt};

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
