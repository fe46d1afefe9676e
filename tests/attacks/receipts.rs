//! Receipts that another account could have written: what an uninstall takes away by them.

use super::{
    fleet::{self, victims},
    sources::mark,
    stage::{Made, Stage},
    trial::{self, Wrongs},
};
use crate::support::lab::PROGRAM;
use serde_json::{Value, json};

const RECEIPT: &str = "/var/lib/runnerup/receipts/default.json";

/// How somebody was careless with rights, so that the account can write a receipt, or can put one
/// of its own in the place of root's.
const CARELESS: [(&str, &str); 7] = [
    ("the state folder is the account's", "chown circleci: /var/lib/runnerup"),
    ("everyone can write to the state folder", "chmod 777 /var/lib/runnerup"),
    ("the folder of receipts is the account's", "chown circleci: /var/lib/runnerup/receipts"),
    ("a group can write to the folder of receipts", "chmod 775 /var/lib/runnerup/receipts"),
    ("the receipt is the account's", "chown circleci: /var/lib/runnerup/receipts/default.json"),
    ("everyone can write to the receipt", "chmod 666 /var/lib/runnerup/receipts/default.json"),
    (
        "the state folder is a link to a folder of the account's",
        "mv /var/lib/runnerup /home/circleci/state; chown -R circleci: /home/circleci/state
         ln -s /home/circleci/state /var/lib/runnerup",
    ),
];

/// What reads receipts and acts by them.
const COMMANDS: [&[&str]; 3] = [
    &["uninstall", "--yes", "--force", "--purge"],
    &["doctor", "--fix", "--yes", "--offline"],
    &[
        "install",
        "--yes",
        "--agent=launch-agent",
        "--token-file=/root/token",
        "--release-url=http://127.0.0.1:1",
    ],
];

/// Records as nobody but an attacker writes them, for a victim; with the facts of a file.
fn records(mark: &str, meta: &Value) -> Vec<Value> {
    let (file, folder) =
        (format!("/srv/victims/{mark}/secret.yaml"), format!("/srv/victims/{mark}"));
    let mut open = meta.clone();
    open["mode"] = json!(0o777);
    open["uid"] = json!(1000);
    open["gid"] = json!(1000);
    let record = |target: Value, before: Value| json!({"target": target, "before": before, "after": null, "data": true});
    let copied = |backup: &str| json!({"file": {"meta": open, "backup": backup}});
    vec![
        record(json!({"file": file}), json!("absent")),
        record(json!({"folder": folder}), json!("absent")),
        record(json!({"file": file}), json!({"settled": {"meta": open}})),
        record(json!({"folder": folder}), json!({"folder": {"meta": open}})),
        record(json!({"file": file}), copied("../../../../etc/shadow")),
        record(json!({"file": format!("/etc/cron.d/{mark}")}), copied("evil")),
        record(json!({"link": "/etc/cron.d/job"}), json!({"link": {"target": file}})),
        record(json!({"account": "mallory"}), json!("absent")),
        record(json!({"running": "dbus.service"}), json!("absent")),
        record(json!({"enabled": "getty@tty1.service"}), json!("absent")),
    ]
}

#[test]
fn a_receipt_that_was_tampered_with_leads_nowhere() {
    let Some(stage) = Stage::new(Made::ByUs, "receipts that were tampered with") else { return };
    let host = &stage.lab.host;
    let receipt: Value = serde_json::from_str(&host.ok(&["cat", RECEIPT])).unwrap();
    let metas =
        receipt["records"].as_array().unwrap().iter().map(|record| &record["after"]["meta"]);
    let meta = metas.into_iter().find(|meta| meta["kind"] == "file").unwrap().clone();
    let mut script = String::from("set -e\n");
    let private = victims(&mut script, &mark(0), "");
    script.push_str(
        "mkdir -p /var/lib/runnerup/backup
         echo '* * * * * root id' >/var/lib/runnerup/backup/evil; systemctl stop circleci\n",
    );
    fleet::run(&stage, &script);
    stage.keep(private);
    let mut wrong = Vec::new();
    for (what, careless) in CARELESS {
        for words in COMMANDS {
            let mut document = receipt.clone();
            document["records"].as_array_mut().unwrap().extend(records(&mark(0), &meta));
            host.write(RECEIPT, document.to_string().as_bytes(), 0o644);
            stage.script(careless);
            let (code, text, wrongs) = ran(&stage, words);
            if code != 3 || !text.contains("error[E3006]") || !wrongs.is_empty() {
                wrong.push(format!("{what}, {}: {code}, {wrongs:?}: {text}", words[0]));
            }
            stage.script("if [ -L /var/lib/runnerup ]; then rm -rf /var/lib/runnerup; fi");
            stage.reset();
        }
    }
    assert!(wrong.is_empty(), "{} were believed:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs a command; its exit code, what it told, and what it did to others.
fn ran(stage: &Stage, args: &[&str]) -> (i32, String, Wrongs) {
    let words: Vec<&str> = [PROGRAM].into_iter().chain(args.iter().copied()).collect();
    let service = || stage.lab.property("dbus.service", "ActiveState");
    let before = service();
    let output = stage.lab.host.run(&words);
    let text = [output.stdout, output.stderr].concat();
    let (code, text) = (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text));
    let printed = trial::printed(args[0], text.clone().into_owned());
    let mut wrongs = trial::shown(&printed);
    wrongs.extend(trial::changed(stage, args[0]));
    if service() != before {
        wrongs.push((trial::Sink::Service, format!("{} stopped dbus.service", args[0])));
        stage.lab.host.run(&["systemctl", "start", "dbus.service"]);
    }
    (code, text.into_owned(), wrongs)
}
