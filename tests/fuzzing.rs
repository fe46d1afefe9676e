//! Foreign text, mutated by a fixed seed: saved facts, configurations, and what `/proc` says. None
//! of it makes the doctor panic, and whatever its size, what is told of it is short.
//!
//! `fuzz/` does the same without end, guided by coverage.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::RngSeed,
};
use runnerup::{
    doctor::{CHECKS, JUDGED_LIMIT, Selection, judge},
    host::{PathWalk, Provenance, Seen, Survey},
    probe::{
        config,
        procfs::{COMMAND_LIMIT, ControlGroups, ManagedBy, command_line, real_uid, stat},
    },
};
use serde_json::Value;

/// Facts as they are saved, of every system.
const FACTS: [&str; 5] = [
    include_str!("facts/linux-recorded.json"),
    include_str!("facts/macos-made.json"),
    include_str!("facts/windows-made.json"),
    include_str!("facts/windows-installs-made.json"),
    include_str!("facts/nothing-known.json"),
];

/// Longest finding, in bytes of JSON.
const FINDING_LIMIT: usize = 64 << 10;

/// The same cases at every run.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(8),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Judges a survey; what is told of it must be short.
fn judged(survey: &Survey) -> usize {
    let findings = judge(survey, &Selection::default());
    assert!(findings.len() <= CHECKS.len() * (JUDGED_LIMIT + 1), "{} findings", findings.len());
    let size = |finding| {
        let size = serde_json::to_string(finding).unwrap().len();
        assert!(size <= FINDING_LIMIT, "{size} bytes: {finding:?}");
        size
    };
    findings.iter().map(size).sum()
}

/// A change of one value of a document.
#[derive(Debug, Clone)]
enum Change {
    /// Another value.
    Value(Value),
    /// The same text, or the elements of the same list, many times.
    Repeat(usize),
    /// It is taken out of what holds it.
    Remove,
}

fn change() -> impl Strategy<Value = Change> {
    let texts = "(\\PC|[\\x00-\\x1f\u{9b}\u{202e}'\"$`;&|\\\\]){0,40}";
    let numbers = select(vec![i64::MIN, -1, 0, 1, i64::from(u32::MAX), i64::MAX]);
    prop_oneof![
        4 => texts.prop_map(|text| Change::Value(text.into())),
        4 => numbers.prop_map(|number| Change::Value(number.into())),
        2 => any::<bool>().prop_map(|truth| Change::Value(truth.into())),
        1 => Just(Change::Value(Value::Null)),
        1 => Just(Change::Value(Value::Array(Vec::new()))),
        4 => select(vec![2, 300, 2000]).prop_map(Change::Repeat),
        2 => Just(Change::Remove),
    ]
}

/// Every value in a document, itself first, as the way to it.
fn ways(value: &Value, way: &str, into: &mut Vec<String>) {
    into.push(way.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, own)| ways(own, &format!("{way}/{key}"), into));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, own)| ways(own, &format!("{way}/{at}"), into));
        }
        _ => {}
    }
}

