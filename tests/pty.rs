//! The guided install at a real terminal, as a person has it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "support/terminal.rs"]
#[allow(unreachable_pub, clippy::panic)]
mod terminal;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Duration,
};
mod support;

use support::loopback::Loopback;
use terminal::Terminal;

const TOKEN: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCD0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// Every question of an install into a folder, with an answer. `--root` starts nothing, so there
/// is no question of starting.
const DIALOGUE: [(&str, &str); 8] = [
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
const MENUS: [&str; 2] = ["Where do the jobs come from?", "Empty that folder after each job?"];

fn reply(person: &mut Terminal, (question, answer): (&str, &str)) {
    match (MENUS.contains(&question), answer) {
        (true, "n") => person.choose(question, "No"),
        (true, answer) => person.choose(question, answer),
        (false, answer) => person.answer(question, answer),
    }
}

struct Stage {
    folder: tempfile::TempDir,
    bucket: Loopback,
}

impl Stage {
    fn new() -> Self {
        // Any program of this platform will do: it is placed, not run.
        let agent = fs::read("/bin/sh").unwrap();
        Self { folder: tempfile::tempdir().unwrap(), bucket: Loopback::start(&agent, TOKEN) }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A guided install into the folder, with these further arguments.
    fn install(&self, more: &[&str]) -> Terminal {
        self.install_in(80, more)
    }

    fn install_in(&self, columns: u16, more: &[&str]) -> Terminal {
        let (root, url) = (self.root().display().to_string(), self.bucket.url());
        let fixed = ["install", "--root", &root, "--service", "none", "--release-url", &url];
        Terminal::start(&[&fixed, more].concat(), self.root(), columns)
    }

    /// An unattended one, from a bucket at `url`, with a token in a file beside the root.
    fn install_from(&self, url: &str, root: &Path) -> Terminal {
        let token = self.root().join("token");
        fs::write(&token, TOKEN).unwrap();
        fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let root = root.display().to_string();
        let args = ["install", "--yes", "--token-file", "token", "--root", &root];
        let more = ["--service", "none", "--name", "pty", "--release-url", url];
        Terminal::start(&[&args[..], &more].concat(), self.root(), 60)
    }

    fn assert_untouched(&self) {
        let found: Vec<_> = fs::read_dir(self.root()).unwrap().collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn from_the_first_question_to_done() {
    let stage = Stage::new();
    let mut person = stage.install(&[]);
    for each in DIALOGUE {
        reply(&mut person, each);
    }
    person.expect("Plan");
    person.choose("Install this?", "Explain");
    person.expect("launch-agent-config.yaml");
    person.expect("***");
    person.choose("Install this?", "Yes");
    person.expect("+ Install this?  Yes");
    person.expect("Installed");
    person.expect("resource_class: NAMESPACE/RESOURCE-CLASS");
    person.expect("with the token in the file `token` (mode 600):");
    person.expect("runnerup install --yes --token-file token");
    person.expect("--url https://ci.example.com");
    assert_eq!(person.end(), 0, "{}", person.shown());
    person.assert_restored();
    assert!(!person.shown().contains(TOKEN));
    assert!(person.shown().contains("(80 characters)"));

    let config = stage.root().join("etc/opt/circleci/launch-agent-config.yaml");
    let config = fs::read_to_string(config).unwrap();
    for line in [
        &format!("auth_token: {TOKEN}"),
        "url: https://ci.example.com",
        "name: builder-7",
        "cleanup_working_directory: false",
    ] {
        assert!(config.contains(line), "no {line} in {config}");
    }
}

#[test]
fn the_command_that_is_told_at_the_end_does_the_same() {
    let stage = Stage::new();
    let more = [
        "--instance",
        "gpu",
        "--timeout",
        "60",
        "--command-prefix",
        "env 'A=b c'",
        "--no-proxy",
        "x",
    ];
    let mut person = stage.install_in(100, &more);
    for each in DIALOGUE {
        reply(&mut person, each);
    }
    person.choose("Install this?", "Yes");
    person.expect("The same without questions");
    assert_eq!(person.end(), 0, "{}", person.shown());
    let shown = person.shown();
    let line = shown.lines().find(|line| line.trim().starts_with("sudo runnerup install"));
    let words = shlex::split(line.unwrap()).unwrap();

    let other = tempfile::tempdir().unwrap();
    let root = other.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(other.path().join("token"), TOKEN).unwrap();
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(other.path().join("token"), closed).unwrap();
    let is_root = |word: &String| *word == stage.root().display().to_string();
    let words = words.into_iter().map(|word| match is_root(&word) {
        true => root.display().to_string(),
        false => word,
    });
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .args(words.skip(2))
        .current_dir(other.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for file in ["launch-agent-config.yaml", "environment"] {
        let content =
            |root: &Path| fs::read_to_string(root.join("etc/opt/circleci-gpu").join(file)).unwrap();
        assert_eq!(content(&root), content(stage.root()), "{file}");
    }
}

#[test]
fn ctrl_c_at_any_question_leaves_host_and_terminal_as_they_were() {
    for asked in 0..=DIALOGUE.len() {
        let stage = Stage::new();
        let mut person = stage.install(&[]);
        for each in &DIALOGUE[..asked] {
            reply(&mut person, *each);
        }
        let question = DIALOGUE.get(asked).map_or("Install this?", |(question, _)| question);
        person.expect(question);
        person.expect(if question == "Install this?" { "Explain" } else { "> " });
        person.keys("some\u{3}");
        person.expect("error[E130001]: interrupted; nothing was changed");
        assert_eq!(person.end(), 130);
        person.assert_restored();
        stage.assert_untouched();
    }
}

#[test]
fn quitting_at_any_question_changes_nothing() {
    let keys = ["q\r", "\u{1b}", "\u{4}"].into_iter().cycle();
    for (asked, quit) in (0..=DIALOGUE.len()).zip(keys) {
        let stage = Stage::new();
        let mut person = stage.install(&[]);
        for each in &DIALOGUE[..asked] {
            reply(&mut person, *each);
        }
        let question = DIALOGUE.get(asked).map_or("Install this?", |(question, _)| question);
        person.expect(question);
        person.expect(if question == "Install this?" { "Explain" } else { "> " });
        // A menu knows no Ctrl-D, which ends a line.
        let is_menu = MENUS.contains(&question) || question == "Install this?";
        person.keys(if is_menu { quit.trim_end_matches('\r') } else { quit });
        if is_menu && quit == "\u{4}" {
            person.choose("", if question == "Install this?" { "No" } else { "Quit" });
        }
        person.expect("Nothing was changed.");
        assert_eq!(person.end(), 0);
        person.assert_restored();
        stage.assert_untouched();
    }
}

#[test]
fn a_signal_from_outside_restores_the_terminal_too() {
    let stage = Stage::new();
    let mut person = stage.install(&[]);
    person.expect("Where do the jobs come from?");
    person.expect("> ");
    let pid = rustix::process::Pid::from_raw(person.pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(person.end(), 130);
    person.assert_restored();
    stage.assert_untouched();
}

#[test]
fn wrong_answers_are_asked_again_and_back_goes_back() {
    let stage = Stage::new();
    let mut person = stage.install(&[]);
    person.choose("Where do the jobs come from?", "server");
    person.answer("What is the server's URL?", "http://ci.example.com");
    person.expect("https");
    person.answer("", "<");
    person.choose("Where do the jobs come from?", "server");
    person.answer("What is the server's URL?", "ci.example.com");
    person.answer("Which version of CircleCI server is it?", "4.9");
    person.expect("machine runner 3");
    person.answer("", "4.6");
    person.answer("What is the token of the resource class?", "<< AUTH_TOKEN >>");
    person.expect("placeholder");
    person.answer("", "short");
    person.expect("Use this token as it is?");
    person.choose("This token has 5 characters", "No");
    person.answer("What is the token of the resource class?", TOKEN);
    // Backspace, and the line taken back whole.
    person.expect("What name should the runner have?");
    person.expect("> ");
    person.keys("nonsense\u{15}builx\u{7f}der\r");
    person.answer("Which account should run the jobs?", "Build Er");
    person.expect("cannot be the name of an account");
    person.answer("", "builder");
    person.answer("In which folder should jobs run?", "srv");
    person.expect("srv");
    person.answer("", "/srv/work");
    person.choose("Empty that folder after each job?", "Yes");
    person.expect("Plan");
    person.expect("/srv/work");
    person.choose("Install this?", "No");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 0);
    person.assert_restored();
    stage.assert_untouched();
    assert!(person.shown().contains("builder"), "{}", person.shown());
}

/// Answers that were taken stay in sight, each in a row; going back proposes them again, and the
/// token too, without showing it.
#[test]
fn going_back_keeps_the_answers() {
    let stage = Stage::new();
    let mut person = stage.install(&[]);
    for each in &DIALOGUE[..5] {
        reply(&mut person, *each);
    }
    for question in ["Which account should run the jobs?", "What name should the runner have?"] {
        person.answer(question, "<");
    }
    person.expect("Press Enter to keep the token");
    person.answer("", "<");
    person.expect("[4.6] > ");
    person.keys("\r");
    person.answer("What is the token of the resource class?", "");
    person.expect("[builder-7] > ");
    person.keys("\r");
    for each in &DIALOGUE[5..] {
        reply(&mut person, *each);
    }
    person.choose("Install this?", "Back");
    person.choose("Empty that folder after each job?", "No");
    person.choose("Install this?", "Yes");
    person.expect("Installed");
    assert_eq!(person.end(), 0, "{}", person.shown());
    person.assert_restored();
    assert!(!person.raw().contains(&TOKEN[..8]));
    assert!(person.shown().contains("+ What is the server's URL?  https://ci.example.com"));
    let config = stage.root().join("etc/opt/circleci/launch-agent-config.yaml");
    assert!(fs::read_to_string(config).unwrap().contains(TOKEN));
}

/// Where the cursor cannot be moved, and for a reader of screens, choices are typed.
#[test]
fn a_terminal_without_a_cursor_asks_for_words() {
    let stage = Stage::new();
    let (root, url) = (stage.root().display().to_string(), stage.bucket.url());
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_runnerup"));
    program.args(["install", "--root", &root, "--service", "none", "--release-url", &url]);
    program.env_clear().env("TERM", "dumb").current_dir(stage.root());
    let mut person = Terminal::run(program, 80);
    person.answer("Where do the jobs come from?", "moon");
    person.expect("Answer server or cloud.");
    person.answer("", "server");
    for (question, answer) in &DIALOGUE[1..] {
        person.answer(question, answer);
    }
    person.answer("Install this?", "maybe");
    person.expect("Answer y, n or e.");
    person.answer("", "n");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 0, "{}", person.shown());
    person.assert_restored();
    // The line editor alone clears its row.
    assert!(!person.raw().replace("\u{1b}[2K", "").contains('\u{1b}'), "{:?}", person.raw());
}

/// A token that was pasted at the wrong question stands nowhere on the screen.
#[test]
fn a_token_at_the_wrong_question_is_not_shown() {
    let stage = Stage::new();
    let mut person = stage.install(&[]);
    person.choose("Where do the jobs come from?", "server");
    person.expect("What is the server's URL?");
    person.expect("> ");
    person.keys(TOKEN);
    person.keys("\r");
    person.expect("That may be a token");
    person.keys("ci.example.com\r");
    person.expect("Which version of CircleCI server is it?");
    person.keys("\u{1b}");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 0);
    person.assert_restored();
    // Of a row that was cleared, what came after that stays.
    let raw = person.raw();
    let rows = raw.lines().map(|row| row.rsplit("\u{1b}[2K").next().unwrap());
    let left: Vec<&str> = rows.filter(|row| row.contains(&TOKEN[..8])).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The same after the token was given, at every later question, and at any terminal.
#[test]
fn a_token_is_shown_at_no_later_question() {
    for term in ["xterm", "dumb"] {
        let stage = Stage::new();
        let (root, url) = (stage.root().display().to_string(), stage.bucket.url());
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_runnerup"));
        program.args(["install", "--root", &root, "--service", "none", "--release-url", &url]);
        program.env_clear().env("TERM", term).current_dir(stage.root());
        let mut person = Terminal::run(program, 80);
        for (at, (question, answer)) in DIALOGUE.into_iter().enumerate() {
            person.expect(question);
            let is_menu = MENUS.contains(&question) && term == "xterm";
            if !is_menu && answer != TOKEN {
                person.expect("> ");
                person.keys(TOKEN);
                person.keys("\r");
                person.expect(if MENUS.contains(&question) { "Answer " } else { "may be a token" });
            }
            match is_menu {
                true => person.choose("", if at == 0 { answer } else { "No" }),
                false => person.answer("", answer),
            }
        }
        match term {
            "dumb" => {
                person.answer("Install this?", TOKEN);
                person.expect("Answer y, n or e.");
                person.answer("", "n");
            }
            _ => person.choose("Install this?", "No"),
        }
        person.expect("Nothing was changed.");
        assert_eq!(person.end(), 0);
        person.assert_restored();
        let raw = person.raw();
        assert!(!raw.contains(TOKEN), "{raw}");
        // Of a row that was cleared, what came after that stays.
        let rows = raw.lines().map(|row| row.rsplit("\u{1b}[2K").next().unwrap());
        let left: Vec<&str> = rows.filter(|row| row.contains(&TOKEN[..8])).collect();
        assert!(left.is_empty(), "{term}: {left:?}");
    }
}

#[test]
fn ctrl_c_while_the_host_is_changed_undoes_what_was_done() {
    let stage = Stage::new();
    let root = stage.root().join("root");
    fs::create_dir(&root).unwrap();
    let mut person = stage.install_from(&stalling_bucket(), &root);
    person.expect("4 B/1.00 MB");
    person.keys("\u{3}");
    person.expect("Stopping at the next safe place");
    person.expect("undoing");
    person.expect("error[E130001]");
    assert_eq!(person.end(), 130);
    person.assert_restored();
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "{}", person.shown());
}

#[test]
fn progress_is_shown_in_a_narrow_window() {
    let stage = Stage::new();
    let root = stage.root().join("root");
    fs::create_dir(&root).unwrap();
    let mut person = stage.install_from(&stage.bucket.url(), &root);
    person.expect("+ Downloaded and verified");
    person.expect("Installed");
    assert_eq!(person.end(), 0);
    person.assert_restored();
    person.assert_fits();
}

/// What is wrong stands before the question, and Enter alone changes nothing.
#[test]
fn a_fix_is_asked_for_after_what_is_wrong() {
    let stage = Stage::new();
    let root = stage.root().join("root");
    fs::create_dir(&root).unwrap();
    assert_eq!(stage.install_from(&stage.bucket.url(), &root).end(), 0);
    let binary = root.join("opt/circleci/circleci-launch-agent");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(&binary, mode(0o644)).unwrap();
    let root_text = root.display().to_string();
    let args = ["doctor", "--root", &root_text, "--fix"];
    let mut person = Terminal::start(&args, stage.root(), 80);
    person.expect("permissions/binary-executable");
    person.expect("evidence: ");
    person.expect("Do this?");
    person.expect("  > No");
    person.keys("\r");
    person.expect("+ Do this?  No");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 1, "{}", person.shown());
    assert_eq!(fs::metadata(&binary).unwrap().permissions(), mode(0o100_644));
    person.assert_restored();
}

/// A bucket that begins to send the binary and then says nothing more.
fn stalling_bucket() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || stall(connection));
        }
    });
    format!("http://{address}")
}

