//! The command of the service.

use super::{in_front, rules};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, lookup::service},
    host::{Install, Scrubbed, Service, Survey},
};

pub(super) const RIGHT: Check = Check {
    name: "service/command-right",
    holds: "The service starts the agent with a valid command line",
    why: "With an unknown command the agent ends at once. A shell that waits in front of the agent \
          receives the signal to drain, and the agent does not.",
    found: "The doctor follows the service's command through scripts and programs such as `env` to \
            the agent, and reads its words: launch-agent takes `--config FILE`, machine runner 3 \
            takes `machine --config FILE`. The processes above a running agent prove what stays in \
            front of it; else the text of the script does.",
    cure: "Write the command as the finding shows.",
    after: &["service/loaded"],
    judge: Judge::Agent(right),
};

fn right(_: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    let words = &service.command;
    let Some(program) = words.first() else {
        return Ok(Problem::fail("the service has no command")
            .seen(rules(service.manager).no_command())
            .cure(correct_command(service, install))
            .into());
    };
    let name = |word: &str| word.rsplit(['/', '\\']).next().map(str::to_owned);
    let followed = &service.launch.command;
    let agents = if followed.is_empty() { words } else { followed };
    let profile = install.agent.profile();
    let is_agent = |name: String| name.trim_end_matches(".exe") == profile.program;
    let at = agents.iter().position(|word| name(word).is_some_and(is_agent));
    let mut problems: Vec<Problem> = in_front::problem(install, service).into_iter().collect();
    // Of a bare name the probe has looked in the folders of the manager.
    let is_found =
        !program.contains('/') && followed.first().is_some_and(|word| word.starts_with('/'));
    if service.manager.profile().needs_whole_path() && !program.starts_with('/') && !is_found {
        problems.push(
            Problem::fail(format!("{program} is not an absolute path"))
                .seen(place(service))
                .cure(correct_command(service, install)),
        );
    }
    let rest = at.map(|at| agents.get(at + 1..).unwrap_or_default()).unwrap_or_default();
    let first = rest.first().map(Scrubbed::as_str);
    let program = profile.program;
    let wrong = match (profile.command, first) {
        _ if at.is_none() => None,
        (Some(command), Some(word)) if word == command => None,
        (Some(command), other) => {
            let what =
                other.map_or("without a command".to_owned(), |word| format!("with {word:?}"));
            Some(format!("{program} is started {what}, but takes `{command}`"))
        }
        (None, Some(word)) if !word.starts_with('-') => {
            Some(format!("{program} has no command {word:?}"))
        }
        (None, _) => None,
    };
    problems.extend(wrong.map(|wrong| {
        Problem::fail(wrong).seen(place(service)).cure(correct_command(service, install))
    }));
    Ok(Verdict::of(problems, words.join(" ")))
}

fn place(service: &Service) -> String {
    let line = service.directive("Service", "ExecStart");
    let place = line.map(|line| format!("{}:{}: ", line.file.display(), line.line));
    format!("{}{}", place.unwrap_or_default(), service.command.join(" "))
}

fn correct_command(service: &Service, install: &Install) -> Remedy {
    rules(service.manager).right_command(install, service)
}

#[cfg(test)]
mod tests {
    use crate::{
        agent::Kind,
        doctor::{Status, fixtures::*},
        host::Launch,
        values::Manager,
    };

    fn with(agent_kind: Kind, command: &str) -> Status {
        let mut survey = healthy();
        agent(&mut survey).agent = agent_kind;
        service_of(&mut survey).command = command.split(' ').map(Into::into).collect();
        service_of(&mut survey).launch = Launch::default();
        status(&survey, "service/command-right")
    }

    #[test]
    fn a_missing_command_is_told_in_the_terms_of_the_manager() {
        for (manager, seen, advice) in [
            (Manager::Systemd, "the unit has no ExecStart=", "ExecStart="),
            (Manager::Launchd, "the plist has neither ProgramArguments nor Program", "Program"),
            (Manager::TaskScheduler, "the task has no action that starts a program", "action"),
        ] {
            let mut survey = healthy();
            let service = service_of(&mut survey);
            service.manager = manager;
            service.command.clear();
            let found = finding(&survey, "service/command-right");
            assert_eq!((found.status, found.evidence.as_str()), (Status::Fail, seen));
            let text = found.remedy.unwrap().text().to_owned();
            assert!(text.contains(advice), "{text}");
            assert!(manager == Manager::Systemd || !text.contains("ExecStart"), "{text}");
        }
    }

    #[test]
    fn commands_that_no_agent_has_fail() {
        for (kind, command, expected) in [
            (Kind::MachineRunner, "/usr/bin/circleci-runner start --config /c", Status::Fail),
            (Kind::MachineRunner, "/usr/bin/circleci-runner --config /c", Status::Fail),
            (Kind::MachineRunner, "/usr/bin/circleci-runner machine -c /c", Status::Pass),
            (Kind::LaunchAgent, "/opt/circleci-launch-agent machine --config /c", Status::Fail),
            (Kind::LaunchAgent, "circleci-launch-agent --config /c", Status::Fail),
            (Kind::LaunchAgent, "/opt/wrapper", Status::Pass),
        ] {
            assert_eq!(with(kind, command), expected, "{command}");
        }
    }
}
