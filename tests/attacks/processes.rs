//! Processes that pretend to be agents, and the cost of looking at them.

use crate::support::{
    crowd,
    host::Suite,
    lab::{CONTROL, Lab, PROGRAM, UNIT, said},
};
use serde_json::Value;

/// Stands in the file of root's that no process may have read or changed.
const SECRET: &str = "FOREIGN-KEY-OF-ROOT";
const KEY: &str = "/etc/secret.key";

/// A program that ignores its arguments and is called as an agent is. Its owner cannot read it, and
/// so the kernel lets nobody but root look into a process that runs it.
const UNDUMPABLE: &str = "/home/mallory/circleci-runner";

/// A host with an agent, an account without any rights, and a file of root's.
fn lab(what: &str) -> Option<Lab> {
    let lab = Lab::new(Suite::Bookworm, what)?;
    lab.install(&[], 0);
    lab.host.ok(&["useradd", "--create-home", "--uid", "1001", "mallory"]);
    lab.host.write(KEY, SECRET.as_bytes(), 0o600);
    lab.host.ok(&["cp", "/usr/bin/perl", UNDUMPABLE]);
    lab.host.ok(&["chown", "mallory:", UNDUMPABLE]);
    lab.host.ok(&["chmod", "111", UNDUMPABLE]);
    Some(lab)
}

/// What the doctor prints with these arguments, whatever its exit code.
fn doctor(lab: &Lab, args: &[&str]) -> String {
    let words: Vec<&str> =
        [PROGRAM, "doctor", "--offline"].into_iter().chain(args.iter().copied()).collect();
    let output = lab.host.run(&words);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {text}");
    text
}

