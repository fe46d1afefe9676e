//! What ends before the agent starts.

use super::super::{Cure, Fault, Healthy, fault, form, saying};

/// The agent started with a drop-in, which fails at once.
macro_rules! start {
    ($lines:literal) => {
        concat!("drop '", $lines, "'; systemctl restart circleci || true; sleep 1")
    };
}

/// Without the drop-in, and with nothing of what systemd has counted.
const BACK: &str = "undrop; systemctl reset-failed circleci || true; systemctl restart circleci";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // A plus sign that was copied from a line of ExecStartPre=, where it has its use.
    saying(
        &["run as root in spite of User=circleci", "ExecStart=+/opt/circleci"],
        fault(
            "a command behind a plus sign",
            "sed -i 's/^ExecStart=/&+/' $U; systemctl daemon-reload; systemctl restart circleci",
            "service/user-exists",
            Cure::Paste,
            "cp -p /root/unit.kept $U; systemctl daemon-reload; systemctl restart circleci",
        ),
    ),
    // As units of web servers have it.
    saying(
        &["signals the agent twice", "90-fault.conf:2: ExecStop=/bin/kill"],
        fault(
            "a stop that signals the agent once more",
            "drop '[Service]\\nExecStop=/bin/kill -s TERM $MAINPID\\n'",
            "service/stop-waits",
            Cure::Fix,
            "undrop; systemctl restart circleci",
        ),
    ),
    saying(
        &["ExecCondition= of circleci.service", "/bin/false has exit status 1", "90-fault.conf:3"],
        fault(
            "a command that has each start passed over",
            start!("[Service]\\nExecCondition=/bin/true\\nExecCondition=/bin/false\\n"),
            "service/start-needs-met",
            Cure::Hand,
            BACK,
        ),
    ),
    saying(
        &["/opt/circleci/prepare.sh", "203/EXEC", "Control process exited"],
        // What the script is to do is not known.
        fault(
            "a command before the start that was never copied",
            start!("[Service]\\nExecStartPre=/opt/circleci/prepare.sh\\n"),
            "service/start-needs-met",
            Cure::Hand,
            BACK,
        ),
    ),
    saying(
        &["/srv/agent/run", "200/CHDIR"],
        fault(
            "a working directory that is not there",
            start!("[Service]\\nWorkingDirectory=/srv/agent/run\\n"),
            "service/start-needs-met",
            Cure::Paste,
            "undrop; rm -rf /srv/agent; systemctl reset-failed circleci || true; systemctl restart circleci",
        ),
    ),
    saying(
        &["the group ci-runners", "216/GROUP"],
        fault(
            "a group that is not there",
            start!("[Service]\\nGroup=ci-runners\\n"),
            "service/start-needs-met",
            Cure::Paste,
            "undrop; groupdel ci-runners || true; systemctl reset-failed circleci || true; systemctl restart circleci",
        ),
    ),
    saying(
        &["the group docker"],
        fault(
            "a further group of a program that is not installed",
            start!("[Service]\\nSupplementaryGroups=docker\\n"),
            "service/start-needs-met",
            Cure::Paste,
            "undrop; groupdel docker || true; systemctl reset-failed circleci || true; systemctl restart circleci",
        ),
    ),
    saying(
        &["the folder /var/log/ci-agent", "209/STDOUT"],
        fault(
            "an output file in a folder that is not there",
            start!("[Service]\\nStandardOutput=append:/var/log/ci-agent/agent.log\\n"),
            "service/start-needs-met",
            Cure::Paste,
            "undrop; rm -rf /var/log/ci-agent; systemctl reset-failed circleci || true; systemctl restart circleci",
        ),
    ),
    saying(
        &["/etc/credstore/circleci", "243/CREDENTIALS"],
        // The secret itself is to be put there.
        fault(
            "a credential that is not there",
            start!("[Service]\\nLoadCredential=token:/etc/credstore/circleci\\n"),
            "service/start-needs-met",
            Cure::Hand,
            BACK,
        ),
    ),
    saying(
        &["/srv/cache", "226/NAMESPACE"],
        // Whether it is to be a file, a folder or a mount is not known.
        fault(
            "a path of the sandbox that is not there",
            start!("[Service]\\nReadWritePaths=/srv/cache\\n"),
            "service/start-needs-met",
            Cure::Hand,
            BACK,
        ),
    ),
    saying(
        &["at most 3 starts within 86400 s"],
        fault(
            "a start limit of a whole day",
            "drop '[Unit]\\nStartLimitIntervalSec=1d\\nStartLimitBurst=3\\n'",
            "service/restarts",
            Cure::Fix,
            "undrop",
        ),
    ),
    saying(
        &["was given up", "Start request repeated too quickly", "reset-failed"],
        fault(
            "a unit that systemd has given up",
            "drop '[Unit]\\nStartLimitIntervalSec=60\\nStartLimitBurst=4\\n[Service]\\nRestartSec=20\\n'
             for n in 1 2 3 4 5 6; do systemctl restart circleci || true; done",
            "service/running",
            Cure::Paste,
            BACK,
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[form(
    "things for the start that are there, or may be missing",
    "drop '[Service]\\nExecStartPre=-/opt/circleci/none.sh\\nExecStartPre=test -d /opt/circleci\\n\
     WorkingDirectory=-/srv/none\\nSupplementaryGroups=users 100\\nReadWritePaths=-/srv/none\\n\
     StateDirectory=ci-agent\\nReadWritePaths=/var/lib/ci-agent\\n\
     LoadCredential=token:/etc/credstore/none\\nSetCredential=token:x\\n'
     systemctl restart circleci; sleep 1",
    "undrop; systemctl restart circleci; rm -rf /var/lib/ci-agent",
)];
