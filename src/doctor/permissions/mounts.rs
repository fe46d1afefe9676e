//! What a mount allows: it belongs to "may use" as owner and mode do.

use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::system::remove_socket,
        lookup::{owner, task_account},
        own_folders::OwnFolders,
    },
    host::{Install, Mount, PathRole, PathWalk, Provenance, Survey, Unseen},
    service::Verb,
};
use std::path::Path;

/// The mount that the agent finds at a path: its own, where it sees others than the host's.
pub(super) fn mount_of<'a>(
    survey: &'a Survey,
    install: &'a Install,
    path: &Path,
) -> Option<&'a Mount> {
    let own = install.mounts.ok().and_then(|mounts| Mount::of(mounts, path));
    own.or_else(|| survey.host.mount_of(path))
}

/// Who chose a path as far as a remount goes: the documentation names the usual folders.
fn chosen_by(
    survey: &Survey,
    install: &Install,
    walk: &PathWalk,
    named_by: Provenance,
) -> Provenance {
    match OwnFolders::of(survey, install).is_known(&walk.path) {
        true => Provenance::Root,
        false => named_by,
    }
}

/// That a mount keeps an agent and its jobs from writing to `what`.
///
/// What only the agent's own mounts forbid, by a directive of its unit, is reported by
/// service/sandbox-allows-jobs.
pub(super) fn read_only(
    survey: &Survey,
    install: &Install,
    what: &str,
    walk: &PathWalk,
    named_by: Provenance,
) -> Option<Problem> {
    let mount = mount_of(survey, install, &walk.real).filter(|mount| mount.has("ro"))?;
    let is_hosts = survey.host.mount_of(&walk.real).is_some_and(|mount| mount.has("ro"));
    let (point, path) = (mount.point.display(), walk.path.display());
    if !is_hosts && is_sandboxed(install) {
        return None;
    }
    let named_by = chosen_by(survey, install, walk, named_by);
    let by_kernel =
        mount.has("rw") || mount.options.iter().any(|option| option == "errors=remount-ro");
    let remedy = match (is_hosts, by_kernel) {
        (true, true) => Remedy::by_hand(
            "The kernel makes a file system read-only when its disk fails: look at its log, and \
             check the file system before it is mounted for writing again.",
        )
        .inspect(Command::root("journalctl -k"))
        .command(remount_rw(&mount.point, walk, named_by)),
        (true, false) => Remedy::by_hand("Mount it for writing.").command(remount_rw(
            &mount.point,
            walk,
            named_by,
        )),
        (false, _) => {
            let text = "The host can write there, and the agent still has an older mount of it: \
                        restart the agent.";
            let remedy = Remedy::by_hand(text);
            match &install.service {
                Some(service) => remedy.typed(Verb::Restart, install, service),
                None => remedy,
            }
        }
    };
    let whose = if is_hosts { "" } else { " for the agent" };
    Some(
        Problem::fail(format!(
            "{what} {path} is on a file system that is mounted read-only{whose}"
        ))
        .seen(format!("{point} is mounted with {}", shown(mount)))
        .cure(remedy),
    )
}

/// Whether a directive of the unit closes folders.
fn is_sandboxed(install: &Install) -> bool {
    let keys = [
        "ProtectSystem",
        "ProtectHome",
        "ReadOnlyPaths",
        "InaccessiblePaths",
        "BindReadOnlyPaths",
        "DynamicUser",
        "RootDirectory",
        "RootImage",
        "TemporaryFileSystem",
    ];
    install
        .service
        .as_ref()
        .is_some_and(|service| keys.into_iter().any(|key| service.value("Service", key).is_some()))
}

/// `problem`, where a mount keeps programs in a folder from being run.
pub(super) fn no_programs(
    survey: &Survey,
    install: &Install,
    (walk, named_by): (&PathWalk, Provenance),
    problem: Problem,
    text: &'static str,
) -> Option<Problem> {
    let mount = mount_of(survey, install, &walk.real).filter(|mount| mount.has("noexec"))?;
    let named_by = chosen_by(survey, install, walk, named_by);
    let remedy = Remedy::by_hand(text).command(remount_exec(&mount.point, walk, named_by));
    Some(problem.seen(format!("{} is mounted with noexec", mount.point.display())).cure(remedy))
}

