//! Sandbox directives of the unit that break jobs.

use super::{
    OnUnit, on_unit, privileges, unit,
    view::{Closed, View},
};
use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict, lookup::task_account,
        own_folders::OwnFolders,
    },
    host::{Directive, Install, PathRole, PathWalk, Service, Survey},
    platform::fs::Kind,
    service::systemd::{
        elevation::Elevation,
        truth::{is_off, is_on},
    },
};
use std::path::Path;

pub(in crate::doctor::service) const ALLOWS_JOBS: Check = Check {
    name: "service/sandbox-allows-jobs",
    holds: "The sandbox of the unit allows what jobs need",
    why: "Every job fails if the work folder or the home folder is closed or read-only in the \
          sandbox, or the network is disabled. Jobs run in the sandbox of the agent's unit.",
    found: "The doctor compares what systemd has in force, which DynamicUser= implies too, with the \
            work folder, the home folder, the temporary folder, the files of the agent and the \
            command prefix.",
    cure: "Remove the directive, or add the folder to ReadWritePaths=. If jobs could have named \
           the folder or written the prefix, change the configuration instead.",
    after: &["service/loaded"],
    judge: Judge::Agent(allows_jobs),
};

fn allows_jobs(survey: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let elevation = Elevation::of_unit(&service.directives);
    let mut problems = closed_places(survey, install, service);
    let mut add = |line: &Directive, what: String, wanted_by: Wanted| {
        problems.push(
            Problem::fail(what).seen(shown(line)).cure(wanted_by.cure(survey, install, service)),
        );
    };
    for line in service.directives.iter().filter(|line| line.section == "Service") {
        let value = line.value.as_str();
        // Only the effective directive is judged.
        let counts = service.directives("Service", &line.key).any(|directive| directive == line);
        if !counts || elevation.is_some_and(|elevation| !elevation.keeps(&line.key)) {
            continue;
        }
        match line.key.as_str() {
            "PrivateNetwork" if is_on(value) => {
                add(line, "jobs have no network".to_owned(), Wanted::Root);
            }
            "IPAddressDeny"
                if value.split_whitespace().any(|word| matches!(word, "any" | "0.0.0.0/0"))
                    && !has_ways_out(service) =>
            {
                add(
                    line,
                    "the agent and its jobs cannot reach any address".to_owned(),
                    Wanted::Root,
                );
            }
            "RestrictAddressFamilies"
                if !value.starts_with('~') && !value.contains("AF_INET") && !value.is_empty() =>
            {
                add(
                    line,
                    "the agent and its jobs cannot open internet sockets".to_owned(),
                    Wanted::Root,
                );
            }
            "MemoryDenyWriteExecute" if is_on(value) => {
                let what = "programs of jobs with a just-in-time compiler (node, java) end at once";
                add(line, what.to_owned(), Wanted::Root);
            }
            "RootDirectory" | "RootImage" => {
                add(
                    line,
                    "the agent and its jobs have another root folder".to_owned(),
                    Wanted::Root,
                );
            }
            _ => {}
        }
    }
    let by_root = install.settings().by("runner.command_prefix").is_root();
    let wanted = if by_root { Wanted::Root } else { Wanted::Prefix };
    for (line, block) in privileges::blocks(install, service, survey.host.systemd) {
        add(line, block.why().to_owned(), wanted);
    }
    Ok(Verdict::of(problems, "the sandbox allows what jobs need"))
}

/// Whether addresses beyond this host are allowed, which goes before each denial: jobs may need no
/// others.
fn has_ways_out(service: &Service) -> bool {
    let is_near = |word: &str| {
        matches!(word, "localhost" | "link-local" | "multicast")
            || word.starts_with("127.")
            || word.starts_with("::1")
    };
    let lines = service.directives("Service", "IPAddressAllow");
    lines.flat_map(|line| line.value.split_whitespace()).any(|word| !is_near(word))
}

/// A place that the agent and its jobs need.
struct Place<'a> {
    what: &'static str,
    path: &'a Path,
    wanted: Wanted,
    /// Nothing is written there.
    is_read: bool,
}

