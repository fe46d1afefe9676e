//! Where settings come from, as `plan` tells it: option, variable, answers file.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};
mod support;

use support::loopback::Loopback;

const TOKEN: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCD0123456789abcdefghijklmnopqrstuvwxyzABCD";

struct Stage {
    folder: tempfile::TempDir,
    bucket: Loopback,
}

impl Stage {
    fn new() -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
            bucket: Loopback::start(&fs::read("/bin/sh").unwrap(), TOKEN),
        };
        fs::create_dir_all(stage.folder.path().join("root/etc")).unwrap();
        fs::write(stage.folder.path().join("root/etc/hostname"), "stage\n").unwrap();
        stage.file("token", TOKEN);
        stage
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn plan(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        command
            .args(["plan", "--json", "--root", "root", "--service", "none"])
            .args(["--release-url", &self.bucket.url()])
            .args(args)
            .env_clear()
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }
}

/// What asks a person at a terminal says what it needs, and ends; standard input stays open, so that
/// a question would wait for ever.
#[test]
fn nothing_is_asked_where_there_is_no_terminal() {
    let stage = Stage::new();
    let url = stage.bucket.url();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        command.args(words).args(["--root", "root"]).env_clear().current_dir(&stage.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let held = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(held);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let install = ["install", "--service=none", "--release-url", &url, "--name", "a"];
    let (code, told) = run(&install);
    assert!(code == Some(2) && told.contains("E2003"), "{code:?}: {told}");
    for (words, code) in [
        ([&install[..], &["--token-file", "token"]].concat(), 0),
        (vec!["doctor", "--fix", "--offline"], 0),
        (vec!["uninstall", "--purge"], 0),
    ] {
        let (ended, told) = run(&words);
        assert_eq!(ended, Some(code), "{words:?}: {told}");
        assert!(!told.contains("[y/n"), "{words:?}: {told}");
    }
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains(&TOKEN[..20]) && !error.contains(&TOKEN[..20]), "{text}{error}");
    serde_json::from_str(&text).unwrap_or_else(|_| Value::String(format!("{text}{error}")))
}

/// Value and source of a setting, as `value from where`.
fn setting(plan: &Value, name: &str) -> String {
    let found =
        plan["settings"].as_array().and_then(|all| all.iter().find(|one| one["name"] == name));
    let Some(found) = found else { return format!("no {name} in {plan:#}") };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let source = &found["source"];
    format!("{} {} {}", text(&found["value"]), text(&source["from"]), text(&source["where"]))
}

#[test]
fn options_go_before_variables_and_variables_before_answers() {
    let stage = Stage::new();
    stage.file("a.yaml", "name: c\nuser: c\nmode: single-task\nmax-run-time: 3h\n");
    let output = stage
        .plan(&["--answers", "a.yaml", "--token-file", "token", "--name", "a"])
        .envs([("RUNNERUP_NAME", "b"), ("RUNNERUP_USER", "b"), ("RUNNERUP_MODE", "")])
        .output()
        .unwrap();
    let plan = json(&output);
    assert_eq!(setting(&plan, "name"), "a flag ");
    assert_eq!(setting(&plan, "user"), "b variable RUNNERUP_USER");
    assert_eq!(setting(&plan, "mode"), "single-task answers a.yaml");
    assert_eq!(setting(&plan, "max-run-time"), "3h answers a.yaml");
    assert_eq!(setting(&plan, "hardening"), "compatible default ");
    assert_eq!(setting(&plan, "token-file"), "*** flag ");
}

