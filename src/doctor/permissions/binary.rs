//! Whether the agent's binary can be executed, and who can modify it.

use super::{mounts::remount_exec, rights, strange};
use crate::{
    agent::{self, CircleCi},
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode, Purpose, Site},
        lookup::{account, octal, owner_of, restarted_if_changed},
        service,
    },
    host::{
        Access, AccountFacts, Binary, Denied, Install, PathWalk, Service, Strange, Stranger,
        Survey, Unseen,
    },
    platform::fs::Kind,
};

/// The binary of an agent.
///
/// # Errors
/// Why there is none to judge.
pub(super) fn binary(install: &Install) -> Result<(&Binary, &PathWalk), Unseen> {
    let binary = install
        .binary
        .as_ref()
        .ok_or_else(|| Unseen::not_examined("the service names no binary"))?;
    Ok((binary, binary.walk.known()?))
}

/// Whether the program that the service starts is meant to be the agent, by its name or because an
/// install placed it there: a wrapper or a program of a drop-in is not what an install would replace.
pub(super) fn is_agents(install: &Install, walk: &PathWalk) -> bool {
    // The paths of Windows are judged on any system.
    let path = walk.path.to_string_lossy();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim_end_matches(".exe");
    let is_named = agent::Kind::of_program(name) == Some(install.agent);
    let placed = install.receipt.as_ref().and_then(|receipt| receipt.binary.as_ref());
    is_named || placed == Some(&walk.path)
}

pub(super) const EXECUTABLE: Check = Check {
    name: "permissions/binary-executable",
    holds: "The service account can execute the binary",
    why: "Jobs hang in \"Preparing Environment\" without an error. The published download script \
          does not set the executable bit on a host without sha256sum.",
    found: "The doctor reads mode and owner of the binary and of every folder above it, for the \
            service account.",
    cure: "Set the mode to 0755 and start the agent again.",
    after: &["service/defined", "service/loaded", "permissions/defender-allows"],
    judge: Judge::Agent(executable),
};

fn executable(survey: &Survey, install: &Install) -> Judged {
    let (_, walk) = binary(install)?;
    let path = walk.path.display();
    let site = Site { walk, named_by: install.named_by, purpose: Purpose::Agent };
    let change = Change::new(survey, install);
    // A file that another account could have put there is replaced, not made executable.
    let runnable = |remedy: Remedy| match account(survey, install) {
        Ok(account) if walk.strange_to(account).is_some() => Remedy::by_hand(
            "Install the binary again: another account could have put this file there.",
        )
        .command(Command::install()),
        _ => restarted_if_changed(change.permissions(remedy, site, None, Mode::Open), install),
    };
    let lacks = |service: &Service| service::lacks_program(service, &walk.path);
    if !is_agents(install, walk) && install.service.as_ref().is_some_and(lacks) {
        return Err(Unseen::not_examined(format!("service/start-needs-met tells of {path}")));
    }
    if walk.is(Kind::Link) {
        return Ok(Problem::fail(format!("{path} is a link, which root does not follow"))
            .seen(walk.why())
            .cure(
                change
                    .aside(Remedy::by_hand("Put the binary itself at this path, not a link."), site)
                    .command(Command::install()),
            )
            .into());
    }
    if !walk.is(Kind::File) && !is_agents(install, walk) {
        let what = walk.end.map_or("does not exist".to_owned(), |meta| format!("is {}", meta.kind));
        return Ok(Problem::fail(format!("the program that the service starts, {path}, {what}"))
            .seen(walk.why())
            .cure(Remedy::by_hand("Put the program there, or correct the command of the service."))
            .into());
    }
    if !walk.is(Kind::File) {
        let (what, remedy) = match walk.end {
            None => ("does not exist".to_owned(), Remedy::by_hand("Install the agent.")),
            Some(meta) => {
                let remedy = Remedy::by_hand("Move it away, and install the agent.");
                (format!("is {}", meta.kind), change.aside(remedy, site))
            }
        };
        return Ok(Problem::fail(format!("the agent's binary {path} {what}"))
            .seen(walk.why())
            .cure(remedy.command(Command::install()))
            .into());
    }
    if rights::apply(survey) {
        return Ok(Verdict::Holds(format!("{path} exists")));
    }
    if let Some(meta) = walk.end.filter(|meta| meta.has_none(0o111)) {
        let mode = octal(&meta);
        return Ok(Problem::fail(format!("nobody can execute {path}"))
            .seen(format!("{path} has mode {mode}"))
            .cure(runnable(Remedy::by_hand("Set the execute permission.")))
            .into());
    }
    let account = account(survey, install)?;
    let Some(denied) = walk.denies(account, Access::Execute) else {
        return Ok(Verdict::Holds(format!("{} can execute {path}", account.name)));
    };
    let mode = octal(&denied.meta);
    if denied.path == walk.path {
        return Ok(Problem::fail(format!("{} cannot execute {path}", account.name))
            .seen(format!("{path} has mode {mode}"))
            .cure(runnable(Remedy::by_hand("Set the execute permission.")))
            .into());
    }
    Ok(closed_folder(&change, &denied, site, account, install).into())
}

