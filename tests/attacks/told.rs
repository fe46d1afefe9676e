//! Secrets of jobs and of a configuration, on their way into what is printed and into facts that
//! are made to be sent away.

use super::output::sources;
use crate::support::{
    self, crowd,
    faults::PRELUDE,
    host::Suite,
    lab::{Lab, PROGRAM},
    scratch::Scratch,
};
use serde_json::Value;
use std::{fs, os::unix::fs::chown, process::Command};

/// The hosts of a test reach nothing but themselves.
const HERE: &str = "--endpoint=storage=none,vcs=none";

/// In every secret here.
const MARK: &str = "hunter";

/// Words of programs that a job has left running.
const ARGUMENTS: [&str; 17] = [
    "curl -u me:hunter01",
    "env AWS_SECRET_ACCESS_KEY=hunter/02",
    "mysql -phunter03",
    "sshpass -p hunter04",
    "docker login -p hunter05",
    "x --api-key hunter06",
    "x -H Authorization:_Basic_hunter07",
    "x -H X-Api-Key:_hunter08",
    "x --private-key hunter09 --credential hunter10 --auth hunter11 --pat hunter12",
    "x --passphrase hunter13 --key=hunter14 --pwd hunter15 --pass hunter16",
    "env PGPASS=hunter17 MYSQL_PWD=hunter18",
    "xoxb-hunter19-2345",
    "{\"auth\":\"hunter20\",\"password\":\"hunter21\"}",
    "https://u:hunter22@h",
    "hunter23",
    "sh -c hunter24",
    "x --config hunter25",
];

