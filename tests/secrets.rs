//! The token is where it must be, and in no form anywhere else: not in what is printed, not in
//! journal, receipt or plan, not in any process's arguments, not in any file but the configuration.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};
use support::{
    host::Suite,
    lab::{Lab, PROGRAM, TOKEN},
    scratch::{Scratch, is_left_out},
};

/// A proxy's password; as it is written in a URL, and as it is meant.
const PASSWORD: (&str, &str) = ("s3cr%2Ft%40pw%24x", "s3cr/t@pw$x");

/// Of the person who asks for the queue.
const PERSONAL: &str = "ccipat_b81f0e27d94c6a53_1f0e27d94c6a53b8";

const CONFIG: &str = "etc/opt/circleci/launch-agent-config.yaml";
const ENVIRONMENT: &str = "etc/opt/circleci/environment";

/// Every way in which a secret could be written.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.chars().rev().collect()];
    forms.push(secret.bytes().map(|byte| format!("{byte:02x}")).collect());
    forms.push(secret.bytes().map(|byte| format!("%{byte:02X}")).collect());
    for offset in 0..3 {
        // What does not depend on its neighbours: base64 takes three bytes at a time.
        let whole =
            STANDARD_NO_PAD.encode(["x".repeat(offset).as_bytes(), secret.as_bytes()].concat());
        forms.push(whole[4..whole.len() - 4].to_owned());
    }
    forms
}

fn assert_free_of(text: &[u8], secret: &str, where_: &str) {
    let text = String::from_utf8_lossy(text);
    for form in forms(secret) {
        assert!(!text.contains(&form), "{where_} holds the secret as {form}:\n{text}");
    }
}

fn assert_output_free(output: &Output, what: &str) {
    for secret in [TOKEN, PASSWORD.0, PASSWORD.1] {
        assert_free_of(&output.stdout, secret, &format!("{what}, standard output"));
        assert_free_of(&output.stderr, secret, &format!("{what}, standard error"));
    }
}

fn assert_files_free(folder: &Path, root: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            assert_files_free(&path, root);
        } else if about.is_file() {
            let inside = path.strip_prefix(root).unwrap();
            let bytes = fs::read(&path).unwrap();
            let holds = |name: &str| inside == Path::new(name);
            if holds(CONFIG) || holds(ENVIRONMENT) {
                assert_eq!(about.permissions().mode() & 0o7777, 0o600, "{}", path.display());
            }
            if !holds(CONFIG) {
                assert_free_of(&bytes, TOKEN, &path.display().to_string());
            }
            if !holds(ENVIRONMENT) {
                assert_free_of(&bytes, PASSWORD.0, &path.display().to_string());
            }
        }
    }
}

#[test]
fn nothing_but_the_configuration_holds_the_token() {
    let proxy = format!("http://user:{}@127.0.0.1:9", PASSWORD.0);
    let more = ["--proxy", &proxy, "--no-proxy", "127.0.0.1"];
    for way in ["file", "standard input", "variable"] {
        let scratch = Scratch::new();
        let run = |words: &[&str], extra: &[&str]| {
            let mut command = scratch.command(&[words, &more, extra].concat());
            let at = command.iter().position(|word| word == "--token-file");
            match (way, at) {
                ("standard input", Some(at)) => "-".clone_into(&mut command[at + 1]),
                ("variable", Some(at)) => drop(command.drain(at..at + 2)),
                _ => {}
            }
            let mut program = Command::new(&command[0]);
            program.args(&command[1..]).env_clear().stdin(Stdio::piped());
            program.stdout(Stdio::piped()).stderr(Stdio::piped());
            if way == "variable" {
                program.env("RUNNERUP_TOKEN", TOKEN);
            }
            let mut child = program.spawn().unwrap();
            // It may have ended before it read, as one does that fails early.
            let _ = child.stdin.take().unwrap().write_all(TOKEN.as_bytes());
            child.wait_with_output().unwrap()
        };
        for (what, words, extra, code) in [
            ("the plan", ["plan"].as_slice(), ["-vvv"].as_slice(), 0),
            ("the plan as JSON", &["plan"], &["--json", "-vvv"], 0),
            ("a failing install", &["install"], &["--version", "1.1.1-abc", "-vvv"], 4),
            ("a failing install as JSON", &["install"], &["--version", "1.1.1-abc", "--json"], 4),
            ("an install", &["install"], &["-vvv"], 0),
            ("another setting", &["install"], &["--mode", "single-task", "-vvv", "--json"], 0),
        ] {
            let output = run(words, extra);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{way}, {what}: {told}");
            assert_output_free(&output, &format!("{way}, {what}"));
            assert_files_free(&scratch.root(), &scratch.root());
        }
        let config = fs::read_to_string(scratch.root().join(CONFIG)).unwrap();
        assert!(config.contains(TOKEN), "the search would have found it");
        let environment = fs::read_to_string(scratch.root().join(ENVIRONMENT)).unwrap();
        assert!(environment.contains(PASSWORD.0), "the search would have found it");
        let output = scratch.run(&["uninstall", "--purge", "-vvv"]);
        assert_output_free(&output, &format!("{way}, uninstall"));
    }
}