/// A folder above a path that an account cannot enter.
pub(super) fn closed_folder(
    change: &Change<'_>,
    denied: &Denied,
    site: Site<'_>,
    account: &AccountFacts,
    install: &Install,
) -> Problem {
    let folder = denied.path.display();
    // A folder that another account can change is closed, not opened further.
    let stranger = site.walk.strange_to(account).filter(|_| site.purpose == Purpose::Agent);
    let remedy = match stranger {
        Some(found) => strange::cure(install, &found),
        None => change.pass(
            Remedy::by_hand("Allow the account to enter the folders above the path."),
            site,
            &denied.path,
            account,
        ),
    };
    Problem::fail(format!(
        "{} cannot enter {folder}, which is above {}",
        account.name,
        site.walk.path.display()
    ))
    .seen(format!("{folder} has mode {}", octal(&denied.meta)))
    .cure(restarted_if_changed(remedy, install))
}

pub(super) const FILESYSTEM: Check = Check {
    name: "permissions/binary-filesystem",
    holds: "The file system of the binary allows programs to run",
    why: "On a file system that is mounted with noexec the binary cannot run, even if its mode \
          allows it.",
    found: "The doctor reads the mount options of the file system that holds the binary.",
    cure: "Move the binary, or mount the file system without noexec.",
    after: &["permissions/binary-executable"],
    judge: Judge::Agent(filesystem),
};

fn filesystem(survey: &Survey, install: &Install) -> Judged {
    let (_, walk) = binary(install)?;
    let mount = survey
        .host
        .mount_of(&walk.real)
        .ok_or_else(|| Unseen::not_examined("the mount of the binary is not known"))?;
    let point = mount.point.display();
    if !mount.has("noexec") {
        return Ok(Verdict::Holds(format!("{point} is mounted without noexec")));
    }
    let remedy = Remedy::by_hand("Mount the file system without noexec, now and in /etc/fstab.")
        .command(remount_exec(&mount.point, walk, install.named_by));
    Ok(Problem::fail(format!(
        "{} is on {point}, which is mounted with noexec",
        walk.path.display()
    ))
    .seen(format!("mount options of {point}: {}", mount.options.join(",")))
    .cure(remedy)
    .into())
}

pub(super) const NOT_WRITABLE: Check = Check {
    name: "permissions/binary-not-writable",
    holds: "Only root, or an agent that updates itself, can modify the binary",
    why: "An account that can modify the binary or its folder controls what the service runs.",
    found: "The doctor reads owner and mode of the binary and its folder; on Windows it reads \
            their access lists.",
    cure: "Give the binary and its folder to root with mode 0755. An agent that updates itself \
           must own the folder.",
    after: &["permissions/binary-executable"],
    judge: Judge::Agent(not_writable),
};

fn not_writable(survey: &Survey, install: &Install) -> Judged {
    if rights::apply(survey) {
        return rights::unchangeable(survey, install);
    }
    let (_, walk) = binary(install)?;
    let account = account(survey, install)?;
    let end = walk.end.ok_or_else(|| Unseen::not_examined("the binary does not exist"))?;
    if let Some(found) = walk.strange_to(account) {
        let problem = open_to_all(survey, install, walk, &found);
        return Ok(problem
            .unwrap_or_else(|| strange::problem(survey, install, ("the binary", walk), &found))
            .into());
    }
    let folder = walk.nearest().map(|passed| passed.meta);
    let is_roots_alone = |service: &Service| service.manager.profile().has_drop_ins();
    let is_strict = install.service.as_ref().is_some_and(is_roots_alone);
    if account.is_root() && is_strict && !walk.is_roots() {
        return Ok(Problem::fail(format!(
            "accounts other than root can modify {}, which runs as root",
            walk.path.display()
        ))
        .seen(format!(
            "{} has owner {} and mode {}; the folders above it count too",
            walk.path.display(),
            owner_of(survey, &end),
            octal(&end)
        ))
        .cure(
            Remedy::by_hand("Install the binary again, as a file of root.")
                .command(Command::install().then("--auto-update false")),
        )
        .into());
    }
    let owned = !account.is_root()
        && (account.owns(&end) || folder.is_some_and(|folder| account.owns(&folder)));
    if owned && !updates_itself(install) {
        let remedy = Remedy::by_hand("Install the binary again, as a file of root.")
            .command(Command::install().then("--auto-update false"));
        return Ok(Problem::warn(format!(
            "jobs can replace {}: {} owns it or its folder",
            walk.path.display(),
            account.name
        ))
        .seen(format!(
            "owner of the binary: {}; the agent does not update itself, so root can own it",
            owner_of(survey, &end)
        ))
        .cure(remedy)
        .into());
    }
    Ok(Verdict::Holds("no other account can modify the binary or its folder".to_owned()))
}

