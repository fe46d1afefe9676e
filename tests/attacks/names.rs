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
        "drop-in of the account: another account, and its folder",
        "mkdir -p /etc/systemd/system/circleci.service.d
         printf '[Service]\\nUser=mallory\\nEnvironment=TMPDIR=/home/mallory\\n' >/etc/systemd/system/circleci.service.d/x.conf
         chown -R circleci: /etc/systemd/system/circleci.service.d; systemctl daemon-reload",
        "permissions/definition-trusted",
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

/// What of root's install the account's configuration names as something of the jobs'.
const PARTS: &[(&str, &str)] = &[
    ("working_directory", "/opt/circleci"),
    ("working_directory", "/opt/circleci/tools"),
    ("working_directory", "/opt/circleci/new"),
    ("working_directory", "/etc/opt/circleci"),
    ("working_directory", "/etc/opt/circleci/new"),
    ("file", "/opt/circleci/circleci-launch-agent"),
    ("file", "/etc/opt/circleci/environment"),
    ("file", "/etc/opt/circleci/ca.pem"),
    ("TMPDIR", "/opt/circleci"),
    ("TMPDIR", "/etc/opt/circleci"),
];

#[test]
fn what_is_roots_of_an_install_is_not_given_to_the_account() {
    let Some(stage) = Stage::new(Made::ByUs, "names of the install's own parts") else { return };
    let mut wrong = Vec::new();
    for (key, path) in PARTS {
        stage.script(
            "mkdir -m 700 /opt/circleci/tools; chmod 700 /opt/circleci/tools
             for file in environment ca.pem; do : >/etc/opt/circleci/$file; done
             chown root: /opt/circleci $B /etc/opt/circleci /etc/opt/circleci/*.pem $E
             chmod 755 /opt/circleci $B /etc/opt/circleci; chmod 600 $E /etc/opt/circleci/*.pem",
        );
        match *key {
            "file" => stage.script(&format!("printf 'logging:\\n  file: {path}\\n' >>$C")),
            "TMPDIR" => stage.script(&format!("drop '[Service]\\nEnvironment=TMPDIR={path}\\n'")),
            _ => stage.script(&format!("edit 's#{key}: .*#{key}: {path}#'")),
        }
        let before = parts(&stage);
        let printed = stage.examined(&["--offline"]);
        let gives = |line: &&String| line.contains(path) && line.contains("ch");
        wrong.extend(printed.commands.iter().filter(gives).map(|line| format!("{key}: {line}")));
        stage.fixed(&["--offline"]);
        let now = parts(&stage);
        if now != before {
            wrong.push(format!("{key}: {path}: {now}"));
        }
        stage.reset();
    }
    assert!(wrong.is_empty(), "{} were given away:\n{}", wrong.len(), wrong.join("\n"));
}

/// Owner and mode of all that belongs to the binary and to the configuration.
fn parts(stage: &Stage) -> String {
    let list = "find /opt/circleci /etc/opt/circleci -printf '%p %u %m\\n' | sort";
    let list = stage.lab.host.run(&["sh", "-c", list]);
    String::from_utf8_lossy(&list.stdout).into_owned()
}