/// A file that is made open and closed afterwards can be opened in between, and read for ever.
#[test]
fn every_file_with_the_token_is_closed_from_the_moment_it_is_made() {
    if is_left_out("the modes with which files are made") {
        return;
    }
    let scratch = Scratch::new();
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "65536", "-o"]).arg(log.path());
    strace.args(["-e", "trace=openat,write,pwrite64,fchmod,fchmodat", "--"]);
    strace.args(scratch.command(&["install"])).env_clear();
    support::lab::said(&strace.output().unwrap(), 0);
    let text = fs::read_to_string(log.path()).unwrap();
    // A call with the file that it is about: `write(9</a/file>, "…", 3) = 3`.
    let calls = |name: &'static str| text.lines().filter(move |line| line.contains(name));
    let file = |line: &str| {
        let path = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        path.map(|(path, _)| path.to_owned()).unwrap_or_default()
    };
    let written: Vec<String> =
        calls("write").filter(|line| line.contains(TOKEN)).map(file).collect();
    assert!(!written.is_empty(), "no write of the token was seen");
    for path in written {
        // `openat(5</a>, "file", O_WRONLY|O_CREAT…, 0600) = 9</a/file>`
        let made = calls("openat(").find(|line| line.ends_with(&format!("<{path}>")));
        let made = made.unwrap_or_else(|| panic!("{path} was not made by this run"));
        assert!(made.contains("O_CREAT") && made.contains(", 0600) ="), "{made}");
        let opened: Vec<_> = calls("fchmod(")
            .filter(|line| file(line) == path && !line.contains(", 0600)"))
            .collect();
        assert!(opened.is_empty(), "{opened:?}");
    }
}

#[test]
fn what_a_killed_run_leaves_holds_no_token() {
    if is_left_out("the journal of a killed run, searched for the token") {
        return;
    }
    for n in 1..=40 {
        let scratch = Scratch::new();
        if !scratch.is_killed(&["install"], "fdatasync", n) {
            assert!(n > 10, "only {n} journal entries");
            return;
        }
        assert_files_free(&scratch.root(), &scratch.root());
    }
}

/// Arguments and environment of every process that an install on a real host starts.
#[test]
fn no_process_of_an_install_is_given_the_token() {
    let what = "arguments and environment of an install's processes";
    if is_left_out(what) {
        return;
    }
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let log = tempfile::NamedTempFile::new().unwrap();
    let words = lab.arguments(&["--passwordless-sudo"]);
    let inside = lab.host.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let mut strace = Command::new("strace");
    strace.args(["-f", "-v", "-s", "100000", "-o"]).arg(log.path());
    strace.args(["-e", "trace=execve", "--"]).arg(inside.get_program()).args(inside.get_args());
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = fs::read(log.path()).unwrap();
    let text = String::from_utf8_lossy(&log);
    for program in ["useradd", "systemctl", "visudo", PROGRAM] {
        assert!(text.contains(program), "{program} was not seen: {text}");
    }
    assert_free_of(&log, TOKEN, "the arguments and environment of some process");
    // What root runs has a clean environment.
    for line in text.lines().filter(|line| line.contains("/useradd\"") && line.ends_with("= 0")) {
        let environment = line.rsplit_once("], [").unwrap().1;
        assert_eq!(environment.matches('=').count(), 3, "PATH, LC_ALL and the result: {line}");
    }
}

