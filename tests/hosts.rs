//! The hosts that the other tests install on are what they claim to be.

#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::host::{Host, Suite};
use support::process::{self, Server};

#[test]
fn bullseye_is_a_real_systemd_host() {
    is_a_real_systemd_host(Suite::Bullseye);
}

#[test]
fn bookworm_is_a_real_systemd_host() {
    is_a_real_systemd_host(Suite::Bookworm);
}

#[test]
fn trixie_is_a_real_systemd_host() {
    is_a_real_systemd_host(Suite::Trixie);
}

const PROOF_UNIT: &str = "\
[Unit]
Description=Proves that units start

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
";

fn is_a_real_systemd_host(suite: Suite) {
    if support::needs_hosts(&format!("a host with systemd {}", suite.systemd())) {
        return;
    }
    let mut host = Host::boot(suite);
    let failed = host.ok(&["systemctl", "--failed", "--no-legend"]);
    assert_eq!(host.ok(&["systemctl", "is-system-running"]), "running", "{failed}");
    let version = format!("systemd {} ", suite.systemd());
    assert!(host.ok(&["systemctl", "--version"]).starts_with(&version));
    let (files, accounts, units) = (host.snapshot(), host.accounts(), host.units());

    host.ok(&["useradd", "--system", "--create-home", "--shell", "/bin/sh", "proof"]);
    assert_eq!(host.ok(&["runuser", "-u", "proof", "--", "id", "-un"]), "proof");
    host.write("/etc/systemd/system/proof.service", PROOF_UNIT.as_bytes(), 0o644);
    assert_eq!(host.ok(&["systemd-analyze", "verify", "/etc/systemd/system/proof.service"]), "");
    host.ok(&["systemctl", "enable", "--now", "proof.service"]);
    let is_active = ["systemctl", "is-active", "proof.service"];
    assert_eq!(host.ok(&is_active), "active");
    assert_ne!(host.accounts(), accounts);
    assert_ne!(host.units(), units);
    let changes = files.diff(&host.snapshot());
    let told = |start: &str| changes.iter().any(|line| line.starts_with(start));
    let unit = format!("+ /etc/systemd/system/proof.service: file of {} bytes ", PROOF_UNIT.len());
    assert!(told(&unit), "{changes:#?}");
    assert!(told("~ /etc/passwd: file of "), "{changes:#?}");

    host.reboot();
    assert_eq!(host.ok(&is_active), "active");
    let running = Server::start(&mut host.command(&["sleep", "600"]));
    host.cut_power();
    assert_eq!(
        process::children(running.id()),
        Vec::<u32>::new(),
        "a process outlived the power cut"
    );
    assert_eq!(host.ok(&is_active), "active");

    host.ok(&["systemctl", "disable", "--now", "proof.service"]);
    host.ok(&["rm", "/etc/systemd/system/proof.service"]);
    host.ok(&["systemctl", "daemon-reload"]);
    host.ok(&["userdel", "--remove", "proof"]);
    assert_eq!(files.diff(&host.snapshot()), Vec::<String>::new());
    assert_eq!(host.accounts(), accounts);
    assert_eq!(host.units(), units);
}

#[test]
fn a_host_reaches_the_servers_of_its_test_and_nothing_else() {
    if support::needs_hosts("the network of a host") {
        return;
    }
    let host = Host::boot(Suite::Bookworm);
    let get = |port: u16| {
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && cat <&3");
        let output = host.run(&["bash", "-c", &script]);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };

    let inside = host.listen(0);
    let port = inside.local_addr().unwrap().port();
    let answering = thread::spawn(move || inside.accept().unwrap().0.write_all(b"inside").unwrap());
    assert_eq!(get(port).as_deref(), Some("inside"));
    answering.join().unwrap();

    let mut command = host.neighbour("python3");
    let server = "import socket; s = socket.create_server(('127.0.0.1', 8080)); s.accept()[0].send(b'beside')";
    let beside = Server::start(command.args(["-c", server]));
    let begin = Instant::now();
    let answer = loop {
        match get(8080) {
            None if begin.elapsed() < Duration::from_secs(10) => {}
            answer => break answer,
        }
    };
    assert_eq!(answer.as_deref(), Some("beside"));
    drop(beside);

    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(get(outside.local_addr().unwrap().port()), None);
    assert_eq!(host.ok(&["ip", "-brief", "link"]).lines().count(), 1, "only the loopback");
}

const AGENT_UNIT: &str = "\
[Service]
ExecStart=/opt/circleci/circleci-launch-agent --config /etc/opt/circleci/launch-agent-config.yaml
NotifyAccess=exec
KillMode=mixed
";

const AGENT_CONFIG: &str = "\
api:
  auth_token: stand-in-token
  url: http://127.0.0.1:9000