fn stall(mut connection: TcpStream) {
    let asked = BufReader::new(connection.try_clone().unwrap());
    let mut lines = asked.lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        lines.by_ref().find(String::is_empty);
        let platform = runnerup::platform::Platform::of_this_host().unwrap();
        let body = match request {
            path if path.contains("release.txt") => "1.1.73695-40bf772\n".to_owned(),
            path if path.contains("checksums.txt") => {
                format!("{} *{platform}/circleci-launch-agent\n", "0".repeat(64))
            }
            _ => {
                let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n\x7fELF";
                connection.write_all(head).unwrap();
                return thread::sleep(Duration::from_secs(60));
            }
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body.as_bytes()).unwrap();
    }
}

#[test]
fn quiet_and_questions_do_not_go_together() {
    let stage = Stage::new();
    let mut person = stage.install(&["--quiet"]);
    person.expect("error[E2008]");
    assert_eq!(person.end(), 2);
}

#[test]
fn on_cloud_it_says_that_launch_agent_has_a_successor() {
    let stage = Stage::new();
    let mut person = stage.install(&[]);
    person.choose("Where do the jobs come from?", "cloud");
    person.expect("Go on with launch-agent on cloud?");
    person.choose("2024-07-31", "No");
    person.expect("Machine runner 3");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 0);
    stage.assert_untouched();
}

