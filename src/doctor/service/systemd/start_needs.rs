//! What ends a start before the agent runs.

use super::{OnUnit, on_unit, unit};
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        change::{made_for_start, on_account},
    },
    host::{Install, Lack, Service, StartLack, StartNeed, Survey},
    service::systemd::truth::is_off,
};
use std::path::Path;

pub(in crate::doctor::service) const START_NEEDS: Check = Check {
    name: "service/start-needs-met",
    holds: "Everything exists that systemd needs before it starts the agent",
    why: "systemd ends the start, before the agent has said a word, when a program of ExecStartPre=, a \
          wrapper in front of the agent or its interpreter, the working directory, a group, the folder \
          of an output file, a credential or a path of the sandbox is missing, or when a command of \
          ExecCondition= says no. The journal alone has the reason, such as 200/CHDIR or 216/GROUP.",
    found: "The doctor looks for each path and group that the unit names for its start, and for the \
            exit status of each ExecCondition=.",
    cure: "Create what is missing, or correct the directive.",
    after: &["service/loaded"],
    judge: Judge::Agent(start_needs),
};

fn start_needs(_: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let lacks = service.start_lacks.known()?;
    let lacks = lacks.iter().map(|lack| problem(lack, install, service));
    let problems = lacks.chain(passed_over(install, service)).collect();
    Ok(Verdict::of(problems, "everything that the unit names for its start exists"))
}

/// Whether the start lacks the program that the service starts: [`START_NEEDS`] tells of it then.
pub(in crate::doctor) fn lacks_program(service: &Service, program: &Path) -> bool {
    let is_it = |lack: &StartLack| {
        lack.key == "ExecStart" && matches!(&lack.need, StartNeed::Program(path) if path == program)
    };
    service.start_lacks.ok().is_some_and(|lacks| lacks.iter().any(is_it))
}

fn problem(lack: &StartLack, install: &Install, service: &Service) -> Problem {
    let StartLack { key, file, line, need, lack: why } = lack;
    let thing = match need {
        StartNeed::Group(name) => format!("the group {name}"),
        StartNeed::Folder(path) => format!("the folder {}", path.display()),
        StartNeed::Program(path) => format!("the program {}", path.to_string_lossy().trim_end()),
        StartNeed::File(path) => format!("the file {}", path.display()),
        StartNeed::Path(path) => path.display().to_string(),
        StartNeed::Unknown => "a thing".to_owned(),
    };
    let ends_in_cr =
        matches!(need, StartNeed::Program(path) if path.to_string_lossy().ends_with('\r'));
    let what = match why {
        Lack::Missing if ends_in_cr => "does not exist: the first line of the script ends in CR LF",
        Lack::Missing => "does not exist",
        Lack::OtherKind => "is of another kind",
        Lack::NotExecutable => "is not executable",
        Lack::Closed => "cannot be entered by the account of the service",
        Lack::Unknown => "cannot be used",
    };
    let mut seen = format!("{}:{line}: {key}=", file.display());
    for said in &install.start_log {
        seen = format!("{seen}\n{}", crate::Foreign::new(said.as_str()).marked());
    }
    let status = status(key, need, service).map(|word| format!(" ({word})")).unwrap_or_default();
    Problem::fail(format!("the start fails{status}: {thing}, which {key}= names, {what}"))
        .seen(seen)
        .cure(cure(lack, install, service))
}

/// systemd's word for the result of a start that a command of `ExecCondition=` ended.
pub(super) const SKIPPED: &str = "exec-condition";

