//! Faults of the host, its accounts, and what jobs left.

use super::{Cure::Hand, Fault, fault};

/// A part of the table.
pub const FAULTS: &[Fault] = &[
    // The account.
    fault(
        "account in the docker group",
        "groupadd docker; gpasswd -a circleci docker >/dev/null",
        "permissions/power-known",
        Hand,
        "groupdel docker",
    ),
    fault(
        "account without its home",
        "mv /home/circleci /home/away",
        "permissions/home-usable",
        Hand,
        "mv /home/away /home/circleci",
    ),
    // The host.
    fault(
        "full disk",
        "mount -t tmpfs -o size=1m,mode=777 tmpfs $W; chown circleci: $W",
        "host/disk-space",
        Hand,
        "umount $W",
    ),
    fault(
        "no inodes left",
        "mount -t tmpfs -o size=9g,nr_inodes=30,mode=777 tmpfs $W; chown circleci: $W",
        "host/inodes",
        Hand,
        "umount $W",
    ),
    fault(
        "git that is missing",
        "rm /usr/local/bin/git",
        "host/job-tools",
        Hand,
        "install -m 755 /usr/local/bin/ssh /usr/local/bin/git",
    ),
    fault(
        "configuration that an upgrade left beside",
        ": >$C.dpkg-dist",
        "host/packages-settled",
        Hand,
        "rm $C.dpkg-dist",
    ),
    // Neighbours and leftovers.
    fault(
        "process that a dead job left",
        "systemd-run --quiet --unit left --uid circleci sleep 600",
        "agent/no-orphans",
        Hand,
        "systemctl stop left",
    ),
];