runner:
  name: stand-in
  working_directory: /var/opt/circleci/workdir
";

#[test]
fn the_stand_in_agent_behaves_as_the_agent_on_the_oldest_host() {
    let what = "the stand-in agent on Debian 11";
    if support::needs_hosts(what) {
        return;
    }
    let Some(agent) = support::portable("stand-in-agent", what) else { return };
    let host = Host::boot(Suite::Bullseye);
    let claims = host.listen(9000);
    thread::spawn(move || {
        for connection in claims.incoming() {
            let mut connection = connection.unwrap();
            let head = BufReader::new(connection.try_clone().unwrap()).lines();
            let head: Vec<_> = head.map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
            let good = head[0].starts_with("POST /api/v2/runner/claim ")
                && head.contains(&"Authorization: Bearer stand-in-token".to_owned());
            let status = if good { "204 No Content" } else { "401 Unauthorized" };
            write!(connection, "HTTP/1.1 {status}\r\n\r\n").unwrap();
        }
    });
    let config = "/etc/opt/circleci/launch-agent-config.yaml";
    host.copy_in(&agent, "/opt/circleci/circleci-launch-agent", 0o755);
    host.write(config, AGENT_CONFIG.as_bytes(), 0o600);
    host.write("/etc/systemd/system/circleci.service", AGENT_UNIT.as_bytes(), 0o644);
    host.ok(&["systemctl", "start", "circleci"]);
    let property = |name: &str| host.ok(&["systemctl", "show", "circleci", "--value", "-p", name]);
    let log = || host.ok(&["journalctl", "-u", "circleci", "-o", "cat"]);
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let begin = Instant::now();
        while !holds() {
            assert!(begin.elapsed() < Duration::from_secs(20), "never {what}:\n{}", log());
            thread::sleep(Duration::from_millis(50));
        }
    };
    until("healthy", &|| property("StatusText") == "Healthy");

    // A job is finished before the agent stops, and systemd waits for that.
    let control = "/etc/opt/circleci/stand-in.control";
    host.write(control, b"job 1\n", 0o644);
    until("in a job", &|| log().contains("job started"));
    host.ok(&["systemctl", "stop", "circleci"]);
    assert!(log().contains("draining    jobs=\"1\""), "{}", log());
    assert!(log().contains("job finished    result=\"success\""), "{}", log());
    assert_eq!(property("Result"), "success");

    host.write(control, b"exit 3\n", 0o644);
    host.run(&["systemctl", "start", "circleci"]);
    until("failed", &|| property("ExecMainStatus") == "3");

    host.ok(&["rm", control]);
    let wrong = AGENT_CONFIG.replace("stand-in-token", "another");
    host.write(config, wrong.as_bytes(), 0o600);
    host.ok(&["systemctl", "restart", "circleci"]);
    until("unhealthy", &|| property("StatusText") == "Unhealthy");
    assert!(log().contains("invalid bearer token (401-Unauthorized)"), "{}", log());
}

/// Set in the copy of this test binary that is to be killed.
const TO_BE_KILLED: &str = "RUNNERUP_TEST_TO_BE_KILLED";

#[test]
fn nothing_is_left_of_a_host_whose_test_was_killed() {
    if support::needs_hosts("cleaning up after a killed test") {
        return;
    }
    if std::env::var_os(TO_BE_KILLED).is_some() {
        let host = Host::boot(Suite::Bookworm);
        let beside = Server::start(host.neighbour("sleep").arg("600"));
        #[expect(clippy::disallowed_methods)]
        writeln!(std::io::stdout(), "\n{} {}", beside.id(), host.root().display()).unwrap();
        thread::sleep(Duration::from_secs(600));
    }
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_is_left_of_a_host_whose_test_was_killed", "--nocapture"])
        .env(TO_BE_KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(test.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains("/proc/")).unwrap();
    let (beside, disk) = line.split_once(' ').unwrap();
    assert!(Path::new(disk).join("etc/debian_version").exists());
    // /proc/KEEPER/root/WORK/root
    let keeper: u32 = disk.split('/').nth(2).unwrap().parse().unwrap();
    let work = PathBuf::from(disk.split_once("/root/").unwrap().1);
    let work = Path::new("/").join(work.parent().unwrap());
    assert!(work.is_dir(), "{}", work.display());

    test.kill().unwrap();
    test.wait().unwrap();
    let begin = Instant::now();
    while !process::has_ended(keeper) {
        assert!(begin.elapsed() < Duration::from_secs(20), "the keeper stays");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!work.exists(), "{} stays", work.display());
    assert!(process::has_ended(beside.parse().unwrap()), "the server stays");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&work.display().to_string()));
}
