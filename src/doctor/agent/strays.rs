//! Processes with an agent's name that no service of an agent runs.

use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Stray, Supervisor, Survey},
};

pub(super) const NO_STRAYS: Check = Check {
    name: "agent/no-strays",
    holds: "Every process with the name of an agent belongs to a service",
    why: "An agent that was started by hand ends with its session or at the next reboot. One that \
          another program keeps, such as supervisord, cron or a user's own systemd, has the limits \
          of that program: most kill the agent, and its job, soon after a stop. A process of another \
          account can have the name of an agent without being one.",
    found: "The doctor compares processes with the name of an agent with the services and receipts \
            of this host, and looks at their control groups and at the processes above them for what \
            keeps them. It does not trust what such a process says about itself.",
    cure: "Install the agent as a service with `runnerup install`, and end the process.",
    after: &["agent/installed"],
    judge: Judge::Host(no_strays),
};

fn no_strays(survey: &Survey) -> Judged {
    if survey.strays.count == 0 {
        if let Some(unseen) = &survey.strays.unseen {
            return Err(unseen.clone());
        }
        return Ok(Verdict::Holds("a service runs every process with an agent's name".to_owned()));
    }
    let seen = survey.strays.shown.iter().map(|stray| {
        let who = stray.account.clone().unwrap_or(format!("account {}", stray.process.uid));
        let what = format!("process {} of {who}: {}", stray.process.pid, stray.process.command);
        kept(&stray.supervisor, &who).map_or(what.clone(), |kept| format!("{what}\n  {kept}"))
    });
    let more = survey.strays.count.saturating_sub(survey.strays.shown.len());
    let more = (more > 0).then(|| format!("{more} more"));
    let lines: Vec<String> = seen.chain(more).collect();
    let pids = survey.strays.shown.iter().map(|stray| stray.process.pid);
    let processes = pids.fold(Command::fixed("ps -f"), |all, pid| all.then("-p").number(pid));
    let count = survey.strays.count;
    let by = survey.strays.shown.first().filter(|_| count == 1).and_then(named);
    Ok(Problem::warn(match (count, by) {
        (1, Some(by)) => format!("1 process has the name of an agent, and {by} runs it"),
        (1, None) => "1 process has the name of an agent, and no service runs it".to_owned(),
        (count, _) => {
            format!(
                "{count} processes have the name of an agent, and no service of an agent runs them"
            )
        }
    })
    .seen(lines.join("\n"))
    .cure(Remedy::by_hand("Find out who started these processes.").inspect(processes))
    .into())
}

/// The problem of a host on which nothing but such processes was found.
pub(super) fn alone(survey: &Survey) -> Problem {
    let strays = &survey.strays;
    let install = Remedy::by_hand("Install an agent.").command(Command::install());
    if let Some((stray, by)) = first_kept(survey) {
        let who = stray.account.clone().unwrap_or(format!("account {}", stray.process.uid));
        let kept = kept(&stray.supervisor, &who).unwrap_or_default();
        let summary = format!("an agent runs, but no service of the system runs it: {by} does");
        // What another account could have started must not make a host look healthy.
        let problem = match stray.is_kept_by_root {
            true => Problem::warn(summary),
            false => Problem::fail(summary),
        };
        return problem
        .seen(format!("process {} of {who}: {}\n{kept}", stray.process.pid, stray.process.command))
        .cure(install.reworded(
            "Install the agent as a service of the system, which waits for jobs, and end this one.",
        ));
    }
    let seen = match strays.count {
        0 => "no service definition, process or receipt of an agent was found".to_owned(),
        1 => "1 process has the name of an agent; no service runs it".to_owned(),
        count => format!("{count} processes have the name of an agent; no service runs them"),
    };
    Problem::fail("no agent is installed on this host").seen(seen).cure(install)
}

/// The first that is kept by something, those that only root could have had kept so before others.
fn first_kept(survey: &Survey) -> Option<(&Stray, String)> {
    let mut shown: Vec<&Stray> = survey.strays.shown.iter().collect();
    shown.sort_by_key(|stray| !stray.is_kept_by_root);
    shown.into_iter().find_map(|stray| Some((stray, named(stray)?)))
}

