//! The group of an account that is gone: whatever has it must read nothing of the next account that
//! gets its number.

use super::purge::{PURGE, holds};
use crate::support::{host::Suite, lab::Lab};

/// A program that another account started with the group of the account goes with the group.
#[test]
fn a_process_that_has_only_the_group_of_the_account_goes_with_it() {
    let Some(lab) = Lab::new(Suite::Bookworm, "the group of a removed account") else { return };
    lab.host.ok(&["useradd", "--create-home", "mallory"]);
    lab.host.ok(&["useradd", "--create-home", "ann"]);
    lab.install(&[], 0);
    // In a place that no purge looks at.
    lab.host.ok(&["install", "-d", "-m", "1777", "/srv/open"]);
    let plant = "cp /usr/bin/perl /srv/open/group; chmod 2755 /srv/open/group";
    lab.host.ok(&["runuser", "-u", "circleci", "--", "sh", "-ec", plant]);
    let start = |who: &str, program: &str, name: &str| {
        let line = format!(
            "exec setsid -f runuser -u {who} -- {program} -e '$0 = \"{name}\"; sleep 1000' \
             </dev/null >/dev/null 2>&1"
        );
        lab.host.ok(&["sh", "-c", &line]);
        lab.host.ok(&["timeout", "20", "sh", "-c", &format!("until pgrep {name}; do :; done")]);
    };
    start("mallory", "/srv/open/group", "planted");
    start("ann", "/usr/bin/perl", "unconcerned");

    // Where an administrator has put another account into the group, it is not ours to end.
    lab.host.ok(&["gpasswd", "-a", "ann", "circleci"]);
    lab.host.ok(&["systemctl", "stop", "circleci"]);
    lab.host.ok(&["sh", "-c", "echo 1 >/etc/passwd.lock"]);
    lab.runnerup(&PURGE, 6);
    assert!(holds(&lab, "pgrep planted"));
    lab.host.ok(&["rm", "/etc/passwd.lock"]);
    lab.host.ok(&["gpasswd", "-d", "ann", "circleci"]);

    let told = lab.runnerup(&PURGE, 0);
    assert!(told.contains("ending the processes of circleci: "), "{told}");
    assert!(!holds(&lab, "pgrep planted"), "{told}");
    assert!(holds(&lab, "pgrep unconcerned"), "{told}");
}
