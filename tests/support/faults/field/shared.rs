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
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[Healthy {
    says: &["a one-shot host: ExecStopPost= powers the host off"],
    ..form("a host that ends with its only job", one_shot!(""), LASTS)
}];
