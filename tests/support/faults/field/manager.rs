//! What the manager made of the text of units and variables.

use super::super::{Cure, Fault, Healthy, fault, form, saying, seen_by};

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // As a .env file of docker compose has it, which expands what systemd does not.
    saying(
        &["LAUNCH_AGENT_RUNNER_WORK_DIR holds $BASE as it is"],
        fault(
            "environment file whose values name another of its variables",
            "printf 'BASE=/var/opt/circleci\\nLAUNCH_AGENT_RUNNER_WORK_DIR=$BASE/workdir\\nTMPDIR=$BASE/tmp\\n' >/etc/default/circleci
drop '[Service]\\nEnvironmentFile=/etc/default/circleci\\n'; systemctl restart circleci",
            "service/lines-as-meant",
            Cure::Hand,
            "undrop; rm /etc/default/circleci; systemctl restart circleci",
        ),
    ),
    // A password of a proxy as a browser's address bar has it: docker's documents and several issue
    // threads of systemd, podman and docker.
    saying(
        &["systemd drops HTTPS_PROXY", "%%40", "90-fault.conf:2"],
        fault(
            "a percent sign in a proxy's password",
            "drop '[Service]\\nEnvironment=\"HTTPS_PROXY=http://svc:p%%40ss@127.0.0.1:3128\"\\n'; \
             systemctl restart circleci",
            "service/lines-as-meant",
            Cure::Paste,
            "undrop; systemctl restart circleci",
        ),
    ),
    // The same with a letter that is a specifier: nothing is dropped, and the login is another one.
    saying(
        &["the folder of caches", "%%C"],
        fault(
            "an escaped letter in a proxy's password that is a specifier",
            "drop '[Service]\\nEnvironment=HTTP_PROXY=http://svc:p%%C3%%A4@127.0.0.1:3128\\n'; \
             systemctl restart circleci",
            "service/lines-as-meant",
            Cure::Paste,
            "undrop; systemctl restart circleci",
        ),
    ),
    // The value that the official container image sets, moved into a unit.
    seen_by(
        &["config/environment-overrides"],
        saying(
            &["the shell of root", "/bin/bash", "%%s"],
            fault(
                "the agent's own %s in a unit",
                "drop '[Service]\\nEnvironment=LAUNCH_AGENT_RUNNER_WORK_DIR=/var/opt/circleci/workdir/%%s\\n'; \
                 systemctl restart circleci",
                "service/lines-as-meant",
                Cure::Paste,
                "undrop; systemctl restart circleci",
            ),
        ),
    ),
    saying(
        &["it begins with export", "ci.env:1"],
        fault(
            "an environment file written for a shell",
            "printf 'export HTTP_PROXY=http://127.0.0.1:3128\\nexport NO_PROXY=localhost\\n' >/etc/ci.env; \
             drop '[Service]\\nEnvironmentFile=/etc/ci.env\\n'; systemctl restart circleci",
            "service/lines-as-meant",
            Cure::Paste,
            "undrop; systemctl restart circleci; rm /etc/ci.env",
        ),
    ),
    saying(
        &["NO_PROXY is cut at the blank", "localhost,", "quote the whole assignment"],
        fault(
            "an assignment with blanks and no quotes",
            "drop '[Service]\\nEnvironment=NO_PROXY=localhost, 10.0.0.0/8, .corp.example HTTP_PROXY=http://127.0.0.1:3128\\n'; \
             systemctl restart circleci",
            "service/lines-as-meant",
            Cure::Paste,
            "undrop; systemctl restart circleci",
        ),
    ),
    seen_by(
        &["host/job-tools"],
        saying(
            &["PATH holds $PATH as it is"],
            fault(
                "a PATH that is to be extended",
                "drop '[Service]\\nEnvironment=PATH=$PATH:/opt/tools/bin\\n'; systemctl restart circleci",
                "service/lines-as-meant",
                Cure::Paste,
                "undrop; systemctl restart circleci",
            ),
        ),
    ),
    saying(
        &["/usr/bin/", "PATH=/opt/tools/bin is set at"],
        fault(
            "a PATH without the system's folders",
            "drop '[Service]\\nEnvironment=PATH=/opt/tools/bin\\n'; systemctl restart circleci",
            "host/job-tools",
            Cure::Hand,
            "undrop; systemctl restart circleci",
        ),
    ),
    saying(
        &["systemd knows no comment at the end of a line"],
        fault(
            "a comment behind the account",
            "sed -i 's/^User=circleci$/User=circleci # the jobs run as this/' $U; \
             systemctl daemon-reload; systemctl restart circleci || :",
            "service/lines-as-meant",
            Cure::Paste,
            "cp -p /root/unit.kept $U; systemctl daemon-reload; systemctl reset-failed circleci; \
             systemctl restart circleci",
        ),
    ),
    // Answers about units that "do not restart", where the word was followed by a remark.
    seen_by(
        &["service/stop-waits"],
        saying(
            &["systemd knows no comment at the end of a line", "TimeoutStopSec="],
            fault(
                "a comment behind the time for a stop",
                "sed -i 's/^TimeoutStopSec=.*/& # five hours/' $U; systemctl daemon-reload",
                "service/lines-as-meant",
                Cure::Paste,
                "cp -p /root/unit.kept $U; systemctl daemon-reload",
            ),
        ),
    ),
    saying(
        &["take the quotes away"],
        fault(
            "the whole command in quotes",
            "sed -i -E 's/^ExecStart=(.*)/ExecStart=\"\\1\"/' $U; systemctl daemon-reload; \
             systemctl restart circleci || :",
            "service/lines-as-meant",
            Cure::Paste,
            "cp -p /root/unit.kept $U; systemctl daemon-reload; systemctl reset-failed circleci; \
             systemctl restart circleci",
        ),
    ),
    // A redirection behind the command, as in a crontab.
    saying(
        &["no shell runs the command"],
        fault(
            "a redirection behind the command",
            "sed -i -E 's,^ExecStart=.*,& >>/var/log/ci.log 2>\\&1,' $U; systemctl daemon-reload",
            "service/lines-as-meant",
            Cure::Hand,
            "cp -p /root/unit.kept $U; systemctl daemon-reload; systemctl restart circleci",
        ),
    ),
    // A baseline for all services of the host.
    saying(
        &["after 30 s", "/etc/systemd/system/service.d/10-ci.conf:2"],
        fault(
            "a short stop for all services",
            "mkdir -p /etc/systemd/system/service.d; \
             printf '[Service]\\nTimeoutStopSec=30\\n' >/etc/systemd/system/service.d/10-ci.conf; \
             sed -i '/^TimeoutStopSec/d' $U; systemctl daemon-reload",
            "service/stop-waits",
            Cure::Fix,
            "rm -r /etc/systemd/system/service.d; undrop; cp -p /root/unit.kept $U; \
             systemctl daemon-reload",
        ),
    ),
    saying(
        &["after 20 s", "system.conf.d/ci.conf:2"],
        fault(
            "a short stop by systemd's own configuration",
            "mkdir -p /etc/systemd/system.conf.d; \
             printf '[Manager]\\nDefaultTimeoutStopSec=20\\n' >/etc/systemd/system.conf.d/ci.conf; \
             sed -i '/^TimeoutStopSec/d' $U; systemctl daemon-reexec",
            "service/stop-waits",
            Cure::Fix,
            "rm -r /etc/systemd/system.conf.d; undrop; cp -p /root/unit.kept $U; \
             systemctl daemon-reexec",
        ),
    ),
    saying(
        &["TasksMax=15", "system.conf.d/ci.conf:2"],
        fault(
            "few processes by systemd's own configuration",
            "mkdir -p /etc/systemd/system.conf.d; \
             printf '[Manager]\\nDefaultTasksMax=15\\n' >/etc/systemd/system.conf.d/ci.conf; \
             systemctl daemon-reexec",
            "service/limits-sensible",
            Cure::Hand,
            "rm -r /etc/systemd/system.conf.d; systemctl daemon-reexec",
        ),
    ),
    // Image builders set a proxy for all services there.
    saying(
        &["system.conf.d/ci.conf:2"],
        fault(
            "a list of exemptions by systemd's own configuration",
            "mkdir -p /etc/systemd/system.conf.d; \
             printf '[Manager]\\nDefaultEnvironment=\"NO_PROXY=https://ci.example\"\\n' >/etc/systemd/system.conf.d/ci.conf; \
             systemctl daemon-reexec; systemctl restart circleci",
            "connectivity/no-proxy-sane",
            Cure::Hand,
            "rm -r /etc/systemd/system.conf.d; systemctl daemon-reexec; systemctl restart circleci",
        ),
    ),
    saying(
        &["systemctl show-environment"],
        fault(
            "a list of exemptions set by systemctl",
            "systemctl set-environment NO_PROXY=https://ci.example; systemctl restart circleci",
            "connectivity/no-proxy-sane",
            Cure::Hand,
            "systemctl unset-environment NO_PROXY; systemctl restart circleci",
        ),
    ),
    saying(
        &["MemoryMax=256M of ci.slice", "/etc/systemd/system/ci.slice"],
        fault(
            "a slice with limits",
            "printf '[Slice]\\nMemoryMax=256M\\n' >/etc/systemd/system/ci.slice; \
             drop '[Service]\\nSlice=ci-builds.slice\\n'; systemctl restart circleci",
            "service/limits-sensible",
            Cure::Paste,
            "undrop; systemctl restart circleci; rm /etc/systemd/system/ci.slice; \
             rm -r /etc/systemd/system.control; systemctl daemon-reload",
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    form(
        "account that is given by its number",
        "drop \"[Service]\\nUser=$(id -u circleci)\\n\"; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    Healthy {
        // systemd says so of each line, whatever comes later.
        but: &["service/directives-known"],
        ..form(
        "lines that a later drop-in takes back",
        "drop '[Service]\\nEnvironment=HTTPS_PROXY=http://a b\\nKillMode=mixed # jobs\\n'
printf '[Service]\\nEnvironment=\\nKillMode=mixed\\n' >$U.d/95-more.conf; systemctl daemon-reload; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    )
    },
    form(
        "variables from systemd's own configuration",
        "mkdir -p /etc/systemd/system.conf.d; \
         printf '[Manager]\\nDefaultEnvironment=\"TZ=UTC\" LC_ALL=C.UTF-8\\n' >/etc/systemd/system.conf.d/ci.conf; \
         systemctl daemon-reexec; systemctl restart circleci",
        "rm -r /etc/systemd/system.conf.d; systemctl daemon-reexec; systemctl restart circleci",
    ),
    // Each is right: doubled signs, quotes, a specifier that is meant, a pattern of files.
    form(
        "values that systemd takes as they are meant",
        "printf '# x\\nTZ=UTC\\nGREETING=\"a # b\"\\n' >/etc/ci-1.env; \
         drop '[Service]\\nEnvironment=\"GREETING=a b\" HOST=%%H SHARE=100%%%%\\nEnvironmentFile=-/etc/ci-*.env\\n'; \
         systemctl restart circleci",
        "undrop; systemctl restart circleci; rm /etc/ci-1.env",
    ),
    // An administrator takes a drop-in of a package away.
    form(
        "a drop-in that is masked",
        "mkdir -p /usr/lib/systemd/system/circleci.service.d $U.d; \
         printf '[Service]\\nUser=root\\n' >/usr/lib/systemd/system/circleci.service.d/10-x.conf; \
         ln -s /dev/null $U.d/10-x.conf; systemctl daemon-reload",
        "rm -r /usr/lib/systemd/system/circleci.service.d; undrop",
    ),
    // A hardened form with a lot of drop-ins for prefixes and all services.
    form(
        "drop-ins of several folders",
        "mkdir -p /etc/systemd/system/service.d; \
         printf '[Service]\\nTimeoutStopSec=30\\n' >/etc/systemd/system/service.d/10-base.conf; \
         drop '[Service]\\nTimeoutStopSec=18300\\n'",
        "rm -r /etc/systemd/system/service.d; undrop",
    ),
];
