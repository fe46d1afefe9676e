//! The token stands nowhere on the screen.

use crate::{
    stage::{DIALOGUE, MENUS, Stage, TOKEN},
    terminal::Terminal,
};
use std::{thread, time::Duration};

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
