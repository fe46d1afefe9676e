//! The doctor on real hosts: faults planted one by one, healthy hosts in every layout.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use serde_json::Value;
use support::{
    crowd, faults,
    host::Suite,
    lab::{Lab, PROGRAM, said},
    planted::{self, HERE, doctor, finding, healthy, median, problems, ready, script},
};

#[test]
fn faults_on_debian_11() {
    planted(Suite::Bullseye);
}

#[test]
fn faults_on_debian_12() {
    planted(Suite::Bookworm);
}

#[test]
fn faults_on_debian_13() {
    planted(Suite::Trixie);
}

/// Plants every fault on a healthy host, one after another. `ci/faults` prints the table.
fn planted(suite: Suite) {
    let what = format!("faults under systemd {}", suite.systemd());
    let Some(lab) = Lab::new(suite, &what) else { return };
    planted::prepare(&lab);
    planted::plant(&lab, faults::all());
}

#[test]
fn our_own_installs_are_healthy() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a doctor's word on our own installs") else {
        return;
    };
    ready(&lab);
    lab.install(&[], 0);
    let mut second = lab.arguments(&["--instance", "gpu"]);
    second.iter_mut().filter(|word| *word == "lab").for_each(|word| word.push_str("-gpu"));
    said(&lab.host.run(&second.iter().map(String::as_str).collect::<Vec<_>>()), 0);
    healthy(&lab, "two instances");
    let report = doctor(&lab, &[]);
    let names =
        report["findings"].as_array().unwrap().iter().filter_map(|own| own["instance"].as_str());
    assert!(names.clone().any(|name| name == "default") && names.clone().any(|name| name == "gpu"));

    // Who is not root sees less, and is told so.
    let user = ["runuser", "-u", "nobody", "--", PROGRAM, "doctor", "--offline"];
    let told = said(&lab.host.run(&user), 0);
    assert!(told.ends_with("Next: sudo runnerup doctor\n"), "{told}");
    let refused = said(&lab.host.run(&[&user[..], &["--fix", "--yes"]].concat()), 3);
    assert!(refused.contains("sudo runnerup doctor --fix"), "{refused}");
    let document = lab.host.run(&[&user[..], &["--fix", "--yes", "--json"]].concat());
    assert!(
        serde_json::from_slice::<Value>(&document.stdout).is_ok_and(|own| own["error"].is_object())
    );
    let facts = "cd /tmp; runnerup doctor --offline --save-facts /tmp/f >/dev/null; runnerup doctor --facts /tmp/f";
    let told = said(&lab.host.run(&["runuser", "-u", "nobody", "--", "sh", "-c", facts]), 0);
    let next = "Next, on that host: sudo runnerup doctor --save-facts host.json\n";
    assert!(told.contains(next), "{told}");
    let told = said(&lab.host.run(&[PROGRAM, "doctor", "--instance", "gpux"]), 2);
    assert!(told.contains("there is: default, gpu"), "{told}");
}

#[test]
fn hand_made_installs_raise_no_false_alarm() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a doctor's word on hand-made installs") else {
        return;
    };
    ready(&lab);
    let agent = support::portable("stand-in-agent", "hand-made installs").unwrap();
    lab.host.ok(&["useradd", "--create-home", "--shell", "/bin/bash", "circleci"]);
    // The documented layout; the flaws are those of the documentation.
    let documented = Layout {
        binary: "/opt/circleci/circleci-launch-agent",
        config: "/etc/opt/circleci/launch-agent-config.yaml",
        workdir: "/var/opt/circleci/workdir",
        unit: "/usr/lib/systemd/system/circleci.service",
        command: "/opt/circleci/circleci-launch-agent --config /etc/opt/circleci/launch-agent-config.yaml",
        flaws: &[
            // "chmod 755" of the unit is one of its steps.
            "service/definition-mode",
            // Its unit has After=network.target, and neither RestartSec= nor OOMPolicy=.
            "service/network-ordered",
            "service/restarts",
            "service/oom-spares-agent",
            // It has the account own /opt/circleci, on server too, where nothing is updated.
            "permissions/binary-not-writable",
        ],
    };
    judged(&lab, &agent, &documented);
    let older = Layout {
        config: "/opt/circleci/launch-agent-config.yaml",
        workdir: "/opt/circleci/workdir",
        unit: "/opt/circleci/circleci.service",
        command: "/opt/circleci/circleci-launch-agent --config /opt/circleci/launch-agent-config.yaml",
        flaws: &[
            "service/definition-mode",
            "service/network-ordered",
            "service/restarts",
            "service/oom-spares-agent",
            "permissions/binary-not-writable",
            // The unit stands in the folder that the account owns, and is linked from there.
            "permissions/definition-trusted",
        ],
        ..documented
    };
    judged(&lab, &agent, &older);
    let package = Layout {
        binary: "/usr/bin/circleci-runner",
        config: "/etc/circleci-runner/circleci-runner-config.yaml",
        workdir: "/var/lib/circleci-runner/workdir",
        unit: "/usr/lib/systemd/system/circleci-runner.service",
        command: "/usr/bin/circleci-runner machine --config /etc/circleci-runner/circleci-runner-config.yaml",
        flaws: &[
            "service/network-ordered",
            "service/restarts",
            "service/oom-spares-agent",
            "service/definition-mode",
        ],
    };
    judged(&lab, &agent, &package);
}

