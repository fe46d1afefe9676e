//! The work folder, the temporary folder, and the log of the agent.

use super::{
    apart::is_mixed,
    binary::closed_folder,
    mounts::{mount_of, no_programs, read_only, remount_exec},
};
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode, Purpose, Site},
        lookup::{
            account, edit_config, octal, owner, owner_of, restarted_if_changed, task_account,
        },
    },
    host::{
        Access, AccountFacts, Install, PathPart, PathRole, PathWalk, Provenance, Survey, Unseen,
    },
    platform::fs::{Kind, WalkEnd},
};

pub(super) const WORKDIR: Check = Check {
    name: "permissions/workdir-usable",
    holds: "Jobs can use the work folder",
    why: "A job fails at its start if its work folder cannot be created or written.",
    found: "The doctor reads mode and owner of the work folder and of every folder above it, for \
            the account that runs jobs. If the folder does not exist, the account must be able to \
            create it.",
    cure: "Give the folder to the account that runs jobs. Jobs can often change the agent's \
           configuration, so the doctor gives away a folder that only the configuration names only \
           with `doctor --fix --allow-path PATH`. Use this option for an empty folder that you \
           chose yourself.",
    after: &[
        "config/values-valid",
        "service/user-exists",
        "service/lines-as-meant",
        "permissions/workdir-apart",
    ],
    judge: Judge::Agent(workdir),
};

fn workdir(survey: &Survey, install: &Install) -> Judged {
    let Some(named) = install.named(PathRole::WorkFolder) else {
        return Err(Unseen::not_applicable("no work folder is configured"));
    };
    let walk = named.walk.known()?;
    let site = Site { walk, named_by: named.named_by, purpose: Purpose::Data };
    let change = Change::new(survey, install);
    let account = task_account(survey, install)?;
    let path = walk.path.display();
    match walk.end {
        Some(meta) if meta.kind == Kind::Folder => {
            if let Some(problem) = mounted(survey, install, (walk, named.named_by)) {
                return Ok(problem.into());
            }
        }
        Some(meta) => {
            let remedy = Remedy::by_hand("Replace it with a folder.")
                .inspect(Command::fixed("ls -ld").path(&walk.path, named.named_by));
            return Ok(Problem::fail(format!("the work folder {path} is {}", meta.kind))
                .seen(walk.why())
                .cure(remedy)
                .into());
        }
        None => {
            return match walk.denies(account, Access::Execute) {
                Some(closed) => Ok(closed_folder(&change, &closed, site, account, install).into()),
                None => match read_only(survey, install, FOLDER, walk, named.named_by) {
                    Some(problem) => Ok(problem.into()),
                    None => missing(&change, site, account),
                },
            };
        }
    }
    for access in [Access::Execute, Access::Write, Access::Read] {
        let Some(denied) = walk.denies(account, access) else { continue };
        if denied.path != walk.path {
            return Ok(closed_folder(&change, &denied, site, account, install).into());
        }
        let link = |passed: &PathPart| passed.path == walk.path && passed.meta.kind == Kind::Link;
        let (is_link, real) = (walk.passed.iter().any(link), walk.real.display());
        // The target of a link may be any folder of the host.
        let remedy = match is_link {
            true => Remedy::by_hand(
                "Set runner.working_directory to a folder of the account, not to a link: the owner of \
                 the link's target is not changed.",
            )
            .command(edit_config(survey, install)),
            false => change.permissions(
                Remedy::by_hand("Make the account the owner of the folder."),
                site,
                Some(account),
                Mode::Work,
            ),
        };
        let which = if is_link { format!("{path}, a link to {real}") } else { path.to_string() };
        return Ok(Problem::fail(format!(
            "{} cannot {} {which}",
            account.name,
            access.verb(Kind::Folder)
        ))
        .seen(format!(
            "{path} has mode {}, owner {}",
            octal(&denied.meta),
            owner_of(survey, &denied.meta)
        ))
        .cure(remedy)
        .into());
    }
    Ok(Verdict::Holds(format!("{} can use {path}", account.name)))
}

/// What findings call the work folder.
const FOLDER: &str = "the work folder";

