//! The account that jobs run as: its rights on the host, its home folder.

use super::{
    mounts::{no_programs, read_only},
    windows,
};
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Purpose, Site, on_account},
        lookup::{octal, owner_of, task_account},
    },
    host::{Access, AccountFacts, Install, POWERFUL, Survey, Unseen},
    platform::{
        Os,
        fs::{Kind, Meta},
    },
};
use std::path::Path;

/// Shells that end at once, so that no step can run.
const NO_SHELLS: [&str; 3] = ["nologin", "false", "sync"];

pub(super) const POWER: Check = Check {
    name: "permissions/power-known",
    holds: "The rights that jobs have on this host are known and intended",
    why: "Everyone who can start a job on this host has the rights of the account that runs jobs. \
          With passwordless sudo, or in the docker group, these are the rights of root.",
    found: "The doctor reads the user ID, the groups and the sudo rules of the account that runs \
            jobs; on Windows it reads whether the account is an administrator.",
    cure: "Remove the right, or let only people whom you trust with root start jobs on this host.",
    // Where sudo refuses the prefix, no job runs as the account that it names.
    after: &["service/loaded", "service/user-exists", "permissions/sudo-works"],
    judge: Judge::Agent(power),
};

fn power(survey: &Survey, install: &Install) -> Judged {
    if survey.host.os == Os::Windows {
        return windows::power(survey, install);
    }
    let account = task_account(survey, install)?;
    let name = &account.name;
    let mut powers = Vec::new();
    if account.is_root() {
        powers.push("jobs run as root".to_owned());
    }
    let (now, later) = groups(survey, install, account);
    powers.extend(now);
    let sudo = account.sudo.ok();
    let is_free = sudo.is_some_and(|sudo| sudo.passwordless) && !account.is_root();
    if is_free {
        powers.push(format!("{name} can run any command with sudo without a password"));
    }
    if powers.is_empty() && later.is_empty() {
        return Ok(Verdict::Holds(format!("{name} has no rights of root or of an administrator")));
    }
    let by = install.account_by(account);
    if powers.is_empty() {
        let rights = later.join("; ");
        return Ok(Problem::warn(format!(
            "jobs get full control of this host with the next start of the agent: {rights}"
        ))
        .seen(format!("{rights}; the agent was started before"))
        .cure(
            Remedy::by_hand("Remove the account from the group, or let only people whom you trust with root start jobs on this host.")
                .inspect(Command::fixed("id").user(name, by)),
        )
        .into());
    }
    let rights = powers.join("; ");
    // The install was asked for passwordless sudo.
    if install.receipt.is_some() && powers.len() == 1 && is_free {
        return Ok(Verdict::Holds(format!("{rights}, as chosen at install time")));
    }
    Ok(Problem::warn(format!("jobs have full control of this host: {rights}"))
        .seen(rights)
        .cure(
            Remedy::by_hand("Remove the right, or let only people whom you trust with root start jobs on this host.")
                .inspect(Command::fixed("id").user(name, by))
                .inspect(Command::root("-l -U").user(name, by)),
        )
        .into())
}

/// The powerful groups that jobs are in now, and those that they get with the next start of the agent:
/// a process keeps the groups that its account had when it was started.
fn groups(
    survey: &Survey,
    install: &Install,
    account: &AccountFacts,
) -> (Vec<String>, Vec<String>) {
    let name = &account.name;
    let (mut now, mut later) = (Vec::new(), Vec::new());
    if account.is_root() {
        return (now, later);
    }
    // Jobs of another account get its groups when each is started.
    let process = install.running.ok().filter(|running| account.uid() == Some(running.uid));
    let has = |gid: u32| {
        process.is_none_or(|process| process.gid == gid || process.groups.contains(&gid))
    };
    for (gid, group) in account.groups.iter().filter(|group| POWERFUL.contains(&group.1.as_str())) {
        let list = if has(*gid) { &mut now } else { &mut later };
        list.push(format!("{name} is in the group {group}"));
    }
    let is_left = |group: &&(u32, String)| {
        process.is_some() && has(group.0) && account.groups.iter().all(|own| own.0 != group.0)
    };
    for (_, group) in survey.host.powerful_groups.iter().filter(is_left) {
        now.push(format!("the agent still runs in the group {group}, which {name} is not in"));
    }
    (now, later)
}

