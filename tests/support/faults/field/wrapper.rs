//! Programs and scripts in front of the agent.

use super::super::{Cure::Hand, Fault, Healthy, fault, form, saying, seen_by};

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // By hand: a command cannot write a person's script. As CircleCI's own container image starts it.
    saying(
        &["start.sh runs the agent without exec", "stop at bash", "/opt/circleci/start.sh:4"],
        fault(
            "start script that waits for the agent",
            "printf '#!/bin/bash\\nset -eu\\nexport LAUNCH_AGENT_API_AUTH_TOKEN=\"$(sed -n s/auth_token://p $0)\"\\n%s --config %s\\n' $B $C >/opt/circleci/start.sh
sed -i 's/^export.*/export CI_HOST=\"$(hostname)\"/' /opt/circleci/start.sh
chmod 755 /opt/circleci/start.sh
drop '[Service]\\nExecStart=\\nExecStart=/opt/circleci/start.sh\\n'; systemctl restart circleci; sleep 0.5",
            "service/command-right",
            Hand,
            "undrop; rm /opt/circleci/start.sh; systemctl restart circleci",
        ),
    ),
    // By hand, as above. No trap: the shell ends at TERM.
    saying(
        &["run starts the agent in the background", "stop at bash", "remove the &"],
        fault(
            "start script that waits for a background job",
            "printf '#!/bin/bash\\n%s --config %s &\\nwait $!\\n' $B $C >/opt/circleci/run; chmod 755 /opt/circleci/run
drop '[Service]\\nExecStart=\\nExecStart=/opt/circleci/run\\n'; systemctl restart circleci; sleep 0.5",
            "service/command-right",
            Hand,
            "undrop; rm /opt/circleci/run; systemctl restart circleci",
        ),
    ),
    // By hand: the rest of the line may be anything.
    saying(
        &["stop at flock", "--no-fork"],
        fault(
            "flock that waits for the agent",
            "drop \"[Service]\\nExecStart=\\nExecStart=/usr/bin/flock -n /run/lock/circleci $B --config $C\\nReadWritePaths=/run/lock\\n\"
touch /run/lock/circleci; chown circleci: /run/lock/circleci; systemctl restart circleci; sleep 0.5",
            "service/command-right",
            Hand,
            "undrop; systemctl restart circleci; rm -f /run/lock/circleci",
        ),
    ),
    saying(
        &["script passes TERM on and does not wait"],
        fault(
            "script that keeps a terminal for the agent",
            "drop \"[Service]\\nExecStart=\\nExecStart=/usr/bin/script -qc \\\"$B --config $C\\\" /dev/null\\n\"; systemctl restart circleci; sleep 0.5",
            "service/command-right",
            Hand,
            "undrop; systemctl restart circleci",
        ),
    ),
    saying(
        &["the health that the agent reports stops at timeout"],
        fault(
            "timeout that passes the signal on",
            "drop \"[Service]\\nExecStart=\\nExecStart=/usr/bin/timeout 30d $B --config $C\\n\"; systemctl restart circleci; sleep 0.5",
            "service/command-right",
            Hand,
            "undrop; systemctl restart circleci",
        ),
    ),
    // What the text alone tells, of a service that does not run.
    seen_by(
        &["service/running"],
        fault(
            "start script of a service that does not run",
            "printf '#!/bin/sh\\n%s --config %s\\n' $B $C >/opt/circleci/start.sh; chmod 755 /opt/circleci/start.sh
drop '[Service]\\nExecStart=\\nExecStart=/opt/circleci/start.sh\\n'; systemctl stop circleci",
            "service/command-right",
            Hand,
            "undrop; rm /opt/circleci/start.sh; systemctl restart circleci",
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    form(
        "another name for the agent's process",
        "drop \"[Service]\\nExecStart=\\nExecStart=@$B ci-agent --config $C\\n\"; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    // Neither the name of a unit nor an argument makes it an agent's.
    form(
        "units that clean up after agents and watch them",
        "printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c \"rm -rf /var/opt/circleci/none/*\"\\n' >/etc/systemd/system/circleci-cleanup.service
printf '[Service]\\nExecStart=/bin/sh -c \"pgrep -f circleci-launch-agent || systemctl restart circleci\"\\n' >/etc/systemd/system/ci-watchdog.service; systemctl daemon-reload",
        "rm /etc/systemd/system/circleci-cleanup.service /etc/systemd/system/ci-watchdog.service; systemctl daemon-reload",
    ),
    // As scripts of the time before systemd do it.
    form(
        "a script that leaves the agent in the background, and its number in a file",
        "printf '#!/bin/bash\\n%s --config %s &\\necho $! >/run/ci-agent/pid\\n' $B $C >/opt/circleci/run; chmod 755 /opt/circleci/run
drop '[Service]\\nType=forking\\nRuntimeDirectory=ci-agent\\nPIDFile=/run/ci-agent/pid\\nExecStart=\\nExecStart=/opt/circleci/run\\n'; systemctl restart circleci",
        "undrop; rm /opt/circleci/run; systemctl restart circleci",
    ),
    // As entry points of public container images do it.
    form(
        "a script that passes TERM on to the agent in the background",
        "printf '#!/bin/bash\\n%s --config %s & pid=$!\\ntrap \"kill -TERM $pid\" TERM\\nwait $pid\\nwait $pid\\n' $B $C >/opt/circleci/run; chmod 755 /opt/circleci/run
drop '[Service]\\nNotifyAccess=all\\nExecStart=\\nExecStart=/opt/circleci/run\\n'; systemctl restart circleci; sleep 0.5",
        "undrop; rm /opt/circleci/run; systemctl restart circleci",
    ),
    form(
        "env in front of the agent",
        "drop \"[Service]\\nExecStart=\\nExecStart=/usr/bin/env CI_HOST=web-1 $B --config $C\\n\"; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    form(
        "bash -c with exec",
        "drop \"[Service]\\nExecStart=\\nExecStart=/bin/bash -c \\\"exec $B --config $C\\\"\\n\"; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    form(
        "login shell that makes way for its only command",
        "drop \"[Service]\\nExecStart=\\nExecStart=/bin/bash -lc '$B --config $C'\\n\"; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    form(
        "nice, ionice and setpriv in a row",
        "drop \"[Service]\\nExecStart=\\nExecStart=/usr/bin/nice -n 1 ionice -c 2 setpriv --inh-caps=-all $B --config $C\\n\"; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    form(
        "flock in the agent's own process",
        "drop \"[Service]\\nExecStart=\\nExecStart=/usr/bin/flock --no-fork -n /run/lock/circleci $B --config $C\\n\"
touch /run/lock/circleci; chown circleci: /run/lock/circleci; systemctl restart circleci",
        "undrop; systemctl restart circleci; rm -f /run/lock/circleci",
    ),
    form(
        "configuration by a variable of an environment file",
        "echo CONFIG=$C >/etc/default/circleci
drop \"[Service]\\nEnvironmentFile=/etc/default/circleci\\nExecStart=\\nExecStart=$B --config \\${CONFIG}\\n\"; systemctl restart circleci",
        "undrop; rm /etc/default/circleci; systemctl restart circleci",
    ),
    form(
        "start script that reads settings and makes way",
        "echo CONFIG=$C >/etc/default/circleci
printf '#!/bin/sh\\nset -a\\n. /etc/default/circleci\\nset +a\\nHERE=$(cd \"$(dirname \"$0\")\" && pwd)\\nexec nice \"$HERE/circleci-launch-agent\" --config \"${CONFIG:-/none}\" \"$@\"\\n' >/opt/circleci/run; chmod 755 /opt/circleci/run
drop '[Service]\\nExecStart=\\nExecStart=/opt/circleci/run\\n'; systemctl restart circleci",
        "undrop; rm /etc/default/circleci /opt/circleci/run; systemctl restart circleci",
    ),
    // Its text is no shell's: the process tells.
    form(
        "start program whose text is not a shell's",
        "printf '#!/usr/bin/perl\\nexec \"%s\", \"--config\", \"%s\";\\n' $B $C >/opt/circleci/run; chmod 755 /opt/circleci/run
drop '[Service]\\nExecStart=\\nExecStart=/opt/circleci/run\\n'; systemctl restart circleci",
        "undrop; rm /opt/circleci/run; systemctl restart circleci",
    ),
];
