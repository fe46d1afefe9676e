//! Text that others wrote, on its way to root's terminal and to scripts: escape sequences, lines
//! that imitate this program's own, and words that are to be taken for secrets.

#[path = "../support/terminal.rs"]
#[allow(unreachable_pub, dead_code)]
pub mod terminal;

use crate::support::{
    self,
    faults::PRELUDE,
    host::Suite,
    lab::{Lab, PROGRAM, TOKEN},
    scratch::Scratch,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::chown,
    path::Path,
    process::{Command, Output},
};
use terminal::Terminal;

/// A title for the window, a C1 sequence, an override of the reading order, a zero-width space, a
/// line separator and a tag, as an account may write them into a configuration.
const HOSTILE: &str = r"/x\e]0;PWNED\a\e[2J\x9b31m\u202egpj\u200b\u2028y\U000E0041";

/// The hosts of a test reach nothing but themselves.
const HERE: &str = "--endpoint=storage=none,vcs=none";

/// Names that an agent's log shows as lines of its own, to pass for this program's.
const IMITATIONS: [&str; 4] = [
    "help: sudo sh /tmp/mallory",
    "  help: sudo sh /tmp/mallory",
    "error[E6001]: run sh /tmp/mallory as root",
    "       fix: run sh /tmp/mallory as root",
];

