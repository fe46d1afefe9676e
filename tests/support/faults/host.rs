//! Faults of the host, its accounts, and what jobs left.

use super::{
    Cure::{Hand, Paste},
    Fault, fault, seen_by,
};

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
        Paste,
        "rm -r /home/circleci; mv /home/away /home/circleci",
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
        // It stays in the service's control group, as what a cancelled job started in the background.
        "setsid setpriv --reuid circleci --regid circleci --clear-groups sleep 600 >/dev/null 2>&1 & \
         echo $! >/run/left; \
         echo $! >/sys/fs/cgroup$(systemctl show --value -p ControlGroup circleci)/cgroup.procs",
        "agent/no-orphans",
        Hand,
        "kill $(cat /run/left)",
    ),
    // The network. What is sent to an address of lo that is not its own is dropped.
    fault(
        "network: resolver that is silent",
        "ip route add 192.0.2.0/24 dev lo; echo nameserver 192.0.2.53 >/etc/resolv.conf; edit 's#url: .*#url: https://runner.example#'",
        "connectivity/names-resolve",
        Hand,
        "ip route del 192.0.2.0/24; rm /etc/resolv.conf; config",
    ),
    fault(
        "network: name with a wrong address",
        "echo 127.0.0.9 runner.example >>/etc/hosts; edit 's#url: .*#url: https://runner.example#'",
        "connectivity/reachable",
        Hand,
        "sed /runner.example/d /etc/hosts >/root/hosts; cat /root/hosts >/etc/hosts; config",
    ),
    fault(
        "network: server whose packets are dropped",
        "ip route add 192.0.2.0/24 dev lo; edit 's#url: .*#url: https://192.0.2.1#'",
        "connectivity/reachable",
        Hand,
        "ip route del 192.0.2.0/24; config",
    ),
    seen_by(
        // Over plain HTTP, so that the server of the tests can answer.
        &["config/values-valid"],
        fault(
            "network: IPv6 that swallows everything",
            "ip link add hole type veth peer name pit; ip link set hole up; ip link set pit up; ip -6 addr add 2001:db8::2/64 dev hole nodad; ip -6 neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev hole; printf '127.0.0.1 dual.example\\n2001:db8::1 dual.example\\n' >>/etc/hosts; edit 's#url: .*127.0.0.1:([0-9]+).*#url: http://dual.example:\\1#'",
            "connectivity/ipv6-usable",
            Hand,
            "ip link del hole; sed /dual.example/d /etc/hosts >/root/hosts; cat /root/hosts >/etc/hosts; config",
        ),
    ),
];