/// What the mount of the work folder forbids.
fn mounted(
    survey: &Survey,
    install: &Install,
    (walk, named_by): (&PathWalk, Provenance),
) -> Option<Problem> {
    read_only(survey, install, FOLDER, walk, named_by).or_else(|| {
        let path = walk.path.display();
        let problem = Problem::fail(format!(
            "no program can be executed in the work folder {path}: scripts of the checkout fail"
        ));
        let text = "Mount it without noexec, or set runner.working_directory to another folder.";
        no_programs(survey, install, (walk, named_by), problem, text)
    })
}

fn missing(change: &Change<'_>, site: Site<'_>, account: &AccountFacts) -> Judged {
    let walk = site.walk;
    let (path, name) = (walk.path.display(), &account.name);
    let why = walk.why();
    let nearest = walk.nearest().ok_or_else(|| Unseen::not_examined(why.clone()))?;
    let is_theirs = account.may(&nearest.meta, Access::Write);
    if account.is_root() || is_theirs && !walk.stopped.as_ref().is_some_and(WalkEnd::is_link) {
        return Ok(Verdict::Holds(format!("{path} does not exist yet; {name} can create it")));
    }
    let remedy = change.folder(
        Remedy::by_hand("Create the folder for the account."),
        site,
        account,
        Mode::Work,
    );
    Ok(Problem::fail(format!("the work folder {path} does not exist, and {name} cannot create it"))
        .seen(why)
        .cure(remedy)
        .into())
}

pub(super) const CLEAN: Check = Check {
    name: "permissions/workdir-clean",
    holds: "Jobs can remove the files of earlier jobs",
    why: "A job cannot remove files that root in a container left in the work folder, and fails \
          during cleanup.",
    found: "The doctor reads the owners of the files in the work folder, as many as its time limit \
            allows.",
    cure: "Stop the agent and remove the files that no job needs. Make jobs run containers as \
           their own user.",
    after: &["permissions/workdir-usable", "permissions/workdir-apart"],
    judge: Judge::Agent(clean),
};

fn clean(survey: &Survey, install: &Install) -> Judged {
    let workdir = install.workdir.known()?;
    if is_mixed(survey, install) {
        return Err(Unseen::not_examined("the work folder holds more than files of jobs"));
    }
    if workdir.foreign.is_empty() {
        let which =
            if workdir.cut_short { "those that were examined belong" } else { "all belong" };
        let count = workdir.entries;
        return Ok(Verdict::Holds(format!("{count} entries, {which} to the account of the jobs")));
    }
    let seen = workdir.foreign.iter().map(|entry| {
        let whose = entry.uid.map_or("another account".to_owned(), |uid| owner(survey, uid));
        format!("{} belongs to {whose}", entry.path.display())
    });
    // No command removes jobs' data by a path that jobs can swap.
    let remedy = Remedy::by_hand(
        "Stop the agent, examine these files, and remove those that no job needs. Jobs can replace \
         a path in this folder by a link: remove nothing as root while their processes run.",
    )
    .inspect(Command::fixed("runnerup explain permissions/workdir-clean"));
    Ok(Problem::warn(format!(
        "{} contains files that jobs cannot remove",
        workdir.folder.display()
    ))
    .seen(seen.collect::<Vec<_>>().join("\n"))
    .cure(remedy)
    .into())
}

pub(super) const TEMPORARY: Check = Check {
    name: "permissions/temporary-folder-usable",
    holds: "Jobs can write and execute files in the temporary folder",
    why: "OIDC tokens are missing and steps fail with \"permission denied\" when the agent cannot \
          write and run its helper programs in the temporary folder.",
    found: "The doctor reads mode, owner and mount options of the service's TMPDIR, or of /tmp.",
    cure: "Mount the folder without noexec, or set TMPDIR in the service to another folder.",
    after: &["service/user-exists", "service/lines-as-meant"],
    judge: Judge::Agent(temporary),
};