pub(super) const HOME: Check = Check {
    name: "permissions/home-usable",
    holds: "The account that runs jobs has a home folder and a shell",
    why: "Without a home folder or a shell jobs fail with misleading errors: they write to the \
          home folder, and steps run in the shell.",
    found: "The doctor reads the home folder and the shell of the account.",
    cure: "Create the home folder, and give the account a shell.",
    after: &["service/user-exists"],
    judge: Judge::Agent(home),
};

fn home(survey: &Survey, install: &Install) -> Judged {
    let account = task_account(survey, install)?;
    let name = &account.name;
    let mut problems = Vec::new();
    let home = account.home.path.display();
    let by = install.account_by(account);
    let create = match survey.host.os {
        Os::Darwin => on_account("createhomedir -c -u", name, by),
        Os::Linux | Os::Windows => on_account("mkhomedir_helper", name, by),
    };
    let make = Remedy::by_hand("Create the home folder.").command(create);
    if survey.host.os == Os::Windows {
        return Err(Unseen::not_applicable("Windows creates the home folder when it is needed"));
    }
    if !account.home.is(Kind::Folder) {
        problems.push(
            Problem::warn(format!("the home folder {home} of {name} does not exist"))
                .seen(account.home.why())
                .cure(make),
        );
    } else if let Some((summary, at, meta)) = unusable(survey, account) {
        problems.push(
            Problem::warn(summary)
                .seen(format!(
                    "{} has mode {}, owner {}",
                    at.display(),
                    octal(&meta),
                    owner_of(survey, &meta)
                ))
                .cure(Change::new(survey, install).home(
                    Remedy::by_hand("Make the account the owner of its home folder."),
                    Site { walk: &account.home, named_by: by, purpose: Purpose::Data },
                    account,
                )),
        );
    }
    if account.home.is(Kind::Folder) {
        let text = "Mount it without noexec: tools that jobs install in the home folder run there.";
        let problem =
            Problem::warn(format!("no program can be executed in the home folder {home}"));
        problems.extend(
            read_only(survey, install, "the home folder", &account.home, by)
                .or_else(|| no_programs(survey, install, (&account.home, by), problem, text)),
        );
    }
    problems.extend(roots_home(install, account));
    let shell = account.shell.path.display();
    let last = account.shell.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let is_none = last.as_deref().is_some_and(|name| NO_SHELLS.contains(&name));
    // A prefix of `sudo -i`, or `su -`, starts the shell of the account.
    let steps_down = install.task_user != install.user;
    if steps_down && (is_none || !account.shell.is(Kind::File)) {
        problems.push(
            Problem::fail(format!(
                "{shell}, the shell of {name}, cannot run steps, and the command prefix starts it"
            ))
            .seen(format!("shell of the account: {shell}"))
            .cure(Remedy::by_hand("Set a login shell for the account.").command(
                match survey.host.os {
                    Os::Darwin => on_account("chsh -s /bin/zsh", name, by),
                    _ => on_account("chsh --shell /bin/bash", name, by),
                },
            )),
        );
    }
    Ok(Verdict::of(problems, format!("home folder {home}, shell {shell}")))
}

/// `HOME=/root` of a service that another account runs, which its jobs are given.
fn roots_home(install: &Install, account: &AccountFacts) -> Option<Problem> {
    let home = install.environment.iter().rev().find(|variable| variable.name == "HOME")?;
    let is_roots = home.value.as_ref().is_some_and(|value| value.trim_end_matches('/') == "/root");
    let steps_down = install.task_user != install.user;
    (is_roots && account.name != "root" && !steps_down).then(|| {
        let name = &account.name;
        Problem::fail(format!(
            "HOME of the service is /root, the home folder of root, not of {name}"
        ))
        .seen(format!("{}: HOME=/root", home.source))
        .cure(Remedy::by_hand("Remove the variable: systemd sets HOME to that of User=."))
    })
}

/// What is wrong with an existing home folder, and the path that shows it.
fn unusable<'a>(survey: &Survey, account: &'a AccountFacts) -> Option<(String, &'a Path, Meta)> {
    let (name, walk) = (&account.name, &account.home);
    let home = walk.path.display();
    let end = walk.end?;
    let at = |summary| Some((summary, walk.path.as_path(), end));
    if end.is_of_another(0) && !account.owns(&end) {
        let owner = owner_of(survey, &end);
        return at(format!("the home folder {home} of {name} belongs to another account, {owner}"));
    }
    if end.has_any(0o002) {
        return at(format!("every account can write to the home folder {home} of {name}"));
    }
    let denied = walk.denies(account, Access::Write)?;
    let passed = walk.passed.iter().find(|passed| passed.path == denied.path);
    let path = passed.map_or(walk.path.as_path(), |passed| &passed.path);
    Some((format!("{name} cannot write to its home folder {home}"), path, denied.meta))
}