/// Prints how long the doctor takes; `ci/faults` shows it. Nothing is asserted of time.
#[test]
fn figures() {
    let Some(lab) = Lab::new(Suite::Bookworm, "how long a doctor takes") else { return };
    ready(&lab);
    lab.install(&[], 0);
    let median = |more: &[&str]| median(&lab, more);
    println!("figure: healthy host, all endpoints on loopback: {} ms (goal 250)", median(&[]));
    println!("figure: healthy host, --offline: {} ms (goal 100)", median(&["--offline"]));
    // What is sent there comes back to this host, which takes it for nobody's and drops it.
    lab.host.ok(&["ip", "route", "add", "192.0.2.0/24", "dev", "lo"]);
    let dropped: Vec<String> = ["releases", "storage", "vcs"]
        .iter()
        .enumerate()
        .map(|(at, name)| format!("--endpoint={name}=https://192.0.2.{}", at + 2))
        .collect();
    lab.host.ok(&["cp", "-p", "/etc/opt/circleci/launch-agent-config.yaml", "/root/config.kept"]);
    script(&lab, "edit 's#url: .*#url: https://192.0.2.1#'");
    let words = [PROGRAM, "doctor", "--json", "--timeout", "2"].into_iter();
    let words: Vec<&str> = words.chain(dropped.iter().map(String::as_str)).collect();
    let output = lab.host.run(&words);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!(
        "figure: every endpoint dropped, --timeout 2: {} ms (goal 3000)",
        report["elapsed_ms"]
    );
    assert_eq!(finding(&report, "connectivity/reachable").unwrap()["status"], "fail", "{report:#}");
}

/// The same of twenty agents, beside many processes.
#[test]
fn figures_of_many_agents() {
    let Some(lab) = Lab::new(Suite::Bookworm, "how long a doctor of 20 agents takes") else {
        return;
    };
    ready(&lab);
    lab.install(&[], 0);
    crowd::instances(&lab, 19);
    crowd::sleepers(&lab, "nobody", 2000);
    let what = "20 agents and 2,000 processes";
    println!("figure: {what}: {} ms (goal 400)", median(&lab, &[]));
    println!("figure: {what}, --offline: {} ms (goal 400)", median(&lab, &["--offline"]));
}

/// The same where other users have started what they can.
#[test]
fn figures_of_a_crowded_host() {
    let what = "1000 fake agents and 200 command lines of 1.8 MB";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    ready(&lab);
    lab.install(&[], 0);
    lab.host.ok(&["useradd", "--create-home", "mallory"]);
    crowd::fake_agents(&lab, "mallory", 1000);
    crowd::long_commands(&lab, "circleci", 200);
    assert!(!troubles_of(&watched(&lab, what), "default").contains(&"service/running".to_owned()));
}

#[derive(Clone, Copy)]
struct Layout {
    binary: &'static str,
    config: &'static str,
    workdir: &'static str,
    unit: &'static str,
    command: &'static str,
    flaws: &'static [&'static str],
}

/// What is wrong with one agent.
fn troubles_of(report: &Value, instance: &str) -> Vec<String> {
    let mut own = report.clone();
    own["findings"].as_array_mut().unwrap().retain(|own| own["instance"] == instance);
    problems(&own)
}