/// A command that ended the last start: `ExecCondition=` of `systemd.service(5)`.
fn passed_over(install: &Install, service: &Service) -> Option<Problem> {
    let state = service.state.ok().filter(|state| state.result == SKIPPED)?;
    let conditions = &state.effective.as_ref()?.exec_condition;
    let at = conditions.iter().position(|exec| exec.status.is_some_and(|status| status != 0))?;
    let (exec, line) =
        (conditions.get(at)?, service.directives("Service", "ExecCondition").nth(at));
    let status = exec.status.unwrap_or_default();
    let place = line.map(|line| format!("{}:{}: ", line.file.display(), line.line));
    let problem = Problem::fail(format!(
        "ExecCondition= of {} ends each start: {} has exit status {status}",
        service.name, exec.words
    ));
    let text = "Have the command end with 0, or remove the directive; then start the service.";
    let edit = on_unit(OnUnit::EditFull, install, service);
    let remedy = Remedy::by_hand(text).command(edit);
    let seen = format!("{}systemd passes over the start", place.unwrap_or_default());
    Some(problem.seen(seen).cure(remedy))
}

/// The exit status that systemd shows for it: `systemd.exec(5)`, and what 247, 252 and 257 did.
fn status(key: &str, need: &StartNeed, service: &Service) -> Option<&'static str> {
    // Without the file systems of the kernel, versions differ: 226/NAMESPACE, or 210/CHROOT of 257.
    let is_bare = service.value("Service", "MountAPIVFS").is_some_and(is_off);
    Some(match (key, need) {
        ("ExecStart" | "ExecStartPre" | "ExecCondition", _) => "203/EXEC",
        ("WorkingDirectory", _) => "200/CHDIR",
        (_, StartNeed::Group(_)) => "216/GROUP",
        ("StandardInput", _) => "208/STDIN",
        ("StandardOutput", _) => "209/STDOUT",
        ("StandardError", _) => "222/STDERR",
        ("LoadCredential" | "LoadCredentialEncrypted", _) => "243/CREDENTIALS",
        ("RootDirectory", _) if is_bare => return None,
        (_, StartNeed::Path(_)) => "226/NAMESPACE",
        _ => return None,
    })
}