#[test]
fn sixty_columns_are_enough() {
    let stage = Stage::new();
    let mut person = stage.install_in(60, &[]);
    for each in DIALOGUE {
        reply(&mut person, each);
    }
    person.choose("Install this?", "Back");
    person.choose("Empty that folder after each job?", "Back");
    // An answer wider than the window shows its end.
    person.expect("In which folder should jobs run?");
    person.expect("> ");
    person.keys(&"x/".repeat(100));
    person.keys("\r");
    person.expect("is not absolute");
    person.expect("> ");
    person.keys("q\r");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 0);
    person.assert_fits();
}

#[test]
fn a_token_is_not_shown_while_it_is_typed() {
    let stage = Stage::new();
    let mut person = stage.install(&["--url", "https://ci.example.com", "--version", "server-4.6"]);
    person.expect("What is the token of the resource class?");
    // So many that some arrive while the program is busy with the one before.
    for _ in 0..3000 {
        person.keys("z");
        thread::sleep(Duration::from_micros(1));
    }
    person.keys("\u{15}");
    person.keys(TOKEN);
    person.keys("\rbuilder-7\r");
    person.expect("(80 characters)");
    person.expect("Which account should run the jobs?");
    person.expect("> ");
    person.keys("\u{3}");
    assert_eq!(person.end(), 130);
    let shown = person.shown();
    let asked = shown.split("What is the token").nth(1).unwrap();
    let typed = asked.split("> ").nth(1).unwrap();
    assert!(!typed.contains(char::is_alphanumeric), "{typed}");
    person.assert_restored();
}

