//! Images with units, and what their next boot does.

use super::*;
use crate::host::ConditionFault;
use std::{fs, os::unix::fs::symlink, time::Duration};

const UNITS: &str = "/usr/lib/systemd/system";

/// The targets that every host has.
const BASE: [(&str, &str); 7] = [
    (
        "multi-user.target",
        "[Unit]\nRequires=basic.target\nConflicts=rescue.service\nAfter=basic.target\n",
    ),
    ("graphical.target", "[Unit]\nRequires=multi-user.target\nAfter=multi-user.target\n"),
    (
        "basic.target",
        "[Unit]\nRequires=sysinit.target\nWants=timers.target\nAfter=sysinit.target timers.target\n",
    ),
    ("sysinit.target", "[Unit]\nWants=local-fs.target\nAfter=local-fs.target\n"),
    ("local-fs.target", "[Unit]\n"),
    ("timers.target", "[Unit]\nDefaultDependencies=no\n"),
    ("docker.service", "[Service]\nExecStart=/usr/bin/dockerd\n"),
];

const UNIT: &str = "[Service]\nExecStart=/opt/agent\n";

/// What the boot of an image does with `circleci.service`: files by their paths, a text that begins
/// with `->` being a link.
fn boot(default: &str, files: &[(&str, &str)]) -> Boot {
    let (folder, root) = crate::platform::fs::empty_root();
    let base = BASE.map(|(name, text)| (format!("{UNITS}/{name}"), text.to_owned()));
    let default = (format!("{UNITS}/default.target"), format!("->{default}"));
    let more = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    for (path, text) in base.into_iter().chain([default]).chain(more) {
        let path = folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match text.strip_prefix("->") {
            Some(to) => symlink(to, path).unwrap(),
            None => fs::write(path, text).unwrap(),
        }
    }
    let until = Instant::now() + Duration::from_secs(20);
    let units = [("circleci.service".to_owned(), Provenance::Root)];
    let Seen::Known(mut boots) = examine(&root, &units, until) else { panic!("not known") };
    boots.remove("circleci.service").unwrap()
}

fn with(wants: &str, unit: &str, more: &[(&str, &str)]) -> Boot {
    let link = format!("/etc/systemd/system/{wants}.wants/circleci.service");
    let mut files = vec![
        ("/etc/systemd/system/circleci.service", unit),
        (link.as_str(), "->../circleci.service"),
    ];
    files.extend_from_slice(more);
    boot("multi-user.target", &files)
}

#[test]
fn a_boot_leads_to_what_its_targets_want() {
    let boot = with("multi-user.target", UNIT, &[]);
    assert!(boot.is_reached && boot.is_multi_user && boot.wanters[0].state == WanterState::Reached);
    assert!(boot.missing.is_empty() && boot.cycle.is_empty() && boot.conflicts.is_empty());
    for (wants, state, meant) in [
        ("mutli-user.target", WanterState::Missing, Some("multi-user.target")),
        ("graphical.target", WanterState::NotReached, None),
        ("docker.service", WanterState::NotReached, None),
    ] {
        let boot = with(wants, UNIT, &[]);
        let wanter = &boot.wanters[0];
        assert!(!boot.is_reached, "{wants}");
        assert_eq!((wanter.state, wanter.meant.as_deref()), (state, meant), "{wants}");
    }
    // The links of an alias are those of the target it leads to.
    assert!(with("default.target", UNIT, &[]).is_reached);
    // A timer starts it in its time.
    let unit = ("/etc/systemd/system/circleci.service", UNIT);
    let timer = ("/etc/systemd/system/circleci.timer", "[Timer]\nOnBootSec=1min\n");
    let link = ("/etc/systemd/system/timers.target.wants/circleci.timer", "->../circleci.timer");
    assert!(boot_of(&[unit, timer, link]).is_reached);
    let volatile = ("/run/systemd/system/multi-user.target.wants/circleci.service", "->/x");
    let boot = boot_of(&[unit, volatile]);
    assert!(!boot.is_reached);
    assert_eq!(boot.wanters[0].state, WanterState::UntilBoot);
}

fn boot_of(files: &[(&str, &str)]) -> Boot {
    boot("graphical.target", files)
}