#[test]
fn the_token_comes_from_a_file_the_variable_or_standard_input() {
    let stage = Stage::new();
    stage.file("a.yaml", "token-file: token\n");
    let source = |command: &mut Command| setting(&json(&command.output().unwrap()), "token-file");
    assert_eq!(source(&mut stage.plan(&["--answers", "a.yaml"])), "*** answers a.yaml");
    let mut both = stage.plan(&["--answers", "a.yaml"]);
    assert_eq!(source(both.env("RUNNERUP_TOKEN", TOKEN)), "*** variable RUNNERUP_TOKEN");
    let mut option = stage.plan(&["--token-file", "token"]);
    assert_eq!(source(option.env("RUNNERUP_TOKEN", "<< TOKEN >>")), "*** flag ");

    for (args, input) in [
        (["--token-file", "-"], format!("{TOKEN}\n")),
        (["--answers", "-"], format!("token: {TOKEN}\nname: piped\n")),
    ] {
        let mut child =
            stage.plan(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let plan = json(&child.wait_with_output().unwrap());
        assert!(setting(&plan, "token-file").starts_with("*** "), "{plan:#}");
    }
}

#[test]
fn a_command_prefix_is_split_as_a_shell_would() {
    let stage = Stage::new();
    stage.file("a.yaml", "command-prefix: [sudo, -niHu, 'a b', --]\n");
    for args in [
        ["--command-prefix", "sudo -niHu 'a b' --"],
        ["--command-prefix", "sudo -niHu a\\ b --"],
        ["--answers", "a.yaml"],
    ] {
        let args = [&args[..], &["--token-file", "token"]].concat();
        let plan = json(&stage.plan(&args).output().unwrap());
        assert!(plan.to_string().contains(r#"\"a b\", \"--\"]"#), "{plan:#}");
    }
    let output = stage.plan(&["--command-prefix", "sudo 'x"]).output().unwrap();
    assert_eq!(json(&output)["error"]["code"], "E2002");
}

#[test]
fn what_cannot_be_an_answer_is_refused_by_name() {
    let stage = Stage::new();
    for (answers, code, words) in [
        ("yes: true", "E2006", "yes is about one run"),
        ("answers: b.yaml", "E2006", "answers is about one run"),
        ("token: abc", "E2005", "a.yaml"),
        ("workdri: /x", "E2001", "workdri"),
        ("name: [a, b]", "E2006", "one value"),
        ("name: a\nname: b", "E2006", "line 2"),
        ("max-run-time: soon", "E2002", "answers file a.yaml"),
    ] {
        stage.file("a.yaml", answers);
        let output = stage.plan(&["--answers", "a.yaml"]).output().unwrap();
        let told = json(&output);
        assert_eq!(output.status.code(), Some(2), "{answers}: {told}");
        assert_eq!(told["error"]["code"], code, "{answers}: {told}");
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{answers}: {message}");
    }
    let output = stage.plan(&["--answers", "missing.yaml"]).output().unwrap();
    assert_eq!(json(&output)["error"]["code"], "E2006");
    let output = stage.plan(&["--answers", "-", "--token-file", "-"]).output().unwrap();
    assert_eq!(json(&output)["error"]["code"], "E2008");
    let mut two = stage.plan(&[]);
    two.envs([("RUNNERUP_TOKEN", "a"), ("RUNNERUP_TOKEN_FILE", "token")]);
    assert_eq!(json(&two.output().unwrap())["error"]["code"], "E2008");
}

#[test]
fn a_slip_in_a_variable_is_told() {
    let stage = Stage::new();
    let output =
        stage.plan(&["--token-file", "token"]).env("RUNNERUP_WORKDRI", "/x").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("RUNNERUP_WORKDRI") && told.contains("RUNNERUP_WORKDIR?"), "{told}");
}

#[test]
fn no_token_is_told_on_any_verbosity_whatever_is_wrong_with_it() {
    let stage = Stage::new();
    stage.file("token", &format!("{TOKEN} {TOKEN}"));
    for args in [&["-vvv", "--token-file", "token"][..], &["-vvv", "--answers", "token"]] {
        let output = stage.plan(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        json(&output);
    }
    let output = stage.plan(&["-vvv"]).env("RUNNERUP_TOKEN", format!("{TOKEN}\n{TOKEN}")).output();
    json(&output.unwrap());
}
