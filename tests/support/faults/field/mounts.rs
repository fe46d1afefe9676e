//! Mounts under what the agent and its jobs write to.

use super::super::{
    Cure::{Hand, Paste},
    Fault, Healthy, fault, form, saying, seen_by,
};

const WORK: &str = "permissions/workdir-usable";

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[
    // Only an administrator decides on the sandbox of a unit.
    saying(
        &[
            "the home folder /home/circleci",
            "ProtectHome= puts an empty folder over it",
            "90-fault.conf:2",
        ],
        fault(
            "sandbox: home that is empty for the agent",
            "drop '[Service]\\nProtectHome=tmpfs\\n'; systemctl restart circleci",
            "service/sandbox-allows-jobs",
            Hand,
            "undrop; systemctl restart circleci",
        ),
    ),
    // The same, and what such an account implies besides.
    saying(
        &["read-only for jobs", "DynamicUser=yes, which implies ProtectSystem=", "RemoveIPC=yes"],
        fault(
            "sandbox: account that systemd makes for each start",
            "drop '[Service]\\nDynamicUser=yes\\n'; systemctl restart circleci",
            "service/sandbox-allows-jobs",
            Hand,
            "undrop; systemctl restart circleci",
        ),
    ),
    // What `errors=remount-ro` leaves, without a disk that fails.
    saying(
        &["mounted read-only", "/var/opt/circleci is mounted with"],
        fault(
            "mount: work folder that went read-only",
            "mount -t tmpfs -o mode=755 tmpfs /var/opt/circleci; mkdir $W; chown circleci: $W; mount -o remount,ro /var/opt/circleci",
            WORK,
            Paste,
            "umount /var/opt/circleci",
        ),
    ),
    saying(
        &["noexec", "scripts of the checkout"],
        fault(
            "mount: work folder without programs",
            "mount -t tmpfs -o noexec,mode=755 tmpfs /var/opt/circleci; mkdir $W; chown circleci: $W",
            WORK,
            Paste,
            "umount /var/opt/circleci",
        ),
    ),
    saying(
        &["noexec", "/home is mounted"],
        fault(
            "mount: home without programs",
            "mount -t tmpfs -o noexec,mode=755 tmpfs /home; mkdir /home/circleci; chown circleci: /home/circleci",
            "permissions/home-usable",
            Paste,
            "umount /home",
        ),
    ),
    saying(
        &["the home folder /home/circleci is on a file system that is mounted read-only"],
        fault(
            "mount: home that is a read-only bind mount",
            "mount --bind /home/circleci /home/circleci; mount -o remount,bind,ro /home/circleci",
            "permissions/home-usable",
            Paste,
            "umount /home/circleci",
        ),
    ),
    // systemd-analyze, which is asked what it objects to, wants to write there too.
    seen_by(
        &["service/directives-known"],
        saying(
            &["the temporary folder /tmp is on a file system that is mounted read-only"],
            fault(
                "mount: temporary folder that is read-only",
                "mount -t tmpfs -o mode=1777 tmpfs /tmp; mount -o remount,ro /tmp",
                "permissions/temporary-folder-usable",
                Paste,
                "umount /tmp",
            ),
        ),
    ),
    saying(
        &["/etc/fstab:", "is not mounted"],
        fault(
            "mount: disk of the work folder that is not mounted",
            "cp -p /etc/fstab /root/fstab.kept; echo \"tmpfs $W tmpfs nofail,mode=750,uid=circleci,gid=circleci\" >>/etc/fstab",
            "permissions/folders-mounted",
            Paste,
            "umount $W; cat /root/fstab.kept >/etc/fstab",
        ),
    ),
    saying(
        &["circleci-plugin.sock", "belongs to root"],
        fault(
            "socket that an agent of root left in /tmp",
            "touch /tmp/circleci-plugin.sock",
            "permissions/job-sockets-free",
            Paste,
            "rm -f /tmp/circleci-plugin.sock",
        ),
    ),
    // What was mounted there before counts no more.
    seen_by(
        &[],
        fault(
            "mount: read-only file system over the folder above",
            "mount -t tmpfs -o mode=755 tmpfs $W; mount -t tmpfs -o mode=755 tmpfs /var/opt/circleci; mkdir $W; chown circleci: $W; mount -o remount,ro /var/opt/circleci",
            WORK,
            Paste,
            "umount /var/opt/circleci; umount $W",
        ),
    ),
];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[
    form(
        "work folder on a disk of its own, in fstab",
        "cp -p /etc/fstab /root/fstab.kept; echo \"tmpfs $W tmpfs nosuid,nodev,mode=750,uid=circleci,gid=circleci\" >>/etc/fstab; echo 'tmpfs /srv/later tmpfs noauto' >>/etc/fstab; mount $W",
        "umount $W; cat /root/fstab.kept >/etc/fstab",
    ),
    form(
        "read-only mounts beside, and one that another hides",
        "mkdir /srv/ro; mount -t tmpfs -o ro tmpfs /srv/ro; mount -t tmpfs -o ro,mode=755 tmpfs /var/opt/circleci; mount -t tmpfs -o mode=755 tmpfs /var/opt/circleci; mkdir $W; chown circleci: $W",
        "umount /var/opt/circleci; umount /var/opt/circleci; umount /srv/ro; rmdir /srv/ro",
    ),
    // systemd.exec(5) names this way to show a service its own home alone.
    form(
        "a closed sandbox with what jobs need in it",
        "drop '[Service]\\nProtectSystem=strict\\nProtectHome=tmpfs\\nPrivateTmp=yes\\nBindPaths=/home/circleci\\nReadWritePaths=/var/opt/circleci -/var/log\\n'; systemctl restart circleci",
        "undrop; systemctl restart circleci",
    ),
    form(
        "a temporary folder of its own, and a socket of another in /tmp",
        "touch /tmp/circleci-ts.sock; drop '[Service]\\nPrivateTmp=yes\\n'; systemctl restart circleci",
        "rm /tmp/circleci-ts.sock; undrop; systemctl restart circleci",
    ),
];
