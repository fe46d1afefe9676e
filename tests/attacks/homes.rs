//! A home that stands there before its account is made, with what others left in it.

use crate::support::{host::Suite, lab::Lab};

/// The home of the account that an install makes, prepared in a folder.
const PREPARED: [&str; 5] = [
    "install -d -m 755 $H/.ssh; echo key >$H/.ssh/authorized_keys; chown -R mallory $H/.ssh",
    // The number that the account gets.
    "install -d -m 755 $H; echo code >$H/.bashrc; chown 1001 $H/.bashrc",
    "install -d -m 777 $H; echo code >$H/.bashrc",
    "install -d -m 755 $H; echo code >$H/.profile; chmod 666 $H/.profile",
    "install -d -m 755 -o mallory $H",
];

/// As an administrator makes one.
const TEMPLATES: &str = "cp -r /etc/skel $H; chmod -R go-w $H";

#[test]
fn an_account_is_made_with_no_home_that_others_prepared() {
    let Some(lab) = Lab::new(Suite::Bookworm, "homes that are there already") else { return };
    lab.host.ok(&["useradd", "--create-home", "mallory"]);
    let sh = |script: &str| lab.host.ok(&["sh", "-ec", script]);
    let image = "/srv/img";
    sh(&format!(
        "mkdir -p {image}/etc {image}/home {image}/usr; cp -a /etc/passwd /etc/group /etc/shadow \
         /etc/os-release {image}/etc"
    ));
    let mut wrong = Vec::new();
    for prepared in PREPARED {
        for (base, more) in [("", &[][..]), (image, &["--root", image, "--service", "none"])] {
            let home = format!("{base}/home/circleci");
            sh(&format!("H={home}; rm -rf $H; {prepared}"));
            let words = lab.arguments(more);
            let output = lab.host.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let accounts = sh(&format!("cat {base}/etc/passwd"));
            if output.status.code() != Some(3)
                || accounts.contains("circleci")
                || !told.contains("move the home away")
            {
                wrong.push(format!("{base:?}: {prepared}: {}: {told}", output.status));
                lab.host.run(&["sed", "-i", "/^circleci/d", &format!("{base}/etc/passwd")]);
            }
            sh(&format!("rm -rf {home}"));
        }
    }
    assert!(wrong.is_empty(), "{} were taken:\n{}", wrong.len(), wrong.join("\n"));
    sh(&format!("H=/home/circleci; {TEMPLATES}"));
    lab.install(&[], 0);
}
