# Keeps one test host: its mounts, its network and its machine live in this process's own
# namespaces, so that nothing of them outlives it.
#
#     unshare --mount --net sh host_keeper.sh ROOT WORK
#
# ROOT is an unpacked root file system that stays as it is, WORK an empty folder for what changes.
# Standard input is the leash: `boot` starts the machine, `cut` takes its power away, and the end
# of input, which comes too when the test process is killed, ends everything and removes WORK.
set -eu
root=$1 work=$2 machine=
cgroup=/sys/fs/cgroup/runnerup-host-$$

# Every process in this network namespace was started by the test, servers included.
processes_of_the_host() {
    own=$(readlink /proc/$$/ns/net)
    find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:\\[${own#net:?}" 2>/dev/null |
        cut -d / -f 3 | grep -vx $$
}

has_ended() { ! grep -qs '^State:.[^Z]' "/proc/$1/status"; }

# systemd survives the nspawn that started it, so it goes first; nspawn then buries it, and ends.
power_off() {
    for _ in $(seq 100); do
        kill -KILL $(cat "/proc/$machine/task/$machine/children" 2>/dev/null) 2>/dev/null || true
        sleep 0.03
        if has_ended "$machine"; then break; fi
    done
    kill -KILL "$machine" 2>/dev/null || true
    wait "$machine" 2>/dev/null || true
    machine=
}

clean_up() {
    trap '' EXIT INT TERM HUP
    [ -z "$machine" ] || power_off
    for pid in $(processes_of_the_host); do kill -KILL "$pid" 2>/dev/null || true; done
    wait
    echo $$ >/sys/fs/cgroup/cgroup.procs || true
    umount "$work/root" || umount --lazy "$work/root" || true
    umount "$work/disk" || umount --lazy "$work/disk" || true
    rm -rf -- "$work"
    # A cgroup can be removed once the kernel has buried its last process.
    for _ in $(seq 50); do
        find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.1
    done
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# What changes is in memory, where no write waits for a disk.
mkdir "$work/disk" "$work/root"
mount -t tmpfs -o mode=755 tmpfs "$work/disk"
mkdir "$work/disk/upper" "$work/disk/scratch"
# Without overlays (a container's own root is one already) a copy does, only slower.
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/disk/upper,workdir=$work/disk/scratch" "$work/root" 2>/dev/null ||
    { cp -a -- "$root/." "$work/root/" && mount --bind "$work/root" "$work/root"; }

# Nothing happens on a test host by the hour.
rm -f "$work"/root/etc/systemd/system/timers.target.wants/*

# They make units of a host's disks, consoles and kernel command line, of which a test host has none,
# and each of them runs at each reload of systemd.
rm -f "$work"/root/lib/systemd/system-generators/*

# What a host of today has: one cgroup tree, whatever this machine itself was booted with.
umount --lazy /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "$cgroup"
echo $$ >"$cgroup/cgroup.procs"
ip link set lo up
echo ready

while read -r order; do
    case $order in
        boot)
            systemd-nspawn --quiet --boot --keep-unit --register=no --console=pipe \
                --machine=runnerup --directory="$work/root" \
                --network-namespace-path=/proc/self/ns/net \
                </dev/null >>"$work/console" 2>&1 &
            machine=$!
            echo "$machine"
            ;;
        cut)
            power_off
            echo off
            ;;
        off) # it was told to go down by itself
            wait "$machine" 2>/dev/null || true
            machine=
            echo off
            ;;
    esac
done