pub(super) const PRIVACY: Check = Check {
    name: "permissions/privacy-folders",
    holds: "The agent uses no folder that macOS protects from services",
    why: "An agent that works in a terminal fails as a service: macOS gives services no access to \
          Documents, Desktop and Downloads.",
    found: "The doctor reads the paths of the binary, of the configuration and of the files and \
            folders that the configuration names.",
    cure: "Move them, or give the agent Full Disk Access.",
    after: &[],
    judge: Judge::Agent(privacy),
};

fn privacy(survey: &Survey, install: &Install) -> Judged {
    if survey.host.os != Os::Darwin {
        return Err(Unseen::not_applicable("only macOS protects folders from services"));
    }
    let binary = install.binary.as_ref().and_then(|binary| binary.walk.ok());
    let config = install.config_file().ok().map(|config| &config.walk);
    let paths = install.paths.iter().filter_map(|path| path.walk.ok());
    let paths = paths.chain(binary).chain(config);
    for walk in paths {
        let mut names = walk
            .path
            .components()
            .skip(1)
            .map(|part| part.as_os_str().to_string_lossy().into_owned());
        let (users, _, folder) = (names.next(), names.next(), names.next());
        if users.as_deref() == Some("Users")
            && matches!(folder.as_deref(), Some("Documents" | "Desktop" | "Downloads"))
        {
            return Ok(Problem::fail(format!(
                "{} is in a folder that macOS protects from services",
                walk.path.display()
            ))
            .seen(format!("path: {}", walk.path.display()))
            .cure(Remedy::by_hand("Move it to a folder that macOS does not protect."))
            .into());
        }
    }
    Ok(Verdict::Holds("no path of the agent is in a protected folder".to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{AccountFacts, PathRole, Seen, Survey},
        platform::Os,
    };

    fn with(change: impl FnOnce(&mut AccountFacts)) -> Survey {
        let mut survey = healthy();
        change(&mut survey.host.accounts[1]);
        survey
    }

    #[test]
    fn power_is_said_plainly() {
        let docker = with(|account| account.groups.push((999, "docker".into())));
        assert_eq!(status(&docker, "permissions/power-known"), Status::Warn);
        // A process has the groups of its start.
        let text = finding(&docker, "permissions/power-known").summary;
        assert!(text.contains("with the next start of the agent"), "{text}");
        let mut left = healthy();
        left.host.powerful_groups = vec![(999, "docker".into())];
        if let Seen::Known(running) = &mut agent(&mut left).running {
            running.groups.push(999);
        }
        let text = finding(&left, "permissions/power-known").summary;
        assert!(text.contains("still runs in the group docker"), "{text}");
        let mut root = healthy();
        agent(&mut root).task_user = Some("root".into());
        assert_eq!(status(&root, "permissions/power-known"), Status::Warn);
    }

    #[test]
    fn a_home_that_is_missing_warns() {
        let survey = with(|account| account.home.end = None);
        assert_eq!(status(&survey, "permissions/home-usable"), Status::Warn);
    }

    #[test]
    fn a_home_that_others_own_or_write_to_warns_and_is_given_to_nobody() {
        for (owned, is_given, words) in [
            (folder(0, 0o755), true, "cannot write"),
            (folder(4321, 0o755), false, "belongs to another account"),
            (folder(4321, 0o777), false, "belongs to another account"),
            (folder(0, 0o777), false, "every account can write"),
            (folder(UID, 0o777), false, "every account can write"),
        ] {
            let survey = with(|account| {
                account.home = walk("/home/circleci", owned);
            });
            let found = finding(&survey, "permissions/home-usable");
            assert_eq!(found.status, Status::Warn, "{owned:?}");
            assert!(found.summary.contains(words), "{}", found.summary);
            let remedy = found.remedy.unwrap();
            assert_eq!(!remedy.commands().is_empty(), is_given, "{remedy:?}");
            assert!(!remedy.text().contains("in the configuration"), "{remedy:?}");
        }
    }

    #[test]
    fn private_folders_of_macos_fail() {
        let mut survey = healthy();
        survey.host.os = Os::Darwin;
        let path = walk("/Users/ci/Documents/work", folder(UID, 0o755));
        agent(&mut survey).paths.push(named(PathRole::WorkFolder, path));
        assert_eq!(status(&survey, "permissions/privacy-folders"), Status::Fail);
    }
}
