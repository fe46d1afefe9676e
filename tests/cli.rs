//! The command line as scripts see it: exit codes, streams, JSON.

#![allow(clippy::unwrap_used)]

use runnerup::Code;
use serde_json::Value;
use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

/// Saved facts of a host with one agent.
const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/linux-recorded.json");

/// The program, with no terminal and none of this shell's variables.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    program(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs one of the system's programs on `input`; `None` where it is not installed.
fn judged_by(tool: &str, args: &[&str], input: &[u8]) -> Option<Output> {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    Some(output)
}

/// `-h` is a screen; `--help` has a sentence or a paragraph for each option.
#[test]
fn help_of_every_command_fits_a_screen() {
    for command in ["", "install", "plan", "uninstall", "doctor", "explain", "completions", "man"] {
        let words = |flag| [command, flag].into_iter().filter(|word| !word.is_empty());
        let help = |flag| {
            let output = run(&words(flag).collect::<Vec<_>>());
            assert_eq!(output.status.code(), Some(0), "{command} {flag}");
            assert!(err(&output).is_empty());
            out(&output)
        };
        let (short, long) = (help("-h"), help("--help"));
        let count = short.lines().count();
        assert!(count <= 60, "{command} -h: {count} lines");
        for line in short.lines().chain(long.lines()) {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
        assert!(long.lines().count() >= count, "{command}");
        if ["install", "doctor"].contains(&command) {
            assert!(long.lines().count() > 2 * count, "{command} --help: {long}");
        }
    }
    assert_eq!(out(&run(&["help", "explain"])), out(&run(&["explain", "--help"])));
}

/// What an old console has no sign for would be a question mark there.
#[test]
fn what_is_printed_of_itself_is_plain_text() {
    let list = out(&run(&["explain", "--list"]));
    let codes: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 20, "{list}");
    // A program takes its time to start under Wine.
    let some = codes.iter().step_by(if cfg!(windows) { 20 } else { 1 });
    let explained = some.map(|code| out(&run(&["explain", code])));
    let help = ["--help", "install", "plan", "doctor", "uninstall"].map(|word| {
        let args = if word == "--help" { vec![word] } else { vec![word, "--help"] };
        out(&run(&args))
    });
    let all = [list.clone(), out(&run(&["doctor", "--list"]))].into_iter().chain(help);
    for text in all.chain(explained) {
        let odd = text.lines().find(|line| line.chars().any(|c| !c.is_ascii() || c == '\u{1b}'));
        assert_eq!(odd, None);
    }
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_helps() {
    for (args, code, words) in [
        (&["install", "--workdri", "/x"][..], "E2001", "--workdir"),
        (&["instal"], "E2001", "install"),
        (&[], "E2001", "runnerup install "),
        (&["install", "--mode", "sometimes"], "E2002", "single-task"),
        (&["install", "--name", "a", "--name", "b"], "E2001", "--name"),
        (&["install", "--token", "hush-hush"], "E2005", "--token-file"),
        (&["plan", "--token=hush-hush"], "E2005", "--token-file"),
        (&["--quiet", "--verbose", "man"], "E2008", "--verbose"),
        (&["doctor", "--root", "/missing"], "E2002", "missing does not exist"),
        (&["doctor", "--facts", "x", "--watch"], "E2008", "--facts and --watch"),
        (&["doctor", "--facts", "x", "--root", "/"], "E2008", "--facts and --root"),
        (&["doctor", "--facts", "x", "--config", "y"], "E2008", "--facts and --config"),
        (&["doctor", "--facts", FACTS, "--instance", "y"], "E2002", "--instance and --facts"),
        (&["doctor", "--dry-run"], "E2008", "--fix was not given"),
        (&["doctor", "--allow", "restart-busy"], "E2008", "--fix was not given"),
        (&["doctor", "--only", "config", "--skip", "config"], "E2008", "--only and --skip"),
        (&["explain"], "E2001", "<CODE>"),
        (&["explain", "E406"], "E2009", "runnerup explain E4006"),
    ] {
        let output = run(args);
        let text = err(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.starts_with(&format!("error[{code}]: ")), "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
        assert!(out(&output).is_empty() && !text.contains("hush"), "{args:?}: {text}");

        let output = run(&[args, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let told = json(&output);
        assert_eq!(told["schema_version"], 1);
        assert_eq!(told["error"]["code"], code, "{told}");
        assert_eq!(told["error"]["exit"], 2);
        assert!(told["error"]["help"].is_array() && !told.to_string().contains("hush"));
        assert!(err(&output).is_empty(), "{}", err(&output));
    }
}

#[test]
fn json_may_be_asked_for_by_variable_and_wrong_variables_are_named() {
    let output = program(&["instal"]).env("RUNNERUP_JSON", "true").output().unwrap();
    assert_eq!(json(&output)["error"]["code"], "E2001");
    for (name, value) in [("JSON", "yes"), ("COLOR", "red"), ("VERBOSE", "loud")] {
        let name = format!("RUNNERUP_{name}");
        let output = program(&["explain", "--list"]).env(&name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(err(&output).contains(&name), "{}", err(&output));
    }
}

#[test]
fn every_code_is_explained() {
    let list = out(&run(&["explain", "--list"]));
    let all = json(&run(&["explain", "--list", "--json"]));
    assert_eq!(all["codes"].as_array().unwrap().len(), Code::ALL.len());
    for entry in Code::ALL {
        assert!(list.contains(&format!("{} ", entry.id)) && list.contains(entry.title));
        let output = run(&["explain", &entry.id.to_lowercase()]);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains(entry.title), "{}", out(&output));
        let told = json(&run(&["explain", entry.id, "--json"]));
        assert_eq!(told["schema_version"], 1);
        assert_eq!(told["exit"], entry.code.exit());
        assert_eq!(told["text"], entry.text);
    }
}

#[test]
fn colour_is_as_asked_for() {
    let is_coloured = |command: &mut Command| out(&command.output().unwrap()).contains('\u{1b}');
    assert!(!is_coloured(&mut program(&["explain", "E4006"])));
    assert!(is_coloured(&mut program(&["explain", "E4006", "--color", "always"])));
    assert!(is_coloured(program(&["explain", "E4006"]).env("RUNNERUP_COLOR", "always")));
    assert!(is_coloured(program(&["--help", "--color=always"]).env("NO_COLOR", "1")));
    let output = run(&["explain", "E9", "--color", "always"]);
    assert!(err(&output).contains("\u{1b}["));
}

#[test]
fn a_reader_that_leaves_is_no_error_and_a_full_disk_is() {
    let mut child =
        program(&["man"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));

    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program(&["man"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
}

#[test]
fn completions_are_scripts_of_their_shells() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = out(&output);
        assert!(script.contains("token-file") && script.contains("uninstall"), "{shell}");
        if let Some(judged) = judged_by(shell, &["-n"], &output.stdout) {
            assert!(judged.status.success() && judged.stderr.is_empty(), "{judged:?}");
        }
    }
}

#[test]
fn the_manual_page_is_one() {
    let output = run(&["man"]);
    let page = out(&output);
    for words in [".TH", ".SH RUNNERUP INSTALL", "idle\\-timeout", ".SH EXIT STATUS"] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    if let Some(judged) = judged_by("groff", &["-man", "-Tutf8", "-ww", "-z"], &output.stdout) {
        assert!(judged.status.success() && judged.stderr.is_empty(), "{judged:?}");
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    let output = run(&["--version"]);
    assert_eq!(out(&output), format!("runnerup {}\n", env!("CARGO_PKG_VERSION")));
}
