//! Every folder from which systemd reads units, with everything in it by which it adds to one.

use crate::support::{
    host::Suite,
    lab::{Lab, PROGRAM, UNIT},
};
use serde_json::Value;

/// Folders of the account's that a name in one of systemd's folders makes a part of the unit. The
/// third name is one that root gave the unit.
const PARTS: [&str; 7] = [
    "circleci.service.d",
    "service.d",
    "agent.service.d",
    "circleci.service.wants",
    "circleci.service.requires",
    "service.wants",
    "agent.service.requires",
];

/// A unit of root's that must not be started, by a link or by a drop-in.
const VICTIM: &str = "
printf '[Service]\\nExecStart=/bin/touch /run/pwned\\n' >/etc/systemd/system/victim.service
ln -s circleci.service /etc/systemd/system/agent.service
cat >/run/part.conf <<'END'
[Service]
ExecStartPre=+/bin/touch /run/pwned
END
";

/// Makes each part in a folder.
const MAKE: &str = "
for part in $PARTS; do
    install -d -o circleci $folder/$part
    case $part in
    *.d) install -o circleci /run/part.conf $folder/$part/a.conf ;;
    *) ln -s /x $folder/$part/victim.service ;;
    esac
done
";

#[test]
fn no_folder_of_systemd_lets_an_account_add_to_the_unit() {
    for suite in [Suite::Bullseye, Suite::Trixie] {
        let Some(lab) = Lab::new(suite, "folders of units") else { return };
        lab.install(&[], 0);
        lab.host.ok(&["sh", "-ec", VICTIM]);
        lab.host.ok(&["systemctl", "stop", UNIT]);
        let folders = lab.host.ok(&["systemd-analyze", "unit-paths"]);
        assert!(folders.lines().count() >= 10, "{folders}");
        for folder in folders.lines() {
            let before = format!("PARTS='{}'; folder={folder}\n", PARTS.join(" "));
            let script = |text: &str| lab.host.ok(&["sh", "-ec", &format!("{before}{text}")]);
            script(MAKE);
            examined(&lab, folder);
            lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", "--offline"]);
            script("cd $folder; rm -r $PARTS");
        }
        // In the one that wins over all others.
        let first = folders.lines().next().unwrap();
        for part in PARTS {
            let before = format!("PARTS={part}; folder={first}\n");
            lab.host.ok(&["sh", "-ec", &format!("{before}{MAKE}")]);
            lab.install(&["--max-run-time", "7h"], 3);
            lab.host.ok(&["sh", "-ec", &format!("{before}cd $folder; rm -r $PARTS")]);
        }
        assert!(!lab.host.run(&["test", "-e", "/run/pwned"]).status.success());
    }
}

/// The doctor tells of each part, and of no command by which root would act on one.
fn examined(lab: &Lab, folder: &str) {
    let report = lab.host.run(&[PROGRAM, "doctor", "--offline", "--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let told = findings.iter().filter(|own| own["check"] == "permissions/definition-trusted");
    let told = told.map(Value::to_string).collect::<Vec<_>>().join("\n");
    // Since `/usr` is merged, another name of the same folder.
    let other = format!("/usr{folder}");
    for part in PARTS {
        let is_told = [folder, &other].iter().any(|own| told.contains(&format!("{own}/{part},")));
        assert!(is_told, "{folder}/{part} is not told of:\n{told}");
    }
    let all = report.to_string();
    let acts = ["daemon-reload", "systemctl start", "systemctl restart"];
    assert!(!acts.iter().any(|act| all.contains(act)), "{all}");
}
