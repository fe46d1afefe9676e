//! Names that an account wrote: paths, accounts and URLs in its configuration.

use super::{
    stage::{Made, Stage},
    trial::{Attack, attack, tried},
};

/// The log and the work folder that a configuration names, of others and of the system.
const NAMED: &[Attack] = &[
    attack(
        "log: the password file",
        "printf 'logging:\\n  file: /etc/shadow\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a key in a folder that is closed",
        "printf 'logging:\\n  file: /etc/ssl/private/site.key\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a file of another account",
        "printf 'logging:\\n  file: /home/mallory/diary\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a file of root's that is not there",
        "printf 'logging:\\n  file: /etc/cron.d/agent\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a file that is not there in a folder that is not there",
        "printf 'logging:\\n  file: /srv/new/agent.log\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a file of root's by a way through the account's folder",
        "printf 'logging:\\n  file: /var/opt/circleci/../../../srv/victim/secret.yaml\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a link in the account's folder to a file of root's",
        "ln -s /srv/victim/secret.yaml $W/agent.log; printf 'logging:\\n  file: /var/opt/circleci/workdir/agent.log\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "log: a link in the home to a folder of root's",
        "ln -s /srv/victim /home/circleci/logs; printf 'logging:\\n  file: /home/circleci/logs/secret.yaml\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "prefix: sudo, without a rule for it",
        "printf '  command_prefix: [sudo, -n, --]\\n' >>$C",
        "permissions/sudo-works",
    ),
    attack(
        "prefix: a script of the system",
        "printf '  command_prefix: [/usr/sbin/service]\\n' >>$C",
        "config/prefix-forwards",
    ),
    attack(
        "work folder: sudo's rules",
        "edit 's#working_directory: .*#working_directory: /etc/sudoers.d#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: the home of root",
        "edit 's#working_directory: .*#working_directory: /root#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: the system's settings",
        "edit 's#working_directory: .*#working_directory: /etc#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: what a service of root's reads, which is not there",
        "edit 's#working_directory: .*#working_directory: /etc/systemd/system/dbus.service.d#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: in a closed folder of root's",
        "edit 's#working_directory: .*#working_directory: /root/secret/jobs#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: a folder of root's with data",
        "edit 's#working_directory: .*#working_directory: /srv/victim#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: the home of another account",
        "edit 's#working_directory: .*#working_directory: /home/mallory#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: one that is not there, for each job another",
        "edit 's#working_directory: .*#working_directory: /etc/cron.d/%s#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: a link of the account's to a folder of root's",
        "rmdir $W; ln -s /srv/victim $W",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: a link of the account's on the way",
        "ln -s /srv /home/circleci/way; edit 's#working_directory: .*#working_directory: /home/circleci/way/victim#'",
        "permissions/workdir-usable",
    ),
    attack(
        "work folder: a way up out of the account's folder",
        "edit 's#working_directory: .*#working_directory: /var/opt/circleci/workdir/../../../../srv/victim#'",
        "",
    ),
];

/// Variables of an environment file that the account can write.
const VARIABLES: &[Attack] = &[
    attack(
        "environment: temporary folder in the home of root",
        "variables 'TMPDIR=/root\\n'",
        "permissions/temporary-folder-usable",
    ),
    attack(
        "environment: temporary folder that is not there",
        "variables 'TMPDIR=/etc/systemd/system/dbus.service.d\\n'",
        "permissions/temporary-folder-usable",
    ),
    attack(
        "environment: temporary folder behind a closed one",
        "variables 'TMPDIR=/etc/ssl/private/tmp\\n'",
        "permissions/temporary-folder-usable",
    ),
    attack(
        "environment: work folder that is closed",
        "variables 'LAUNCH_AGENT_RUNNER_WORK_DIR=/etc/private\\n'",
        "",
    ),
    attack(
        "environment: work folder by the name of the configuration's key",
        "variables 'LAUNCH_AGENT_RUNNER_WORKING_DIRECTORY=/etc/private\\nLAUNCH_AGENT_LOGGING_FILE=/etc/shadow\\n'",
        "",
    ),
    attack(
        "environment: certificates that are a key of root's",
        "variables 'SSL_CERT_FILE=/etc/haproxy/site.pem\\nSSL_CERT_DIR=/etc/ssl/private\\n'",
        "",
    ),
    attack("environment: a file that is not there, in a folder of the account's", "named", ""),
    attack("environment: a link to the password file", "named; ln -s /etc/shadow $E", ""),
    attack(
        "environment: a link to a file of root's",
        "named; ln -s /root/secret/notes.yaml $E",
        "",
    ),
];

#[test]
fn what_a_configuration_names_is_not_given_away_in_an_install_made_by_hand() {
    let Some(stage) = Stage::new(Made::ByHand, "names in a hand-made install") else { return };
    tried(&stage, NAMED, &[&["--offline"]]);
}

#[test]
fn what_a_configuration_names_is_not_given_away_in_our_own_install() {
    let Some(stage) = Stage::new(Made::ByUs, "names in an install of ours") else { return };
    tried(&stage, NAMED, &[&["--offline"]]);
}

#[test]
fn what_a_variable_names_is_not_given_away() {
    let Some(stage) = Stage::new(Made::ByHand, "names in an environment file") else { return };
    tried(&stage, VARIABLES, &[&["--offline"]]);
}