/// Makes a layout as its documentation says, has it judged, and takes it away.
fn judged(lab: &Lab, agent: &std::path::Path, layout: &Layout) {
    let host = &lab.host;
    let name = layout.unit.rsplit('/').next().unwrap();
    let folder = |path: &str| path.rsplit_once('/').unwrap().0.to_owned();
    let (api, token) = (lab.api.url(), support::lab::TOKEN);
    let config = format!(
        "api:\n  auth_token: {token}\n  url: {api}\nrunner:\n  name: lab\n  working_directory: {}\n",
        layout.workdir
    );
    host.copy_in(agent, layout.binary, 0o755);
    host.write(layout.config, config.as_bytes(), 0o600);
    host.ok(&[
        "install",
        "-d",
        "-m",
        "750",
        "-o",
        "circleci",
        "-g",
        "circleci",
        &folder(layout.workdir),
        layout.workdir,
    ]);
    host.ok(&["chown", "-R", "circleci:", &folder(layout.config)]);
    if layout.binary.starts_with("/opt") {
        host.ok(&["chown", "-R", "circleci:", &folder(layout.binary)]);
    }
    let unit = format!(
        "[Unit]\nDescription=CircleCI Runner\nAfter=network.target\n[Service]\nExecStart={}\n\
         Restart=always\nUser=circleci\nNotifyAccess=exec\nTimeoutStopSec=18300\n[Install]\n\
         WantedBy=multi-user.target\n",
        layout.command
    );
    host.write(layout.unit, unit.as_bytes(), 0o755);
    if layout.unit.starts_with("/opt") {
        host.ok(&["systemctl", "enable", "-q", layout.unit]);
    } else {
        host.ok(&["systemctl", "enable", "-q", name]);
    }
    host.ok(&["systemctl", "start", name]);
    lab.wait_for(name, "SubState", "running");
    let report = doctor(lab, &[&format!("--endpoint=releases={}", lab.api.url())]);
    let found = problems(&report);
    let unexpected: Vec<_> =
        found.iter().filter(|check| !layout.flaws.contains(&check.as_str())).collect();
    assert!(unexpected.is_empty(), "{}: {unexpected:?}\n{report:#}", layout.unit);
    assert_eq!(report["summary"]["fail"], 0, "{}: {report:#}", layout.unit);
    host.ok(&["systemctl", "disable", "--now", "-q", name]);
    for path in [layout.binary, layout.config, layout.unit] {
        host.ok(&["rm", "-f", path]);
    }
    host.ok(&["systemctl", "daemon-reload"]);
}

#[test]
fn a_hostile_host_neither_stops_the_doctor_nor_leads_it_astray() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a doctor on a hostile host") else { return };
    ready(&lab);
    lab.install(&[], 0);
    script(&lab, HOSTILE);
    let before = lab.host.ok(&[
        "sh",
        "-c",
        "stat -c '%a %u %g %n' /etc /etc/shadow /etc/passwd; cksum /etc/shadow",
    ]);
    let report = watched(&lab, "hostile host");
    let found = problems(&report);
    for check in ["config/exists", "service/environment-files"] {
        assert!(found.iter().any(|own| own == check), "{check}: {found:?}\n{report:#}");
    }
    // What could not be seen is said, and hides nothing else.
    let hung = report["findings"].as_array().unwrap().iter();
    let hung =
        hung.filter(|own| own["status"] == "error").map(|own| own["summary"].as_str().unwrap());
    assert!(hung.clone().any(|text| text.contains("systemctl")), "{:?}", hung.collect::<Vec<_>>());
    // systemd itself would wait for ever for someone who writes into these.
    script(&lab, "rm $U.d/fifo.conf /etc/systemd/system/circleci-fifo.service");
    script(&lab, "mv /root/systemctl /root/journalctl /usr/bin");
    lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", HERE]);
    // Now that its configuration can be read again, its work folder is a link to /etc.
    script(&lab, "rm $C; cp /root/config.kept $C; chmod 644 $C; chown circleci: $C");
    let found = problems(&doctor(&lab, &[]));
    assert!(found.iter().any(|own| own == "permissions/workdir-usable"), "{found:?}");
    lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", HERE]);
    script(&lab, FULL);
    let report = watched(&lab, "hostile host");
    let found = problems(&report);
    assert!(found.iter().any(|own| own == "permissions/workdir-clean"), "{found:?}\n{report:#}");
    let log = report["findings"].as_array().unwrap().iter();
    let mut log = log.filter(|own| own["check"] == "service/log-explained");
    assert!(log.any(|own| own["instance"] == "default" && own["status"] == "pass"), "{report:#}");
    lab.host.run(&[PROGRAM, "doctor", "--fix", "--yes", HERE]);
    let after = lab.host.ok(&[
        "sh",
        "-c",
        "stat -c '%a %u %g %n' /etc /etc/shadow /etc/passwd; cksum /etc/shadow",
    ]);
    assert_eq!(before, after);
    for args in
        [vec!["doctor", "--save-facts", "-"], vec!["doctor", "-vv"], vec!["doctor", "--json"]]
    {
        let args: Vec<&str> = [PROGRAM].into_iter().chain(args).chain([HERE]).collect();
        let output = lab.host.run(&args);
        let text = said(&output, output.status.code().unwrap());
        for secret in [support::lab::TOKEN, "hunter2hunter2", "root:*"] {
            assert!(!text.contains(secret), "{args:?} tells {secret}");
        }
    }
}

