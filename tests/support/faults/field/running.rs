//! What runs differs from what is on disk.

use super::super::{
    Cure::{Fix, Hand},
    Fault, Healthy, fault, form, saying, seen_by,
};

const CURRENT: &str = "service/runs-current";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    saying(
        &["launch-agent-config.yaml was changed after the agent was started", "restart needed"],
        fault(
            "running: configuration that was edited",
            "sleep 4; edit 's#(  name:).*#\\1 lab-2#'",
            CURRENT,
            Fix,
            "config; systemctl restart circleci",
        ),
    ),
    saying(
        &["circleci-launch-agent was replaced", "restart needed"],
        fault(
            "running: binary that was replaced",
            "cp -p $B $B.new; mv -f $B.new $B",
            CURRENT,
            Fix,
            "systemctl restart circleci",
        ),
    ),
    seen_by(
        &["permissions/power-known"],
        saying(
            &["in the group docker since the agent was started", "restart needed"],
            fault(
                "running: group that came after the start",
                "groupadd docker; usermod -aG docker circleci",
                CURRENT,
                Fix,
                "groupdel docker; systemctl restart circleci",
            ),
        ),
    ),
    saying(
        &["with the next start of the agent"],
        fault(
            "running: power that the next start brings",
            "groupadd docker; usermod -aG docker circleci",
            "permissions/power-known",
            Hand,
            "groupdel docker; systemctl restart circleci",
        ),
    ),
    saying(
        &["still runs in the group docker"],
        fault(
            "running: power that the account has lost since",
            "groupadd docker; usermod -aG docker circleci; systemctl restart circleci; gpasswd -d circleci docker >/dev/null",
            "permissions/power-known",
            Hand,
            "groupdel docker; systemctl restart circleci",
        ),
    ),
    saying(
        &["the unit sets NO_PROXY otherwise", "restart needed"],
        fault(
            "running: variable of a unit that was only reloaded",
            "drop '[Service]\\nEnvironment=NO_PROXY=localhost,127.0.0.1\\n'",
            CURRENT,
            Fix,
            "undrop; systemctl restart circleci",
        ),
    ),
    saying(
        &["/etc/opt/circleci/more.env was changed"],
        fault(
            "running: environment file that was edited",
            "echo A=b >/etc/opt/circleci/more.env; drop '[Service]\\nEnvironmentFile=/etc/opt/circleci/more.env\\n'; systemctl restart circleci; sleep 4; echo A=c >/etc/opt/circleci/more.env",
            CURRENT,
            Fix,
            "undrop; rm /etc/opt/circleci/more.env; systemctl restart circleci",
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    form(
        "a change, and a restart behind it",
        "edit 's#(  name:).*#\\1 lab-2#'; touch -d '1 minute ago' $C; cp -p $B $B.new; mv -f $B.new $B; drop '[Service]\\nEnvironment=A=b\\n'; systemctl restart circleci",
        "config; undrop; systemctl restart circleci",
    ),
    form("an empty group of docker's", "groupadd docker", "groupdel docker"),
];
