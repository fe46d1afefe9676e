//! Saved facts, which anybody may have written, and which support opens as root on a host of its
//! own: no text and no number of theirs gets into what is advised.

use super::{Remedy, Selection, fixtures::*, judge};
use crate::host::{Activity, Load, Memory, Queue, Runner, Seen, Side, Sudo, Survey, Tls, Tool};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

/// Texts of the kinds that programs take as words, none of them documented.
const HOSTILE: [&str; 8] = [
    "/tmp/git.deb",
    "/Library/LaunchDaemons/com.openssh.sshd.plist",
    "ssh.service",
    "com.openssh.sshd",
    "mallory",
    "ALL !authenticate,",
    "http://evil.example:3128",
    "dict://127.0.0.1:11211/config:set:dir:/etc/cron.d",
];

fn remedies(survey: &Survey) -> impl Iterator<Item = Remedy> {
    judge(survey, &Selection::default()).into_iter().filter_map(|finding| finding.remedy)
}

/// Every command that is printed.
fn lines(survey: &Survey) -> Vec<String> {
    remedies(survey)
        .flat_map(|remedy| remedy.commands().into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn read(document: &Value) -> Option<Survey> {
    let survey: Survey = serde_json::from_value(document.clone()).ok()?;
    Some(Survey { is_saved: true, ..survey })
}

/// Every kind of text in a document, such as `installs.service.name`.
fn kinds(value: &Value, name: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::String(_) => drop(found.insert(name.to_owned())),
        Value::Array(items) => items.iter().for_each(|item| kinds(item, name, found)),
        Value::Object(entries) => {
            entries.iter().for_each(|(key, item)| kinds(item, &format!("{name}.{key}"), found));
        }
        _ => {}
    }
}

/// Changes every value of a kind.
fn change(value: &mut Value, name: &str, of: &str, to: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, name, of, to)),
        Value::Object(entries) => entries
            .iter_mut()
            .for_each(|(key, item)| change(item, &format!("{name}.{key}"), of, to)),
        value_there if name == of || name.ends_with(of) && value_there.is_number() => {
            *value_there = to.clone();
        }
        _ => {}
    }
}

