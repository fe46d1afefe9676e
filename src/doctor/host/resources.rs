//! Disk space and memory.

use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Provenance, Survey, Unseen, Volume},
    platform::Os,
};
use std::path::Path;

const GIB: u64 = 1 << 30;

pub(super) const DISK: Check = Check {
    name: "host/disk-space",
    holds: "The disks that the agent and its jobs write to have free space",
    why: "On a full disk jobs hang or fail, and the agent cannot write its log.",
    found: "The doctor reads the free bytes of the file systems that hold the work folder, the \
            temporary folder and the log. It names the largest folders that jobs left behind.",
    cure: "Delete files that no job needs. Set runner.cleanup_working_directory: true to clean the \
           work folder after each job.",
    after: &[],
    judge: Judge::Host(disk),
};

fn disk(survey: &Survey) -> Judged {
    let mut problems = Vec::new();
    for volume in &survey.host.volumes {
        let free = volume.bytes_free;
        let is_full = free < GIB / 2 || free < volume.bytes / 100;
        let is_low = free < 2 * GIB || free < volume.bytes / 20;
        if volume.bytes == 0 || !is_low {
            continue;
        }
        let what = format!(
            "{} has {} free, needed for {}",
            volume.folder.display(),
            size(free),
            volume.purpose
        );
        let problem = if is_full { Problem::fail(what) } else { Problem::warn(what) };
        problems.push(problem.seen(seen(survey, volume)).cure(cure(volume)));
    }
    let least = least(survey).ok_or_else(no_volume)?;
    Ok(Verdict::of(problems, format!("at least {} free", size(least))))
}

fn seen(survey: &Survey, volume: &Volume) -> String {
    let mut text = format!(
        "file system of {}: {} of {} free",
        volume.folder.display(),
        size(volume.bytes_free),
        size(volume.bytes)
    );
    for leftover in survey
        .installs
        .iter()
        .filter_map(|install| install.workdir.ok())
        .flat_map(|install| &install.greatest)
    {
        if leftover.bytes > volume.bytes / 100 && leftover.path.starts_with(&volume.folder) {
            text = format!("{text}\n{} in {}", size(leftover.bytes), leftover.path.display());
        }
    }
    text
}

/// The doctor never removes jobs' data, and gives no command that removes it by a path that a job can
/// swap.
fn cure(volume: &Volume) -> Remedy {
    // Jobs chose the names, which may be any bytes.
    Remedy::by_hand("Find the largest folders, and remove what no job needs.").inspect(
        Command::root("du -xh -d 2")
            .path(&volume.folder, Provenance::Anybody)
            .then("| sort -h | tail | cat -v"),
    )
}

/// The free bytes of the file system with the least.
fn least(survey: &Survey) -> Option<u64> {
    survey.host.volumes.iter().map(|volume| volume.bytes_free).min()
}

fn no_volume() -> Unseen {
    Unseen::not_examined("no file system of a folder of an agent is known")
}

pub(super) const INODES: Check = Check {
    name: "host/inodes",
    holds: "The disks that the agent and its jobs write to have free inodes",
    why: "A file system without free inodes cannot create a file, even if it has free space.",
    found: "The doctor reads the free inodes of the file systems that hold the work folder, the \
            temporary folder and the log.",
    cure: "Delete folders with many small files, such as old caches.",
    after: &[],
    judge: Judge::Host(inodes),
};

fn inodes(survey: &Survey) -> Judged {
    if survey.host.volumes.is_empty() {
        return Err(no_volume());
    }
    let mut problems = Vec::new();
    // Some file systems create inodes as they need them, and report no number.
    for volume in survey.host.volumes.iter().filter(|volume| volume.inodes > 0) {
        let free = volume.inodes_free;
        let is_full = free < 1000 || free < volume.inodes / 100;
        if !is_full && free >= volume.inodes / 20 {
            continue;
        }
        let what = format!(
            "{} has {free} free inodes, needed for {}",
            volume.folder.display(),
            volume.purpose
        );
        let problem = if is_full { Problem::fail(what) } else { Problem::warn(what) };
        problems.push(
            problem
                .seen(format!(
                    "file system of {}: {free} of {} inodes free",
                    volume.folder.display(),
                    volume.inodes
                ))
                .cure(
                    Remedy::by_hand("Remove folders with many small files.").inspect(
                        Command::root("du -x --inodes -d 2")
                            .path(&volume.folder, Provenance::Anybody)
                            .then("| sort -n | tail | cat -v"),
                    ),
                ),
        );
    }
    Ok(Verdict::of(problems, "every file system has enough free inodes"))
}

pub(super) const MEMORY: Check = Check {
    name: "host/memory",
    holds: "The host has enough free memory for a job",
    why: "The kernel kills the job or the agent when memory runs out, and CircleCI reports a lost \
          heartbeat.",
    found: "The doctor reads the available memory and the swap.",
    cure: "Add memory or swap, or run fewer jobs on this host.",
    after: &[],
    judge: Judge::Host(memory),
};

fn memory(survey: &Survey) -> Judged {
    let memory = survey.host.memory.known()?;
    let amounts = format!(
        "{} of {} memory available, {} swap",
        size(memory.available),
        size(memory.total),
        size(memory.swap)
    );
    let is_tight = memory.available < GIB / 4 || memory.available < GIB && memory.swap == 0;
    if !is_tight || memory.total == 0 {
        return Ok(Verdict::Holds(amounts));
    }
    Ok(Problem::warn("the host has little free memory for a job")
        .seen(amounts)
        .cure(more_memory(survey))
        .into())
}

