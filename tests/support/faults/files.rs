//! Faults of files and folders: who may do what.

use super::{
    Cure::{Fix, Hand},
    Fault, fault, seen_by,
};

/// Puts the binary back.
const BINARY: &str = "cp -p /root/binary.kept $B.new; mv -f $B.new $B";

/// A part of the table.
pub const FAULTS: &[Fault] = &[
    // The binary.
    fault(
        "binary without its executable bit",
        "chmod 644 $B",
        "permissions/binary-executable",
        Fix,
        "",
    ),
    fault(
        "binary that only root may run",
        "chmod 700 $B",
        "permissions/binary-executable",
        Fix,
        "",
    ),
    fault(
        "binary in a closed folder",
        "chmod 700 /opt/circleci",
        "permissions/binary-executable",
        Fix,
        "chmod 755 /opt/circleci",
    ),
    fault(
        "binary in a closed folder further up",
        "chmod 750 /opt",
        "permissions/binary-executable",
        Fix,
        "chmod 755 /opt",
    ),
    fault("binary that is gone", "rm $B", "permissions/binary-executable", Hand, BINARY),
    fault(
        "folder in place of the binary",
        "rm $B; mkdir $B",
        "permissions/binary-executable",
        Hand,
        "rmdir $B; cp -p /root/binary.kept $B",
    ),
    fault(
        "a page saved as the binary",
        "rm $B; echo '<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>' >$B; chmod 755 $B",
        "permissions/binary-is-program",
        Hand,
        BINARY,
    ),
    fault(
        "binary still compressed",
        "gzip -c <$B >$B.gz; chmod 755 $B.gz; mv $B.gz $B",
        "permissions/binary-is-program",
        Hand,
        BINARY,
    ),
    fault(
        "empty binary",
        "rm $B; : >$B; chmod 755 $B",
        "permissions/binary-is-program",
        Hand,
        BINARY,
    ),
    fault(
        "binary for another processor",
        "printf '\\267' | dd of=$B.new bs=1 seek=18 conv=notrunc status=none if=/dev/stdin; cp $B $B.new; printf '\\267' | dd of=$B.new bs=1 seek=18 conv=notrunc status=none; chmod 755 $B.new; mv $B.new $B",
        "permissions/binary-architecture",
        Hand,
        BINARY,
    ),
    fault(
        "binary that is not the one verified",
        "cp $B $B.new; echo >>$B.new; chmod 755 $B.new; mv $B.new $B",
        "permissions/binary-as-verified",
        Hand,
        BINARY,
    ),
    fault(
        "binary that every user may change",
        "chmod 777 $B",
        "permissions/binary-not-writable",
        Fix,
        "",
    ),
    fault(
        "folder of the binary that every user may change",
        "chmod 777 /opt/circleci",
        "permissions/binary-not-writable",
        Fix,
        "",
    ),
    fault(
        "binary that jobs may replace",
        "chown circleci: $B",
        "permissions/binary-not-writable",
        Hand,
        "chown root: $B",
    ),
    fault(
        "binary on a file system without programs",
        "mount --bind /opt/circleci /opt/circleci; mount -o remount,bind,noexec /opt/circleci",
        "permissions/binary-filesystem",
        Hand,
        "umount /opt/circleci",
    ),
    // The configuration's file.
    fault(
        "configuration that every user may read",
        "chmod 644 $C",
        "permissions/config-private",
        Fix,
        "",
    ),
    fault(
        "configuration that a group may read",
        "chmod 640 $C",
        "permissions/config-private",
        Fix,
        "",
    ),
    fault(
        "configuration of root's alone",
        "chown root: $C",
        "permissions/config-readable",
        Fix,
        "",
    ),
    fault(
        "configuration in a closed folder",
        "chmod 700 /etc/opt",
        "permissions/config-readable",
        Fix,
        "chmod 755 /etc/opt",
    ),
    seen_by(
        &["permissions/config-private"],
        fault(
            "configuration of a stranger's",
            "chown nobody: $C",
            "permissions/config-readable",
            Fix,
            "",
        ),
    ),
    fault("configuration that is gone", "rm $C", "config/exists", Hand, "config"),
    fault(
        "folder in place of the configuration",
        "rm $C; mkdir $C",
        "config/exists",
        Hand,
        "rmdir $C; config",
    ),
    fault(
        "FIFO in place of the configuration",
        "rm $C; mkfifo $C",
        "config/exists",
        Hand,
        "config",
    ),
    // Folders of jobs.
    fault(
        "work folder of root's",
        "chown root: $W; chmod 755 $W",
        "permissions/workdir-usable",
        Fix,
        "",
    ),
    fault(
        "work folder that nobody may write to",
        "chmod 555 $W",
        "permissions/workdir-usable",
        Fix,
        "",
    ),
    fault(
        "file in place of the work folder",
        "rmdir $W; : >$W",
        "permissions/workdir-usable",
        Hand,
        "rm $W; install -d -m 750 -o circleci -g circleci $W",
    ),
    fault(
        "work folder that is a link to /etc",
        "rmdir $W; ln -s /etc $W",
        "permissions/workdir-usable",
        Hand,
        "rm $W; install -d -m 750 -o circleci -g circleci $W",
    ),
    fault(
        "leftovers of root's in the work folder",
        "mkdir $W/job; : >$W/job/file",
        "permissions/workdir-clean",
        Hand,
        "rm -r $W/job",
    ),
    fault(
        "temporary folder that jobs may not write to",
        "chmod 755 /tmp",
        "permissions/temporary-folder-usable",
        Fix,
        "chmod 1777 /tmp",
    ),
    fault(
        "temporary folder without programs",
        "mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp",
        "permissions/temporary-folder-usable",
        Hand,
        "umount /tmp",
    ),
];