fn temporary(survey: &Survey, install: &Install) -> Judged {
    let named = install
        .named(PathRole::TemporaryFolder)
        .ok_or_else(|| Unseen::not_examined("the temporary folder is not known"))?;
    let walk = named.walk.known()?;
    let site = Site { walk, named_by: named.named_by, purpose: Purpose::Data };
    let path = walk.path.display();
    if !walk.is(Kind::Folder) {
        let remedy = Remedy::by_hand(match named.named_by.is_root() || survey.is_saved {
            true => "Create the folder, or remove TMPDIR from the service.",
            false => {
                "Remove TMPDIR where it is set: an account other than root could have named this \
                 folder."
            }
        });
        return Ok(Problem::fail(format!("the temporary folder {path} does not exist"))
            .seen(walk.why())
            .cure(remedy)
            .into());
    }
    if let Some(problem) = read_only(survey, install, "the temporary folder", walk, named.named_by)
    {
        return Ok(problem.into());
    }
    let account = task_account(survey, install)?;
    let change = Change::new(survey, install);
    for access in [Access::Execute, Access::Write] {
        if let Some(denied) = walk.denies(account, access) {
            let remedy = Remedy::by_hand("Set mode 1777, as /tmp has.");
            let remedy = match denied.path == walk.path {
                true => change.permissions(remedy, site, None, Mode::Temporary),
                false => change.pass(remedy, site, &denied.path, account),
            };
            return Ok(Problem::fail(format!(
                "{} cannot use the temporary folder {path}",
                account.name
            ))
            .seen(format!("{} has mode {}", denied.path.display(), octal(&denied.meta)))
            .cure(remedy)
            .into());
        }
    }
    match mount_of(survey, install, &walk.real).filter(|mount| mount.has("noexec")) {
        None => {
            Ok(Verdict::Holds(format!("{} can write and execute files in {path}", account.name)))
        }
        Some(mount) => {
            let remedy = Remedy::by_hand(
                "Mount it without noexec, or set TMPDIR of the service to another folder.",
            )
            .command(remount_exec(&mount.point, walk, named.named_by));
            Ok(Problem::fail(format!("no program can be executed in the temporary folder {path}"))
                .seen(format!("{} is mounted with noexec", mount.point.display()))
                .cure(remedy)
                .into())
        }
    }
}

pub(super) const LOG: Check = Check {
    name: "permissions/log-writable",
    holds: "The agent can write its log file",
    why: "An agent that cannot open the log file that its configuration names ends at once.",
    found: "The doctor reads mode and owner of the file and of every folder above it.",
    cure: "Give the log file to the service account.",
    after: &["config/values-valid", "service/user-exists"],
    judge: Judge::Agent(log),
};