fn places<'a>(survey: &'a Survey, install: &'a Install) -> Vec<Place<'a>> {
    let own_folders = OwnFolders::of(survey, install);
    let named = |(role, what): (PathRole, &'static str)| {
        let named = install.named(role)?;
        let path = named.walk.ok()?.path.as_path();
        let is_meant = named.named_by.is_root() || own_folders.is_known(path);
        let wanted = if is_meant { Wanted::Root } else { Wanted::Folder };
        Some(Place { what, path, wanted, is_read: false })
    };
    let written = [
        (PathRole::WorkFolder, "the work folder"),
        (PathRole::LogFile, "the log file"),
        (PathRole::TemporaryFolder, "the temporary folder"),
    ];
    let account = task_account(survey, install).ok();
    let home = account.filter(|account| account.home.is(Kind::Folder)).map(|account| Place {
        what: "the home folder",
        path: &account.home.path,
        wanted: match install.account_by(account).is_root() {
            true => Wanted::Root,
            false => Wanted::Prefix,
        },
        is_read: false,
    });
    let read = |(what, walk): (&'static str, &'a PathWalk)| {
        let is_meant = install.named_by.is_root() || own_folders.is_known(&walk.path);
        let wanted = if is_meant { Wanted::Root } else { Wanted::Folder };
        Place { what, path: &walk.path, wanted, is_read: true }
    };
    let binary = install.binary.as_ref().and_then(|binary| binary.walk.ok());
    let config = install.config_file().ok().map(|config| &config.walk);
    let parts = [("the binary", binary), ("the configuration", config)];
    let parts = parts.into_iter().filter_map(|(what, walk)| Some((what, walk?)));
    // An image gets its own where it runs, and the sandbox with it.
    let has_folder = install.named(PathRole::TemporaryFolder).is_some();
    let usual = (!has_folder).then(|| Place {
        what: "the temporary folder",
        path: Path::new("/tmp"),
        wanted: Wanted::Root,
        is_read: false,
    });
    written.into_iter().filter_map(named).chain(usual).chain(home).chain(parts.map(read)).collect()
}

/// Of each place that the sandbox closes, by which directive.
fn closed_places(survey: &Survey, install: &Install, service: &Service) -> Vec<Problem> {
    let view = View::of(service);
    let problem = |place: Place<'_>| {
        let (closed, key) = view.closed(place.path)?;
        if place.is_read && matches!(closed, Closed::ReadOnly | Closed::NoPrograms) {
            return None;
        }
        let (what, path) = (place.what, place.path.display());
        let summary = match closed {
            Closed::ReadOnly => format!("{what} {path} is read-only for jobs"),
            Closed::Inaccessible => format!("jobs cannot use {what} {path}: {key}= closes it"),
            Closed::Empty => {
                format!("jobs cannot use {what} {path}: {key}= puts an empty folder over it")
            }
            Closed::NoPrograms => format!("no program can be executed in {what} {path}"),
        };
        let mut remedy = place.wanted.cure(survey, install, service);
        let dynamic = service.directive("Service", "DynamicUser");
        let set = service.directive("Service", key).filter(|line| !is_off(&line.value));
        let seen = match (set, dynamic) {
            (Some(_), _) => {
                let lines = service.directives("Service", key);
                lines.map(shown).collect::<Vec<_>>().join("\n")
            }
            (None, Some(line)) => {
                if place.wanted == Wanted::Root {
                    let edit = on_unit(OnUnit::Edit, install, service);
                    remedy = Remedy::by_hand(DYNAMIC).command(edit);
                }
                format!("{}, which implies {key}=", shown(line))
            }
            (None, None) => format!("systemctl show: {key}= is in force"),
        };
        Some(Problem::fail(summary).seen(seen).cure(remedy))
    };
    places(survey, install).into_iter().filter_map(problem).collect()
}

/// What `systemd.exec(5)` says of it.
const DYNAMIC: &str = "Set DynamicUser=no and give the service an account by User=: DynamicUser=yes implies \
     ProtectSystem=strict, ProtectHome=read-only, PrivateTmp=yes, RemoveIPC=yes, \
     NoNewPrivileges=yes and RestrictSUIDSGID=yes. To keep it, name each folder in ReadWritePaths=.";

fn shown(line: &Directive) -> String {
    format!("{}:{}: {}={}", line.file.display(), line.line, line.key, line.value)
}

/// Who asks for what the sandbox blocks. Only what root chose justifies a change of root's directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Every job needs it, or root chose it.
    Root,
    /// A path that an account could have chosen.
    Folder,
    /// A command prefix that an account could have written.
    Prefix,
}

