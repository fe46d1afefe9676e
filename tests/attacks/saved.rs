//! Saved facts, which are anybody's: what is printed of them, and what that does.

use super::{
    commands,
    places::{name, places, with_all},
    sources::{MARKED, mark},
    stage::{FACTS, Made, Stage},
    table::Table,
    trial::{self, Sink, Wrongs},
};
use crate::support::lab::PROGRAM;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// A host on which much is wrong, so that there is a cure for it in each topic.
const SICK: &str = "
chown root: $W; chmod 700 $W; : >$W/left
chmod 644 $C; chmod 600 $B; chmod 666 $U
systemctl disable -q circleci
printf 'logging:\\n  file: /srv/none/agent.log\\n' >>$C
edit 's#^runner:#runner:\\n  command_prefix: [sudo, -niHu, mallory, --]#'
variables 'HTTPS_PROXY=http://me:hunter2hunter2@127.0.0.1:1\\nTMPDIR=/no/such\\n'
chmod 644 $E
";

#[test]
fn saved_facts_are_anybodys() {
    let Some(stage) = Stage::new(Made::ByHand, "the table of saved facts") else { return };
    stage.script(SICK);
    let here = format!("--endpoint=storage=none,vcs=none,releases={}", stage.lab.api.url());
    let words = [PROGRAM, "doctor", "--json", "--timeout=1", &here, "--save-facts", FACTS];
    stage.lab.host.run(&words);
    let facts: Value = serde_json::from_str(&stage.lab.host.ok(&["cat", FACTS])).unwrap();
    stage.reset();
    let places = places(&facts);
    assert!(places.len() > 80, "the facts have {} kinds of text", places.len());
    let mut table = Table::new(
        places.iter().map(|place| format!("facts {}", name(place))).collect(),
        &[Sink::Echo, Sink::Command],
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.json");
    fs::write(&file, facts.to_string()).unwrap();
    // What is wrong with these facts as they are is said once.
    let (known, wrongs) = judged(&file, &BTreeSet::new());
    table.all_of(places.len(), wrongs, "as they are");
    let (mut all, mut whose) = (BTreeSet::new(), Vec::new());
    for (number, place) in places.iter().enumerate() {
        for hostile in &MARKED {
            let document = with_all(&facts, &name(place), &hostile.for_mark(&mark(number)));
            fs::write(&file, document.to_string()).unwrap();
            let (printed, wrongs) = judged(&file, &known);
            table.all_of(number, wrongs, hostile.what);
            whose.extend(printed.iter().map(|command| (command.clone(), number)));
            all.extend(printed);
        }
    }
    let nothing = || {};
    for harm in stage.paste(&all, &nothing) {
        let of = whose.iter().find(|(command, _)| harm.contains(&format!("{command:?}")));
        table.all_of(
            of.map_or(places.len(), |(_, number)| *number),
            vec![(Sink::Command, harm)],
            "",
        );
    }
    table.finish();
}

/// What is printed of saved facts: the commands, and what is wrong with all of it.
fn judged(file: &Path, known: &BTreeSet<String>) -> (BTreeSet<String>, Wrongs) {
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        let output = command.arg("doctor").arg("--facts").arg(file).args(more).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let (json, more) = run(&["--json"]);
    // Facts that no survey has are refused by the code of that error, and by no other.
    let report: Value = serde_json::from_str(&json)
        .unwrap_or_else(|error| panic!("the report is not JSON: {error}: {json:?}"));
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let is_refused = json.contains("E2010") || more.contains("E2010");
    assert!(is_refused == findings.is_empty(), "neither judged nor refused: {json}{more}");
    let (text, error) = run(&["-v"]);
    let commands = commands::of(&findings, &text).difference(known).cloned().collect();
    let mut printed = trial::printed("--json", json + &more);
    printed.outputs.push(("text".to_owned(), text + &error));
    let mut wrongs = trial::shown(&printed);
    let said = commands::dangers(&commands);
    wrongs.extend(said.into_iter().map(|danger| (Sink::Command, danger)));
    (commands, wrongs)
}
