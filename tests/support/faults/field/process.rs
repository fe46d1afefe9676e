//! Who runs the agent: the process is the witness.

use super::super::{
    Cure::{Hand, Paste},
    Fault, Healthy, fault, form, saying,
};

/// A configuration of its own for an agent called `$1`, in `/etc/opt/$1/c.yaml`, and `unit NAME`, the
/// unit of the default instance with another command.
macro_rules! beside {
    ($script:literal) => {
        concat!(
            "own() {
    mkdir -p /etc/opt/$1 /var/opt/$1; install -d -o circleci -g circleci -m 750 /var/opt/$1/workdir
    sed -E -e \"s|name: .*|name: $1|\" -e \"s|/var/opt/circleci/|/var/opt/$1/|\" $C >/etc/opt/$1/c.yaml
    chown circleci: /etc/opt/$1/c.yaml; chmod 600 /etc/opt/$1/c.yaml
}
unit() { sed -e \"s|^ExecStart=.*|ExecStart=$2|\" $U >/etc/systemd/system/$1; systemctl daemon-reload; }
",
            $script
        )
    };
}

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // By hand: what was started by another program is to be started by another service.
    saying(
        &["supervisord runs it", "stopwaitsecs"],
        fault(
            "agent below supervisord",
            beside!(
                "own ci-sup; cp /bin/bash /usr/local/bin/supervisord
setsid /usr/local/bin/supervisord -c \"setpriv --reuid circleci --regid circleci --init-groups $B --config /etc/opt/ci-sup/c.yaml; true\" >/dev/null 2>&1 &
sleep 0.7"
            ),
            "agent/no-strays",
            Hand,
            "for pid in $(pidof circleci-launch-agent); do tr '\\0' ' ' </proc/$pid/cmdline | grep -q ci-sup && kill -9 $pid; done
sleep 0.3; rm -r /usr/local/bin/supervisord /etc/opt/ci-sup /var/opt/ci-sup",
        ),
    ),
    // By hand: a command cannot know whether the account is to keep it.
    saying(
        &["circleci.service of circleci's own systemd runs it", "linger is off"],
        fault(
            "unit of a user's own systemd",
            // Without the module of PAM by which logind starts it, which is not on the host.
            beside!(
                "own ci-own; N=$(id -u circleci); R=/run/user/$N; P=/etc/systemd/system/user@.service.d
mkdir $P; printf '[Service]\\nPAMName=\\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\\n' >$P/a.conf; systemctl daemon-reload
install -d -o circleci -g circleci -m 700 $R /home/circleci/.config; mkdir -p /home/circleci/.config/systemd/user
printf '[Service]\\nExecStart=%s --config /etc/opt/ci-own/c.yaml\\n' $B >/home/circleci/.config/systemd/user/circleci.service
systemctl start user@$N; setpriv --reuid circleci --regid circleci --init-groups env HOME=/home/circleci XDG_RUNTIME_DIR=$R systemctl --user start circleci; sleep 0.5"
            ),
            "agent/no-strays",
            Hand,
            "systemctl stop user@$(id -u circleci); rm -r /etc/systemd/system/user@.service.d /home/circleci/.config /etc/opt/ci-own /var/opt/ci-own; systemctl daemon-reload",
        ),
    ),
    saying(
        &["systemd reads files whose names end in .service only"],
        fault(
            "unit file that an editor has given another name",
            "systemctl stop circleci; mv $U $U.txt; systemctl daemon-reload",
            "service/defined",
            Paste,
            "",
        ),
    ),
];