/// What a job, or a careless hand, can leave.
const HOSTILE: &str = "
cp $C /root/config.kept
mkdir $U.d
# A line of a megabyte, and bytes that are no text.
{ echo '[Service]'; printf 'Environment=X='; head -c 1000000 /dev/zero | tr '\\0' x; echo; } >$U.d/long.conf
printf '[Service]\\nEnvironment=Y=\\377\\376 HTTPS_PROXY=http://me:hunter2hunter2@127.0.0.1:1\\n' >$U.d/bytes.conf
mkfifo /etc/default/fifo
printf '[Service]\\nEnvironmentFile=/etc/default/fifo\\n' >$U.d/fifo.conf
ln -s circleci-round.service /etc/systemd/system/circleci-round.service
mkfifo /etc/systemd/system/circleci-fifo.service
# The account's own ground: links out of it, a long log.
truncate -s 2G /var/opt/circleci/agent.log; chown circleci: /var/opt/circleci/agent.log
mv $W /var/opt/circleci/kept; ln -s /etc $W
chown circleci: /etc/opt/circleci; rm $C; ln -s /etc/shadow $C
# The system's own tools hang.
mv /usr/bin/systemctl /usr/bin/journalctl /root
printf '#!/bin/sh\\nexec sleep 600\\n' >/usr/bin/systemctl
cp /usr/bin/systemctl /usr/bin/journalctl
chmod 755 /usr/bin/systemctl /usr/bin/journalctl
";

/// A work folder that nobody ever cleaned, and a log that nobody ever cut.
const FULL: &str = "
printf 'logging:\\n  file: /var/opt/circleci/agent.log\\n' >>$C
rm $W; mkdir $W; mount -t tmpfs none $W; chown circleci: $W; cd $W
seq 200000 | xargs touch
ln -s / out; ln -s round round; mknod device b 7 0; mkfifo pipe; mkdir shut; chmod 000 shut
";

/// The report of a doctor whose memory is watched from outside: nothing on so small a host
/// measures it.
fn watched(lab: &Lab, what: &str) -> Value {
    let watched = format!(
        "{PROGRAM} doctor --json {HERE} >/root/report & p=$!; while kill -0 $p 2>/dev/null; do \
         grep VmHWM /proc/$p/status >/root/peak.new 2>/dev/null && mv /root/peak.new /root/peak; \
         sleep 0.02; done; wait $p; cat /root/peak"
    );
    let output = lab.host.run(&["sh", "-c", &watched]);
    let peak = said(&output, output.status.code().unwrap());
    let report: Value = serde_json::from_str(&lab.host.ok(&["cat", "/root/report"])).unwrap();
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("figure: {what}: {} ms (goal 3000)", report["elapsed_ms"]);
    println!("figure: {what}, memory: {} MB (goal 50)", peak / 1024);
    assert!(peak < 50 * 1024, "{peak} kB: a log or a folder was read whole");
    report
}