#[test]
fn what_cannot_be_started_is_missing() {
    let unit =
        "[Unit]\nRequires=containerd.service\nBindsTo=docker.service\nAfter=docker.service\n";
    let boot = with("multi-user.target", unit, &[]);
    assert_eq!(boot.missing.len(), 1);
    assert_eq!(
        (boot.missing[0].name.as_str(), boot.missing[0].is_masked),
        ("containerd.service", false)
    );
    assert_eq!(boot.tied[0].name, "docker.service");
    let masked = [("/etc/systemd/system/docker.service", "->/dev/null")];
    let boot = with("multi-user.target", "[Unit]\nRequires=docker.service\n", &masked);
    assert!(boot.missing[0].is_masked);
    // By way of a unit that exists.
    let between = [("/etc/systemd/system/docker.service", "[Unit]\nRequires=none.socket\n")];
    let boot = with("multi-user.target", "[Unit]\nRequires=docker.service\n", &between);
    assert_eq!(
        (boot.missing[0].by.as_str(), boot.missing[0].name.as_str()),
        ("docker.service", "none.socket")
    );
    let mounts = [("/etc/fstab", "/dev/b /data xfs noauto 0 0\n")];
    let boot = with("multi-user.target", "[Unit]\nRequires=data.mount cache.mount\n", &mounts);
    assert_eq!(boot.missing[0].name, "cache.mount");
    assert!(boot.unmounted.is_empty());
    let boot = with("multi-user.target", UNIT, &mounts);
    assert_eq!(boot.unmounted, [Path::new("/data")]);
    let boot = with("multi-user.target", "[Unit]\nRequiresMountsFor=/data/work\n", &mounts);
    assert!(boot.unmounted.is_empty());
}

#[test]
fn orders_that_lead_back_are_found() {
    let graphical =
        [("/etc/systemd/system/default.target", "->/usr/lib/systemd/system/graphical.target")];
    let boot = with("multi-user.target", "[Unit]\nAfter=graphical.target\n", &graphical);
    assert_eq!(boot.cycle, ["circleci.service", "graphical.target", "multi-user.target"]);
    // A target does not wait for a unit that waits for it.
    assert!(with("multi-user.target", "[Unit]\nAfter=multi-user.target\n", &[]).cycle.is_empty());
    let early = with("multi-user.target", "[Unit]\nBefore=sysinit.target\n", &[]);
    assert_eq!(early.cycle, ["circleci.service", "sysinit.target"]);
    let own = "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n";
    assert!(with("multi-user.target", own, &[]).cycle.is_empty());
}

#[test]
fn what_cannot_run_beside_it_is_found() {
    let docker = [("/etc/systemd/system/multi-user.target.wants/docker.service", "->/x")];
    let unit = "[Unit]\nConflicts=docker.service rescue.service\n";
    assert_eq!(with("multi-user.target", unit, &docker).conflicts, ["docker.service"]);
    assert!(with("multi-user.target", unit, &[]).conflicts.is_empty());
    let theirs =
        [docker[0], ("/etc/systemd/system/docker.service", "[Unit]\nConflicts=circleci.service\n")];
    assert_eq!(with("multi-user.target", UNIT, &theirs).conflicts, ["docker.service"]);
}

#[test]
fn conditions_that_do_not_hold_are_found() {
    let there = [("/srv/on", "x")];
    let failing = |lines: &str| {
        let unit = format!("[Unit]\n{lines}");
        with("multi-user.target", &unit, &there)
            .conditions
            .into_iter()
            .map(|c| c.why)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        failing("ConditionPathExists=/srv/off\n"),
        [ConditionFault::Path("/srv/off".into())]
    );
    assert_eq!(
        failing("AssertPathExists=!/srv/on\n"),
        [ConditionFault::PathStands("/srv/on".into())]
    );
    assert_eq!(failing("ConditionFirstBoot=yes\n"), [ConditionFault::FirstBoot]);
    for holds in [
        "ConditionPathExists=/srv/on\n",
        "ConditionPathExists=/srv/off\nConditionPathExists=\n",
        "ConditionPathExists=|/srv/off\nConditionPathExists=|/srv/on\n",
        "ConditionPathExists=/run/mount-is-there\n",
        "ConditionFileNotEmpty=/srv/on\nConditionPathIsDirectory=!/srv/on\n",
        "ConditionFirstBoot=no\nConditionVirtualization=vm\n",
    ] {
        assert!(failing(holds).is_empty(), "{holds}");
    }
}