fn shown(mount: &Mount) -> String {
    let options = mount.options.iter().take(12).map(String::as_str);
    format!("{} ({})", options.collect::<Vec<_>>().join(","), mount.kind)
}

pub(super) const PLANNED: Check = Check {
    name: "permissions/folders-mounted",
    holds: "The file systems of the agent's folders are mounted as the host plans it",
    why: "Without its mount a folder lies on another disk: jobs fill that disk, and what they wrote \
          is hidden once the mount is there again.",
    found: "The doctor compares /etc/fstab and enabled mount units with what is mounted.",
    cure: "Mount the file system, or remove the line from /etc/fstab.",
    after: &[],
    judge: Judge::Agent(planned),
};

fn planned(survey: &Survey, install: &Install) -> Judged {
    let host = &survey.host;
    if host.mounts.is_empty() {
        return Err(Unseen::not_examined("the mounts are not known"));
    }
    let paths = install.paths.iter().filter(|named| named.role.is_written());
    let mut walks: Vec<&PathWalk> = paths.filter_map(|named| named.walk.ok()).collect();
    walks.extend(task_account(survey, install).ok().map(|account| &account.home));
    let is_there = |point: &Path| host.mounts.iter().any(|mount| mount.point == point);
    let mut problems = Vec::new();
    for planned in host.planned_mounts.iter().filter(|planned| !is_there(&planned.point)) {
        let Some(walk) = walks.iter().find(|walk| walk.path.starts_with(&planned.point)) else {
            continue;
        };
        let (point, path) = (planned.point.display(), walk.path.display());
        let remedy =
            Remedy::by_hand("Mount it, or remove the plan. Stop the agent first if jobs run.")
                .command(Command::root("mount").path(&planned.point, Provenance::Root));
        let remedy = if planned.unit.is_none() {
            remedy
        } else {
            Remedy::by_hand("Start the mount unit, or disable it.")
        };
        problems.push(
            Problem::warn(format!(
                "{point} is not mounted, and {path} lies on another file system"
            ))
            .seen(format!("{}: {point}", planned.source))
            .cure(remedy),
        );
    }
    Ok(Verdict::of(problems, "every planned mount below which the agent works is there"))
}

pub(super) const NAMES: Check = Check {
    name: "permissions/job-sockets-free",
    holds: "Jobs can make their sockets in the temporary folder",
    why: "The task agent makes sockets of fixed names in the temporary folder. One that another \
          account left there cannot be replaced, and jobs fail from time to time or always.",
    found: "The doctor looks at the names circleci-plugin.sock and circleci-ts.sock in the service's \
            TMPDIR, or in /tmp.",
    cure: "Remove the file that an earlier agent left. Where several agents run on the host, give \
           each its own temporary folder: PrivateTmp=yes, or TMPDIR.",
    after: &["permissions/temporary-folder-usable"],
    judge: Judge::Agent(names),
};

fn names(survey: &Survey, install: &Install) -> Judged {
    let held = install.held_names.known()?;
    let has_own = |value: &str| !matches!(value, "no" | "false" | "off" | "0");
    let service = install.service.as_ref();
    if service.is_some_and(|service| service.value("Service", "PrivateTmp").is_some_and(has_own)) {
        return Ok(Verdict::Holds("the service has a temporary folder of its own".to_owned()));
    }
    let account = task_account(survey, install)?;
    let folder = install.path(PathRole::TemporaryFolder).and_then(|walk| walk.ok()?.end);
    let folder = folder.ok_or_else(|| Unseen::not_examined("the temporary folder is not known"))?;
    let is_sticky = folder.has_any(0o1000) && !account.owns(&folder);
    let stuck = held
        .iter()
        .filter(|name| is_sticky && !account.is_root() && account.uid() != Some(name.uid));
    let mut problems = Vec::new();
    for name in stuck {
        let by = match name.path.starts_with("/tmp") {
            true => Provenance::Root,
            false => install
                .named(PathRole::TemporaryFolder)
                .map_or(Provenance::Anybody, |named| named.named_by),
        };
        let remedy = Remedy::by_hand(
            "Remove it, unless another agent runs that made it: then give each agent a temporary \
             folder of its own.",
        )
        .command(remove_socket(&name.path, by));
        problems.push(
            Problem::warn(format!(
                "{} of another account is where each job makes a socket",
                name.path.display()
            ))
            .seen(format!(
                "{} belongs to {}, and jobs run as {}",
                name.path.display(),
                owner(survey, name.uid),
                account.name
            ))
            .cure(remedy),
        );
    }
    Ok(Verdict::of(problems, "no name that jobs need is held by another account"))
}

