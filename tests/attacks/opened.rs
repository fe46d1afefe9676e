//! Folders that root closed in the place of an install's data, and that an account would have root
//! open or give away: by naming who is to pass through them, or by naming a path in them.

use super::stage::{Made, Stage};
use crate::support::lab::PROGRAM;

/// The folder for data, as an administrator may have made it.
const CLOSED: [&str; 2] = ["root:circleci 750", "root:root 700"];

/// What the account can do so that its jobs run as another account, to which the folder is closed.
const NAMES: [&str; 4] = [
    "printf '  command_prefix: [sudo, -u, mallory, --]\\n' >>$C",
    "printf '  command_prefix: [sudo, -u, mallory, --]\\n' >>$C; chmod 666 $C",
    "drop '[Service]\\nUser=mallory\\n'; chown -R circleci: /etc/systemd/system/circleci.service.d",
    "drop '[Service]\\nUser=mallory\\n'; chmod 777 /etc/systemd/system/circleci.service.d",
];

/// What root keeps in the folder for data, and the line of a configuration that names it.
const KEPT: [(&str, &str); 5] = [
    ("own", "edit 's#working_directory: .*#working_directory: /var/opt/circleci/own#'"),
    ("own", "edit 's#working_directory: .*#working_directory: /var/opt/circleci/own/deep#'"),
    ("own", "edit 's#working_directory: .*#working_directory: /var/opt/circleci/own/jobs/%s#'"),
    ("own", "printf 'logging:\\n  file: /var/opt/circleci/own/key\\n' >>$C"),
    ("own.key", "printf 'logging:\\n  file: /var/opt/circleci/own.key\\n' >>$C"),
];

#[test]
fn no_closed_folder_is_opened_for_an_account_that_an_account_named() {
    let Some(stage) = Stage::new(Made::ByHand, "accounts that an account names") else { return };
    let mut wrong = Vec::new();
    for closed in CLOSED {
        let (owner, mode) = closed.split_once(' ').unwrap_or_default();
        for names in NAMES {
            stage.script(&format!(
                "chown {owner} /var/opt/circleci; chmod {mode} /var/opt/circleci\n{names}"
            ));
            wrong.extend(changed(&stage, "/var/opt/circleci").map(|now| format!("{names}: {now}")));
        }
    }
    assert!(wrong.is_empty(), "{} were opened:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_root_keeps_in_the_folder_for_data_is_neither_given_nor_opened() {
    let Some(stage) = Stage::new(Made::ByHand, "what root keeps beside jobs") else { return };
    let mut wrong = Vec::new();
    for mode in ["700", "755"] {
        for (kept, names) in KEPT {
            stage.script(&format!(
                "chown root:root /var/opt/circleci; chmod 755 /var/opt/circleci
                 cd /var/opt/circleci; mkdir -p own/deep/x; echo x >own/key; echo x >own.key
                 chown -R root:root own own.key; chmod 600 own.key; chmod {mode} own own/deep\n{names}"
            ));
            wrong.extend(changed(&stage, kept).map(|now| format!("{mode}: {names}: {now}")));
        }
    }
    assert!(wrong.is_empty(), "{} were given away:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_documented_folder_and_an_empty_one_that_a_person_allows_are_given() {
    let Some(stage) = Stage::new(Made::ByHand, "work folders that root made") else { return };
    let (own, documented) = ("/var/opt/circleci/own", "/var/opt/circleci/workdir");
    for (path, script, more, is_given) in [
        (documented, "install -d $W/job; chown -R root:root $W; chmod 755 $W", None, true),
        (own, "install -d -m 755 /var/opt/circleci/own", None, false),
        (own, "install -d -m 755 /var/opt/circleci/own", Some(own), true),
        (own, "install -d -m 755 /var/opt/circleci/own/x", Some(own), false),
    ] {
        stage.script(&format!(
            "chown root:root /var/opt/circleci; chmod 755 /var/opt/circleci\n{script}
             edit 's#working_directory: .*#working_directory: {path}#'"
        ));
        let allow = more.map_or(vec![], |path| vec!["--allow-path", path]);
        let printed = stage.fixed(&[&["--offline"], allow.as_slice()].concat());
        let owner = stage.lab.host.ok(&["stat", "-c", "%U %a", path]);
        let expected = if is_given { "circleci 750" } else { "root 755" };
        assert_eq!(owner.trim(), expected, "{script} {more:?}: {:?}", printed.outputs);
        stage.reset();
    }
}

/// What is wrong with what is printed and cured: a change of the folder for data, or a command that
/// makes one of what is called `kept`. The install is put back.
fn changed(stage: &Stage, kept: &str) -> Option<String> {
    let list = "cd /var/opt/circleci; find . -printf '%p %u:%g %m\\n' | sort";
    let listed = || stage.lab.host.ok(&["sh", "-c", list]);
    let before = listed();
    let printed = stage.examined(&["--offline"]);
    let gives = |line: &&String| line.contains(kept) && line.contains(" ch");
    let commands: Vec<&String> = printed.commands.iter().filter(gives).collect();
    stage.lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", "--offline"]);
    let now = listed();
    stage.reset();
    let is_same = now == before && commands.is_empty();
    (!is_same).then(|| format!("{commands:?}\n{before}becomes\n{now}"))
}
