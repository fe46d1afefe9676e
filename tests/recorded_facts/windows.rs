//! Windows.

use super::judged;
use serde_json::json;

const WINDOWS: &str = include_str!("../facts/windows-made.json");

#[test]
fn a_healthy_one_has_no_finding() {
    assert_eq!(judged(WINDOWS, &[]), (Vec::new(), 0));
}

#[test]
fn faults_of_windows_are_found() {
    for (what, pointer, value, check) in [
        (
            "a domain controller",
            "/host/windows/domain_controller",
            json!(true),
            "host/not-domain-controller",
        ),
        ("short paths", "/host/windows/long_paths", json!(false), "host/long-paths"),
        (
            "no Remote Desktop",
            "/host/windows/remote_desktop_off",
            json!(true),
            "host/desktop-session",
        ),
        ("no credential", "/host/windows/saved_credential", json!(false), "host/desktop-session"),
        (
            "continuous mode",
            "/installs/0/config/known/settings/3/value/text/text",
            json!("continuous"),
            "config/mode-fits",
        ),
        (
            "a relative work folder",
            "/installs/0/config/known/settings/4/value/text/text",
            json!("Workdir"),
            "config/values-valid",
        ),
        ("git is missing", "/installs/0/tools/known/1/path", json!(null), "host/job-tools"),
        (
            "a binary for Linux",
            "/installs/0/binary/program/known/os",
            json!("linux"),
            "permissions/binary-architecture",
        ),
        (
            "a task that does not run",
            "/installs/0/service/state/known/active",
            json!("inactive"),
            "service/running",
        ),
        (
            "a disabled task",
            "/installs/0/service/state/known/enabled",
            json!(false),
            "service/enabled",
        ),
        (
            "a runner without a name",
            "/installs/0/config/known/settings/2/path",
            json!("runner.nmae"),
            "config/keys-known",
        ),
    ] {
        let (found, _) = judged(WINDOWS, &[(pointer, value)]);
        assert_eq!(found, [check], "{what}");
    }
}
