//! Installs and uninstalls over what people have on their hosts: drop-ins, masks and links that were
//! left behind, services and files of others. One host for many scenarios, each put back at its end.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::{
    host::Suite,
    lab::{Lab, PROGRAM, UNIT, said},
};

const DEFINITION: &str = "/etc/systemd/system/circleci.service";
const DROP_IN: &str = "/etc/systemd/system/circleci.service.d/override.conf";

fn sh(lab: &Lab, script: &str) -> String {
    lab.host.ok(&["sh", "-ec", script])
}

/// A drop-in of the unit's name, or of all services.
fn drop_in(lab: &Lab, path: &str, text: &str) {
    sh(
        lab,
        &format!("mkdir -p $(dirname {path}); printf '{text}' >{path}; systemctl daemon-reload"),
    );
}

fn without(lab: &Lab, path: &str) {
    sh(lab, &format!("rm -rf $(dirname {path}); systemctl daemon-reload"));
}

/// Refused before anything is changed, in the plan and in the install alike.
fn refused(lab: &Lab, more: &[&str], code: i32, words: &[&str]) {
    let before = lab.state();
    for dry_run in [&["--dry-run"][..], &[]] {
        let told = lab.install(&[more, dry_run].concat(), code);
        for word in words {
            assert!(told.contains(word), "{more:?}: no {word:?} in {told}");
        }
    }
    let changed = before.diff(&lab.state());
    assert!(changed.is_empty(), "{more:?}: {changed:?}");
}

#[test]
fn what_the_doctor_would_fail_is_refused_before_anything_is_changed() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a plan that is the doctor's advance") else {
        return;
    };
    // A drop-in of an install by hand: what ran was its command, as root.
    for text in [
        "[Service]\\nUser=root\\nExecStart=\\nExecStart=/bin/sh -c \"exec sleep 1000\"\\n",
        "[Service]\\nDynamicUser=yes\\n",
        "[Service]\\nType=oneshot\\n",
    ] {
        drop_in(&lab, DROP_IN, text);
        refused(&lab, &[], 3, &["E3007", DROP_IN]);
        without(&lab, DROP_IN);
    }
    let all = "/etc/systemd/system/service.d/10-all.conf";
    drop_in(&lab, all, "[Service]\\nUser=nobody\\n");
    refused(&lab, &[], 3, &["E3007", all]);
    without(&lab, all);

    // The documented older layout, and a mask. The command that is told is right.
    sh(
        &lab,
        "mkdir -p /opt/circleci; printf '[Service]\\nExecStart=/bin/sleep 77\\n[Install]\\nWantedBy=multi-user.target\\n' >/opt/circleci/circleci.service; systemctl enable /opt/circleci/circleci.service",
    );
    refused(&lab, &[], 3, &["E3007", "linked", "sudo systemctl disable circleci.service"]);
    sh(&lab, "systemctl disable circleci.service; rm -r /opt/circleci");
    sh(&lab, "systemctl mask circleci.service");
    refused(&lab, &[], 3, &["E3007", "masked", "sudo systemctl unmask circleci.service"]);
    sh(&lab, "systemctl unmask circleci.service");

    // Values that the own doctor would fail.
    sh(&lab, "mkdir /srv/folder; ln -s /home /srv/homes");
    for (option, value, word) in [
        ("--workdir", "/srv/100%/w", "does not replace '%'"),
        ("--workdir", "/", "top of a file system"),
        ("--workdir", "/etc", "conflicts with"),
        ("--workdir", "/opt/circleci", "conflicts with the agent's binary"),
        ("--workdir", "/etc/opt/circleci", "conflicts with the agent's configuration"),
        ("--workdir", "/home/circleci", "conflicts with the home"),
        ("--workdir", "/home/other", "home of an account"),
        ("--workdir", "/tmp/%s", "folder of the system"),
        ("--workdir", "/usr/local/bin", "folder of the system"),
        ("--command-prefix", "sudo -niHu alice", "--"),
        ("--log-file", "/opt/circleci/circleci-launch-agent", "conflicts with the agent's binary"),
        ("--log-file", "/etc/opt/circleci/launch-agent-config.yaml", "conflicts with"),
        ("--log-file", "/srv/folder", "where a file must be"),
    ] {
        refused(&lab, &[option, value], 2, &["E2002", word]);
    }
    // What a link leads to is a fact of the host.
    let linked = ["--workdir", "/srv/homes/circleci"];
    refused(&lab, &linked, 3, &["E3007", "leads to /home/circleci", "conflicts with the home"]);
    refused(&lab, &["--user", "first.last"], 3, &["E3009", "first.last"]);
}