/// Lines of an agent's log.
const LOG: &str = r#"
error={"auth":"hunter30","password":"hunter31","token":"hunter32"}
error: password : hunter33, {\"secret\":\"hunter34 hunter35\"}
error: GET https://h.example/x?sig=hunter36: connection refused
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7/hunter+Ab37
aws configure set aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter38
docker login -u me -p hunter39
sshpass -p hunter46 ssh host; redis-cli -a hunter47; mysql -uroot -phunter48
DB_PASS hunter49, the password is hunter50, Cookie: session=hunter51
ENCRYPTION_KEY_B64 = hunter52
20:04:58 f0666 22.942ms error="{\"password\":{\"value\":\"hunter53\"}}: permission denied"
"#;

/// Lines of a configuration.
const CONFIG: [&str; 4] = [
    r"s#url: .*#url: https://u:hunter40@127.0.0.1:9/?token=hunter41#",
    r"s#name: .*#name: password=hunter42#",
    r"s#working_directory: .*#working_directory: /var/opt/circleci/workdir/token=hunter43#",
    r"s#(mode: .*)#\1\n  command_prefix: [env, GITHUB_TOKEN=hunter44, ANY=hunter45, nice]#",
];

#[test]
fn no_secret_of_a_job_or_a_setting_is_told() {
    let what = "secrets of jobs and of settings";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    lab.install(&[], 0);
    let script = |text: &str| lab.host.ok(&["sh", "-c", &format!("{PRELUDE}\n{text}")]);
    for words in ARGUMENTS {
        // A blank within a word is written as `_`.
        let words: Vec<_> = words.split(' ').map(|word| word.replace('_', " ")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let program = ["perl", "-e", "sleep 300", "--"];
        crowd::start(&lab, "circleci", &[program.as_slice(), &words].concat());
    }
    CONFIG.iter().for_each(|line| drop(script(&format!("edit '{line}'"))));
    lab.host.write("/var/opt/circleci/agent.log", LOG.as_bytes(), 0o600);
    script(
        "printf 'logging:\\n  file: /var/opt/circleci/agent.log\\n' >>$C
         chown circleci: /var/opt/circleci/agent.log; systemctl stop circleci.service",
    );
    let mut bad = Vec::new();
    let mut told = String::new();
    for words in [
        ["doctor", "-vv"].as_slice(),
        &["doctor", "--json"],
        &["doctor", "--save-facts", "-"],
        &["doctor", "--fix", "--dry-run", "-v"],
        &["plan", "-v"],
    ] {
        let here = if words[0] == "doctor" { [HERE].as_slice() } else { &[] };
        let output = lab.host.run(&[&[PROGRAM], words, here].concat());
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            let lines = text.lines().filter(|line| line.contains(MARK));
            bad.extend(lines.map(|line| format!("{}: {line}", words.join(" "))));
            told += &text;
        }
    }
    assert_eq!(bad, Vec::<String>::new());
    for expected in [
        "agent/no-orphans",
        "command_prefix",
        "perl (",
        "https://u:***@127.0.0.1:9",
        "20:04:58 … error=",
        "permission denied",
    ] {
        assert!(told.contains(expected), "{expected} is not told: {told}");
    }
}

/// What an account's configuration names below a folder of root's is not looked at: neither its
/// size nor that it is there is for that account to learn from a document.
#[test]
fn a_path_in_a_folder_of_roots_is_not_told() {
    let Some(lab) = Lab::new(Suite::Bookworm, "paths of root's, named by an account") else {
        return;
    };
    lab.install(&[], 0);
    let script = |text: &str| lab.host.ok(&["sh", "-c", &format!("{PRELUDE}\n{text}")]);
    // The drop-in folder is the account's, as where somebody was careless.
    script(
        "mkdir -p -m 700 /root/deep/present /srv; head -c 12345 /dev/zero >/root/deep/present/file
         for file in program git environment; do echo pin=4711 >/root/deep/present/$file; done
         chmod 755 /root/deep/present/git /root/deep/present/program; chmod 700 /root
         install -d -o circleci /etc/systemd/system/circleci.service.d",
    );
    let digest = script("sha256sum /root/deep/present/program | cut -d ' ' -f 1");
    let told = |name: &str| {
        let [work, log, prefix, environment] =
            ["", "/file", "/program", "/environment"].map(|end| format!("/root/deep/{name}{end}"));
        script(&format!(
            "cp -n $C /srv/config.kept; cp /srv/config.kept $C
             edit 's#working_directory: .*#working_directory: {work}#
                   s#(mode: .*)#\\1\\n  command_prefix: [{prefix}]#'
             printf 'logging:\\n  file: {log}\\n' >>$C; chown circleci: $C; chmod 600 $C
             cd /etc/systemd/system/circleci.service.d
             printf '[Service]\\nExecStart=\\nExecStart={prefix} --config %s\\n' $C >own.conf
             printf 'Environment=PATH={work}\\nEnvironmentFile=-{environment}\\n' >>own.conf
             chown circleci: own.conf"
        ));
        lab.host.run(&[PROGRAM, "doctor", "--offline", "--save-facts", "/srv/facts"]);
        let facts = lab.host.ok(&["cat", "/srv/facts"]);
        assert!(!facts.contains(digest.trim()), "the checksum of a file of root's");
        let facts: Value = serde_json::from_str(&facts).unwrap();
        let install = &facts["installs"][0];
        let parts = ["paths", "workdir", "log", "binary", "tools"];
        parts.map(|part| install[part].to_string()).concat().replace(name, "NAME")
    };
    let (there, missing) = (told("present"), told("missing"));
    assert!(there.contains("/root/deep/NAME"), "{there}");
    let is_closed = there.contains(r#""stopped":{"closed":"/root"}"#);
    assert!(!there.contains("12345") && is_closed, "{there}");
    assert_eq!(there, missing, "whether something is there is told");
}

/// Programs whose output holds what others wrote, byte for byte.
const SHOWING: [&str; 2] = ["du -", "tail -n"];

#[test]
fn a_command_that_shows_what_others_wrote_ends_in_a_filter() {
    sources(&support::repository().join("src"), &mut |path, text| {
        for program in SHOWING {
            for made in ["root", "fixed"] {
                for (at, _) in text.match_indices(&format!("Command::{made}(\"{program}")) {
                    let statement = text[at..].split_inclusive(';').next().unwrap();
                    assert!(statement.contains("| cat -v\""), "{}: {statement}", path.display());
                }
            }
        }
    });
}

/// An account calls the checksum of the release its token: root goes on to see what it compares.
#[test]
fn no_token_of_an_account_blanks_a_checksum() {
    if support::needs_root("a token that is a checksum") {
        return;
    }
    let scratch = Scratch::new();
    let planned = String::from_utf8(scratch.run(&["plan"]).stdout).unwrap();
    let sum = planned.split_once("SHA-256 ").unwrap().1.split_whitespace().next().unwrap();
    assert_eq!(sum.len(), 64, "{planned}");
    let config = scratch.root().join("etc/opt/circleci/launch-agent-config.yaml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, format!("api:\n  auth_token: {sum}\nrunner:\n  name: x\n")).unwrap();
    chown(&config, Some(1234), Some(1234)).unwrap();
    for more in [["-v"].as_slice(), &["--json"]] {
        let mut words = scratch.command(&[&["plan"], more].concat());
        // The token is the one that the configuration has.
        let at = words.iter().position(|word| word == "--token-file").unwrap();
        words.drain(at..at + 2);
        let output = Command::new(&words[0]).args(&words[1..]).env_clear().output().unwrap();
        let plan = support::lab::said(&output, 0);
        assert!(plan.contains(sum), "{plan}");
        let of_token = plan.lines().filter(|line| line.contains("auth_token"));
        assert!(of_token.clone().count() > 0 || more != ["-v"], "{plan}");
        assert!(of_token.clone().all(|line| !line.contains(sum)), "{plan}");
    }
}
