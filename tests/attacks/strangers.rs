//! Processes of an account that has nothing to do with the agent, and files that it may not read.

use super::{
    stage::{Made, Stage},
    trial::{Attack, attack, tried},
};

/// Starts a program of the stranger's with an agent's name and these arguments. The program is a
/// shell whose script is called `machine`.
macro_rules! pretends {
    ($arguments:literal) => {
        pretends!("circleci-runner", "755", $arguments)
    };
    ($name:literal, $mode:literal, $arguments:literal) => {
        concat!(
            "mkdir -p /run/mallory; cd /run/mallory; rm -f *
             cp /bin/dash ",
            $name,
            "; chmod ",
            $mode,
            " ",
            $name,
            "
             printf 'while :; do sleep 60; done\\n' >machine; chown -R mallory: .
             setsid runuser -u mallory -- /run/mallory/",
            $name,
            " machine ",
            $arguments,
            " </dev/null >/dev/null 2>&1 &
             sleep 0.2; pgrep -u mallory . >/dev/null"
        )
    };
}

const PROCESSES: &[Attack] = &[
    attack("process: its configuration is the password file", pretends!("--config /etc/shadow"), ""),
    attack("process: written with =", pretends!("--config=/etc/gshadow"), ""),
    attack("process: written -c", pretends!("-c /srv/victim/secret.yaml"), ""),
    attack(
        "process: its configuration is the agent's own",
        pretends!("--config /etc/opt/circleci/launch-agent-config.yaml"),
        "",
    ),
    attack(
        "process: its configuration is a file of root's, of which keys are told",
        pretends!("--config /root/secret/notes.yaml"),
        "",
    ),
    attack(
        "process: the other agent's name",
        pretends!("circleci-launch-agent", "755", "--config /root/secret/notes.yaml"),
        "",
    ),
    attack(
        "process: a way through its own folder",
        pretends!("--config /run/mallory/../../root/secret/notes.yaml"),
        "",
    ),
    attack(
        "process: a program that nobody can read, so that it belongs to root in /proc",
        pretends!("circleci-runner", "111", "--config /srv/victim/secret.yaml"),
        "",
    ),
    attack(
        "process: its own configuration names files and folders of root's",
        concat!(
            "mkdir -p /run/stranger; printf 'api:\\n  auth_token: x\\nrunner:\\n  name: x\\n  working_directory: /etc/sudoers.d\\nlogging:\\n  file: /etc/shadow\\n' >/run/stranger/own.yaml
             chown mallory: /run/stranger/own.yaml; chmod 600 /run/stranger/own.yaml; chown mallory: /run/stranger\n",
            pretends!("--config /run/stranger/own.yaml")
        ),
        "",
    ),
    attack(
        "process: its own configuration is a link to the password file",
        concat!(
            "mkdir -p /run/stranger; ln -sfn /etc/shadow /run/stranger/own.yaml\n",
            pretends!("--config /run/stranger/own.yaml")
        ),
        "",
    ),
    attack(
        "process: its program is a file of root's, by mounts of its own",
        "mkdir -p /run/mallory; cd /run/mallory; cp /bin/dash shell
         printf 'printf circleci-runner >/proc/self/comm; while :; do sleep 60; done\\n' >machine
         setsid unshare --mount sh -c 'mount --bind shell /srv/victim/tool
             exec setpriv --reuid mallory --regid mallory --clear-groups \
             /srv/victim/tool machine' </dev/null >/dev/null 2>&1 &
         sleep 0.3; pgrep -u mallory . >/dev/null",
        "",
    ),
    attack(
        "process: in a control group that has a service's name",
        concat!(
            pretends!("--config /srv/victim/secret.yaml"),
            "
             G=/sys/fs/cgroup/user.slice/user-1001.slice/circleci-runner.service
             mkdir -p $G; for pid in $(pgrep -u mallory .); do echo $pid >$G/cgroup.procs; done"
        ),
        "",
    ),
    attack(
        "process: of the agent's account, with a configuration of root's",
        "mkdir -p /home/circleci/x; cd /home/circleci/x; cp /bin/dash circleci-runner
         printf 'while :; do sleep 60; done\\n' >machine; chown -R circleci: .
         setsid runuser -u circleci -- /home/circleci/x/circleci-runner machine --config /root/secret/notes.yaml </dev/null >/dev/null 2>&1 &
         sleep 0.2",
        "",
    ),
];

/// What the account's configuration has root read.
const READ: &[Attack] = &[
    attack(
        "read: the log is a file of root's",
        "printf 'logging:\\n  file: /root/secret/notes.yaml\\n' >>$C",
        "permissions/log-writable",
    ),
    attack(
        "read: the configuration is a link to a file of root's",
        "rm $C; ln -s /root/secret/notes.yaml $C",
        "config/exists",
    ),
    attack(
        "read: the wrapper of jobs is a file of root's",
        "edit 's#^runner:#runner:\\n  command_prefix: [/root/secret/notes.yaml]#'",
        "config/prefix-runs",
    ),
    attack(
        "read: the wrapper of jobs is a file that nobody else reads",
        "edit 's#^runner:#runner:\\n  command_prefix: [/srv/victim/secret.yaml]#'",
        "config/prefix-runs",
    ),
    attack(
        "read: the work folder is one whose names nobody else sees",
        "edit 's#working_directory: .*#working_directory: /root/secret#'",
        "permissions/workdir-usable",
    ),
    attack(
        "read: the work folder is another account's home",
        "edit 's#working_directory: .*#working_directory: /home/mallory#'",
        "permissions/workdir-usable",
    ),
    attack(
        "read: the work folder is the system's settings",
        "edit 's#working_directory: .*#working_directory: /etc/ssl#'",
        "permissions/workdir-usable",
    ),
    attack(
        "read: the folder of the task agent is one whose names nobody else sees",
        "edit 's#^runner:#runner:\\n  task_agent_directory: /root/secret#'",
        "",
    ),
    attack(
        "read: the certificates of a variable are a key of root's",
        "variables 'SSL_CERT_FILE=/etc/haproxy/site.pem\\n'",
        "",
    ),
];

#[test]
fn a_process_of_a_stranger_is_no_agent() {
    let Some(stage) = Stage::new(Made::ByHand, "processes that pretend") else { return };
    // The second time without the checks that fail first, and keep others from being made.
    let all = ["--offline"];
    let only = ["--offline", "--only=permissions"];
    tried(&stage, PROCESSES, &[&all, &only]);
}

#[test]
fn what_an_account_names_is_not_read_for_it() {
    let Some(stage) = Stage::new(Made::ByHand, "files that an account may not read") else {
        return;
    };
    tried(&stage, READ, &[&["--endpoint=storage=none,vcs=none", "--timeout=1"]]);
}
