//! A path that only the account's configuration names, and that a person allows.

use super::stage::{CONFIG, Made, Stage};
use crate::support::lab::PROGRAM;
use std::process::Output;

/// Paths of the system, and what is no whole path: the option itself is refused.
const SYSTEM: &[&str] = &[
    "/",
    "/etc",
    "/etc/cron.d",
    "/etc/shadow",
    "/etc/systemd/system/dbus.service.d",
    "/home",
    "/opt",
    "/root",
    "/root/new",
    "/srv",
    "/srv/../etc/private",
    "/usr/local/bin",
    "/usr/local/sbin/new",
    "/var",
    "/var/spool/cron",
    "srv/new",
];

/// What others own, of which the report tells: nobody is given it, whatever a person allows.
const OWNED: &[&str] =
    &["/home/mallory", "/home/mallory/new", "/srv/link", "/srv/victim", "/srv/victim/secret.yaml"];

#[test]
fn a_path_is_given_when_a_person_names_it_and_no_other() {
    let Some(stage) = Stage::new(Made::ByHand, "paths that a person allows") else { return };
    let host = &stage.lab.host;
    names(&stage, "/srv/builds");
    let told = stage.examined(&["--offline"]);
    let text: Vec<&str> = told.outputs.iter().map(|(_, text)| text.as_str()).collect();
    assert!(text.concat().contains("--allow-path"), "how to allow it is told");

    let output = fixed(&stage, &[]);
    assert_eq!(stage.changes(), Vec::<String>::new(), "{}", text_of(&output));
    for other in ["/srv", "/srv/builds/deeper", "/srv/build", "/srv/other"] {
        let output = fixed(&stage, &["--allow-path", other]);
        assert_eq!(stage.changes(), Vec::<String>::new(), "{other}: {}", text_of(&output));
    }

    let output = fixed(&stage, &["--allow-path", "/srv/builds"]);
    let made = host.run(&["stat", "-c", "%U %a", "/srv/builds"]);
    let made = String::from_utf8_lossy(&made.stdout).into_owned();
    assert_eq!(made.trim(), "circleci 750", "{}", text_of(&output));
    let changes = stage.changes();
    assert_eq!(changes.len(), 1, "nothing else: {changes:?}");
}

#[test]
fn an_empty_folder_of_roots_is_given_when_a_person_names_it() {
    let Some(stage) = Stage::new(Made::ByHand, "a folder that a person allows") else { return };
    stage.script(
        "install -d /srv/empty /srv/full; : >/srv/full/x; install -d -o mallory /srv/mallory",
    );
    let owner = |path: &str| {
        let owner = stage.lab.host.run(&["stat", "-c", "%U %a", path]);
        String::from_utf8_lossy(&owner.stdout).trim().to_owned()
    };
    for (path, now) in
        [("/srv/full", "root 755"), ("/srv/mallory", "mallory 755"), ("/srv/empty", "circleci 750")]
    {
        names(&stage, path);
        let output = fixed(&stage, &["--allow-path", path]);
        assert_eq!(owner(path), now, "{}", text_of(&output));
    }
}

#[test]
fn what_can_be_allowed_is_told_and_nothing_else() {
    let Some(stage) = Stage::new(Made::ByHand, "what is told of --allow-path") else { return };
    stage.script(
        "install -d -m 700 /srv/closed /srv/closed/deep; install -d -o mallory /srv/mallory",
    );
    for (path, is_told) in [
        ("/srv/builds", true),
        ("/srv/closed", true),
        ("/srv/closed/deep", false),
        ("/srv/new/deep", false),
        ("/srv/mallory", false),
        ("/home/mallory/.ssh", false),
        ("/opt/circleci", false),
        ("/etc/cron.d", false),
    ] {
        names(&stage, path);
        let printed = stage.examined(&["--offline"]);
        let told = printed.findings.iter().any(|own| own.to_string().contains("--allow-path"));
        assert_eq!(told, is_told, "{path}: {:?}", printed.findings);
        let pasted = printed.commands.iter().find(|line| line.contains("--allow-path"));
        assert_eq!(pasted, None, "the name is the account's");
    }
}

#[test]
fn what_is_anothers_is_not_given_even_when_a_person_names_it() {
    let Some(stage) = Stage::new(Made::ByHand, "paths that nobody may allow") else { return };
    for path in SYSTEM {
        names(&stage, path);
        let output = fixed(&stage, &["--allow-path", path]);
        assert_eq!(output.status.code(), Some(2), "{path}: {}", text_of(&output));
        assert!(text_of(&output).contains("E2002"), "{path}: {}", text_of(&output));
        assert_eq!(stage.changes(), Vec::<String>::new(), "{path}");
    }
    stage.reset();
    let mut wrong = Vec::new();
    for path in OWNED {
        stage.script("ln -s /srv/victim /srv/link");
        let links = stage.changes();
        for key in ["working_directory", "file"] {
            match key {
                "file" => {
                    stage.script(&format!("printf 'logging:\\n  file: {path}\\n' >>{CONFIG}"));
                }
                _ => names(&stage, path),
            }
            let output = fixed(&stage, &["--allow-path", path]);
            let check = if key == "file" { "log-writable" } else { "workdir-usable" };
            let is_told = text_of(&output).contains(&format!("permissions/{check}"));
            assert!(is_told && output.status.code() == Some(1), "{path}: {}", text_of(&output));
            let changes: Vec<_> =
                stage.changes().into_iter().filter(|line| !links.contains(line)).collect();
            if !changes.is_empty() {
                wrong.push(format!("{key}: {path}: {changes:?}\n{}", text_of(&output)));
            }
            stage.reset();
            stage.script("ln -sfn /srv/victim /srv/link");
        }
        stage.reset();
    }
    assert!(wrong.is_empty(), "{} were given away:\n{}", wrong.len(), wrong.join("\n"));
}

/// Has the account's configuration name a work folder.
fn names(stage: &Stage, path: &str) {
    stage.script(&format!("edit 's#working_directory: .*#working_directory: {path}#'"));
}

fn fixed(stage: &Stage, more: &[&str]) -> Output {
    let words = [PROGRAM, "doctor", "--fix", "--yes", "--offline"].into_iter();
    stage.lab.host.run(&words.chain(more.iter().copied()).collect::<Vec<_>>())
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}