fn log(survey: &Survey, install: &Install) -> Judged {
    let Some(named) = install.named(PathRole::LogFile) else {
        return Err(Unseen::not_applicable("the agent logs to the service manager"));
    };
    let walk = named.walk.known()?;
    let site = Site { walk, named_by: named.named_by, purpose: Purpose::Data };
    let change = Change::new(survey, install);
    let account = account(survey, install)?;
    let path = walk.path.display();
    if let Some(problem) = read_only(survey, install, "the log file", walk, named.named_by) {
        return Ok(problem.into());
    }
    let denied = match walk.end {
        Some(meta) if meta.kind == Kind::File => walk.denies(account, Access::Write),
        Some(meta) => {
            return Ok(Problem::fail(format!("logging.file names {path}, which is {}", meta.kind))
                .seen(walk.why())
                .cure(Remedy::by_hand("Set logging.file to the path of a file."))
                .into());
        }
        None => {
            let nearest = walk
                .nearest()
                .ok_or_else(|| Unseen::not_examined("no folder above the log file is known"))?;
            let is_next = walk.path.parent() == Some(nearest.path.as_path());
            if is_next && account.may(&nearest.meta, Access::Write) {
                return Ok(Verdict::Holds(format!(
                    "{path} does not exist yet; the agent can create it"
                )));
            }
            let remedy = Remedy::by_hand(
                "Set logging.file to a file that the account can create, or remove the key: the \
                 service manager then keeps the log.",
            )
            .command(edit_config(survey, install));
            return Ok(Problem::fail(format!(
                "{} cannot create the log file {path}",
                account.name
            ))
            .seen(walk.why())
            .cure(remedy)
            .into());
        }
    };
    match denied {
        None => Ok(Verdict::Holds(format!("{} can write to {path}", account.name))),
        Some(denied) if denied.path != walk.path => {
            Ok(closed_folder(&change, &denied, site, account, install).into())
        }
        Some(denied) => {
            let remedy = Remedy::by_hand("Make the account the owner of the file.");
            let remedy = change.permissions(remedy, site, Some(account), Mode::Log);
            let remedy = restarted_if_changed(remedy, install);
            Ok(Problem::fail(format!("{} cannot write to the log file {path}", account.name))
                .seen(format!(
                    "{path} has mode {}, owner {}",
                    octal(&denied.meta),
                    owner_of(survey, &denied.meta)
                ))
                .cure(remedy)
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Leftover, Mount, PathRole, PathWalk, Seen, Survey, Workdir},
        platform::fs::{Kind, Meta, WalkEnd},
    };

    fn path(what: PathRole, walk: PathWalk) -> Survey {
        let mut survey = healthy();
        agent(&mut survey).paths.retain(|path| path.role != what);
        agent(&mut survey).paths.push(named(what, walk));
        survey
    }

    #[test]
    fn a_work_folder_of_roots_fails_with_a_cure() {
        let survey = path(PathRole::WorkFolder, walk(WORKDIR, folder(0, 0o755)));
        let found = finding(&survey, "permissions/workdir-usable");
        assert!(found.status == Status::Fail && found.remedy.unwrap().fixable);
        let survey = path(PathRole::WorkFolder, walk(WORKDIR, file(UID, 0o644)));
        assert_eq!(status(&survey, "permissions/workdir-usable"), Status::Fail);
        let mut missing = walk(WORKDIR, folder(UID, 0o755));
        missing.end = None;
        let survey = path(PathRole::WorkFolder, missing.clone());
        assert_eq!(status(&survey, "permissions/workdir-usable"), Status::Fail);
        missing.passed.last_mut().unwrap().meta = folder(UID, 0o755);
        assert_eq!(
            status(&path(PathRole::WorkFolder, missing), "permissions/workdir-usable"),
            Status::Pass
        );
    }

    #[test]
    fn an_account_makes_no_folder_where_a_link_stands() {
        for (end, expected) in [
            (WalkEnd::Missing(WORKDIR.into()), Status::Pass),
            (WalkEnd::LinkOfOthers("/var/opt/circleci".into()), Status::Fail),
            (WalkEnd::LinkCircle("/var/opt/circleci".into()), Status::Fail),
        ] {
            let mut way = walk(WORKDIR, folder(UID, 0o755));
            way.end = None;
            way.passed.last_mut().unwrap().meta = folder(UID, 0o755);
            way.stopped = Some(end.clone());
            let survey = path(PathRole::WorkFolder, way);
            assert_eq!(status(&survey, "permissions/workdir-usable"), expected, "{end}");
        }
    }

    #[test]
    fn what_a_link_leads_to_is_given_to_nobody() {
        let mut way = walk(WORKDIR, folder(0, 0o700));
        let mut link = way.passed.last().unwrap().clone();
        link.path = WORKDIR.into();
        link.meta = Meta { kind: Kind::Link, ..folder(0, 0o777) };
        way.passed.push(link);
        way.real = "/root".into();
        let found = finding(&path(PathRole::WorkFolder, way), "permissions/workdir-usable");
        assert!(found.summary.ends_with("a link to /root"), "{}", found.summary);
        let remedy = found.remedy.unwrap();
        assert!(!remedy.fixable && !remedy.text().contains("Give"), "{remedy:?}");
    }

    #[test]
    fn leftovers_of_root_are_told_and_never_removed() {
        let mut survey = healthy();
        let foreign = vec![Leftover { path: "/w/x".into(), bytes: 1, uid: Some(0), changed: 0 }];
        agent(&mut survey).workdir = Seen::Known(Workdir { foreign, ..Workdir::default() });
        let found = finding(&survey, "permissions/workdir-clean");
        assert!(found.status == Status::Warn && !found.remedy.unwrap().fixable);
    }

    #[test]
    fn a_temporary_folder_must_take_programs() {
        let mut survey = healthy();
        let options = vec!["noexec".into()];
        survey.host.mounts.push(Mount {
            point: "/tmp".into(),
            kind: "tmpfs".into(),
            options,
            order: None,
        });
        assert_eq!(status(&survey, "permissions/temporary-folder-usable"), Status::Fail);
        let survey = path(PathRole::TemporaryFolder, walk("/tmp", folder(0, 0o755)));
        assert_eq!(status(&survey, "permissions/temporary-folder-usable"), Status::Fail);
    }

    #[test]
    fn a_log_of_roots_fails() {
        let survey = path(PathRole::LogFile, walk("/var/log/x.log", file(0, 0o644)));
        assert_eq!(status(&survey, "permissions/log-writable"), Status::Fail);
    }
}
