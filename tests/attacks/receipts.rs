//! Receipts in a folder that the account can write: what an uninstall takes away by them.

use super::{
    fleet::{self, victims},
    places::{name, places, with_all},
    sources::{Hostile, MARKED, SHARED, mark},
    stage::{Made, Stage},
    table::Table,
    trial::{self, Sink, Wrongs},
};
use crate::support::lab::PROGRAM;
use serde_json::{Value, json};

const RECEIPT: &str = "/var/lib/runnerup/receipts/default.json";

/// How many of the names each text is tried with; which ones is another matter for each.
const NAMES: usize = 3;

/// Records as nobody but an attacker writes them, for a victim; with the facts of a file.
fn records(mark: &str, meta: &Value) -> Vec<(&'static str, Value)> {
    let (file, folder) =
        (format!("/srv/victims/{mark}/secret.yaml"), format!("/srv/victims/{mark}"));
    let mut open = meta.clone();
    open["mode"] = json!(0o777);
    open["uid"] = json!(1000);
    open["gid"] = json!(1000);
    let record = |target: Value, before: Value| json!({"target": target, "before": before, "after": null, "data": true});
    vec![
        ("a file that was not there", record(json!({"file": file}), json!("absent"))),
        ("a folder that was not there", record(json!({"folder": folder}), json!("absent"))),
        (
            "a file with other rights",
            record(json!({"file": file}), json!({"settled": {"meta": open}})),
        ),
        (
            "a folder with other rights",
            record(json!({"folder": folder}), json!({"folder": {"meta": open}})),
        ),
        (
            "a file of which a copy was kept",
            record(
                json!({"file": file}),
                json!({"file": {"meta": open, "backup": "../../../../etc/shadow"}}),
            ),
        ),
        (
            "a new file of which a copy was kept",
            record(
                json!({"file": format!("/etc/cron.d/{mark}")}),
                json!({"file": {"meta": open, "backup": "evil"}}),
            ),
        ),
        ("a link", record(json!({"link": "/etc/cron.d/job"}), json!({"link": {"target": file}}))),
        ("an account", record(json!({"account": "mallory"}), json!("absent"))),
        ("a service that runs", record(json!({"running": "dbus.service"}), json!("absent"))),
        (
            "a service that is enabled",
            record(json!({"enabled": "getty@tty1.service"}), json!("absent")),
        ),
    ]
}

#[test]
fn a_receipt_that_was_tampered_with_leads_nowhere() {
    let Some(stage) = Stage::new(Made::ByUs, "the table of receipts") else { return };
    let host = &stage.lab.host;
    let receipt: Value = serde_json::from_str(&host.ok(&["cat", RECEIPT])).unwrap();
    let metas =
        receipt["records"].as_array().unwrap().iter().map(|record| &record["after"]["meta"]);
    let meta = metas.into_iter().find(|meta| meta["kind"] == "file").unwrap().clone();
    let places = places(&receipt);
    let count = places.len() + records("", &meta).len();
    let mut script = String::from("set -e\n");
    let private = (0..count).flat_map(|number| victims(&mut script, &mark(number), "")).collect();
    // Somebody was careless with the rights of the state folder.
    script.push_str(
        "mkdir -p /var/lib/runnerup/backup; echo '* * * * * root id' >/var/lib/runnerup/backup/evil
         chown -R circleci: /var/lib/runnerup; systemctl stop circleci\n",
    );
    fleet::run(&stage, &script);
    stage.keep(private);
    let names = places.iter().map(|place| format!("receipt {}", name(place)));
    let crafted = records("", &meta).into_iter().map(|(name, _)| format!("receipt with {name}"));
    let mut table = Table::new(names.chain(crafted).collect(), &Sink::ALL);
    let mut tried = |number: usize, document: &Value, what: &str| {
        for words in [
            &["uninstall", "--yes", "--force", "--purge"][..],
            &["doctor", "--fix", "--yes", "--offline"],
        ] {
            host.write(RECEIPT, document.to_string().as_bytes(), 0o644);
            table.all_of(number, ran(&stage, words), what);
            stage.reset();
        }
    };
    let all: Vec<&Hostile> = MARKED.iter().chain(&SHARED).collect();
    for (number, place) in places.iter().enumerate() {
        let some = (0..NAMES).map(|at| all[(number * NAMES + at) % all.len()]);
        for hostile in some {
            let text = hostile.for_mark(&mark(number));
            tried(number, &with_all(&receipt, &name(place), &text), hostile.what);
        }
    }
    for at in 0..records("", &meta).len() {
        let number = places.len() + at;
        let mut document = receipt.clone();
        let (what, record) = records(&mark(number), &meta).swap_remove(at);
        document["records"].as_array_mut().unwrap().push(record);
        tried(number, &document, what);
    }
    table.finish();
}

/// Runs a command; what it did to others, and what it told of them.
fn ran(stage: &Stage, args: &[&str]) -> Wrongs {
    let words: Vec<&str> = [PROGRAM].into_iter().chain(args.iter().copied()).collect();
    let service = || stage.lab.property("dbus.service", "ActiveState");
    let before = service();
    let output = stage.lab.host.run(&words);
    let text = [output.stdout, output.stderr].concat();
    let printed = trial::printed(args[0], String::from_utf8_lossy(&text).into_owned());
    let mut wrongs = trial::shown(&printed);
    wrongs.extend(trial::changed(stage, args[0]));
    if service() != before {
        wrongs.push((Sink::Service, format!("{} stopped dbus.service", args[0])));
        stage.lab.host.run(&["systemctl", "start", "dbus.service"]);
    }
    wrongs
}