#[test]
fn without_questions_left_the_plan_comes_at_once() {
    let stage = Stage::new();
    let token = stage.folder.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let root = stage.root().join("image");
    fs::create_dir(&root).unwrap();
    let answers = stage.root().join("answers.yaml");
    fs::write(
        &answers,
        "url: https://ci.example.com\nversion: server-4.6\nname: a\nuser: ci\nworkdir: /w\n\
        cleanup-workdir: true\nservice: none\ntoken-file: token\n",
    )
    .unwrap();
    let (root_text, url) = (root.display().to_string(), stage.bucket.url());
    let args =
        ["install", "--root", &root_text, "--release-url", &url, "--answers", "answers.yaml"];
    let mut person = Terminal::start(&args, stage.root(), 80);
    person.choose("Install this?", "No");
    assert_eq!(person.end(), 0);
    assert!(!person.shown().contains("Where do the jobs"), "{}", person.shown());
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
}

/// For a Mac the person is asked what only a Mac needs to know; of another one it is not known who
/// is logged in, so nobody is proposed.
#[test]
fn a_mac_is_asked_for_a_desktop() {
    let stage = Stage::new();
    let mut person = stage.install(&["--platform", "darwin/arm64"]);
    for each in &DIALOGUE[..5] {
        reply(&mut person, *each);
    }
    person.choose("Do jobs need a desktop?", "Yes");
    person.expect("Nobody is logged in at the screen now.");
    person.expect("> ");
    person.keys("jo\r");
    person.answer("In which folder should jobs run?", "q");
    assert_eq!(person.end(), 0, "{}", person.shown());
    person.assert_restored();
    stage.assert_untouched();
}
