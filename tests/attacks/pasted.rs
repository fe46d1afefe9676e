//! Commands that root is told to paste.

use super::{
    stage::{Made, Stage},
    trial::{Attack, SILENT, attack, swapped, tried},
};

/// The host reaches nothing but itself; what answers nowhere hides no other trouble.
const HERE: &str = "--endpoint=storage=none,vcs=none,releases=http://127.0.0.1:1";

/// Values that mean something to a shell.
const VALUES: &[Attack] = &[
    attack(
        "url: a command behind &",
        "edit 's#url: .*#url: \"http://127.0.0.1:1/?a\\&touch${IFS}/root/pwned\\&\"#'",
        "",
    ),
    attack(
        "url: a command in $()",
        "edit 's#url: .*#url: \"https://$(touch${IFS}-d0${IFS}/root/pwned).example\"#'",
        "",
    ),
    attack(
        "url: a command in backticks",
        "edit 's#url: .*#url: \"https://`touch${IFS}/root/pwned`.example/\"#'",
        "",
    ),
    attack(
        "url: a quote",
        "edit \"s#url: .*#url: \\\"http://127.0.0.1:1/';touch /root/pwned;'\\\"#\"",
        "",
    ),
    attack(
        "url: a new line",
        "edit 's#url: .*#url: \"http://127.0.0.1:1/\\\\ntouch /root/pwned\\\\n\"#'",
        "",
    ),
    attack(
        "url: a file for curl to write",
        "edit 's#url: .*#url: \"http://127.0.0.1:1/ -o /root/pwned\"#'",
        "",
    ),
    attack(
        "prefix: a rule for the account",
        "edit 's#^runner:#runner:\\n  command_prefix: [sudo, -n, --]#'",
        "permissions/sudo-works",
    ),
    attack(
        "prefix: a quote in the user's name",
        "edit \"s#^runner:#runner:\\n  command_prefix: [sudo, -n, -u, \\\"x' >/dev/null; touch /root/pwned; echo '\\\", --]#\"",
        "",
    ),
    attack(
        "prefix: a command in the user's name",
        "edit 's#^runner:#runner:\\n  command_prefix: [sudo, -n, -u, \"$(touch /root/pwned)\", --]#'",
        "",
    ),
    attack(
        "prefix: an account whose home is a folder of programs",
        "edit 's#^runner:#runner:\\n  command_prefix: [sudo, -niHu, daemon, --]#'",
        "",
    ),
    attack(
        "prefix: an account that must have no shell",
        "edit 's#^runner:#runner:\\n  command_prefix: [sudo, -niHu, www-data, --]#'",
        "",
    ),
    attack(
        "prefix: another person's account, and its home as work folder",
        "edit 's#^runner:#runner:\\n  command_prefix: [sudo, -niHu, mallory, --]#; s#working_directory: .*#working_directory: /srv/victim#'",
        "",
    ),
    attack(
        "prefix: a program in a folder that is closed",
        "edit 's#^runner:#runner:\\n  command_prefix: [/root/secret/notes.yaml]#'",
        "",
    ),
    attack(
        "prefix: a program of root's that is not executable",
        "edit 's#^runner:#runner:\\n  command_prefix: [/etc/cron.d/job]#'",
        "",
    ),
    attack(
        "prefix: a program with a command in its name",
        "printf x >'/home/circleci/$(touch ~root|pwned)'; edit 's#^runner:#runner:\\n  command_prefix: [\"/home/circleci/$(touch ~root|pwned)\"]#'",
        "",
    ),
    attack(
        "name: a command",
        "edit 's#name: .*#name: \"x; touch /root/pwned; $(touch /root/pwned)\"#'",
        "config/name-valid",
    ),
    attack(
        "address: a command",
        "edit 's#^runner:#runner:\\n  ssh:\\n    advertise_addr: \"$(touch /root/pwned):22;touch /root/pwned\"#'",
        "",
    ),
    attack(
        "log: a command in its name",
        "edit 's#^runner:#logging:\\n  file: \"/srv/$(touch /root/pwned)\\x27;touch /root/pwned;\\x27\"\\nrunner:#'",
        "permissions/log-writable",
    ),
    attack(
        "log: a name that is an option",
        "edit 's#^runner:#logging:\\n  file: \"-R /srv/victim\"\\nrunner:#'",
        "",
    ),
    attack(
        "work folder: a name that is more words",
        "edit 's#working_directory: .*#working_directory: \"/srv/victim /etc/cron.d\"#'",
        "",
    ),
    attack(
        "work folder: a pattern",
        "edit 's#working_directory: .*#working_directory: \"/srv/*\"#'",
        "",
    ),
    attack(
        "variable: a command in the proxy",
        "variables 'HTTPS_PROXY=http://127.0.0.1:1/$(touch${IFS}/root/pwned)\\nHTTP_PROXY=http://127.0.0.1:1/;touch /root/pwned\\nhttps_proxy=http://x`touch /root/pwned`:1\\n'",
        "",
    ),
    attack(
        "variable: a command in NO_PROXY",
        "variables 'NO_PROXY=a b $(touch /root/pwned),\\x27;touch /root/pwned;\\x27\\nHTTPS_PROXY=http://127.0.0.1:1\\n'",
        "",
    ),
    attack(
        "variable: a temporary folder with a command in its name",
        "variables 'TMPDIR=/srv/$(touch /root/pwned)\\n'",
        "",
    ),
    attack(
        "work folder: a file of root's whose name is a command",
        "mkdir \"$W/job\"; : >\"$W/job/\\$(touch \\$HOME;touch pwned)';touch pwned;'\"",
        "permissions/workdir-clean",
    ),
];

