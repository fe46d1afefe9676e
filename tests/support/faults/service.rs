//! Faults of the unit and its state.

use super::{
    Cure::{Fix, Hand, Paste},
    Fault, fault, seen_by,
};

/// A part of the table.
pub const FAULTS: &[Fault] = &[
    // The unit.
    fault("unit that is executable", "chmod 755 $U", "service/definition-mode", Fix, ""),
    seen_by(
        &["permissions/definition-trusted"],
        fault(
            "unit that every user may change",
            "chmod 666 $U",
            "service/definition-mode",
            Fix,
            "",
        ),
    ),
    fault(
        "unit that jobs may change",
        "chown circleci: $U",
        "permissions/definition-trusted",
        Paste,
        "chown root: $U",
    ),
    fault(
        "unit that was changed and not read",
        "touch -d '+1 minute' $U; echo '# x' >>$U",
        "service/reloaded",
        Fix,
        "systemctl daemon-reload",
    ),
    seen_by(
        &[],
        fault(
            "unit without a command",
            "sed -i /^ExecStart/d $U; systemctl daemon-reload",
            "service/loaded",
            Hand,
            "cp -p /root/unit.kept $U; systemctl daemon-reload",
        ),
    ),
    seen_by(
        &[],
        fault(
            "unit that is masked",
            "rm $U; ln -s /dev/null $U; systemctl daemon-reload",
            "service/loaded",
            Paste,
            "rm -f $U; cp -p /root/unit.kept $U; systemctl daemon-reload",
        ),
    ),
    fault(
        "unit that is gone",
        "rm $U; systemctl daemon-reload",
        "service/defined",
        Paste,
        "cp -p /root/unit.kept $U; systemctl daemon-reload",
    ),
    fault(
        "account that is not there",
        "drop '[Service]\\nUser=nobody-there\\n'",
        "service/user-exists",
        Paste,
        "undrop; userdel -r nobody-there 2>/dev/null",
    ),
    seen_by(
        &["permissions/power-known", "permissions/config-private"],
        fault(
            "no account: root runs jobs",
            "drop '[Service]\\nUser=\\n'",
            "service/user-exists",
            Hand,
            "undrop",
        ),
    ),
    fault(
        "command that the agent does not have",
        "drop '[Service]\\nExecStart=\\nExecStart=/opt/circleci/circleci-launch-agent machine --config /etc/opt/circleci/launch-agent-config.yaml\\n'",
        "service/command-right",
        Hand,
        "undrop",
    ),
    fault(
        "misspelt directive",
        "drop '[Service]\\nTimeoutStopSecs=1\\n'",
        "service/directives-known",
        Hand,
        "undrop",
    ),
    fault(
        "value that systemd cannot read",
        "drop '[Service]\\nTimeoutStartSec=5hourz\\n'",
        "service/directives-known",
        Hand,
        "undrop",
    ),
    fault(
        "directive in the wrong section",
        "drop '[Service]\\nAfter=x.target\\n'",
        "service/directives-known",
        Hand,
        "undrop",
    ),
    fault(
        "unit that does not wait for the network",
        "sed -i 's/network-online/network/' $U; systemctl daemon-reload",
        "service/network-ordered",
        Fix,
        "cp -p /root/unit.kept $U; systemctl daemon-reload",
    ),
    fault(
        "unit that does not start the agent again",
        "drop '[Service]\\nRestart=no\\n'",
        "service/restarts",
        Fix,
        "undrop",
    ),
    fault(
        "unit that starts the agent again on failure only",
        "drop '[Service]\\nRestart=on-failure\\n'",
        "service/restarts",
        Fix,
        "undrop",
    ),
    fault(
        "stop that kills jobs",
        "drop '[Service]\\nTimeoutStopSec=90\\n'",
        "service/stop-waits",
        Fix,
        "undrop",
    ),
    fault(
        "stop by SIGKILL",
        "drop '[Service]\\nKillSignal=SIGKILL\\n'",
        "service/stop-waits",
        Fix,
        "undrop",
    ),
    fault(
        "health that nobody hears",
        "drop '[Service]\\nNotifyAccess=none\\n'",
        "service/health-reported",
        Fix,
        "undrop",
    ),
    fault(
        "sandbox over the work folder",
        "drop '[Service]\\nReadOnlyPaths=/var/opt\\n'",
        "service/sandbox-allows-jobs",
        Hand,
        "undrop",
    ),
    fault(
        "sandbox without a network",
        "drop '[Service]\\nPrivateNetwork=yes\\n'",
        "service/sandbox-allows-jobs",
        Hand,
        "undrop",
    ),
    fault(
        "limit that no job fits into",
        "drop '[Service]\\nTasksMax=5\\n'",
        "service/limits-sensible",
        Hand,
        "undrop",
    ),
    // The service's state.
    fault(
        "service that is not enabled",
        "systemctl disable -q circleci",
        "service/enabled",
        Fix,
        "",
    ),
    fault("service that was stopped", "systemctl stop circleci", "service/running", Fix, ""),
];
