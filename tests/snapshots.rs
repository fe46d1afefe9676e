//! What people read, word for word: help, the doctor's report, a plan, an install.
//!
//! `INSTA_UPDATE=always cargo test --test snapshots` writes `tests/snapshots/` anew; the difference is
//! then to be read.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use sha2::Digest;
use std::{fs, os::unix::fs::PermissionsExt, process::Command};
use support::loopback::Loopback;

const TOKEN: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCD0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// What a run printed, and its exit code; what differs between two runs has a name in its place.
fn printed(args: &[&str], names: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap();
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    let text = names.iter().fold(text, |text, (value, name)| text.replace(value, name));
    format!("{text}exit code {}\n", output.status.code().unwrap())
}

fn same(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn help() {
    for command in ["", "install", "plan", "doctor", "uninstall", "explain", "completions", "man"] {
        for (flag, kind) in [("-h", "short"), ("--help", "long")] {
            let args: Vec<&str> =
                [command, flag].into_iter().filter(|word| !word.is_empty()).collect();
            let name = if command.is_empty() { "runnerup" } else { command };
            same(&format!("help-{name}-{kind}"), &printed(&args, &[]));
        }
    }
}

/// The report on the recorded facts of a Linux host, with something changed in them.
fn report(change: impl FnOnce(&mut Value)) -> String {
    let mut facts: Value = serde_json::from_str(include_str!("facts/linux-recorded.json")).unwrap();
    let tools = facts["installs"][0]["tools"]["known"].as_array_mut().unwrap();
    tools.iter_mut().for_each(|tool| tool["path"] = json!("/usr/bin/tool"));
    change(&mut facts);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.json");
    fs::write(&file, facts.to_string()).unwrap();
    let text = printed(&["doctor", "--facts", file.to_str().unwrap()], &[]);
    // The time that a run took.
    let lines = text.lines().map(|line| match line.split_once(" ms: ") {
        Some((before, after)) => {
            let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{before}N ms: {after}\n")
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn reports() {
    same("report-healthy", &report(|_| {}));
    let stopped = |facts: &mut Value| {
        let state = &mut facts["installs"][0]["service"]["state"]["known"];
        state["active"] = json!("inactive");
        state["sub"] = json!("dead");
        state["main_pid"] = Value::Null;
    };
    same("report-one-failure", &report(stopped));
    let several = |facts: &mut Value| {
        stopped(facts);
        facts["host"]["clock"] = json!({"known": {"synchronized": false, "services": []}});
        let endpoint = |name: &str, is_needed: bool| {
            json!({"name": name, "install": "default", "url": format!("https://{name}.example.com"),
                "required": is_needed, "purpose": "a purpose", "side": "service", "proxy": null,
                "resolved": {"ms": 4, "outcome": {"Err": "no name server"}, "route": "no-name"},
                "v4": null, "v6": null, "tunnel": null, "tls": null, "answer": null})
        };
        let endpoints = [endpoint("api", true), endpoint("releases", false)];
        facts["network"] = json!({"known": {"timeout": 5, "endpoints": endpoints, "newest": null}});
    };
    same("report-several", &report(several));
}

/// The time that each phase took, and the size of the binary, which is another one elsewhere.
fn phases(text: &str) -> String {
    let time = |line: &str| {
        let (what, time) = line.strip_suffix(" s")?.rsplit_once("  ")?;
        time.parse::<f64>().ok()?;
        let what = match what.rsplit_once(", ") {
            Some((what, size)) if size.ends_with('B') => format!("{what}, SIZE"),
            _ => what.to_owned(),
        };
        Some(format!("{what}  N s"))
    };
    let lines = text.lines().map(|line| time(line).unwrap_or_else(|| line.to_owned()) + "\n");
    lines.collect()
}

/// A scratch root, a token and a release bucket.
struct Stage {
    folder: tempfile::TempDir,
    bucket: Loopback,
}

impl Stage {
    fn new() -> Self {
        // Any program of this platform will do: it is placed, not run.
        let bucket = Loopback::start(&fs::read("/bin/sh").unwrap(), TOKEN);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        let token = folder.path().join("token");
        fs::write(&token, TOKEN).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        Self { folder, bucket }
    }

    fn printed(&self, command: &str, more: &[&str]) -> String {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let (root, token, url) = (path("root"), path("token"), self.bucket.url());
        let fixed = [command, "--root", &root, "--token-file", &token, "--release-url", &url];
        let named = ["--url", &url, "--name", "builder", "--service", "systemd"];
        let digest = sha2::Sha256::digest(fs::read("/bin/sh").unwrap());
        let sum: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let names = [
            (url.as_str(), "URL"),
            (root.as_str(), "ROOT"),
            (sum.as_str(), "SHA-256"),
            ("linux/amd64", "linux/ARCH"),
            ("linux/arm64", "linux/ARCH"),
        ];
        printed(&[&fixed[..], &named, more].concat(), &names)
    }
}

#[test]
fn a_plan_and_an_install() {
    // Another user cannot give files to root, and the plan says so.
    if support::needs_root("plans and installs word for word") {
        return;
    }
    let stage = Stage::new();
    same("plan", &stage.printed("plan", &[]));
    same("plan-verbose", &stage.printed("plan", &["-v"]));
    same("plan-json", &stage.printed("plan", &["--json"]));
    same("install", &phases(&stage.printed("install", &["--yes"])));
    same("install-again", &stage.printed("install", &["--yes"]));
}

/// How long the doctor took, and how many checks there are.
fn counts(text: &str) -> String {
    let number = |word: &str| word.parse::<usize>().is_ok();
    let line = |line: &str| {
        let Some((agents, checks)) = line.split_once(", ").filter(|_| line.contains(" ms: "))
        else {
            return format!("{line}\n");
        };
        let words = checks.split(' ').map(|word| if number(word) { "N" } else { word });
        format!("{agents}, {}\n", words.collect::<Vec<_>>().join(" "))
    };
    text.lines().map(line).collect()
}

/// The fault of the README, its fix, and what an uninstall leaves.
#[test]
fn a_fault_its_fix_and_an_uninstall() {
    if support::needs_root("a fault and its fix word for word") {
        return;
    }
    let stage = Stage::new();
    stage.printed("install", &["--yes"]);
    let binary = stage.folder.path().join("root/opt/circleci/circleci-launch-agent");
    fs::set_permissions(binary, fs::Permissions::from_mode(0o644)).unwrap();
    let root = stage.folder.path().join("root").display().to_string();
    let names = [(root.as_str(), "ROOT")];
    same("doctor", &counts(&printed(&["doctor", "--root", &root], &names)));
    let fixed = printed(&["doctor", "--root", &root, "--fix", "--yes"], &names);
    same("doctor-fix", &counts(&fixed));
    let left = printed(&["uninstall", "--root", &root, "--yes"], &names);
    assert!(left.contains("uninstall --purge --root ROOT"), "{left}");
    same("uninstall", &left);
}
