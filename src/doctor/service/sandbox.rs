//! What the unit takes away from jobs.

use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{on_service, unseen},
    },
    facts::survey::{Directive, Install, Survey},
    platform::service::Manager,
};
use std::path::{Path, PathBuf};

pub(super) const ALLOWS_JOBS: Check = Check {
    name: "service/sandbox-allows-jobs",
    holds: "The unit's sandbox leaves jobs what they cannot do without",
    why: "Jobs run in the sandbox of the agent's unit: a work folder that is read-only there, or \
          a network that is none, fails every job, whatever the account may do outside.",
    found: "The sandbox's directives are compared with the work folder, the temporary folder and \
            the command prefix.",
    cure: "Take the directive out, or add the folder to ReadWritePaths=.",
    after: &["service/defined", "service/loaded"],
    judge: Judge::Agent(allows_jobs),
};

fn allows_jobs(_: &Survey, install: &Install) -> Judged {
    let service = install.service.as_ref().ok_or_else(|| unseen("there is no service"))?;
    if service.manager != Manager::Systemd {
        return Ok(Verdict::Idle("it is not a unit of systemd".to_owned()));
    }
    let mut problems = Vec::new();
    let mut add = |line: &Directive, what: String| {
        problems.push(
            Problem::fail(what)
                .seen(format!("{}:{}: {}={}", line.file.display(), line.line, line.key, line.value))
                .cure(
                    Remedy::by_hand("Take the directive out, or make an exception.")
                        .command(on_service("systemctl edit", install, service)),
                ),
        );
    };
    let is_on = |value: &str| matches!(value, "yes" | "true" | "on" | "1");
    let folders: Vec<PathBuf> = ["the work folder", "the log file"]
        .iter()
        .filter_map(|what| Some(install.path(what)?.ok()?.path.clone()))
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
        // Only the directive that counts is judged.
        if service.directives("Service", &line.key).all(|own| own != line) {
            continue;
        }
        match line.key.as_str() {
            "ProtectSystem" if matches!(value, "strict" | "full") || is_on(value) => {
                for folder in &folders {
                    let is_closed = match value {
                        "strict" => !folder.starts_with("/dev") && !folder.starts_with("/proc"),
                        _ => {
                            folder.starts_with("/usr")
                                || folder.starts_with("/boot")
                                || (value == "full" && folder.starts_with("/etc"))
                        }
                    };
                    if is_closed && !is_open(folder) {
                        add(line, format!("{} is read-only for jobs", folder.display()));
                    }
                }
            }
            "ReadOnlyPaths" | "InaccessiblePaths" | "NoExecPaths" | "TemporaryFileSystem" => {
                for word in value.split_whitespace() {
                    let closed = Path::new(
                        word.trim_start_matches(['-', '+']).split(':').next().unwrap_or(word),
                    );
                    for folder in folders.iter().filter(|folder| folder.starts_with(closed)) {
                        if !(line.key == "ReadOnlyPaths" && is_open(folder)) {
                            add(line, format!("{} is closed to jobs", folder.display()));
                        }
                    }
                }
            }
            "ProtectHome" if is_on(value) || matches!(value, "read-only" | "tmpfs") => {
                for folder in folders
                    .iter()
                    .filter(|folder| folder.starts_with("/home") || folder.starts_with("/root"))
                {
                    add(line, format!("{} is closed to jobs", folder.display()));
                }
            }
            "PrivateNetwork" if is_on(value) => add(line, "jobs have no network".to_owned()),
            "IPAddressDeny"
                if value.split_whitespace().any(|word| matches!(word, "any" | "0.0.0.0/0")) =>
            {
                add(line, "jobs and agent reach no address".to_owned());
            }
            "RestrictAddressFamilies"
                if !value.starts_with('~') && !value.contains("AF_INET") && !value.is_empty() =>
            {
                add(line, "jobs and agent have no internet sockets".to_owned());
            }
            "NoNewPrivileges" if is_on(value) && uses_sudo(install) => {
                add(line, "sudo of the command prefix cannot become another account".to_owned());
            }
            "MemoryDenyWriteExecute" if is_on(value) => {
                add(
                    line,
                    "programs of jobs that compile as they run (node, java) end at once".to_owned(),
                );
            }
            "RootDirectory" | "RootImage" => {
                add(line, "agent and jobs see another root".to_owned());
            }
            _ => {}
        }
    }
    Ok(Verdict::of(problems, "jobs have what they need"))
}

fn uses_sudo(install: &Install) -> bool {
    let config = install.config().ok();
    let first = config.and_then(|config| config.list("runner.command_prefix")?.first());
    first.is_some_and(|word| Path::new(word).file_name().is_some_and(|name| name == "sudo"))
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, sample::*};

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
}