/// A binary or folder with the right owner that every user can write to.
fn open_to_all(
    survey: &Survey,
    install: &Install,
    walk: &PathWalk,
    found: &Strange,
) -> Option<Problem> {
    if found.by != Stranger::Everybody {
        return None;
    }
    let folder = walk.nearest().filter(|folder| folder.path == found.path);
    let way = match folder {
        Some(folder) => walk.up_to(&folder.path)?,
        None => Some(walk.clone()).filter(|_| found.path == walk.real)?,
    };
    let site = Site { walk: &way, named_by: install.named_by, purpose: Purpose::Agent };
    let remedy = Remedy::by_hand(
        "Remove write access for others. If somebody could have used it, install again.",
    );
    let remedy = Change::new(survey, install)
        .permissions(remedy, site, None, Mode::closed(&found.meta))
        .command(Command::install());
    let path = way.path.display();
    let problem = Problem::fail(format!("every user can modify {path}"));
    Some(problem.seen(format!("{path} has mode {}", octal(&found.meta))).cure(remedy))
}

pub(super) const UPDATABLE: Check = Check {
    name: "permissions/binary-updatable",
    holds: "An agent that updates itself can replace its binary",
    why: "Every update of launch-agent fails, and after some time the server refuses the old \
          agent. launch-agent on CircleCI cloud updates itself and must be able to write to the \
          binary's folder.",
    found: "The doctor reads owner and mode of the binary's folder, unless \
            runner.disable_auto_update is set.",
    cure: "Give the folder to the service account, or set runner.disable_auto_update: true.",
    after: &["permissions/binary-executable"],
    judge: Judge::Agent(updatable),
};

fn updatable(survey: &Survey, install: &Install) -> Judged {
    let (_, walk) = binary(install)?;
    if !updates_itself(install) {
        return Err(Unseen::not_applicable("the agent does not update itself"));
    }
    let account = account(survey, install)?;
    let folder = walk
        .nearest()
        .ok_or_else(|| Unseen::not_examined("the folder of the binary does not exist"))?;
    if account.may(&folder.meta, Access::Write) {
        return Ok(Verdict::Holds(format!(
            "{} can write to {}",
            account.name,
            folder.path.display()
        )));
    }
    let path = folder.path.display();
    // The command gives the binary to the account, which the account alone must not cause.
    let remedy = match install.settings().by("runner.disable_auto_update").is_root() {
        true => Remedy::by_hand(
            "Make the account the owner of the folder, or set disable_auto_update: true.",
        )
        .command(Command::install().then("--auto-update true")),
        false if survey.is_saved => Remedy::by_hand(
            "Make the account the owner of the folder, or set disable_auto_update: true.",
        )
        .without_proof(),
        false => Remedy::by_hand(
            "Set runner.disable_auto_update: true. An account other than root could have written \
             the configuration that has the agent update itself; to have it so, run `runnerup \
             install` with --auto-update true.",
        ),
    };
    Ok(Problem::warn(format!(
        "the agent updates itself, but {} cannot write to {path}",
        account.name
    ))
    .seen(format!(
        "{path} has mode {}, owner {}",
        octal(&folder.meta),
        owner_of(survey, &folder.meta)
    ))
    .cure(remedy)
    .into())
}