/// Documents in which much is wrong, so that there is advice in each topic.
fn documents() -> Vec<Value> {
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/facts");
    let files = ["linux-recorded", "macos-made", "windows-made"];
    let mut all: Vec<Value> = files
        .iter()
        .map(|file| fs::read(there.join(format!("{file}.json"))).unwrap())
        .map(|text| serde_json::from_slice(&text).unwrap())
        .collect();
    let sick: [fn(&mut Survey); 9] = [
        |survey| {
            let missing =
                ["git", "ssh"].map(|name| Tool { name: name.into(), path: None, elsewhere: None });
            agent(survey).tools = Seen::Known(missing.to_vec());
            survey.host.volumes[0].bytes_free = 3;
            survey.host.volumes[0].inodes_free = 3;
            survey.host.memory = Seen::Known(Memory { total: 1 << 30, available: 9, swap: 0 });
        },
        |survey| {
            let walk = agent(survey).binary.as_mut().unwrap().walk.ok().cloned();
            let mut walk = walk.unwrap();
            walk.end = Some(file(0, 0o600));
            walk.passed.last_mut().unwrap().meta = folder(0, 0o666);
            agent(survey).binary.as_mut().unwrap().walk = Seen::Known(walk);
        },
        |survey| state(survey, |state| state.load = Load::Masked),
        |survey| state(survey, |state| state.active = Activity::Deactivating),
        |survey| state(survey, |state| state.active = Activity::Failed),
        |survey| service_of(survey).command[0] = "/usr/bin/other".into(),
        |survey| {
            let words = ["sudo", "-n", "--"].map(Into::into).to_vec();
            set(survey, "runner.command_prefix", Some("x"));
            config_of(survey).settings.last_mut().unwrap().value =
                crate::host::Written::List(words);
            let rules = vec!["(ALL) NOPASSWD: /x".to_owned()];
            let sudo = Sudo { installed: true, rules, wants_terminal: true, ..Sudo::default() };
            survey.host.accounts[1].sudo = Seen::Known(sudo);
            directive(survey, "Service", "NoNewPrivileges", "yes");
            directive(survey, "Service", "ProtectSystem", "strict");
        },
        |survey| {
            let network = online(|api| api.answer = None).network;
            let mut network = network.ok().cloned().unwrap();
            let mut shell = online(|_| {}).network.ok().cloned().unwrap().endpoints.remove(0);
            shell.side = Side::Shell;
            shell.proxy = Some(crate::host::Proxied {
                url: "http://proxy:3128".into(),
                source: "the shell".into(),
                has_login: false,
                named_by: Default::default(),
            });
            network.endpoints.push(shell);
            survey.network = Seen::Known(network);
        },
        |survey| {
            survey.network = online(|api| {
                let tls = Tls {
                    distrust: Some("UnknownIssuer".into()),
                    distrust_kind: Some("unknown-issuer".into()),
                    ..Tls::default()
                };
                api.tls.as_mut().unwrap().outcome = Ok(tls);
            })
            .network;
            survey.queue = Seen::Known(Queue {
                resource_class: "acme/linux".into(),
                exists: Some(false),
                classes: Vec::new(),
                runners: vec![Runner::default()],
                unclaimed: Some(1),
                running: None,
                running_elsewhere: None,
                failure: None,
                withheld_from: None,
            });
        },
    ];
    for plant in sick {
        let mut survey = healthy();
        plant(&mut survey);
        all.push(serde_json::to_value(&survey).unwrap());
    }
    let mut mac = all[1].clone();
    for (of, to) in [
        (".installs.binary.quarantined", Value::from(true)),
        (".installs.service.state.known.active", Value::from("deactivating")),
        (".installs.service.directives.key", Value::from("KeepAlive")),
    ] {
        change(&mut mac, "", of, &to);
    }
    all.push(mac);
    all
}

fn state(survey: &mut Survey, change: impl Fn(&mut crate::host::ServiceState)) {
    if let Seen::Known(state) = &mut service_of(survey).state {
        change(state);
    }
}

#[test]
fn no_text_of_a_document_is_advised() {
    let mut tried = 0;
    for document in documents() {
        let mut found = BTreeSet::new();
        kinds(&document, "", &mut found);
        for kind in found {
            for hostile in HOSTILE {
                let mut changed = document.clone();
                change(&mut changed, "", &kind, &Value::from(hostile));
                let Some(survey) = read(&changed) else { continue };
                tried += 1;
                for remedy in remedies(&survey) {
                    let mut advice = remedy.commands();
                    advice.push(remedy.text());
                    let found = advice.iter().find(|line| line.contains(hostile));
                    assert_eq!(found, None, "{kind} is {hostile}");
                }
            }
        }
    }
    assert!(tried > 3000, "{tried}");
}

#[test]
fn no_mode_of_a_document_is_set() {
    for document in documents() {
        for mode in [0o600, 0o666, 0o700, 0o722, 0o2755, 0o4755, 0o7666, 0o7777] {
            let mut changed = document.clone();
            change(&mut changed, "", ".mode", &Value::from(mode));
            let survey = read(&changed).unwrap();
            for line in lines(&survey) {
                let Some(rest) = line.split("chmod ").nth(1) else { continue };
                let word = rest.split(' ').next().unwrap();
                let is_known = ["600", "640", "644", "711", "750", "751", "755"].contains(&word);
                assert!(is_known, "{mode:o}: {line}");
            }
        }
    }
}

#[test]
fn a_document_has_root_trust_no_server_and_open_no_sandbox() {
    for document in documents() {
        for line in lines(&read(&document).unwrap()) {
            for change in ["update-ca", "--ca-file", "--proxy http://p", "--passwordless-sudo"] {
                assert!(!line.contains(change), "{line}");
            }
        }
    }
}
