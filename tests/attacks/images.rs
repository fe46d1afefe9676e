//! Images and existing installs that lead out of their root, and certificates that are keys.

use crate::support::{
    certs::Authority,
    host::{Host, Suite},
    lab::{Lab, PROGRAM, UNIT, said},
};
use std::fs;

const KEYS: &str = "/etc/haproxy/site.pem";
const CONFIG: &str = "/etc/opt/circleci/launch-agent-config.yaml";
const ENVIRONMENT: &str = "/etc/opt/circleci/environment";
const AUTHORITIES: &str = "/etc/opt/circleci/ca.pem";

/// Stands in every private key.
const KEY: &str = "PRIVATE KEY";

fn sh(host: &Host, script: &str) -> String {
    host.ok(&["sh", "-ec", script])
}

/// Certificate and key in one file, as some servers keep them, for root alone.
fn place_keys(host: &Host, authority: &Authority) -> String {
    let identity = authority.sign("DNS:site.example", 2);
    let certificate = fs::read_to_string(identity.certificate).unwrap();
    let both = format!("{certificate}{}", fs::read_to_string(identity.key).unwrap());
    assert!(both.contains(KEY), "{both}");
    host.write(KEYS, both.as_bytes(), 0o600);
    sh(host, "chmod 700 /etc/haproxy");
    certificate
}

/// An install as the documentation has it, with folders of the account's.
fn make_by_hand(host: &Host, config: &str, environment: &str) {
    sh(
        host,
        "id circleci 2>/dev/null || useradd --create-home circleci; mkdir -p /var/opt/circleci",
    );
    host.write(CONFIG, config.as_bytes(), 0o600);
    host.write(ENVIRONMENT, environment.as_bytes(), 0o600);
    sh(host, "chown -R circleci: /etc/opt/circleci /var/opt/circleci");
}