/// The account puts something else in the place of what root was told to change.
const SWAPS: &[Attack] = &[
    swapped(
        "swap: a folder of jobs with a file of root's in it",
        "mkdir -p $W/job/victim/deep; chown circleci: $W/job",
        "rm -rf $W/job; ln -s /srv $W/job",
    ),
    swapped(
        "swap: the file of root's itself",
        "mkdir $W/job; : >$W/job/left; chown circleci: $W/job",
        "rm $W/job/left; ln -s /srv/victim $W/job/left",
    ),
    swapped(
        "swap: the work folder",
        "chown root: $W; chmod 700 $W",
        "mv $W $W.old; ln -s /srv/victim $W",
    ),
    swapped(
        "swap: the folder of the work folder",
        "chown root: $W; chmod 700 $W",
        "mv /var/opt/circleci/workdir /home/circleci/w; ln -s /srv/victim /var/opt/circleci/workdir",
    ),
    swapped(
        "swap: the work folder in a sticky folder of root's that the group can write",
        "chown root:circleci /var/opt/circleci; chmod 1775 /var/opt/circleci; chmod 0 $W",
        "mv $W $W.old; ln -s /srv/victim $W",
    ),
    swapped(
        "swap: the log in a sticky folder of root's that the group can write",
        "chown root:circleci /var/opt/circleci; chmod 1775 /var/opt/circleci; L=/var/opt/circleci/agent.log; : >$L; chown circleci: $L; chmod 0 $L; printf 'logging:\\n  file: /var/opt/circleci/agent.log\\n' >>$C",
        "rm /var/opt/circleci/agent.log; ln -s /srv/victim/secret.yaml /var/opt/circleci/agent.log",
    ),
    swapped(
        "swap: the temporary folder in a sticky folder of root's that the group can write",
        "chown root:circleci /var/opt/circleci; chmod 1775 /var/opt/circleci; install -d -m 0 -o circleci /var/opt/circleci/tmp; variables 'TMPDIR=/var/opt/circleci/tmp\\n'",
        "mv /var/opt/circleci/tmp /var/opt/circleci/was; ln -s /etc/cron.d /var/opt/circleci/tmp",
    ),
    swapped(
        "swap: the work folder that is to be made",
        "mkdir $W/left; edit 's#working_directory: .*#working_directory: /var/opt/circleci/workdir/left/jobs#'",
        "mv $W/left $W/was; mkdir $W/left; ln -s /srv/victim $W/left/jobs",
    ),
    swapped(
        "swap: the log",
        ": >$W/agent.log; chmod 600 $W/agent.log; printf 'logging:\\n  file: /var/opt/circleci/workdir/agent.log\\n' >>$C",
        "rm $W/agent.log; ln -s /etc/shadow $W/agent.log",
    ),
    swapped(
        "swap: the log that is to be made",
        "mkdir -m 700 $W/logs; printf 'logging:\\n  file: /var/opt/circleci/workdir/logs/agent.log\\n' >>$C",
        "rmdir $W/logs; ln -s /etc/cron.d $W/logs",
    ),
    swapped(
        "swap: the configuration",
        "chown root: $C; chmod 600 $C",
        "rm $C; ln -s /etc/shadow $C",
    ),
    swapped(
        "swap: the configuration that everyone reads",
        "chmod 644 $C",
        "rm $C; ln -s /etc/shadow $C",
    ),
    swapped(
        "swap: the configuration that belongs to someone else",
        "chown www-data: $C",
        "rm -f $C; ln -s /etc/ssl/private/site.key $C",
    ),
    swapped(
        "swap: the binary that nobody can run",
        "chmod 600 $B; chown root: $B",
        "rm $B; ln -s /etc/shadow $B",
    ),
    Attack {
        // As in every install that was made by hand.
        told_by: SILENT,
        ..swapped(
            "swap: the binary that the account owns",
            "chown circleci: $B",
            "rm $B; ln -s /home/mallory $B",
        )
    },
    swapped(
        "swap: the binary that everyone can change",
        "chmod 777 $B",
        "rm $B; ln -s /etc/ssl/private $B",
    ),
    swapped(
        "swap: an environment file that everyone reads",
        "variables 'HTTPS_PROXY=http://me:hunter2hunter2@127.0.0.1:1\\n'; chmod 644 $E",
        "rm /etc/opt/circleci/environment; ln -s /etc/cron.d/job /etc/opt/circleci/environment",
    ),
    swapped(
        "swap: an environment file that is to be moved",
        "variables 'A=b\\n'",
        "rm /etc/opt/circleci/environment; ln -s /etc/shadow /etc/opt/circleci/environment",
    ),
    swapped(
        "swap: a wrapper of jobs that is not executable",
        "printf '#!/bin/sh\\nexec \"$@\"\\n' >/home/circleci/wrap; chmod 644 /home/circleci/wrap; edit 's#^runner:#runner:\\n  command_prefix: [/home/circleci/wrap]#'",
        "rm -f /home/circleci/wrap; ln -s /etc/cron.d/job /home/circleci/wrap",
    ),
    swapped(
        "swap: a temporary folder in the home",
        "mkdir -m 700 /home/circleci/tmp; variables 'TMPDIR=/home/circleci/tmp\\n'",
        "rm -r /home/circleci/tmp; ln -s /srv/victim /home/circleci/tmp",
    ),
    swapped(
        "swap: a temporary folder that is to be made",
        "variables 'TMPDIR=/home/circleci/tmp\\n'",
        "ln -s /srv/victim /home/circleci/tmp",
    ),
];

#[test]
fn values_are_no_commands() {
    let Some(stage) = Stage::new(Made::ByHand, "commands in values") else { return };
    tried(&stage, VALUES, &[&[HERE, "--timeout=1"]]);
}

#[test]
fn what_is_swapped_before_a_command_is_pasted_stays_as_it_is() {
    let Some(stage) = Stage::new(Made::ByHand, "swaps before a command is pasted") else { return };
    tried(&stage, SWAPS, &[&["--offline"]]);
}