/// Remounts the file system of a path without noexec. That is an option of the mount: without `bind`
/// the file system itself would be mounted anew, which some refuse.
pub(super) fn remount_exec(point: &Path, walk: &PathWalk, named_by: Provenance) -> Command {
    of_root(Command::root("mount -o remount,bind,exec"), point, walk, named_by)
}

/// The same without nosuid.
pub(super) fn remount_suid(point: &Path, walk: &PathWalk, named_by: Provenance) -> Command {
    of_root(Command::root("mount -o remount,bind,suid"), point, walk, named_by)
}

/// The same for writing.
pub(super) fn remount_rw(point: &Path, walk: &PathWalk, named_by: Provenance) -> Command {
    of_root(Command::root("mount -o remount,rw"), point, walk, named_by)
}

/// A command on the mount point of a path. No account other than root may have chosen it, by the path
/// or by a link above the mount point.
fn of_root(command: Command, point: &Path, walk: &PathWalk, named_by: Provenance) -> Command {
    let passed = walk.passed.iter().find(|passed| passed.path == point);
    let replaceable_by = passed.map_or(walk.replaceable_by, |passed| passed.replaceable_by);
    match named_by.and(replaceable_by) {
        by @ Provenance::Root => command.path(point, by),
        _ => Command::left_out(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{HeldName, PlannedMount, Seen},
    };

    fn mounted(survey: &mut Survey, point: &str, options: &[&str]) {
        let options = options.iter().map(ToString::to_string).collect();
        let mount = Mount { point: point.into(), kind: "ext4".into(), options, order: None };
        survey.host.mounts.push(mount);
    }

    fn text(survey: &Survey, check: &str) -> (Status, String) {
        let found = finding(survey, check);
        let commands = found.remedy.map(|remedy| remedy.commands().join("; "));
        (found.status, commands.unwrap_or_default())
    }

    #[test]
    fn a_mount_that_is_read_only_fails_whatever_the_mode_says() {
        let mut survey = healthy();
        mounted(&mut survey, "/var/opt/circleci", &["ro"]);
        let (status, commands) = text(&survey, "permissions/workdir-usable");
        assert_eq!(
            (status, commands.as_str()),
            (Status::Fail, "sudo mount -o remount,rw /var/opt/circleci")
        );
        let mut survey = healthy();
        mounted(&mut survey, "/var/opt/circleci", &["rw", "errors=remount-ro", "ro"]);
        let commands = text(&survey, "permissions/workdir-usable").1;
        assert!(commands.starts_with("sudo journalctl -k; "), "{commands}");
        for (point, check) in
            [("/tmp", "permissions/temporary-folder-usable"), ("/home", "permissions/home-usable")]
        {
            let mut survey = healthy();
            mounted(&mut survey, point, &["ro"]);
            assert_eq!(text(&survey, check).0, Status::Fail, "{check}");
        }
    }

    /// Of a folder that an account may have chosen nothing is mounted otherwise.
    #[test]
    fn only_a_documented_folder_is_mounted_anew_for_an_account() {
        for (path, is_told) in [(WORKDIR, true), ("/srv/secret/x", false)] {
            let mut survey = healthy();
            let walk = walk(path, folder(UID, 0o750));
            let named_by = Provenance::Account(UID);
            agent(&mut survey).paths[0] =
                crate::host::Named { named_by, ..named(PathRole::WorkFolder, walk) };
            mounted(&mut survey, Path::new(path).parent().unwrap().to_str().unwrap(), &["ro"]);
            let (status, commands) = text(&survey, "permissions/workdir-usable");
            assert_eq!(
                (status, commands.contains("remount")),
                (Status::Fail, is_told),
                "{commands}"
            );
        }
    }

    #[test]
    fn programs_must_run_in_work_folder_and_home() {
        for (point, check, expected) in [
            ("/var/opt/circleci", "permissions/workdir-usable", Status::Fail),
            ("/home", "permissions/home-usable", Status::Warn),
        ] {
            let mut survey = healthy();
            mounted(&mut survey, point, &["rw", "noexec"]);
            let (status, commands) = text(&survey, check);
            assert_eq!(status, expected, "{check}");
            assert!(commands.contains("remount,bind,exec"), "{commands}");
        }
    }

    #[test]
    fn the_agents_own_mounts_count_over_the_hosts() {
        let mut survey = healthy();
        let mount = |options: &str| Mount {
            point: "/var/opt".into(),
            options: vec![options.into()],
            ..Mount::default()
        };
        agent(&mut survey).mounts = Seen::Known(vec![mount("ro")]);
        let (status, commands) = text(&survey, "permissions/workdir-usable");
        assert!(status == Status::Fail && commands.contains("systemctl restart"), "{commands}");
        // What the unit forbids is told where its directives are judged.
        directive(&mut survey, "Service", "ProtectSystem", "full");
        assert_eq!(text(&survey, "permissions/workdir-usable").0, Status::Pass);
    }

    #[test]
    fn a_planned_mount_that_is_missing_is_told() {
        let mut survey = healthy();
        survey.host.planned_mounts = vec![PlannedMount {
            point: "/var/opt/circleci".into(),
            source: "/etc/fstab:5".into(),
            unit: None,
        }];
        let found = text(&survey, "permissions/folders-mounted");
        assert_eq!(found, (Status::Warn, "sudo mount /var/opt/circleci".to_owned()));
        mounted(&mut survey, "/var/opt/circleci", &["rw"]);
        assert_eq!(text(&survey, "permissions/folders-mounted").0, Status::Pass);
    }

    #[test]
    fn a_socket_of_another_account_is_in_the_way() {
        let mut survey = healthy();
        let path = "/tmp/circleci-plugin.sock".into();
        agent(&mut survey).held_names = Seen::Known(vec![HeldName { path, uid: 0 }]);
        let found = text(&survey, "permissions/job-sockets-free");
        assert_eq!(found, (Status::Warn, "sudo rm -f /tmp/circleci-plugin.sock".to_owned()));
        directive(&mut survey, "Service", "PrivateTmp", "yes");
        assert_eq!(text(&survey, "permissions/job-sockets-free").0, Status::Pass);
        let mut survey = healthy();
        let path = "/tmp/circleci-ts.sock".into();
        agent(&mut survey).held_names = Seen::Known(vec![HeldName { path, uid: UID }]);
        assert_eq!(text(&survey, "permissions/job-sockets-free").0, Status::Pass);
    }

    #[test]
    fn what_is_mounted_is_changed_only_where_nobody_else_chose_it() {
        let survey = healthy();
        let binary = survey.installs[0].binary.as_ref().unwrap();
        let walk = binary.walk.ok().unwrap();
        let line =
            |point: &str, walk: &PathWalk, by| remount_exec(Path::new(point), walk, by).into_line();
        let root = Provenance::Root;
        assert_eq!(line("/opt", walk, root).unwrap(), "sudo mount -o remount,bind,exec /opt");
        assert_eq!(line("/opt", walk, Provenance::Account(UID)), None);
        let mut moved = walk.clone();
        moved.passed[1].replaceable_by = Provenance::Account(UID);
        assert_eq!(line("/opt", &moved, root), None);
        assert_eq!(line("/", &moved, root).unwrap(), "sudo mount -o remount,bind,exec /");
    }
}
