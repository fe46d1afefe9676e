//! Hazards of the system around it, and restarts that harm.

use super::super::{Cure, Fault, Healthy, fault, form, saying};

/// A one-shot host as a public installer sets it up, but that its last command leaves a mark, and
/// would power the host off behind that.
macro_rules! one_shot {
    ($more:literal) => {
        concat!(
            "printf '#!/bin/sh\\ntouch /root/ended\\nexit 0\\nshutdown -h now\\n' >/usr/local/sbin/end-host\n\
             chmod 755 /usr/local/sbin/end-host; rm -f /root/ended\n\
             edit 's/^  mode: .*/  mode: single-task\\n  idle_timeout: 1h/'\n\
             systemctl restart circleci; sleep 1\n\
             drop '[Service]\\nRestart=no\\nExecStopPost=/usr/local/sbin/end-host now -h\\n",
            $more,
            "'"
        )
    };
}

/// Proves that nothing ended the agent, and makes the host one that lasts.
const LASTS: &str = "
/usr/local/bin/runnerup doctor --fix --yes --endpoint=storage=none,vcs=none >/root/fix.log 2>&1 || true
test ! -e /root/ended
undrop; config; rm -f /usr/local/sbin/end-host; systemctl restart circleci
";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // Its own fault is mended without a restart: the script that would be run by one leaves a mark.
    saying(
        &["not stopped or restarted by this program", "ExecStopPost= powers the host off"],
        fault(
            "another fault of a host that ends with its agent",
            one_shot!("NotifyAccess=none\\n"),
            "service/health-reported",
            Cure::Fix,
            LASTS,
        ),
    ),
    saying(
        &["OOMPolicy=stop"],
        fault(
            "one job that is killed for memory ends the agent",
            "sed -i '/^OOMPolicy/d' $U; systemctl daemon-reload",
            "service/oom-spares-agent",
            Cure::Fix,
            "cp -p /root/unit.kept $U; undrop",
        ),
    ),
    saying(
        &["jobs run only while nothing else wants the processor"],
        fault(
            "an agent of idle priority",
            "drop '[Service]\\nCPUSchedulingPolicy=idle\\nIOSchedulingClass=idle\\nNice=19\\n'",
            "service/scheduled-fairly",
            Cure::Fix,
            "undrop",
        ),
    ),
    // What is to be kept is for a person to say.
    saying(
        &["what the agent logs is kept nowhere"],
        fault(
            "a log that is thrown away",
            "drop '[Service]\\nStandardOutput=null\\nStandardError=null\\n'",
            "service/scheduled-fairly",
            Cure::Hand,
            "undrop",
        ),
    ),
    // GitHub's manual for its own runners tells of it.
    saying(
        &["needrestart restarts circleci.service after upgrades"],
        fault(
            "needrestart in automatic mode",
            "mkdir -p /etc/needrestart/conf.d; printf '#!/bin/sh\\n' >/usr/sbin/needrestart
             echo \"\\$nrconf{restart} = 'a';\" >/etc/needrestart/needrestart.conf",
            "host/upgrades-spare-agent",
            Cure::Paste,
            "rm -rf /etc/needrestart /usr/sbin/needrestart",
        ),
    ),
    // When the host may reboot is for a person to say.
    fault(
        "unattended upgrades that reboot the host",
        "printf '#!/bin/sh\\n' >/usr/bin/unattended-upgrade
         echo 'APT::Periodic::Unattended-Upgrade \"1\";' >/etc/apt/apt.conf.d/20auto-upgrades
         echo 'Unattended-Upgrade::Automatic-Reboot \"true\";' >/etc/apt/apt.conf.d/52reboot",
        "host/upgrades-spare-agent",
        Cure::Hand,
        "rm -f /usr/bin/unattended-upgrade /etc/apt/apt.conf.d/20auto-upgrades /etc/apt/apt.conf.d/52reboot",
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    Healthy {
        says: &["a one-shot host: ExecStopPost= powers the host off"],
        ..form("a host that ends with its only job", one_shot!(""), LASTS)
    },
    form(
        "needrestart that leaves the agent alone",
        "mkdir -p /etc/needrestart/conf.d; printf '#!/bin/sh\\n' >/usr/sbin/needrestart
         echo \"\\$nrconf{restart} = 'a';\" >/etc/needrestart/needrestart.conf
         echo '$nrconf{override_rc}{qr(^circleci)} = 0;' >/etc/needrestart/conf.d/ci.conf",
        "rm -rf /etc/needrestart /usr/sbin/needrestart",
    ),
];