#[test]
fn an_accounts_settings_give_away_no_key_and_lead_no_download() {
    let what = "settings that the account of the jobs wrote";
    let Some(authority) = Authority::new(what) else { return };
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let certificate = place_keys(&lab.host, &authority);
    // A FIFO that nobody writes to, as the certificates: no waiting.
    let environment = "HTTPS_PROXY=http://proxy.of-the-account.example:3128\n\
                       SSL_CERT_FILE=/var/opt/circleci/fifo\n";
    make_by_hand(&lab.host, "runner:\n  name: a\n", environment);
    sh(&lab.host, "runuser -u circleci -- mkfifo /var/opt/circleci/fifo");
    let words = lab.arguments(&["--dry-run"]);
    let limited: Vec<&str> =
        ["timeout", "20"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let plan = said(&lab.host.run(&limited), 0);
    assert!(plan.contains("give --proxy") && plan.contains("give --ca-file"), "{plan}");

    make_by_hand(&lab.host, "runner:\n  name: a\n", &format!("SSL_CERT_FILE={KEYS}\n"));
    let told = lab.install(&[], 0);
    assert!(told.contains(KEYS) && told.contains("not taken over"), "{told}");
    sh(&lab.host, &format!("test ! -e {AUTHORITIES}"));

    // What the administrator names is read, and yet only certificates are taken from it.
    lab.install(&["--ca-file", KEYS], 0);
    let kept = sh(&lab.host, &format!("cat {AUTHORITIES}"));
    assert_eq!(kept.trim(), certificate.trim());
    let refused = ["timeout", "20", PROGRAM, "plan", "--token-file", "/root/token", "--ca-file"];
    for (place, script) in [
        ("/var/opt/circleci/fifo", "true"),
        ("/var/opt/circleci/link", "ln -s /etc/haproxy/site.pem /var/opt/circleci/link"),
        ("/dev/zero", "true"),
        ("/root/token", "true"),
    ] {
        sh(&lab.host, script);
        let output = lab.host.run(&[&refused[..], &[place]].concat());
        assert!(matches!(output.status.code(), Some(2 | 3)), "{place}: {output:?}");
    }
    // A link of root's is the administrator's own.
    sh(&lab.host, "ln -s haproxy/site.pem /etc/authorities.pem");
    lab.install(&["--ca-file", "/etc/authorities.pem"], 0);
}

#[test]
fn an_account_does_not_hold_up_a_shutdown() {
    let what = "the time that a stop may take";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let config = "runner:\n  name: a\n  max_run_time: 87600h\n";
    // A stop waits no longer than by default where only the account says it.
    for time in ["87600h", "20h"] {
        make_by_hand(&lab.host, &config.replace("87600h", time), "");
        let told = lab.install(&[], 2);
        assert!(told.contains(time) && told.contains("--max-run-time TIME"), "{told}");
    }
    lab.install(&["--max-run-time", "20h"], 0);
    assert_eq!(lab.property(UNIT, "TimeoutStopUSec"), "20h 5min");
    // Its own install, changed by a job: the receipt decides.
    for time in ["21h", "87600h"] {
        sh(&lab.host, &format!("sed -i s/20h.*/{time}/ {CONFIG}"));
        lab.install(&[], 0);
        assert_eq!(lab.property(UNIT, "TimeoutStopUSec"), "20h 5min");
    }
}

#[test]
fn an_account_is_given_no_binary_of_roots() {
    let what = "updates that an account asked for";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let owner = || sh(&lab.host, "stat -c %U /opt/circleci /opt/circleci/circleci-launch-agent");
    // Nobody says where the API is but the configuration.
    let refused = || {
        let mut words = lab.arguments(&["--dry-run"]);
        let at = words.iter().position(|word| word == "--url").unwrap();
        words.drain(at..at + 2);
        said(&lab.host.run(&words.iter().map(String::as_str).collect::<Vec<_>>()), 3)
    };
    sh(
        &lab.host,
        "install -d -m 755 /opt/circleci
         install -m 755 /bin/true /opt/circleci/circleci-launch-agent",
    );
    for config in [
        "runner:\n  name: a\n  disable_auto_update: false\n",
        "runner:\n  name: a\n",
        "api:\n  url: https://runner.circleci.com\nrunner:\n  name: a\n",
    ] {
        make_by_hand(&lab.host, config, "");
        let told = refused();
        assert!(told.contains("--auto-update false"), "{config}: {told}");
    }
    // An install for a server, where the account names the cloud afterwards.
    lab.install(&[], 0);
    assert_eq!(owner(), "root\nroot");
    sh(&lab.host, &format!("sed -i 's,url:.*,url: https://runner.circleci.com,' {CONFIG}"));
    let told = refused();
    assert!(told.contains("--auto-update false"), "{told}");
    lab.install(&["--auto-update", "true"], 0);
    assert_eq!(owner(), "circleci\ncircleci");
}

#[test]
fn an_account_has_no_job_gain_privileges() {
    let what = "a command prefix that an account wrote";
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let strict = ["--hardening", "strict"];
    make_by_hand(&lab.host, "runner:\n  command_prefix: [sudo, -niHu, root, --]\n", "");
    let told = lab.install(&strict, 3);
    assert!(told.contains("--command-prefix"), "{told}");
    lab.install(&[&strict[..], &["--command-prefix", "nice -n 5"]].concat(), 0);
    assert_eq!(lab.property(UNIT, "NoNewPrivileges"), "yes");
    // Its own install, changed by a job: the receipt decides.
    sh(&lab.host, &format!("sed -i 's/command_prefix:.*/command_prefix: [sudo, --]/' {CONFIG}"));
    lab.install(&[], 0);
    assert_eq!(lab.property(UNIT, "NoNewPrivileges"), "yes");
    let prefix = sh(&lab.host, &format!("grep command_prefix {CONFIG}"));
    assert_eq!(prefix.trim(), r#"command_prefix: ["nice", "-n", "5"]"#);
}

/// An image of Linux as far as the tools for accounts look at it.
fn make_image(host: &Host, image: &str) {
    sh(
        host,
        &format!(
            "mkdir -p {image}/etc/default {image}/etc/skel {image}/home {image}/var/mail
             for name in passwd group shadow gshadow login.defs default/useradd; do
                 cp /etc/$name {image}/etc/$name
             done
             sed -i /^circleci:/d {image}/etc/passwd {image}/etc/group \
                 {image}/etc/shadow {image}/etc/gshadow"
        ),
    );
}

#[test]
fn an_image_reaches_nothing_of_the_host() {
    let what = "images that lead to the host";
    let Some(authority) = Authority::new(what) else { return };
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    let host = &lab.host;
    place_keys(host, &authority);
    let install = |image: &str, code: i32| lab.install(&["--root", image], code);

    // The databases of the image are the host's, for whoever resolves links as the host does.
    make_image(host, "/srv/etc");
    sh(
        host,
        "cd /srv/etc; mkdir -p proc/self/root; mv etc proc/self/root
         ln -s /proc/self/root/etc etc",
    );
    let before = lab.state();
    let told = install("/srv/etc", 3);
    assert!(told.contains("/srv/etc/etc: it is a link to /proc/self/root/etc"), "{told}");
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());

    // So are its homes, once something was installed.
    sh(host, "useradd --create-home circleci; touch /home/circleci/of-the-host");
    make_image(host, "/srv/home");
    install("/srv/home", 0);
    sh(
        host,
        "cd /srv/home; grep ^circleci: etc/passwd; mkdir -p proc/self/root; mv home proc/self/root
         ln -s /proc/self/root/home home",
    );
    let before = lab.state();
    lab.runnerup(&["uninstall", "--purge", "--yes", "--root", "/srv/home"], 3);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
    sh(host, "cd /srv/home; rm home; mv proc/self/root/home home");
    lab.runnerup(&["uninstall", "--purge", "--yes", "--root", "/srv/home"], 0);
    sh(host, "test ! -e /srv/home/home/circleci; test -e /home/circleci/of-the-host");

    // A file that is named in the image is the image's.
    make_image(host, "/srv/ca");
    sh(
        host,
        &format!(
            "cd /srv/ca; ln -s {KEYS} ca; mkdir -p etc/opt/circleci
             echo SSL_CERT_FILE=/ca >etc/opt/circleci/environment"
        ),
    );
    let before = lab.state();
    install("/srv/ca", 2);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());

    // A journal that has a temporary file removed by a name that leads out of its folder.
    let name = "x/../../../../../../../../../srv/victim";
    let begin = format!(
        r#"{{"event":"begin","command":"install","instance":"default","at":"","run":"{name}","made":[]}}"#
    );
    let intent = r#"{"event":"intent","step":1,"what":"x","target":{"file":"/opt/circleci/f"},"before":"absent","restores":false,"data":false}"#;
    make_image(host, "/srv/journal");
    let script = format!(
        "cd /srv/journal; echo kept >/srv/victim; mkdir -p opt/circleci/.f.runnerup-x var/lib/runnerup
         printf '%s\n' '{begin}' '{intent}' >var/lib/runnerup/journal.jsonl"
    );
    sh(host, &script);
    let before = lab.state();
    lab.runnerup(&["uninstall", "--yes", "--root", "/srv/journal"], 3);
    install("/srv/journal", 3);
    assert_eq!(before.diff(&lab.state()), Vec::<String>::new());

    // A path that brings an owner and a mode along, for what the first boot gives away.
    let config = r#"runner: {working_directory: "/var/opt/circleci/x 4777 root root - y"}"#;
    let script = format!(
        "mkdir -p /srv/bare/etc/opt/circleci
         echo '{config}' >/srv/bare/etc/opt/circleci/launch-agent-config.yaml"
    );
    sh(host, &script);
    let told = install("/srv/bare", 2);
    assert!(told.contains("cannot be used in an image"), "{told}");
    sh(host, "test ! -e /srv/bare/etc/tmpfiles.d");

    // What a person is told to look at is in the image.
    make_image(host, "/srv/way");
    sh(host, "mkdir /srv/way/opt; ln -s /srv/elsewhere /srv/way/opt/circleci");
    let told = install("/srv/way", 6);
    assert!(told.contains("ls -ld /srv/way/opt/circleci"), "{told}");

    // Another account could change it while it is worked on.
    make_image(host, "/srv/of-others/image");
    for (owner, mode) in [("circleci", "755"), ("root", "777")] {
        sh(host, &format!("chown {owner} /srv/of-others; chmod {mode} /srv/of-others"));
        let before = lab.state();
        let told = install("/srv/of-others/image", 3);
        assert!(told.contains("in a folder that other accounts can change"), "{told}");
        assert_eq!(before.diff(&lab.state()), Vec::<String>::new());
    }
}