/// What keeps a process, where that is more than its session.
fn named(stray: &Stray) -> Option<String> {
    Some(match &stray.supervisor {
        Supervisor::UserManager { unit, .. } => format!("{unit} of a user's own systemd"),
        Supervisor::Service(unit) => format!("{unit}, which is no agent's,"),
        Supervisor::Program(keeper) => keeper.name().to_owned(),
        Supervisor::Container { init } => format!("the container's first process, {init},"),
        Supervisor::Nothing | Supervisor::Session => return None,
    })
}

/// What keeps a process, and what that does not do.
fn kept(supervisor: &Supervisor, who: &str) -> Option<String> {
    Some(match supervisor {
        Supervisor::UserManager { unit, lingers: Some(false) } => format!(
            "{unit} of {who}'s own systemd runs it, and ends with the last session of {who}: \
             linger is off"
        ),
        Supervisor::UserManager { unit, .. } => format!(
            "{unit} of {who}'s own systemd runs it; a stop of the host waits for it for 2 minutes at \
             most, unless TimeoutStopSec of user@.service is longer"
        ),
        Supervisor::Session => "it runs in a session, and ends with it".to_owned(),
        Supervisor::Service(unit) => format!("it runs in {unit}"),
        Supervisor::Program(keeper) => format!("{} runs it: {}", keeper.name(), keeper.lacks()),
        Supervisor::Container { init } => format!(
            "it runs in a container below {init}, and ends with it: the container's stop kills it \
             after 10 s, unless it was given a longer time"
        ),
        Supervisor::Nothing => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Keeper, Stray, Supervisor, Survey},
    };

    fn kept_by(supervisor: Supervisor) -> Survey {
        let mut survey = healthy();
        let process = process(700, 1, UID, "circleci-launch");
        let account = Some("circleci".to_owned());
        survey.strays.shown =
            vec![Stray { process, account, unit: None, supervisor, is_kept_by_root: true }];
        survey.strays.count = 1;
        survey
    }

    #[test]
    fn what_keeps_an_agent_is_named_with_what_it_lacks() {
        let manager = |lingers| Supervisor::UserManager { unit: "ci.service".to_owned(), lingers };
        for (supervisor, summary, evidence) in [
            (Supervisor::Program(Keeper::Supervisord), "supervisord runs it", "stopwaitsecs"),
            (Supervisor::Program(Keeper::Cron), "cron runs it", "does not start it again"),
            (manager(Some(false)), "ci.service of a user's own systemd", "linger is off"),
            (manager(Some(true)), "ci.service of a user's own systemd", "2 minutes"),
            (Supervisor::Service("cron.service".into()), "cron.service", "it runs in cron.service"),
            (Supervisor::Container { init: "tini".into() }, "first process, tini", "10 s"),
            (Supervisor::Session, "no service runs it", "ends with it"),
            (Supervisor::Nothing, "no service runs it", "process 700 of circleci"),
        ] {
            let mut survey = kept_by(supervisor.clone());
            let found = finding(&survey, "agent/no-strays");
            assert_eq!(found.status, Status::Warn);
            assert!(found.summary.contains(summary), "{}", found.summary);
            assert!(found.evidence.contains(evidence), "{}", found.evidence);
            survey.installs.clear();
            let alone = finding(&survey, "agent/installed");
            let is_kept = !matches!(supervisor, Supervisor::Session | Supervisor::Nothing);
            assert_eq!(alone.status == Status::Warn, is_kept, "{}", alone.summary);
            assert_eq!(alone.summary.contains("no agent is installed"), !is_kept);
            survey.strays.shown[0].is_kept_by_root = false;
            let alone = finding(&survey, "agent/installed");
            assert_eq!(alone.status, Status::Fail, "any account can have it kept so");
            assert_eq!(alone.summary.contains("no agent is installed"), !is_kept);
        }
    }
}