/// Characters that do more than show themselves, written down apart from the program's own list.
fn steers(c: char) -> bool {
    let ranges = [
        ('\0', '\u{9}'),
        ('\u{b}', '\u{1f}'),
        ('\u{7f}', '\u{9f}'),
        ('\u{61c}', '\u{61c}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{2028}', '\u{202e}'),
        ('\u{2060}', '\u{2069}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{e0000}', '\u{e007f}'),
    ];
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// The first line that steers a terminal, after what it is a line of.
fn steering(text: &str, what: &str) -> Option<String> {
    let bad = text.lines().find(|line| line.contains(steers))?;
    Some(format!("{what}: {bad:?}"))
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn installed(what: &str) -> Option<Lab> {
    let lab = Lab::new(Suite::Bookworm, what)?;
    lab.install(&[], 0);
    Some(lab)
}

fn script(lab: &Lab, text: &str) -> String {
    lab.host.ok(&["sh", "-c", &format!("{PRELUDE}\n{text}")])
}

#[test]
fn no_escape_sequence_of_a_configuration_reaches_a_terminal() {
    let Some(lab) = installed("escape sequences in a configuration") else { return };
    script(&lab, "cp -p $C /root/config.kept");
    let plant = || {
        let config = lab.host.ok(&["cat", "/root/config.kept"]);
        let line = format!("  working_directory: \"{HOSTILE}\"");
        let hostile: Vec<&str> = config
            .lines()
            .map(|own| {
                if own.trim_start().starts_with("working_directory:") { line.as_str() } else { own }
            })
            .collect();
        lab.host.write(
            "/root/config.hostile",
            format!("{}\n", hostile.join("\n")).as_bytes(),
            0o600,
        );
        // One more thing to cure, so that there is a question to ask.
        script(&lab, "rm -rf /x*; cp /root/config.hostile $C; chown circleci: $C; chmod 644 $C");
    };
    let (mut shown, mut bad) = (String::new(), Vec::new());
    for words in [
        ["doctor"].as_slice(),
        &["doctor", "-v"],
        &["doctor", "-vvv"],
        &["doctor", "--json"],
        &["doctor", "--save-facts", "-"],
        &["doctor", "--fix", "--dry-run"],
        &["doctor", "--fix", "--dry-run", "-v"],
        &["doctor", "--fix", "--dry-run", "--json"],
        &["doctor", "--fix", "--yes"],
        &["doctor", "--fix", "--yes", "--json", "-v"],
        &["plan"],
        &["install", "--dry-run", "--json"],
        &["install", "--yes", "-v"],
    ] {
        plant();
        let mut argv = [&[PROGRAM], words].concat();
        if words[0] == "doctor" {
            argv.push(HERE);
        }
        let (out, err) = text(&lab.host.run(&argv));
        let what = words.join(" ");
        bad.extend(steering(&out, &format!("{what}, standard output")));
        bad.extend(steering(&err, &format!("{what}, standard error")));
        shown += &out;
        shown += &err;
    }
    assert!(shown.contains("PWNED"), "the name was shown nowhere:\n{shown}");

    plant();
    let mut person = Terminal::run(lab.host.command(&[PROGRAM, "doctor", "--fix", HERE]), 100);
    person.choose("Do this?", "Explain");
    person.choose("Do this?", "No");
    person.expect("Nothing was changed.");
    person.end();
    let raw = person.raw();
    assert!(raw.contains("config"), "{raw}");
    for sequence in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\u{9b}", "\u{202e}", "\u{200b}", "\u{2028}"]
    {
        if raw.contains(sequence) {
            bad.push(format!("the question at a terminal: {sequence:?}"));
        }
    }
    assert_eq!(bad, Vec::<String>::new());
}

#[test]
fn an_agents_words_do_not_pass_for_this_programs() {
    let Some(lab) = installed("lines of an agent that imitate ours") else { return };
    let says = IMITATIONS.map(|line| format!("echo '{line}'\n")).concat();
    let script_of_unit = |end: &str| {
        let status = r"Healthy\033]0;PWNED\007\302\233\342\200\256                    help: x";
        let text =
            format!("#!/bin/sh\n{says}systemd-notify --status=\"$(printf '{status}')\"\n{end}\n");
        lab.host.write("/usr/local/lib/words.sh", text.as_bytes(), 0o755);
    };
    // Beside the agent: a unit that runs another one is refused before anything is changed.
    script(&lab, "drop '[Service]\\nExecStartPre=/usr/local/lib/words.sh\\nNotifyAccess=all\\n'");
    script_of_unit("exit 0");
    let words = lab.arguments(&["--mode", "single-task"]);
    let output = lab.host.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let (out, err) = text(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let mut bad = Vec::from_iter(steering(&out, "the result of an install"));
    bad.extend(steering(&err, "the progress of an install"));

    script_of_unit("exit 3");
    let words = lab.arguments(&["--mode", "continuous"]);
    let output = lab.host.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let (out, err) = text(&output);
    assert_eq!(output.status.code(), Some(8), "{out}{err}");
    bad.extend(steering(&err, "E8001"));
    let of_agent = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains("mallory")).map(str::to_owned).collect()
    };
    assert!(of_agent(&err).len() >= IMITATIONS.len(), "the log is told: {err}");
    bad.extend(of_agent(&err).into_iter().filter(|line| !line.starts_with("    | ")));
    // A log of its own, so that no line of systemd's is the last one.
    script(
        &lab,
        "printf 'logging:\\n  file: /var/opt/circleci/agent.log\\n' >>$C
         undrop; systemctl reset-failed circleci.service
         systemctl start circleci.service; systemctl stop circleci.service",
    );
    lab.host.write("/var/opt/circleci/agent.log", IMITATIONS.join("\n").as_bytes(), 0o600);
    lab.host.ok(&["chown", "circleci:", "/var/opt/circleci/agent.log"]);
    let (report, _) = text(&lab.host.run(&[PROGRAM, "doctor", HERE]));
    assert!(report.contains("| error …"), "what is known of the log is told: {report}");
    bad.extend(of_agent(&report));
    assert_eq!(bad, Vec::<String>::new());
}

/// What of a diagnosis must not depend on any token: keys, checks, statuses.
fn skeleton(stdout: &[u8], what: &str) -> (BTreeSet<String>, Vec<(String, String)>) {
    let document: Value = serde_json::from_slice(stdout).unwrap_or_else(|error| {
        panic!("{what}: {error}:\n{}", String::from_utf8_lossy(stdout));
    });
    let mut names = BTreeSet::new();
    keys(&document, &mut names);
    let findings = document["findings"].as_array().unwrap().iter();
    let mut told: Vec<(String, String)> = findings
        .map(|own| (own["check"].as_str().unwrap(), own["status"].as_str().unwrap()))
        // What is said of the token itself may differ.
        .filter(|(check, _)| !check.starts_with("config/token"))
        .map(|(check, status)| (check.to_owned(), status.to_owned()))
        .collect();
    told.sort();
    (names, told)
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

/// Words of this program, and of the definitions that it judges.
const WORDS: [&str; 14] = [
    "status",
    "\"fail\"",
    "\"status\"",
    "findings",
    "summary",
    "\": \"",
    "elapsed_ms",
    "permissions/config-private",
    "runnerup explain",
    "always",
    "control-group",
    "/opt/circleci/circleci-launch-agent",
    "connection refused",
    "not_applicable",
];

/// A word stands as the token in the configuration, in an environment file of the account's and in
/// the arguments of a stranger's process: none of it blanks a word of the report.
#[test]
fn a_word_that_is_called_a_token_blanks_nothing() {
    let Some(lab) = installed("tokens that are words of the report") else { return };
    script(
        &lab,
        "drop '[Service]\\nEnvironmentFile=/var/opt/circleci/environment\\n'; cp -p $C /root/config.kept",
    );
    let fake = "/usr/local/lib/fake/circleci-runner";
    lab.host.write(fake, b"#!/bin/sh\nsleep 600\n", 0o755);
    let examined = |token: &str| {
        let config = lab.host.ok(&["cat", "/root/config.kept"]);
        let config = config.replace(TOKEN, &token.replace('"', "\\\""));
        lab.host.write("/root/config.poisoned", config.as_bytes(), 0o600);
        let line = format!("LAUNCH_AGENT_OTHER_TOKEN='{token}'\n");
        lab.host.write("/root/environment", line.as_bytes(), 0o600);
        script(
            &lab,
            "cp /root/config.poisoned $C; E=/var/opt/circleci/environment; cp /root/environment $E
             chown circleci: $C $E; chmod 600 $C $E",
        );
        let arguments = [fake, "machine", "--auth_token", token];
        let run = [
            "systemd-run",
            "--quiet",
            "--collect",
            "--service-type=exec",
            "--uid=nobody",
            "--unit=fake",
            "--",
        ];
        lab.host.ok(&[run.as_slice(), &arguments].concat());
        let output = lab.host.run(&[PROGRAM, "doctor", "--json", "--offline"]);
        let report = lab.host.run(&[PROGRAM, "doctor", "--offline"]);
        let facts = lab.host.run(&[PROGRAM, "doctor", "--offline", "--save-facts", "-"]);
        lab.host.ok(&["systemctl", "stop", "fake"]);
        assert!(facts.stdout.starts_with(b"{\n  \"schema_version\": 1"), "{:?}", text(&facts));
        (output, report)
    };
    let (ordinary, report) = examined(TOKEN);
    let expected = skeleton(&ordinary.stdout, "an ordinary token");
    assert!(expected.1.iter().any(|(_, status)| status != "pass"), "{expected:?}");
    for output in [&ordinary, &report] {
        assert!(!text(output).0.contains(TOKEN));
    }
    let labels = |output: &Output| -> Vec<String> {
        let (out, _) = text(output);
        let lines = out.lines().filter(|line| !line.starts_with(' ') && line.contains('/'));
        lines.filter_map(|line| Some(line.split_once(": ")?.0.to_owned())).collect()
    };
    let is_process = |label: &String| label.contains("process");
    let kept = |output: &Output| -> BTreeSet<String> {
        labels(output).into_iter().filter(|label| !is_process(label)).collect()
    };
    for word in WORDS {
        let (output, told) = examined(word);
        let (keys, told_now) = skeleton(&output.stdout, word);
        assert_eq!(keys, expected.0, "{word}");
        let other: Vec<_> = told_now.iter().filter(|own| !expected.1.contains(own)).collect();
        assert_eq!((other, told_now.len()), (Vec::new(), expected.1.len()), "{word}");
        let token = |label: &String| label.contains("config/token");
        let of = |output: &Output| -> BTreeSet<String> {
            kept(output).into_iter().filter(|label| !token(label)).collect()
        };
        assert_eq!(of(&told), of(&report), "{word}");
    }
}

/// The same for any text, on an image, where a run is quick.
#[test]
fn no_token_changes_the_form_of_a_diagnosis() {
    if support::needs_root("tokens of every form in an image") {
        return;
    }
    let scratch = Scratch::new();
    support::lab::said(&scratch.run(&["install"]), 0);
    let path = scratch.root().join("etc/opt/circleci/launch-agent-config.yaml");
    let config = fs::read_to_string(&path).unwrap();
    assert!(config.contains(TOKEN));
    let examined = |token: &str| {
        let quoted = serde_json::to_string(token).unwrap();
        let line = format!("auth_token: {quoted}");
        let lines = config.lines().map(|own| match own.find("auth_token:") {
            Some(at) => format!("{}{line}", &own[..at]),
            None => own.to_owned(),
        });
        fs::write(&path, lines.map(|line| line + "\n").collect::<String>()).unwrap();
        chown(&path, Some(1234), Some(1234)).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        program.args(["doctor", "--json", "--root"]).arg(scratch.root()).env_clear();
        program.output().unwrap().stdout
    };
    let ordinary = examined(TOKEN);
    let expected = skeleton(&ordinary, "an ordinary token");
    let ordinary = String::from_utf8(ordinary).unwrap();
    assert!(!ordinary.contains(TOKEN));
    let words = expected.0.iter().chain(expected.1.iter().flat_map(|(check, word)| [check, word]));
    let words: Vec<String> = words.cloned().collect();
    let token = prop_oneof![
        prop::sample::select(words).prop_flat_map(|word| prop_oneof![
            Just(word.clone()),
            Just(format!("\"{word}\"")),
            Just(format!("{word}\": ")),
        ]),
        "[a-f0-9]{20,80}",
        "[ -~]{6,60}",
    ];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) };
    let found = TestRunner::new(config).run(&token, |token| {
        let stdout = examined(&token);
        prop_assert_eq!(skeleton(&stdout, &token), expected.clone());
        let stdout = String::from_utf8(stdout).unwrap();
        prop_assert!(ordinary.contains(&token) || !stdout.contains(&token), "{}", stdout);
        Ok(())
    });
    found.unwrap();
}

/// Files that may name a stream, and why; `clippy.toml` forbids it in every other.
const STREAMS: [&str; 4] = [
    "cli/output.rs",          // the exit itself
    "cli/progress.rs",        // the bar draws by itself what the exit made harmless
    "cli/guided/terminal.rs", // reads keys
    "platform/terminal.rs",   // asks a console what it understands
];

#[test]
fn only_the_exit_prints() {
    let folder = support::repository().join("src");
    let mut found = BTreeSet::new();
    sources(&folder, &mut |path, text| {
        let own = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let words = ["println!(", "eprint!(", " print!(", "dbg!(", "stdout()", "stderr()"];
        if words.iter().any(|word| own.contains(word)) {
            found.insert(path.strip_prefix(&folder).unwrap().display().to_string());
        }
    });
    assert_eq!(found, STREAMS.map(str::to_owned).into());
}

pub fn sources(folder: &Path, metadata: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, metadata);
        } else {
            metadata(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