/// A host of tests resolves no names, and agents that are not installed by this program take their
/// versions from the public bucket.
const NAMES: &[&str] = &["connectivity/names-resolve"];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    Healthy {
        says: &["circleci@3.service does not start with the host", "/etc/opt/circleci-3/c.yaml"],
        but: &["connectivity/names-resolve", "service/enabled"],
        ..form(
            "instance of a template that was only started",
            beside!(
                "own circleci-3; unit circleci@.service \"$B --config /etc/opt/circleci-%i/c.yaml\"
systemctl start circleci@3"
            ),
            "systemctl stop circleci@3; rm -r /etc/systemd/system/circleci@* /etc/opt/circleci-3 /var/opt/circleci-3; systemctl daemon-reload",
        )
    },
    Healthy {
        but: NAMES,
        says: &["found: default, circleci@1, circleci@2", "/etc/opt/circleci-2/c.yaml"],
        ..form(
            "two instances of a template",
            beside!(
                "own circleci-1; own circleci-2
unit circleci@.service \"$B --config /etc/opt/circleci-%i/c.yaml\"; systemctl enable -q --now circleci@1 circleci@2"
            ),
            "systemctl disable -q --now circleci@1 circleci@2
rm -r /etc/systemd/system/circleci@* /etc/opt/circleci-? /var/opt/circleci-?; systemctl daemon-reload",
        )
    },
    Healthy {
        but: NAMES,
        says: &["ci-worker.service in /etc/systemd/system/ci-worker.service", "/etc/opt/ci-worker/c.yaml"],
        ..form(
            "unit of another name whose script makes way for the agent",
            beside!(
                "own ci-worker; printf '#!/bin/sh\\nexec %s --config /etc/opt/ci-worker/c.yaml\\n' $B >/usr/local/bin/start-ci.sh
chmod 755 /usr/local/bin/start-ci.sh; unit ci-worker.service /usr/local/bin/start-ci.sh; systemctl enable -q --now ci-worker"
            ),
            "systemctl disable -q --now ci-worker; rm -r /etc/systemd/system/ci-worker.service /usr/local/bin/start-ci.sh /etc/opt/ci-worker /var/opt/ci-worker; systemctl daemon-reload",
        )
    },
    // systemd-sysv-generator makes such a unit of a script of System V; it is not on the host. Its
    // text does not say what the script does, which has neither a restart nor a time to stop.
    Healthy {
        but: &[
            "connectivity/names-resolve",
            "service/network-ordered",
            "service/restarts",
            "service/stop-waits",
            "service/health-reported",
            "service/oom-spares-agent",
        ],
        says: &["circleci-old.service in /run/systemd/generator.late/circleci-old.service"],
        ..form(
            "script of System V",
            beside!(
                "own ci-old; cat >/etc/init.d/circleci-old <<EOF
#!/bin/sh
start-stop-daemon --\\$1 --background --make-pidfile --pidfile /run/ci-old.pid --chuid circleci --exec $B -- --config /etc/opt/ci-old/c.yaml
EOF
mkdir -p /etc/systemd/system-generators; cat >/etc/systemd/system-generators/sysv <<'EOF'
#!/bin/sh
mkdir -p $3/multi-user.target.wants; ln -s ../circleci-old.service $3/multi-user.target.wants
printf '[Unit]\\nSourcePath=/etc/init.d/circleci-old\\n[Service]\\nType=forking\\nRestart=no\\nTimeoutSec=5min\\nKillMode=process\\nGuessMainPID=no\\nRemainAfterExit=yes\\nExecStart=/etc/init.d/circleci-old start\\nExecStop=/etc/init.d/circleci-old stop\\n' >$3/circleci-old.service
EOF
chmod 755 /etc/init.d/circleci-old /etc/systemd/system-generators/sysv; systemctl daemon-reload; systemctl start circleci-old; sleep 0.5"
            ),
            "systemctl stop circleci-old; kill -9 $(cat /run/ci-old.pid) 2>/dev/null || true; sleep 0.3; rm -r /etc/systemd/system-generators /etc/init.d/circleci-old /etc/opt/ci-old /var/opt/ci-old; systemctl daemon-reload",
        )
    },
    Healthy {
        but: NAMES,
        says: &["build.service in /etc/systemd/system/build.service", "/etc/opt/ci-build/c.yaml"],
        ..form(
            "unit of another name whose program is no shell's script",
            beside!(
                "own ci-build; printf '#!/usr/bin/perl\\nexec \"%s\", \"--config\", \"/etc/opt/ci-build/c.yaml\";\\n' $B >/usr/local/bin/start-ci
chmod 755 /usr/local/bin/start-ci; unit build.service /usr/local/bin/start-ci; systemctl enable -q --now build"
            ),
            "systemctl disable -q --now build; rm -r /etc/systemd/system/build.service /usr/local/bin/start-ci /etc/opt/ci-build /var/opt/ci-build; systemctl daemon-reload",
        )
    },
];