/// File systems on which a plain file of blocks can hold swap.
const SWAPPABLE: [&str; 4] = ["ext2", "ext3", "ext4", "xfs"];

/// A file for swap where the host can have one: nowhere but on Linux, not in a container, and in the
/// form that the root file system takes.
fn more_memory(survey: &Survey) -> Remedy {
    let host = &survey.host;
    if host.os != Os::Linux {
        return Remedy::by_hand("Add memory, or run fewer jobs on this host at a time.");
    }
    if host.container.is_some() {
        return Remedy::by_hand("Raise the memory limit of the container, or add memory.");
    }
    let remedy = Remedy::by_hand("Add memory or swap.");
    let file = match host.mount_of(Path::new("/")).map(|mount| mount.kind.as_str()) {
        // The whole file is written, once: mkswap(8) refuses one with holes.
        Some(kind) if SWAPPABLE.contains(&kind) => {
            Command::root("dd if=/dev/zero of=/swapfile bs=1M count=4096 conv=excl")
                .then("&& sudo chmod 600 /swapfile")
                .then("&& sudo mkswap /swapfile && sudo swapon /swapfile")
        }
        Some("btrfs") => Command::root("btrfs filesystem mkswapfile --size 4g /swapfile")
            .then("&& sudo swapon /swapfile"),
        _ => return remedy.and("Swap needs a partition of its own here."),
    };
    remedy
        .and("The swap file is used until the next reboot; an entry in /etc/fstab keeps it.")
        .command(file)
}

pub(super) const OOM: Check = Check {
    name: "host/no-oom-kills",
    holds: "The kernel has not killed a process because memory ran out",
    why: "A job that the kernel kills ends with \"Lost connection to job executor\" or with exit \
          code 137.",
    found: "The doctor reads the kernel's count of out-of-memory kills since boot, and the kernel \
            log.",
    cure: "Add memory or swap, or reduce the memory that jobs use.",
    after: &[],
    judge: Judge::Host(oom),
};

fn oom(survey: &Survey) -> Judged {
    let kills = survey.host.oom_kills.known()?;
    if kills.is_empty() {
        return Ok(Verdict::Holds("none since the host started".to_owned()));
    }
    Ok(Problem::warn("the kernel has killed processes because memory ran out")
        .seen(kills.join("\n"))
        .cure(
            Remedy::by_hand("Add memory or swap.")
                .inspect(Command::fixed("journalctl -k --grep 'Killed process'")),
        )
        .into())
}

/// Bytes in the unit that fits.
fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 10 * GIB => format!("{} GiB", bytes / GIB),
        bytes if bytes >= GIB => format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB),
        bytes => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Leftover, Memory, Seen, Workdir},
        platform::Os,
    };

    #[test]
    fn a_full_disk_names_the_greatest_leftover() {
        let mut survey = healthy();
        survey.host.volumes[0].bytes_free = 10 << 20;
        let greatest = vec![Leftover {
            path: format!("{WORKDIR}/old").into(),
            bytes: 50 << 30,
            uid: Some(UID),
            changed: 0,
        }];
        agent(&mut survey).workdir = Seen::Known(Workdir { greatest, ..Workdir::default() });
        let found = finding(&survey, "host/disk-space");
        assert_eq!(found.status, Status::Fail);
        assert!(
            found.evidence.contains("50 GiB in /var/opt/circleci/workdir/old"),
            "{}",
            found.evidence
        );
        survey.host.volumes[0].bytes_free = 4 << 30;
        assert_eq!(status(&survey, "host/disk-space"), Status::Warn);
    }

    #[test]
    fn file_systems_that_are_not_known_are_not_well() {
        let mut survey = healthy();
        survey.host.volumes.clear();
        for check in ["host/disk-space", "host/inodes"] {
            assert_eq!(status(&survey, check), Status::Skip, "{check}");
        }
    }

    #[test]
    fn a_swap_file_is_made_only_where_it_can_be_and_in_the_right_form() {
        let commands = |os, kind: &str, container: Option<&str>| {
            let mut survey = healthy();
            survey.host.os = os;
            survey.host.container = container.map(str::to_owned);
            survey.host.mounts[0].kind = kind.to_owned();
            let memory = Memory { total: 1 << 30, available: 100 << 20, swap: 0 };
            survey.host.memory = Seen::Known(memory);
            let remedy = finding(&survey, "host/memory").remedy.unwrap();
            remedy.commands().join("\n")
        };
        assert!(commands(Os::Linux, "ext4", None).starts_with("sudo dd if=/dev/zero"));
        assert!(commands(Os::Linux, "btrfs", None).starts_with("sudo btrfs filesystem mkswapfile"));
        for (os, kind, container) in [
            (Os::Linux, "zfs", None),
            (Os::Linux, "ext4", Some("docker")),
            (Os::Darwin, "apfs", None),
            (Os::Windows, "NTFS", None),
        ] {
            assert_eq!(commands(os, kind, container), "", "{os} {kind}");
        }
    }

    #[test]
    fn inodes_and_memory_are_told() {
        let mut survey = healthy();
        survey.host.volumes[0].inodes_free = 3;
        assert_eq!(status(&survey, "host/inodes"), Status::Fail);
        survey.host.memory = Seen::Known(Memory { total: 1 << 30, available: 100 << 20, swap: 0 });
        assert_eq!(status(&survey, "host/memory"), Status::Warn);
        survey.host.oom_kills = Seen::Known(vec!["Killed process 7".into()]);
        assert_eq!(status(&survey, "host/no-oom-kills"), Status::Warn);
    }
}
