//! The guided install at a real terminal, as a person has it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod changing;
mod stage;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/terminal.rs"]
#[allow(unreachable_pub, clippy::panic)]
mod terminal;
mod token;

use stage::{DIALOGUE, MENUS, Stage, TOKEN, reply};
use std::{fs, path::Path};
use terminal::Terminal;

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
    person.answer("Which version of CircleCI server is it?", "2.19");
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
    person.expect("Answer cloud or server.");
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
    let mut person = stage.install(&["--agent", "launch-agent"]);
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
