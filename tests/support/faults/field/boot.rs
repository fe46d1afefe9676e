//! Whether the next boot starts the agent.

use super::super::{Cure, Fault, Healthy, fault, form, saying};

/// The unit as it was, enabled as it was.
const BACK: &str = "
systemctl disable circleci 2>/dev/null || true
rm -rf /etc/systemd/system/*.target.wants/circleci.service /etc/systemd/system/mutli-user.target.wants
rm -f /run/systemd/system/*.wants/circleci.service
cp -p /root/unit.kept $U; undrop; systemctl enable circleci
";

/// With a service that a package brings.
macro_rules! with_docker {
    ($text:literal) => {
        concat!(
            "printf '[Unit]\\nDescription=stand-in\\n[Service]\\nExecStart=/bin/sleep infinity\\n\
             [Install]\\nWantedBy=multi-user.target\\n' >/usr/lib/systemd/system/docker.service\n\
             systemctl daemon-reload\n",
            $text
        )
    };
}

/// Without that service.
const NO_DOCKER: &str = "
systemctl disable --now docker 2>/dev/null || true; systemctl unmask docker 2>/dev/null || true
rm -f /usr/lib/systemd/system/docker.service; undrop; systemctl reset-failed circleci 2>/dev/null || true
";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    saying(
        &["mutli-user.target, which does not exist", "did you mean multi-user.target?"],
        fault(
            "enabled for a target with a slip in its name",
            "sed -i 's/^WantedBy.*/WantedBy=mutli-user.target/' $U; systemctl daemon-reload
             systemctl reenable circleci",
            "service/enabled",
            Cure::Paste,
            BACK,
        ),
    ),
    // Copied from a desktop to a server.
    saying(
        &["graphical.target, which is not part of this boot"],
        fault(
            "enabled for a target that a server does not reach",
            "systemctl set-default multi-user.target
             sed -i 's/^WantedBy.*/WantedBy=graphical.target/' $U; systemctl daemon-reload
             systemctl reenable circleci",
            "service/enabled",
            Cure::Paste,
            concat!(
                "systemctl set-default graphical.target\n",
                "systemctl disable circleci; rm -f /etc/systemd/system/*.wants/circleci.service\n",
                "cp -p /root/unit.kept $U; undrop; systemctl enable circleci"
            ),
        ),
    ),
    saying(
        &["until the next boot only"],
        fault(
            "enabled at run time only",
            "systemctl disable circleci; systemctl enable --runtime circleci",
            "service/enabled",
            Cure::Fix,
            BACK,
        ),
    ),
    saying(
        &["nothing starts circleci.service at the next boot"],
        fault(
            "a unit without [Install]",
            "systemctl disable circleci; sed -i '/^.Install/,$d' $U; systemctl daemon-reload",
            "service/enabled",
            Cure::Paste,
            BACK,
        ),
    ),
    // The remedy cannot know what Docker is to be installed from.
    saying(
        &["requires docker.service, which does not exist"],
        fault(
            "Requires= of a service that was never installed",
            "drop '[Unit]\\nRequires=docker.service\\nAfter=docker.service\\n'",
            "service/requirements-met",
            Cure::Hand,
            "undrop",
        ),
    ),
    saying(
        &["requires docker.service, which is masked"],
        fault(
            "Requires= of a masked service",
            with_docker!(
                "drop '[Unit]\\nRequires=docker.service\\nAfter=docker.service\\n'
                 systemctl mask docker"
            ),
            "service/requirements-met",
            Cure::Paste,
            NO_DOCKER,
        ),
    ),
    // A line of a unit that is taken back by no drop-in.
    saying(
        &["stop whenever docker.service stops"],
        fault(
            "BindsTo= of a service that upgrades stop",
            with_docker!(
                "systemctl start docker; drop '[Unit]\\nBindsTo=docker.service\\nAfter=docker.service\\n'"
            ),
            "service/requirements-met",
            Cure::Hand,
            NO_DOCKER,
        ),
    ),
    // The same.
    saying(
        &["docker.service, which the boot starts too"],
        fault(
            "Conflicts= with a service of the same boot",
            with_docker!("systemctl enable docker; drop '[Unit]\\nConflicts=docker.service\\n'"),
            "service/enabled",
            Cure::Hand,
            NO_DOCKER,
        ),
    ),
    // The same.
    saying(
        &["circleci.service starts after graphical.target"],
        fault(
            "an ordering cycle by way of the graphical target",
            "systemctl set-default graphical.target; drop '[Unit]\\nAfter=graphical.target\\n'",
            "service/enabled",
            Cure::Hand,
            "undrop",
        ),
    ),
    // Whether the file is to be made or the condition to go is not known.
    saying(
        &["/srv/agent-enabled is not there"],
        fault(
            "a condition that does not hold",
            "drop '[Unit]\\nConditionPathExists=/srv/agent-enabled\\n'",
            "service/enabled",
            Cure::Hand,
            "undrop",
        ),
    ),
    // Whether the disk is to be mounted by all boots is not known.
    saying(
        &["the boot does not mount /var/opt/circleci"],
        fault(
            "the work folder on a disk that a person mounts",
            "echo '/dev/sdz1 /var/opt/circleci xfs noauto 0 0' >>/etc/fstab",
            "service/enabled",
            Cure::Hand,
            "sed -i '/sdz1/d' /etc/fstab",
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    // As units for `systemctl --user` have it, and tutorials for both.
    form(
        "enabled for default.target",
        "systemctl disable circleci; sed -i 's/^WantedBy=.*/WantedBy=default.target/' $U
systemctl daemon-reload; systemctl enable circleci; systemctl restart circleci",
        "systemctl disable circleci; cp -p /root/unit.kept $U; systemctl daemon-reload
systemctl enable circleci; systemctl restart circleci",
    ),
    // As an image's own packages have it: a link in /usr/lib, and no [Install] that is heeded.
    form(
        "wanted by a link of its package",
        "systemctl disable circleci; mv $U /usr/lib/systemd/system/; mkdir -p /usr/lib/systemd/system/multi-user.target.wants
ln -s ../circleci.service /usr/lib/systemd/system/multi-user.target.wants/; systemctl daemon-reload; systemctl restart circleci",
        "rm /usr/lib/systemd/system/multi-user.target.wants/circleci.service /usr/lib/systemd/system/circleci.service
cp -p /root/unit.kept $U; systemctl daemon-reload; systemctl enable circleci; systemctl restart circleci",
    ),
    form(
        "started by a timer, not by a target",
        "systemctl disable circleci
         printf '[Timer]\\nOnBootSec=5s\\n[Install]\\nWantedBy=timers.target\\n' >/etc/systemd/system/circleci.timer
         systemctl daemon-reload; systemctl enable circleci.timer",
        "systemctl disable circleci.timer; rm -f /etc/systemd/system/circleci.timer
         systemctl daemon-reload; systemctl enable circleci",
    ),
    form(
        "wants and orders of units that are not there",
        "drop '[Unit]\\nWants=docker.service chrony.service\\nAfter=docker.service cloud-final.service\\nConflicts=rescue.service\\n'",
        "undrop",
    ),
    form(
        "a requirement that is there, and conditions that hold",
        with_docker!(
            "drop '[Unit]\\nRequires=docker.service\\nAfter=docker.service\\n\
             ConditionPathExists=/opt/circleci\\nConditionPathExists=!/etc/no-agent\\n'"
        ),
        NO_DOCKER,
    ),
    form(
        "a mount that the unit itself requires",
        "echo '/dev/sdz1 /var/opt/circleci xfs noauto 0 0' >>/etc/fstab
         drop '[Unit]\\nRequiresMountsFor=/var/opt/circleci\\n'",
        "sed -i '/sdz1/d' /etc/fstab; undrop",
    ),
    form(
        "enabled by another name",
        "sed -i 's/^WantedBy.*/&\\nAlias=ci-agent.service/' $U; systemctl daemon-reload
         systemctl reenable circleci",
        "systemctl disable circleci; rm -f /etc/systemd/system/ci-agent.service
         cp -p /root/unit.kept $U; undrop; systemctl enable circleci",
    ),
];