#[test]
fn what_is_harmless_stays_and_what_runs_is_what_was_planned() {
    let Some(lab) = Lab::new(Suite::Bookworm, "a proof that the agent came up") else { return };
    let before = lab.state();
    // Limits of a drop-in stay in force, and are told; the agent comes up.
    drop_in(&lab, DROP_IN, "[Service]\\nLimitNOFILE=4096\\nEnvironment=CI_NOTE=1\\n");
    let told = lab.install(&[], 0);
    assert!(told.contains(DROP_IN) && told.contains("LimitNOFILE"), "{told}");
    assert!(told.contains("active (running), Healthy"), "{told}");
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    without(&lab, DROP_IN);

    // A virtual machine for one job goes away with its agent: the published one-shot set-ups.
    lab.host.write("/usr/local/sbin/poweroff", b"#!/bin/sh\ntouch /root/ended\n", 0o755);
    lab.install(&[], 0);
    drop_in(&lab, DROP_IN, "[Service]\\nExecStopPost=+/usr/local/sbin/poweroff\\n");
    for words in [
        &["uninstall", "--yes"][..],
        &["uninstall", "--purge", "--yes"],
        &["uninstall", "--dry-run"],
    ] {
        let told = lab.runnerup(words, 3);
        assert!(told.contains("E3011") && told.contains(&format!("{DROP_IN}:2")), "{told}");
    }
    refused(&lab, &["--max-run-time", "2h"], 3, &["E3011", "powers the host off"]);
    assert_eq!(lab.property(UNIT, "ActiveState"), "active");
    // The line is gone, and systemd has not read that: it does before the stop.
    sh(&lab, &format!("rm {DROP_IN}"));
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    sh(&lab, "! test -e /root/ended; rm /usr/local/sbin/poweroff");
    without(&lab, DROP_IN);

    // What keeps the agent from being heard is no healthy agent: the drop-in is named.
    drop_in(&lab, DROP_IN, "[Service]\\nNotifyAccess=none\\n");
    let told = lab.install(&[], 8);
    assert!(told.contains("E8001") && told.contains("does not report Healthy"), "{told}");
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    without(&lab, DROP_IN);

    // A drop-in that comes while the install is at work, after the plan was made.
    lab.host.write(
        "/etc/systemd/system/late.service",
        b"[Service]\nType=oneshot\nExecStart=/root/late\n",
        0o644,
    );
    let late = format!(
        "#!/bin/sh\nuntil test -e {DEFINITION}; do sleep 0.02; done\nmkdir -p {DEFINITION}.d\n\
         printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep 1000\\n' >{DROP_IN}\n\
         systemctl daemon-reload\n"
    );
    lab.host.write("/root/late", late.as_bytes(), 0o755);
    sh(&lab, "systemctl start --no-block late.service");
    let told = lab.install(&[], 8);
    assert!(told.contains("ExecStart") && told.contains(DROP_IN), "{told}");
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    without(&lab, DROP_IN);
    sh(&lab, "rm /root/late /etc/systemd/system/late.service; systemctl daemon-reload");

    // An account of a directory with a dot in its name.
    sh(&lab, "useradd --badname -m first.last || useradd --badnames -m first.last");
    let told = lab.install(&["--user", "first.last"], 0);
    assert!(told.contains("Healthy"), "{told}");
    assert_eq!(lab.property(UNIT, "User"), "first.last");
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    sh(&lab, "userdel -r first.last 2>/dev/null");
    let changed = before.diff(&lab.state());
    assert!(changed.is_empty(), "{changed:?}");
}

/// A service of the agent's name that runs something else, with an account and a variable of its own.
const FOREIGN: &str = "useradd -r old; mkdir -p /srv/old; cp /bin/sleep /srv/old/agent\n\
    printf '[Service]\\nUser=old\\nEnvironment=OLD=1\\nExecStart=/srv/old/agent 1000\\n[Install]\\n\
    WantedBy=multi-user.target\\n' >/etc/systemd/system/circleci.service\n\
    systemctl daemon-reload; systemctl enable --now circleci.service";

/// What runs under the unit's name.
fn running(lab: &Lab) -> String {
    sh(
        lab,
        "p=$(systemctl show --value -p MainPID circleci.service); readlink /proc/$p/exe; \
         tr '\\0' '\\n' </proc/$p/environ | grep ^OLD; systemctl is-enabled circleci.service",
    )
}

#[test]
fn an_uninstall_starts_what_ran_before_and_leaves_what_others_have() {
    let Some(lab) = Lab::new(Suite::Bookworm, "what ran before an install") else { return };
    sh(&lab, FOREIGN);
    let expected = "/srv/old/agent\nOLD=1\nenabled";
    assert_eq!(running(&lab), expected);
    let before = lab.host.ok(&["cat", DEFINITION]);
    for options in [&["--purge"][..], &[]] {
        let told = lab.install(&["--dry-run", "-v"], 0);
        assert!(told.contains(&format!("replace {DEFINITION}")), "{told}");
        let told = lab.install(&[], 0);
        assert!(told.contains("it is replaced") && told.contains("Healthy"), "{told}");
        lab.runnerup(&[&["uninstall", "--yes"][..], options].concat(), 0);
        assert_eq!(running(&lab), expected, "{options:?}");
        assert_eq!(lab.host.ok(&["cat", DEFINITION]), before);
    }
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    sh(
        &lab,
        "systemctl disable --now circleci.service; rm /etc/systemd/system/circleci.service; systemctl daemon-reload",
    );
    others_files(&lab);
    used_account(&lab);
}