fn cure(lack: &StartLack, install: &Install, service: &Service) -> Remedy {
    let by = install.named_by;
    let started = |remedy: Remedy| {
        let is_up = service.is_active() || !by.is_root();
        let remedy = if is_up {
            remedy
        } else {
            remedy.command(on_unit(OnUnit::ResetFailed, install, service))
        };
        remedy.command(on_unit(OnUnit::Restart, install, service))
    };
    match (&lack.need, lack.lack) {
        (StartNeed::Group(name), Lack::Missing) => started(
            Remedy::by_hand("Create the group, or correct the directive; then start the service.")
                .command(on_account("groupadd --system", name, by)),
        ),
        (StartNeed::Folder(path), Lack::Missing) => {
            let text = "Create the folder, or correct the directive; then start the service.";
            match made_for_start(path, by).line().is_some() {
                true => started(Remedy::by_hand(text).command(made_for_start(path, by))),
                false => Remedy::by_hand(text),
            }
        }
        (StartNeed::Program(path), Lack::NotExecutable) => Remedy::by_hand(
            "Set the bits with which the program may be executed; then start the service.",
        )
        .inspect(Command::fixed("ls -l").path(path, by)),
        _ => Remedy::by_hand(
            "Provide what the directive names, or correct it; then start the service.",
        )
        .command(on_unit(OnUnit::EditFull, install, service)),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Finding, Status, fixtures::*},
        host::{Activity, Effective, Exec, Lack, Seen, StartLack, StartNeed},
    };

    fn with(key: &str, need: StartNeed, lack: Lack) -> Finding {
        let mut survey = healthy();
        let lack = StartLack { key: key.into(), file: UNIT.into(), line: 7, need, lack };
        service_of(&mut survey).start_lacks = Seen::Known(vec![lack]);
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.active = Activity::Failed;
            state.main_pid = None;
        }
        agent(&mut survey).start_log = vec!["Main process exited, status=200/CHDIR".into()];
        assert_eq!(status(&survey, "service/running"), Status::Fail);
        finding(&survey, "service/start-needs-met")
    }

    #[test]
    fn the_command_that_says_no_is_told() {
        let mut survey = healthy();
        let exec = |words: &str, status| Exec {
            path: words.into(),
            words: words.into(),
            ignores_failure: false,
            status: Some(status),
        };
        directive(&mut survey, "Service", "ExecCondition", "/bin/true");
        directive(&mut survey, "Service", "ExecCondition", "/bin/false");
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.active = Activity::Inactive;
            state.result = "exec-condition".to_owned();
            state.effective = Some(Box::new(Effective {
                exec_condition: vec![exec("/bin/true", 0), exec("/bin/false", 1)],
                conditions_held: Some(false),
                ..Effective::default()
            }));
        }
        let found = finding(&survey, "service/start-needs-met");
        assert_eq!(found.status, Status::Fail);
        assert!(found.summary.ends_with("/bin/false has exit status 1"), "{}", found.summary);
        assert!(found.evidence.contains(&format!("{UNIT}:")), "{}", found.evidence);
        assert_eq!(status(&survey, "service/enabled"), Status::Pass);
    }

    #[test]
    fn each_thing_is_told_with_its_path_and_the_words_of_systemd() {
        let folder = StartNeed::Folder("/srv/agent/run".into());
        let found = with("WorkingDirectory", folder, Lack::Missing);
        assert_eq!(found.status, Status::Fail);
        assert_eq!(
            found.summary,
            "the start fails (200/CHDIR): the folder /srv/agent/run, which WorkingDirectory= names, \
             does not exist"
        );
        assert!(found.evidence.contains("status=200/CHDIR"), "{}", found.evidence);
        let remedy = found.remedy.unwrap();
        assert_eq!(
            remedy.commands(),
            [
                "sudo install -d -m 755 /srv/agent/run",
                "sudo systemctl reset-failed circleci.service",
                "sudo systemctl restart circleci.service"
            ]
        );
        assert!(!remedy.fixable);
        let found = with("Group", StartNeed::Group("ci-runners".into()), Lack::Missing);
        assert!(found.summary.contains("216/GROUP"), "{}", found.summary);
        assert_eq!(
            found.remedy.unwrap().commands().first(),
            Some(&"sudo groupadd --system ci-runners")
        );
        let root = StartNeed::Path("/srv/root".into());
        let found = with("RootDirectory", root, Lack::Missing);
        assert!(found.summary.contains("226/NAMESPACE"), "{}", found.summary);
        let program = StartNeed::Program("/opt/circleci/prepare.sh".into());
        let found = with("ExecStartPre", program, Lack::NotExecutable);
        assert!(found.summary.contains("is not executable"), "{}", found.summary);
    }

    /// A wrapper that nobody can execute is told once, and not as the agent's binary.
    #[test]
    fn a_wrapper_that_cannot_start_is_one_finding() {
        let mut survey = healthy();
        let binary = agent(&mut survey).binary.as_mut().unwrap();
        binary.walk = Seen::Known(walk("/opt/run.sh", file(0, 0o644)));
        let need = StartNeed::Program("/opt/run.sh".into());
        let lack = Lack::NotExecutable;
        let key = "ExecStart".to_owned();
        let lack = StartLack { key, file: UNIT.into(), line: 7, need, lack };
        service_of(&mut survey).start_lacks = Seen::Known(vec![lack]);
        let found = finding(&survey, "service/start-needs-met");
        assert!(found.summary.contains("203/EXEC"), "{}", found.summary);
        assert_eq!(status(&survey, "permissions/binary-executable"), Status::Skip);
        let dos = StartNeed::Program("/bin/sh\r".into());
        let found = with("ExecStart", dos, Lack::Missing);
        assert!(found.summary.contains("CR LF"), "{}", found.summary);
        assert!(!found.summary.contains('\r'), "{:?}", found.summary);
    }
}