fn changed(document: &mut Value, at: Index, change: &Change) {
    let mut all = Vec::new();
    ways(document, "", &mut all);
    let way = at.get(&all);
    if let (Change::Remove, Some((outer, key))) = (change, way.rsplit_once('/')) {
        match document.pointer_mut(outer) {
            Some(Value::Object(fields)) => drop(fields.remove(key)),
            Some(Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
            _ => {}
        }
        return;
    }
    let Some(value) = document.pointer_mut(way) else { return };
    match (change, value) {
        (Change::Value(new), value) => *value = new.clone(),
        (Change::Repeat(count), Value::Array(items)) if !items.is_empty() => {
            *items = items.iter().cycle().take(*count).cloned().collect();
        }
        (Change::Repeat(count), Value::String(text)) => *text = text.repeat(*count),
        _ => {}
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn saved_facts_are_judged_whatever_they_say(
        facts in select(FACTS.to_vec()),
        changes in proptest::collection::vec((any::<Index>(), change()), 1..8),
    ) {
        let mut document: Value = serde_json::from_str(facts).unwrap();
        for (at, change) in &changes {
            changed(&mut document, *at, change);
        }
        if let Ok(survey) = serde_json::from_value::<Survey>(document) {
            judged(&survey);
        }
    }
}

/// Each list of the facts, made long: what is told does not grow with it.
#[test]
fn the_length_of_no_list_is_the_length_of_the_report() {
    for facts in FACTS {
        let document: Value = serde_json::from_str(facts).unwrap();
        let mut all = Vec::new();
        ways(&document, "", &mut all);
        let lists = all.iter().filter(|way| document.pointer(way).unwrap().is_array());
        for way in lists {
            let told = |count: usize| {
                let mut document = document.clone();
                if let Some(Value::Array(items)) = document.pointer_mut(way) {
                    *items = items.iter().cycle().take(count).cloned().collect();
                }
                serde_json::from_value(document).map(|survey| judged(&survey)).unwrap_or_default()
            };
            let (many, more) = (told(150), told(600));
            assert!(more <= many + 20_000, "{way}: {many} bytes of 150, {more} of 600");
        }
    }
}

/// A configuration in the place of the recorded one.
fn configured(bytes: &[u8]) -> Survey {
    let mut survey: Survey = serde_json::from_str(FACTS[0]).unwrap();
    let (mut file, _) = config::read(PathWalk::default(), bytes, Provenance::Root, b"salt");
    let install = survey.installs.first_mut().unwrap();
    if let Some(Seen::Known(recorded)) = &install.config {
        file.walk = recorded.walk.clone();
    }
    // As it would be read from saved facts.
    let file = serde_json::from_value(serde_json::to_value(file).unwrap()).unwrap();
    install.config = Some(Seen::Known(file));
    survey
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn configurations_are_judged_whatever_they_say(
        lines in proptest::collection::vec(
            (
                "( {0,4}|\t)", select(vec![
                    "api", "auth_token", "url", "runner", "name", "working_directory", "mode", "ssh",
                    "max_run_time", "idle_timeout", "command_prefix", "logging", "file", "nmae", "\"x\"",
                ]),
                "(: |:|)", "(\\PC{0,30}|[\\[\\]{}&*!|>'\"%@`,#\\-?: \\\\]{0,10}|&a|\\*a|<<|~|[0-9]{1,25}[smh])",
            ),
            0..30,
        ),
        repeat in select(vec![1_usize, 1, 1, 50]),
    ) {
        let text: String =
            lines.iter().map(|(a, b, c, d)| format!("{a}{b}{c}{d}\n")).collect();
        judged(&configured(text.repeat(repeat).as_bytes()));
    }
}

/// Nearly as long as a configuration may be.
#[test]
fn no_number_of_keys_and_no_length_of_a_value_is_told_whole() {
    let keys =
        |count: u32| -> String { (0..count).map(|number| format!("nmae{number}: x\n")).collect() };
    let values: String = ["api:\n  url", "runner:\n  name", "logging:\n  file"]
        .iter()
        .map(|key| format!("{key}: {}\n", "x/".repeat(9000)))
        .collect();
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    // More settings than a survey holds are told as such.
    let many = configured(keys(4000).as_bytes());
    assert!(many.installs[0].config().is_err(), "4000 settings are judged");
    judged(&many);
    for text in [keys(900), values] {
        let survey = configured(text.as_bytes());
        assert!(survey.installs[0].config().is_ok(), "it is not judged");
        judged(&survey);
    }
    judged(&configured(deep.as_bytes()));
}

/// What `/proc` says of a process.
const PROCFS: [&[u8]; 4] = [
    b"241 (circleci-runner) S 1 241 241 0 -1 4194304 91 0 0 0 0 0 0 0 20 0 1 0 4200 2572288 414 \
      18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
    b"Name:\tcircleci-runner\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t241\nUid:\t1001\t0\t0\t0\n",
    b"12:pids:/\n1:name=systemd:/user.slice/user-1001.slice/user@1001.service/app.slice/x.service\n\
      0::/user.slice/user-1001.slice/user@1001.service/app.slice/circleci.service\n",
    b"/home/mallory/circleci-runner\0machine\0--config\0/etc/shadow\0",
];

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn processes_are_read_whatever_they_say(
        which in 0..PROCFS.len(),
        changes in proptest::collection::vec(
            (any::<Index>(), prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..4),
                select(vec![b")".to_vec(), b"(".to_vec(), b"\n".to_vec(), b"\0".to_vec(), b"/".to_vec(),
                    b":".to_vec(), b".service".to_vec(), b".slice".to_vec(), b"/system.slice".to_vec()]),
            ]),
            0..6,
        ),
        repeat in select(vec![1_usize, 1, 1, 2000]),
    ) {
        let mut bytes = PROCFS[which].repeat(repeat);
        for (at, piece) in changes {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + piece.len() / 2);
            bytes.splice(at..end, piece);
        }
        if let Some(stat) = stat(&bytes) {
            prop_assert!(stat.name.len() <= 15);
        }
        real_uid(&bytes);
        let words = command_line(&bytes).words;
        // What is no UTF-8 takes three bytes in place of one.
        prop_assert!(words.iter().map(String::len).sum::<usize>() <= 3 * COMMAND_LIMIT);
        for groups in [ControlGroups::default(), ControlGroups::of_init(&bytes)] {
            if let ManagedBy::System(unit) = groups.managed_by(&bytes) {
                prop_assert!(unit.ends_with(".service") && !unit.contains('/'), "{}", unit);
            }
        }
    }
}