/// Files of others in a work folder that the install made, and none of the jobs'.
fn others_files(lab: &Lab) {
    lab.install(&["--workdir", "/data"], 0);
    sh(
        lab,
        "echo x >/data/roots; mkdir /data/d; echo y >/data/d/others; chown -R old /data/d\n\
         runuser -u circleci -- sh -c 'mkdir -p /data/job/deep; echo z >/data/job/deep/file; ln -s /srv /data/link'\n\
         mkdir /data/job/roots; echo r >/data/job/roots/file; chmod 700 /data/d",
    );
    let told = lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    assert!(told.contains("/data/roots") && told.contains("/data/d"), "{told}");
    assert_eq!(
        sh(
            lab,
            "cd /data; find . -type f | sort; test ! -e link; test ! -e job/deep; stat -c %U d"
        ),
        "./d/others\n./job/roots/file\n./roots\nold"
    );
    assert!(lab.install(&["--dry-run", "--workdir", "/data"], 3).contains("does not belong to"));
    sh(lab, "rm -r /data");

    // Without anything of others it goes, however deep it is.
    lab.install(&["--workdir", "/data"], 0);
    sh(
        lab,
        "runuser -u circleci -- sh -c 'cd /data; for i in $(seq 90); do mkdir d; cd d; done; echo x >file'",
    );
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    sh(lab, "test ! -e /data");
}

/// An account that a service of others needs stays, and the uninstall comes to its end.
fn used_account(lab: &Lab) {
    lab.install(&[], 0);
    sh(
        lab,
        "printf '[Service]\\nUser=circleci\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/needs.service; \
         systemctl daemon-reload; systemctl start needs.service",
    );
    let output = lab.host.run(&[PROGRAM, "uninstall", "--purge", "--yes"]);
    let told = said(&output, 0);
    assert!(told.contains("needs.service runs as this account"), "{told}");
    assert_eq!(sh(lab, "systemctl is-active needs.service; id -un circleci"), "active\ncircleci");
    sh(
        lab,
        "systemctl stop needs.service; rm /etc/systemd/system/needs.service; systemctl daemon-reload",
    );
    lab.runnerup(&["uninstall", "--purge", "--yes"], 0);
    sh(lab, "! id circleci 2>/dev/null");
}

#[test]
fn an_image_keeps_its_own_name_and_its_own_layout() {
    let Some(lab) = Lab::new(Suite::Bookworm, "installs into images") else { return };
    let url = lab.api.url();
    let install = |root: &str, more: &[&str], code: i32| {
        let words = [
            &[
                PROGRAM,
                "install",
                "--yes",
                "--release-url",
                &url,
                "--url",
                "https://ci.example.com",
            ][..],
            &["--token-file", "/root/token", "--service", "systemd", "--root", root],
            more,
        ];
        said(&lab.host.run(&words.concat()), code)
    };
    sh(&lab, "mkdir -p /srv/img/etc");
    for placeholder in ["", "localhost\\n", "{{ name }}\\n"] {
        sh(&lab, &format!("printf '{placeholder}' >/srv/img/etc/hostname"));
        let told = install("/srv/img", &[], 2);
        assert!(told.contains("E2003") && told.contains("--name NAME"), "{told}");
    }
    sh(&lab, "echo golden-image >/srv/img/etc/hostname");
    let told = install("/srv/img", &[], 0);
    assert!(told.contains("golden-image"), "{told}");
    sh(&lab, "grep 'name: golden-image' /srv/img/etc/opt/circleci/launch-agent-config.yaml");

    // As on Fedora CoreOS and its like: /opt is a link into /var.
    sh(
        &lab,
        "mkdir -p /srv/os/etc /srv/os/var/opt; ln -s var/opt /srv/os/opt; echo root:x:0:0::/root:/bin/sh >/srv/os/etc/passwd; chmod 755 /srv /srv/os /srv/os/* ",
    );
    let tree = || {
        sh(
            &lab,
            "cd /srv/os; find . -not -path './var/lib*' -not -path './home*' -not -name 'passwd*' -not -name 'group*' -not -name 'shadow*' -not -name 'gshadow*' -not -name 'subuid*' -not -name 'subgid*' | sort",
        )
    };
    let before = tree();
    install("/srv/os", &["--name", "os"], 0);
    assert_eq!(
        sh(
            &lab,
            "cd /srv/os/var/opt/circleci; stat -c '%n %u %a' . circleci-launch-agent workdir | sed 's/ [1-9][0-9]* / jobs /'"
        ),
        ". 0 755\ncircleci-launch-agent 0 755\nworkdir jobs 750"
    );
    let output = lab.host.run(&[PROGRAM, "doctor", "--root", "/srv/os", "--only", "permissions"]);
    said(&output, 0);
    lab.runnerup(&["uninstall", "--purge", "--yes", "--root", "/srv/os"], 0);
    assert_eq!(tree(), before);
}