impl Wanted {
    fn cure(self, survey: &Survey, install: &Install, service: &Service) -> Remedy {
        match self {
            Self::Root => {
                let remedy = Remedy::by_hand("Remove the directive, or add an exception.");
                match install.named_by.is_root() {
                    true => remedy.command(on_unit(OnUnit::Edit, install, service)),
                    false => remedy,
                }
            }
            Self::Folder | Self::Prefix if survey.is_saved => {
                Remedy::by_hand("Remove the directive, or add an exception.").without_proof()
            }
            Self::Folder => Remedy::by_hand(
                "Set a path in the configuration that the sandbox allows: an account other than \
                 root could have set this one, and only root decides on the sandbox.",
            ),
            Self::Prefix => Remedy::by_hand(
                "Remove sudo from runner.command_prefix: an account other than root could have \
                 written it, and only root decides on the sandbox.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Named, PathRole, Provenance, Setting, Survey, Written},
    };

    #[test]
    fn what_closes_the_work_folder_or_the_network_fails() {
        for (key, value, expected) in [
            ("ProtectSystem", "strict", Status::Fail),
            ("ProtectSystem", "full", Status::Pass),
            ("ReadOnlyPaths", "/var", Status::Fail),
            ("InaccessiblePaths", "-/var/opt", Status::Fail),
            ("TemporaryFileSystem", "/var:ro", Status::Fail),
            ("PrivateNetwork", "yes", Status::Fail),
            ("IPAddressDeny", "any", Status::Fail),
            ("RestrictAddressFamilies", "AF_UNIX", Status::Fail),
            ("MemoryDenyWriteExecute", "yes", Status::Fail),
            ("NoNewPrivileges", "yes", Status::Pass),
            ("ProtectHome", "yes", Status::Fail),
            ("ProtectHome", "read-only", Status::Fail),
            ("ProtectHome", "tmpfs", Status::Fail),
            ("TemporaryFileSystem", "/home", Status::Fail),
            ("ReadOnlyPaths", "/tmp", Status::Fail),
            ("ReadOnlyPaths", "/opt /etc /usr", Status::Pass),
            ("InaccessiblePaths", "/etc/opt", Status::Fail),
            ("DynamicUser", "yes", Status::Fail),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", key, value);
            assert_eq!(status(&survey, "service/sandbox-allows-jobs"), expected, "{key}={value}");
        }
        for (allowed, expected) in
            [("localhost 127.0.0.0/8", Status::Fail), ("localhost 10.0.0.0/8", Status::Pass)]
        {
            let mut survey = healthy();
            directive(&mut survey, "Service", "IPAddressDeny", "any");
            directive(&mut survey, "Service", "IPAddressAllow", allowed);
            assert_eq!(status(&survey, "service/sandbox-allows-jobs"), expected, "{allowed}");
        }
        let mut survey = healthy();
        directive(&mut survey, "Service", "ProtectSystem", "strict");
        directive(&mut survey, "Service", "ReadWritePaths", "/var/opt/circleci");
        directive(&mut survey, "Service", "PrivateTmp", "yes");
        assert_eq!(status(&survey, "service/sandbox-allows-jobs"), Status::Pass);
    }

    /// What an account wrote never has root take its own sandbox away.
    #[test]
    fn the_sandbox_gives_way_to_what_root_named_alone() {
        let edits = |survey: &Survey| {
            let remedy = finding(survey, "service/sandbox-allows-jobs").remedy.unwrap();
            remedy.commands().iter().any(|line| line.contains("systemctl edit"))
        };
        let closed = |path: &str, named_by| {
            let mut survey = healthy();
            let walk = walk(path, folder(UID, 0o750));
            agent(&mut survey).paths[0] = Named { named_by, ..named(PathRole::WorkFolder, walk) };
            directive(&mut survey, "Service", "ProtectSystem", "strict");
            directive(&mut survey, "Service", "PrivateTmp", "yes");
            survey
        };
        let ci = Provenance::Account(UID);
        assert!(edits(&closed("/srv/work", Provenance::Root)));
        assert!(edits(&closed(WORKDIR, ci)), "the documented folder");
        assert!(!edits(&closed("/boot/x", ci)));
        let mut survey = healthy();
        directive(&mut survey, "Service", "NoNewPrivileges", "yes");
        let value = Written::List(vec!["sudo".into(), "-n".into(), "--".into()]);
        let path = "runner.command_prefix".into();
        config_of(&mut survey).settings.push(Setting { path, line: 7, column: 3, value });
        assert!(!edits(&survey));
        config_of(&mut survey).written_by = Provenance::Root;
        assert!(edits(&survey));
    }
}