/// Stand in places where people and other programs have left such things.
const ELSEWHERE: [&str; 4] = [
    "9f3b6e01c7d24a58b0e16f93a2c8d75e4b1f06a9d3c7e82f5061b9a4d8e3c72f10a5b6d9e8f4c3a27b10",
    "a41d8c0e7b5f29361e0c84d7f3a6b5928d1e7c0f4b6a39520d8e1c7f6b4a3928e5d0c1b7a6f4938271ee",
    "c05e9a7d1b3f48260c9e5a7d1f3b86420e7c9a5d3f1b82640c7e9a1d5f3b48269a7c1e5d3f0b84627e0d",
    "hunter2!hunter2",
];

#[test]
fn nothing_that_the_doctor_tells_holds_a_secret() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a doctor's words, searched for secrets") else {
        return;
    };
    let proxy = format!("http://user:{}@127.0.0.1:9", PASSWORD.0);
    lab.install(&["--proxy", &proxy, "--no-proxy", "127.0.0.1"], 0);
    let [variable, argument, key, login] = ELSEWHERE;
    let unit = format!(
        "[Service]\nEnvironment=LAUNCH_AGENT_API_AUTH_TOKEN={variable} ALL_PROXY=http://me:{login}@127.0.0.1:9\n\
         ExecStart=\nExecStart=/opt/circleci/circleci-launch-agent --config /{CONFIG} --api.auth_token {argument}\n"
    );
    lab.host.write("/etc/systemd/system/circleci.service.d/token.conf", unit.as_bytes(), 0o644);
    lab.host.ok(&["systemctl", "daemon-reload"]);
    let log = format!(
        "ERRO[0001] claiming    error=\"Authorization: Bearer {TOKEN}\" token={variable}\n\
         ERRO[0002] via {proxy}: the word is {login}, not {argument}: connection refused\n"
    );
    lab.host.write("/var/opt/circleci/agent.log", log.as_bytes(), 0o644);
    let config = lab.host.ok(&["cat", &format!("/{CONFIG}")]);
    let logged =
        format!("{config}\n  deploy_key: {key}\nlogging:\n  file: /var/opt/circleci/agent.log\n");
    // One that a person wrote into, and one that is no YAML from the line of the token on.
    let broken = config.replace("auth_token:", "auth_token: [");
    assert_ne!(config, broken);
    for (what, text) in [("a configuration", &logged), ("one that does not parse", &broken)] {
        lab.host.write(&format!("/{CONFIG}"), text.as_bytes(), 0o600);
        lab.host.ok(&["chown", "circleci:", &format!("/{CONFIG}")]);
        for words in [
            ["-v"].as_slice(),
            &["-vv"],
            &["-vvv"],
            &["--json", "-vv"],
            &["--save-facts", "-"],
            &["--save-facts", "/root/facts", "--json"],
            &["--facts", "/root/facts", "-vv"],
            &["--resource-class", "acme/linux", "-vvv"],
            &["--fix", "--dry-run", "-vv"],
            &["--fix", "--dry-run", "--json"],
            &["--fix", "--yes", "--json", "-vv"],
        ] {
            let argv = [&[PROGRAM, "doctor", "--endpoint=storage=none,vcs=none"], words].concat();
            let output = lab.host.run_with(&argv, &[("CIRCLECI_TOKEN", PERSONAL)], b"");
            let what = format!("doctor {} of {what}", words.join(" "));
            assert!(!output.stdout.is_empty(), "{what} says nothing");
            assert_output_free(&output, &what);
            for secret in [ELSEWHERE.as_slice(), &[PERSONAL]].concat() {
                assert_free_of(&output.stdout, secret, &format!("{what}, standard output"));
                assert_free_of(&output.stderr, secret, &format!("{what}, standard error"));
            }
        }
        let kept =
            lab.host.ok(&["sh", "-c", "find /root/facts /var/lib/runnerup -type f -exec cat {} +"]);
        for secret in [[TOKEN, PASSWORD.0, PASSWORD.1].as_slice(), &ELSEWHERE, &[PERSONAL]].concat()
        {
            assert_free_of(
                kept.as_bytes(),
                secret,
                &format!("facts, journal and receipt of {what}"),
            );
        }
    }
}
