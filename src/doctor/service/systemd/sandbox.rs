//! Sandbox directives of the unit that break jobs.

use super::{OnUnit, on_unit, privileges, unit};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, own_folders::OwnFolders},
    host::{Directive, Install, PathRole, Service, Survey},
};
use std::path::{Path, PathBuf};

pub(in crate::doctor::service) const ALLOWS_JOBS: Check = Check {
    name: "service/sandbox-allows-jobs",
    holds: "The sandbox of the unit allows what jobs need",
    why: "Every job fails if the work folder is read-only in the sandbox, or the network is \
          disabled. Jobs run in the sandbox of the agent's unit.",
    found: "The doctor compares the sandbox directives with the work folder, the temporary folder \
            and the command prefix.",
    cure: "Remove the directive, or add the folder to ReadWritePaths=. If jobs could have named \
           the folder or written the prefix, change the configuration instead.",
    after: &["service/loaded"],
    judge: Judge::Agent(allows_jobs),
};

fn allows_jobs(survey: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let mut problems = Vec::new();
    let mut add = |line: &Directive, what: String, wanted_by: Wanted| {
        problems.push(
            Problem::fail(what)
                .seen(format!("{}:{}: {}={}", line.file.display(), line.line, line.key, line.value))
                .cure(wanted_by.cure(survey, install, service)),
        );
    };
    let is_on = |value: &str| matches!(value, "yes" | "true" | "on" | "1");
    let own_folders = OwnFolders::of(survey, install);
    let folders: Vec<(&Path, Wanted)> = [PathRole::WorkFolder, PathRole::LogFile]
        .into_iter()
        .filter_map(|role| {
            let named = install.named(role)?;
            let path = named.walk.ok()?.path.as_path();
            let is_meant = named.named_by.is_root() || own_folders.is_known(path);
            Some((path, if is_meant { Wanted::Root } else { Wanted::Folder }))
        })
        .collect();
    let paths = |key: &str| -> Vec<PathBuf> {
        let lines = service.directives("Service", key);
        let words = lines.flat_map(|line| line.value.split_whitespace());
        words.map(|word| PathBuf::from(word.trim_start_matches(['-', '+']))).collect()
    };
    let writable = paths("ReadWritePaths");
    let is_open = |folder: &Path| writable.iter().any(|open| folder.starts_with(open));
    for line in service.directives.iter().filter(|line| line.section == "Service") {
        let value = line.value.as_str();
        // Only the effective directive is judged.
        if service.directives("Service", &line.key).all(|directive| directive != line) {
            continue;
        }
        match line.key.as_str() {
            "ProtectSystem" if matches!(value, "strict" | "full") || is_on(value) => {
                for (folder, wanted) in &folders {
                    let is_closed = match value {
                        "strict" => !folder.starts_with("/dev") && !folder.starts_with("/proc"),
                        _ => {
                            folder.starts_with("/usr")
                                || folder.starts_with("/boot")
                                || (value == "full" && folder.starts_with("/etc"))
                        }
                    };
                    if is_closed && !is_open(folder) {
                        add(line, format!("{} is read-only for jobs", folder.display()), *wanted);
                    }
                }
            }
            "ReadOnlyPaths" | "InaccessiblePaths" | "NoExecPaths" | "TemporaryFileSystem" => {
                for word in value.split_whitespace() {
                    let closed = Path::new(
                        word.trim_start_matches(['-', '+']).split(':').next().unwrap_or(word),
                    );
                    for (folder, wanted) in
                        folders.iter().filter(|folder| folder.0.starts_with(closed))
                    {
                        if !(line.key == "ReadOnlyPaths" && is_open(folder)) {
                            add(line, format!("jobs cannot use {}", folder.display()), *wanted);
                        }
                    }
                }
            }
            "ProtectHome" if is_on(value) || matches!(value, "read-only" | "tmpfs") => {
                let is_home = |path: &Path| path.starts_with("/home") || path.starts_with("/root");
                for (folder, wanted) in folders.iter().filter(|folder| is_home(folder.0)) {
                    add(line, format!("jobs cannot use {}", folder.display()), *wanted);
                }
            }
            "PrivateNetwork" if is_on(value) => {
                add(line, "jobs have no network".to_owned(), Wanted::Root);
            }
            "IPAddressDeny"
                if value.split_whitespace().any(|word| matches!(word, "any" | "0.0.0.0/0")) =>
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
            ("ProtectHome", "yes", Status::Pass),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", key, value);
            assert_eq!(status(&survey, "service/sandbox-allows-jobs"), expected, "{key}={value}");
        }
        let mut survey = healthy();
        directive(&mut survey, "Service", "ProtectSystem", "strict");
        directive(&mut survey, "Service", "ReadWritePaths", "/var/opt/circleci");
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
            survey
        };
        let ci = Provenance::Account(UID);
        assert!(edits(&closed("/srv/work", Provenance::Root)));
        assert!(edits(&closed(WORKDIR, ci)), "the documented folder");
        assert!(!edits(&closed("/root/x", ci)));
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