/// Whether the agent replaces its own binary: docs/agents.md, Kinds.
pub(in crate::doctor) fn updates_itself(install: &Install) -> bool {
    let disables = install.settings().get("runner.disable_auto_update");
    let Ok(disables) = disables else { return false };
    install.agent.profile().updates_itself
        && disables.and_then(|given| given.truth()) != Some(true)
        && install.api().is_ok_and(CircleCi::is_cloud)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Mount, Provenance, Seen},
    };

    fn with(change: impl FnOnce(&mut PathWalk)) -> Survey {
        let mut survey = healthy();
        if let Seen::Known(walk) = &mut agent(&mut survey).binary.as_mut().unwrap().walk {
            change(walk);
        }
        survey
    }

    #[test]
    fn the_documented_hang_is_found_with_its_cure() {
        let survey = with(|walk| walk.end = Some(file(0, 0o644)));
        let found = finding(&survey, "permissions/binary-executable");
        assert_eq!(found.status, Status::Fail);
        let remedy = found.remedy.unwrap();
        assert_eq!(remedy.commands()[0], format!("sudo chmod 755 {BINARY}"));
        assert!(remedy.fixable && remedy.steps().len() == 2);
    }

    #[test]
    fn a_closed_folder_and_a_missing_binary_fail() {
        let closed = with(|walk| walk.passed[1].meta = walk.passed[1].meta.with_mode(0o700));
        let found = finding(&closed, "permissions/binary-executable");
        assert!(found.summary.contains("/opt"), "{}", found.summary);
        let missing = with(|walk| walk.end = None);
        assert_eq!(status(&missing, "permissions/binary-executable"), Status::Fail);
    }

    #[test]
    fn noexec_and_open_modes_fail() {
        let mut survey = healthy();
        let options = vec!["rw".into(), "noexec".into()];
        survey.host.mounts.push(Mount {
            point: "/opt".into(),
            kind: "ext4".into(),
            options,
            order: None,
        });
        assert_eq!(status(&survey, "permissions/binary-filesystem"), Status::Fail);
        let open = with(|walk| walk.end = Some(file(0, 0o777)));
        assert_eq!(status(&open, "permissions/binary-not-writable"), Status::Fail);
        let owned = with(|walk| walk.end = Some(file(UID, 0o755)));
        assert_eq!(status(&owned, "permissions/binary-not-writable"), Status::Warn);
    }

    #[test]
    fn a_binary_that_a_stranger_can_replace_fails_and_is_not_made_to_run() {
        for change in [
            (|walk: &mut PathWalk| walk.end = Some(file(4321, 0o755))) as fn(&mut PathWalk),
            |walk| walk.passed.last_mut().unwrap().meta = folder(4321, 0o755),
            |walk| walk.passed[1].meta = folder(4321, 0o755),
            |walk| walk.passed[1].meta = folder(4321, 0o700),
            |walk| walk.end = Some(file(4321, 0o777)),
        ] {
            let mut survey = with(change);
            assert_eq!(status(&survey, "permissions/binary-not-writable"), Status::Fail);
            if let Seen::Known(walk) = &mut agent(&mut survey).binary.as_mut().unwrap().walk {
                walk.end = walk.end.map(|end| end.with_mode(0o700));
            }
            let found = finding(&survey, "permissions/binary-executable");
            let remedy = found.remedy.unwrap();
            assert!(remedy.steps().is_empty(), "{remedy:?}");
            let commands = remedy.commands();
            assert_eq!(*commands.last().unwrap(), "sudo runnerup install");
            assert!(commands.iter().all(|line| !line.contains("chmod")), "{commands:?}");
        }
    }

    #[test]
    fn what_root_runs_is_roots() {
        let mut survey = with(|walk| walk.end = Some(file(UID, 0o755)));
        agent(&mut survey).user = Some("root".into());
        assert_eq!(status(&survey, "permissions/binary-not-writable"), Status::Fail);
    }

    #[test]
    fn a_self_updating_agent_needs_its_folder() {
        let mut survey = healthy();
        set(&mut survey, "runner.disable_auto_update", None);
        set(&mut survey, "api.url", None);
        assert_eq!(status(&survey, "permissions/binary-updatable"), Status::Warn);
        // The account's word gives it nothing.
        for (by, commands) in [(Provenance::Account(UID), 0), (Provenance::Root, 1)] {
            config_of(&mut survey).written_by = by;
            let remedy = finding(&survey, "permissions/binary-updatable").remedy.unwrap();
            assert_eq!(remedy.commands().len(), commands, "{by:?}");
        }
        set(&mut survey, "api.url", Some("https://server.example.com"));
        assert_eq!(status(&survey, "permissions/binary-updatable"), Status::NotApplicable);
    }
}
