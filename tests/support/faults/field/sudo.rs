//! The command prefix and what it may do.

use super::super::{
    Cure::{Hand, Paste},
    Fault, Healthy, fault, form, saying, seen_by,
};

/// Jobs run as builder, by these rules.
macro_rules! rules {
    ($rules:literal) => {
        concat!(
            "useradd -m -G circleci builder; printf '",
            $rules,
            "' >/etc/sudoers.d/90-ci; chmod 440 /etc/sudoers.d/90-ci; chown builder: $W; \
             edit 's#^runner:#runner:\\n  command_prefix: [\"sudo\", \"-niHu\", \"builder\", \"--\"]#'"
        )
    };
    ($rules:literal, $more:literal) => {
        concat!(rules!($rules), "; ", $more)
    };
}

/// A command prefix of these words.
macro_rules! prefix {
    ($words:literal) => {
        concat!("edit 's#^runner:#runner:\\n  command_prefix: [", $words, "]#'")
    };
}

const SUDO: &str = "permissions/sudo-works";
const CLEAR: &str = "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder";
const SANDBOX: &str = "service/sandbox-allows-jobs";
const ROOT: &str = "permissions/prefix-allowed";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // Rules. Each was tried with sudo 1.9.5, 1.9.13 and 1.9.16.
    saying(
        &["no rule lets circleci use sudo as builder", "/etc/sudoers.d/90-ci:1"],
        fault(
            "sudo: a rule for root only",
            rules!("circleci ALL=NOPASSWD: ALL\\n"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    saying(
        &["the last rule that applies", "90-ci:2: (ALL) ALL"],
        fault(
            "sudo: a later rule of the group without NOPASSWD",
            rules!("circleci ALL=(ALL) NOPASSWD: ALL\\n%%circleci ALL=(ALL) ALL\\n"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    saying(
        &["only some commands"],
        fault(
            "sudo: a rule for one command only",
            rules!("circleci ALL=(builder) NOPASSWD: /opt/circleci/circleci-agent\\n"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    // sudoers(5), Including other files.
    saying(
        &["/etc/sudoers.d/ci.conf", "a name that sudo reads"],
        fault(
            "sudo: a file of rules whose name has a dot",
            rules!(
                "circleci ALL=(builder) NOPASSWD: ALL\\n",
                "mv /etc/sudoers.d/90-ci /etc/sudoers.d/ci.conf"
            ),
            SUDO,
            Paste,
            "config; rm -f /etc/sudoers.d/ci.conf /etc/sudoers.d/ci-conf; chown circleci: $W; userdel -r builder",
        ),
    ),
    saying(
        &["NOEXEC"],
        fault(
            "sudo: a rule with NOEXEC",
            rules!("circleci ALL=(ALL) NOPASSWD: NOEXEC: ALL\\n"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    saying(
        &["requires a terminal", "!requiretty"],
        // A person at a terminal edits the rules: without one sudo answers nobody, not even root.
        fault(
            "sudo: requiretty",
            rules!("Defaults requiretty\\ncircleci ALL=(ALL) NOPASSWD: ALL\\n"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    saying(
        &["90-ci:2", "syntax error"],
        fault(
            "sudo: a file that does not parse",
            rules!("circleci ALL=(ALL) NOPASSWD: ALL\\nthis is not (\\n"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    saying(
        &["is world writable"],
        fault(
            "sudo: a file of rules that everybody can write",
            rules!("circleci ALL=(ALL) NOPASSWD: ALL\\n", "chmod 666 /etc/sudoers.d/90-ci"),
            SUDO,
            Hand,
            CLEAR,
        ),
    ),
    // sudo itself, and PAM.
    saying(
        &["setuid bit"],
        fault(
            "sudo: without its setuid bit",
            rules!("circleci ALL=(ALL) NOPASSWD: ALL\\n", "chmod u-s /usr/bin/sudo"),
            SUDO,
            Paste,
            concat!(
                "chmod 4755 /usr/bin/sudo; ",
                "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder"
            ),
        ),
    ),
    saying(
        &["nosuid"],
        fault(
            "sudo: on a file system with nosuid",
            "useradd -m -G circleci builder; chown builder: $W; mkdir /opt/own; mount -t tmpfs -o nosuid,mode=755 tmpfs /opt/own; \
             cp -p /usr/bin/sudo /opt/own/; printf 'circleci ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/90-ci; chown builder: $W; \
             edit 's#^runner:#runner:\\n  command_prefix: [\"/opt/own/sudo\", \"-n\", \"-u\", \"builder\", \"--\"]#'",
            SUDO,
            Paste,
            "umount /opt/own; rmdir /opt/own; config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder",
        ),
    ),
    saying(
        &["PAM does not admit circleci"],
        fault(
            "sudo: an account that has expired",
            rules!("circleci ALL=(ALL) NOPASSWD: ALL\\n", "chage -E 0 circleci"),
            SUDO,
            Paste,
            concat!(
                "chage -E -1 circleci; ",
                "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder"
            ),
        ),
    ),
    saying(
        &["PAM does not admit circleci", "Permission denied"],
        fault(
            "sudo: an account that pam_access leaves out",
            rules!(
                "circleci ALL=(ALL) NOPASSWD: ALL\\n",
                "cp /etc/pam.d/sudo /root/pam.kept; sed -i '1a account required pam_access.so' /etc/pam.d/sudo; echo -- '-:circleci:ALL' >>/etc/security/access.conf; sed -i 's/^-- //' /etc/security/access.conf"
            ),
            SUDO,
            Hand,
            concat!(
                "cp /root/pam.kept /etc/pam.d/sudo; sed -i /circleci/d /etc/security/access.conf; ",
                "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder"
            ),
        ),
    ),
    saying(
        &["an account that does not exist"],
        fault(
            "sudo: to an account that does not exist",
            "printf 'circleci ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/90-ci; edit 's#^runner:#runner:\\n  command_prefix: [\"sudo\", \"-nu\", \"nobuilder\", \"--\"]#'",
            SUDO,
            Hand,
            "config; rm -f /etc/sudoers.d/90-ci",
        ),
    ),
    // The sandbox: systemd 252 implies no_new_privs.
    saying(
        &["ProtectClock=yes", "implies NoNewPrivileges"],
        fault(
            "sandbox: ProtectClock with sudo",
            rules!(
                "circleci ALL=(ALL) NOPASSWD: ALL\\n",
                "drop '[Service]\\nProtectClock=yes\\nProtectKernelTunables=yes\\n'"
            ),
            SANDBOX,
            Hand,
            concat!(
                "undrop; ",
                "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder"
            ),
        ),
    ),
    saying(
        &["CapabilityBoundingSet"],
        fault(
            "sandbox: no capability to change accounts",
            rules!(
                "circleci ALL=(ALL) NOPASSWD: ALL\\n",
                "drop '[Service]\\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\\n'"
            ),
            SANDBOX,
            Hand,
            concat!(
                "undrop; ",
                "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder"
            ),
        ),
    ),
    // Programs that need root.
    saying(
        &["needs root; the service is circleci"],
        fault(
            "prefix: runuser of a service that is not root",
            concat!(
                "useradd -m -G circleci builder; chown builder: $W; ",
                prefix!("\"runuser\", \"-u\", \"builder\", \"--\"")
            ),
            ROOT,
            Hand,
            CLEAR,
        ),
    ),
    seen_by(
        &["permissions/sudo-works"],
        saying(
            &["password", "the service is circleci"],
            fault(
                "prefix: su to the service's own account",
                prefix!("\"su\", \"-\", \"circleci\", \"-c\""),
                ROOT,
                Hand,
                "config",
            ),
        ),
    ),
    saying(
        &["systemd-run", "needs root; the service is circleci", "/opt/circleci/launch-task"],
        fault(
            "prefix: the documented launch-task, not as root",
            concat!(
                "printf '#!/bin/bash\\nset -euo pipefail\\nunit=\"circleci-$CIRCLECI_LAUNCH_ID\"\\nabort() { systemctl stop \"$unit\"; }\\ntrap abort EXIT\\nsystemd-run --pipe --collect --quiet --wait \\\\\\n  --uid \"$(id -u circleci)\" --unit \"$unit\" -- \"$@\"\\n' >/opt/circleci/launch-task; chmod 755 /opt/circleci/launch-task; ",
                prefix!("\"/opt/circleci/launch-task\"")
            ),
            ROOT,
            Hand,
            "config; rm /opt/circleci/launch-task",
        ),
    ),
    saying(
        &["chroot needs root"],
        fault(
            "prefix: chroot behind nice",
            prefix!("\"nice\", \"-n\", \"5\", \"chroot\", \"/srv/jail\""),
            ROOT,
            Hand,
            "config",
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    form(
        "sudo to builder, by a rule for that account",
        rules!(
            "Defaults requiretty\\nDefaults:circleci !requiretty\\ncircleci ALL=(root) ALL\\ncircleci ALL=(builder) NOPASSWD: ALL\\n"
        ),
        CLEAR,
    ),
    // sudo itself says whether the rule is for the command; `sudo -u '#1501'` is in sudo(8).
    form(
        "sudo to a number, by a rule for the prefix's own command",
        "useradd -m -G circleci builder; printf 'circleci ALL=(builder) NOPASSWD: /usr/bin/env\\n' >/etc/sudoers.d/90-ci; chmod 440 /etc/sudoers.d/90-ci; chown builder: $W; edit \"s/^runner:/runner:\\n  command_prefix: ['sudo', '-nHu', '#$(id -u builder)', 'env', 'CI=1']/\"",
        CLEAR,
    ),
    form(
        "sudo by aliases, and a setting in place of NOPASSWD",
        rules!(
            "User_Alias CI = circleci\\nRunas_Alias JOBS = builder\\nDefaults:CI !authenticate\\nCI ALL=(JOBS) ALL\\n"
        ),
        CLEAR,
    ),
    form(
        "a sandbox that leaves sudo alone",
        rules!(
            "circleci ALL=(builder) NOPASSWD: ALL\\n",
            "drop '[Service]\\nProtectControlGroups=yes\\nPrivateTmp=yes\\nCapabilityBoundingSet=~CAP_SYS_BOOT\\n'; systemctl restart circleci"
        ),
        concat!(
            "undrop; systemctl restart circleci; ",
            "config; rm -f /etc/sudoers.d/90-ci; chown circleci: $W; userdel -r builder"
        ),
    ),
];