fn facts(lab: &Lab) -> Value {
    let output = lab.host.run(&[PROGRAM, "doctor", "--offline", "--save-facts", "/root/facts"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    serde_json::from_str(&lab.host.ok(&["cat", "/root/facts"])).unwrap()
}

/// The agent that this tool has installed, in saved facts.
fn install(facts: &Value) -> &Value {
    let installs = facts["installs"].as_array().unwrap();
    installs.iter().find(|own| own["name"] == "default").unwrap()
}

/// Nothing of root's files is told, and no cure changes anything but what is the agent's own.
fn is_safe(lab: &Lab, what: &str) {
    let foreign = || {
        let files = "stat -c '%A %U %G %n' /etc /etc/shadow /etc/secret.key /home/mallory; \
                     cksum /etc/shadow /etc/secret.key";
        lab.host.ok(&["sh", "-c", files])
    };
    let before = foreign();
    let shadow = lab.host.ok(&["sh", "-c", "grep ^root: /etc/shadow | cut -d: -f1-3"]);
    for args in [
        &["--json"][..],
        &["-vv"],
        &["--save-facts", "-"],
        &["--fix", "--dry-run"],
        &["--fix", "--yes"],
        &["--fix", "--yes", "--only", "permissions"],
        &["--json"],
    ] {
        let text = doctor(lab, args);
        for secret in [SECRET, &shadow] {
            assert!(!text.contains(secret), "{what}: {args:?} tells {secret}:\n{text}");
        }
        for command in ["chown", "chmod", "install -"] {
            for path in [KEY, "/etc/shadow"] {
                let line = text.lines().find(|line| line.contains(command) && line.contains(path));
                assert!(line.is_none(), "{what}: {args:?} has root type {line:?}");
            }
        }
        assert_eq!(foreign(), before, "{what}: {args:?}");
    }
}

/// Has an account start `su`, under another name, which waits for a password that never comes.
/// The owner of its folder in `/proc` is root.
fn waits_as_root(lab: &Lab, account: &str, name: &str) -> String {
    let link = format!("/home/{account}/bin/{name}");
    let script = "mkdir -p \"${0%/*}\" && ln -s /usr/bin/su \"$0\" \
                  && sleep 900 | \"$0\" root -- machine --config /etc/shadow";
    crowd::start(lab, account, &["sh", "-c", script, &link]);
    crowd::wait_for(lab, &format!("pgrep -x {name}"), 1);
    let pid = lab.host.ok(&["pgrep", "-x", name]);
    assert_eq!(lab.host.ok(&["stat", "-c", "%U", &format!("/proc/{pid}")]), "root");
    pid
}

/// The process that was started last with an agent's name.
fn newest(lab: &Lab) -> String {
    crowd::wait_for(lab, "pgrep -x circleci-runner", 1);
    lab.host.ok(&["pgrep", "--newest", "-x", "circleci-runner"])
}

#[test]
fn a_process_names_no_file_that_root_reads_or_changes() {
    let Some(lab) = lab("processes that name files of root's") else { return };
    let sleep = ["-e", "sleep 900", "machine", "--config"];
    let undumpable: Vec<&str> = [UNDUMPABLE].into_iter().chain(sleep).collect();
    crowd::start(&lab, "mallory", &[&undumpable[..], &["/etc/shadow"]].concat());
    is_safe(&lab, "an undumpable process with --config /etc/shadow");
    lab.host.ok(&["kill", "-KILL", &newest(&lab)]);

    let pid = waits_as_root(&lab, "mallory", "circleci-runner");
    is_safe(&lab, "a program with root's rights and --config /etc/shadow");
    lab.host.ok(&["kill", "-KILL", &pid]);

    elsewhere(&lab, KEY);
    is_safe(&lab, "a process whose program and first word are a file of root's");
}

#[test]
fn a_program_in_another_mount_namespace_has_no_path_here() {
    let Some(lab) = lab("programs in other mount namespaces") else { return };
    let pid = elsewhere(&lab, "circleci-runner");
    assert_eq!(lab.host.ok(&["readlink", &format!("/proc/{pid}/exe")]), KEY);
    let facts = facts(&lab).to_string();
    assert!(!facts.contains(KEY), "the program is believed: {facts}");
    is_safe(&lab, "a process whose program is a file of root's elsewhere");
}

/// Every account can call a program `supervisord`, and have it start one with an agent's name.
#[test]
fn what_a_stranger_keeps_running_makes_no_host_healthy() {
    let Some(lab) = lab("an agent and a supervisor of a stranger's") else { return };
    let agent = "/home/mallory/circleci-runner -e 'sleep 900' machine --config /etc/secret.key; :";
    lab.host.ok(&["cp", "/bin/bash", "/home/mallory/supervisord"]);
    crowd::start(&lab, "mallory", &["/home/mallory/supervisord", "-c", agent]);
    newest(&lab);
    is_safe(&lab, "a stranger's agent below its own supervisord");
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    let output = lab.host.run(&[PROGRAM, "doctor", "--offline"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("fail   agent/installed") && text.contains("supervisord"), "{text}");
}

/// Has mallory run, in a user and mount namespace, a program at the path of root's key.
fn elsewhere(lab: &Lab, first_word: &str) -> String {
    let script = "mount -t tmpfs none /etc && cp /usr/bin/perl /etc/secret.key \
                  && ln -s /etc/secret.key /etc/circleci-runner && exec -a \"$0\" \
                  /etc/circleci-runner -e 'sleep 900' machine";
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c"];
    crowd::start(lab, "mallory", &[&unshare[..], &[script, first_word]].concat());
    newest(lab)
}

#[test]
fn a_process_is_its_real_users() {
    let Some(lab) = lab("owners of processes") else { return };
    // What a dead job left is told though it has root's rights.
    let pid: u64 = waits_as_root(&lab, "circleci", "left").parse().unwrap();
    let orphans = install(&facts(&lab))["orphans"]["known"].clone();
    let left = orphans.as_array().unwrap().iter().find(|own| own["pid"] == pid);
    let uid: u64 = lab.host.ok(&["id", "-u", "circleci"]).parse().unwrap();
    assert_eq!(left.unwrap_or_else(|| panic!("{orphans}"))["uid"], uid);
}

#[test]
fn no_account_runs_a_service_of_the_system() {
    let Some(lab) = lab("control groups with the name of a service") else { return };
    // The agent does not run; mallory's process is in a group of its unit's name.
    lab.host.ok(&["systemctl", "stop", UNIT]);
    for group in [
        "user.slice/user-1001.slice/user@1001.service/app.slice/circleci.service",
        "system.slice/mallorys.service/circleci.service",
    ] {
        crowd::start(&lab, "mallory", &[UNDUMPABLE, "-e", "sleep 900"]);
        let pid = newest(&lab);
        // Where the system's manager has its groups, or where a delegated one would be.
        let join = "cd \"$(dirname \"$(find /sys/fs/cgroup -name system.slice | grep -m1 -E \
                    'systemd/|fs/cgroup/system.slice')\")\" && mkdir -p $0 && echo $1 >$0/cgroup.procs";
        lab.host.ok(&["sh", "-c", join, group, &pid]);
        let told = lab.host.ok(&["cat", &format!("/proc/{pid}/cgroup")]);
        assert!(told.contains(group), "{told}");
        let facts = facts(&lab);
        let processes = &install(&facts)["processes"];
        assert_eq!(processes["known"], serde_json::json!([]), "{group}: {processes}");
        is_safe(&lab, group);
        lab.host.ok(&["systemctl", "stop", UNIT]);
        lab.host.ok(&["kill", "-KILL", &pid]);
    }
}

#[test]
fn crowds_are_counted_and_cost_no_more_than_a_few() {
    const AGENTS: usize = 300;
    // All of them, and the agent itself, but the few that are looked at.
    const BEYOND: usize = AGENTS + 1 - 32;
    let Some(lab) = lab("hundreds of fake agents and long command lines") else { return };
    crowd::fake_agents(&lab, "mallory", AGENTS);
    crowd::long_commands(&lab, "circleci", 50);
    let facts = facts(&lab);
    assert_eq!(facts["host"]["agents_beyond"], BEYOND);
    assert!(facts["installs"].as_array().unwrap().len() <= 33);
    let orphans = &install(&facts)["orphans"]["known"];
    let orphans = orphans.as_array().unwrap();
    assert!((50..=64).contains(&orphans.len()), "{}", orphans.len());
    for orphan in orphans {
        let command = orphan["command"].as_str().unwrap();
        assert!(command.len() <= 400 && command.ends_with(" words)"), "{command}");
    }
    // What another user does changes neither what is told of the agent nor much else.
    let report = doctor(&lab, &["--json"]);
    assert!(report.len() < 2_000_000, "{} bytes", report.len());
    let report: Value = serde_json::from_str(&report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let told = findings.iter().find(|own| own["check"] == "agent/installed").unwrap();
    let more = format!("{BEYOND} more processes");
    assert!(told["summary"].as_str().unwrap().contains(&more), "{told}");
    let running = findings
        .iter()
        .find(|own| own["check"] == "service/running" && own["instance"] == "default");
    assert_eq!(running.unwrap()["status"], "pass", "{running:?}");
}

/// What the agent's service has written.
fn journal(lab: &Lab) -> String {
    lab.host.ok(&["journalctl", "--no-pager", "--output", "cat", "--unit", UNIT])
}

#[test]
fn no_crowd_hides_the_job_that_a_restart_would_end() {
    // So many that a list of all processes takes longer than there is time for.
    const CROWD: usize = 12_000;
    let Some(lab) = lab("a crowd of ended processes beside a job") else { return };
    // As in a unit made by hand: a stop sends TERM to the job, and the cure restarts the service.
    let folder = format!("/etc/systemd/system/{UNIT}.d");
    let lines = b"[Service]\nKillMode=control-group\nTimeoutStopSec=90\n";
    lab.host.ok(&["mkdir", &folder]);
    lab.host.write(&format!("{folder}/hand.conf"), lines, 0o644);
    lab.host.ok(&["systemctl", "daemon-reload"]);
    crowd::ended(&lab, "mallory", CROWD);
    lab.host.write(CONTROL, b"job 15\n", 0o644);
    let main = lab.property(UNIT, "MainPID");
    crowd::wait_for(&lab, &format!("pgrep -P {main}"), 1);

    let cure = [PROGRAM, "doctor", "--offline", "--fix", "--yes", "--only", "service/stop-waits"];
    let told = said(&lab.host.run(&cure), 0);
    assert!(told.contains("needs --allow restart-busy"), "{told}");
    assert_eq!(lab.property(UNIT, "MainPID"), main, "{told}");
    let facts = facts(&lab);
    let processes = install(&facts)["processes"]["known"].as_array().unwrap().clone();
    let agent: u64 = main.parse().unwrap();
    let is_job = |own: &&Value| own["parent"] == agent;
    assert!(processes.iter().any(|own| is_job(&own)), "{processes:?}");

    // A person who lets the job end has it end by itself.
    let told = said(&lab.host.run(&[&cure[..], &["--allow", "restart-busy"]].concat()), 0);
    assert!(told.contains("Fixed: service/stop-waits"), "{told}");
    assert_ne!(lab.property(UNIT, "MainPID"), main, "{told}");
    let log = journal(&lab);
    let finished = log.lines().filter(|line| line.contains("job finished")).collect::<Vec<_>>();
    assert!(finished.first().is_some_and(|line| line.contains("result=\"success\"")), "{log}");
    assert_eq!(lab.property(UNIT, "KillMode"), "mixed");
}

#[test]
fn no_number_of_secrets_and_command_lines_keeps_the_report_back() {
    const VARIABLES: usize = 9000;
    const LEFT: usize = 128;
    let Some(lab) = lab("thousands of tokens and long command lines") else { return };
    // The account's own file, as in an install made by hand.
    let script = "use strict; open my $file, '>', $ARGV[0] or die; \
        print $file \"TOKEN$_=a1B2c3D4e5F6g7$_\\n\" for 1..$ARGV[1]";
    let file = "/home/circleci/environment";
    let write = ["runuser", "-u", "circleci", "--", "perl", "-e", script, file];
    lab.host.ok(&[&write[..], &[&VARIABLES.to_string()]].concat());
    let folder = format!("/etc/systemd/system/{UNIT}.d");
    lab.host.ok(&["mkdir", &folder]);
    let lines = format!("[Service]\nEnvironmentFile={file}\n");
    lab.host.write(&format!("{folder}/hand.conf"), lines.as_bytes(), 0o644);
    lab.host.ok(&["systemctl", "daemon-reload"]);
    crowd::many_words(&lab, "circleci", LEFT);

    let report: Value = serde_json::from_str(&doctor(&lab, &["--json"])).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let left = findings.iter().find(|own| own["check"] == "agent/no-orphans").unwrap();
    assert_eq!(left["status"], "warn", "{left}");
    let facts = facts(&lab);
    let environment = install(&facts)["environment"].as_array().unwrap();
    let told = environment.iter().filter(|own| own["name"].as_str().unwrap().contains("TOKEN"));
    let count = told.count();
    assert!((1..=128).contains(&count), "{count} variables");
    assert!(!facts.to_string().contains("a1B2c3D4"));
}
