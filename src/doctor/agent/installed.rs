//! Whether an agent is installed, and whether a service runs it.

use crate::{
    doctor::{Check, Command, JUDGED_LIMIT, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Survey, Unseen},
};

pub(super) const INSTALLED: Check = Check {
    name: "agent/installed",
    holds: "An agent is installed on this host",
    why: "Without an agent no job is claimed. Jobs of the resource class wait in the queue, and \
          CircleCI shows no error.",
    found: "The doctor looks for service definitions that run circleci-launch-agent or \
            circleci-runner, for running processes of these names, and for receipts of runnerup.",
    cure: "Install an agent with `runnerup install`.",
    after: &[],
    judge: Judge::Host(installed),
};

/// Most names that a finding lists.
const NAMES: usize = 32;

fn installed(survey: &Survey) -> Judged {
    if survey.installs.is_empty() {
        if !survey.undiscovered.is_empty() {
            // A failure and no error: a host that hides its agents must not look healthy.
            return Ok(Problem::fail("it is not known whether an agent is installed on this host")
                .seen(survey.undiscovered.join("\n"))
                .into());
        }
        let remedy =
            Remedy::by_hand("Install an agent.").command(Command::root("runnerup install"));
        let seen = match survey.strays.count {
            0 => "no service definition, process or receipt of an agent was found".to_owned(),
            1 => "1 process has the name of an agent; no service runs it".to_owned(),
            count => format!("{count} processes have the name of an agent; no service runs them"),
        };
        return Ok(Problem::fail("no agent is installed on this host")
            .seen(seen)
            .cure(remedy)
            .into());
    }
    let is_there = |install: &Install| {
        install.binary.is_some() || install.service.is_some() || install.main_process().is_some()
    };
    if survey.undiscovered.is_empty() && !survey.installs.iter().any(is_there) {
        return Err(Unseen::not_applicable("only a configuration was given"));
    }
    let names: Vec<_> =
        survey.installs.iter().take(NAMES).map(|install| install.name.as_str()).collect();
    let mut found = format!("found: {}", names.join(", "));
    match survey.installs.len().saturating_sub(NAMES) {
        0 => {}
        more => found.push_str(&format!(" and {more} more")),
    }
    match survey.installs.len().saturating_sub(JUDGED_LIMIT) {
        0 => {}
        more => found.push_str(&format!("; the last {more} are not judged")),
    }
    match survey.host.agents_beyond {
        0 => {}
        more => found.push_str(&format!(
            "; {more} more processes have an agent's name and were not examined"
        )),
    }
    if !survey.undiscovered.is_empty() {
        return Ok(Problem::warn("not every place could be searched for agents")
            .seen(format!("{}\n{found}", survey.undiscovered.join("\n")))
            .into());
    }
    Ok(Verdict::Holds(found))
}

pub(super) const NO_STRAYS: Check = Check {
    name: "agent/no-strays",
    holds: "Every process with the name of an agent belongs to a service",
    why: "An agent that was started by hand ends with its session or at the next reboot. A process \
          of another account can have the name of an agent without being one.",
    found: "The doctor compares processes with the name of an agent with the services and receipts \
            of this host. It does not trust what such a process says about itself.",
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
        let unit = stray.unit.as_ref().map_or(String::new(), |unit| format!(" in {unit}"));
        format!("process {} of {who}{unit}: {}", stray.process.pid, stray.process.command)
    });
    let more = survey.strays.count.saturating_sub(survey.strays.shown.len());
    let more = (more > 0).then(|| format!("{more} more"));
    let lines: Vec<String> = seen.chain(more).collect();
    let pids = survey.strays.shown.iter().map(|stray| stray.process.pid);
    let processes = pids.fold(Command::fixed("ps -f"), |all, pid| all.then("-p").number(pid));
    let count = survey.strays.count;
    Ok(Problem::warn(match count {
        1 => "1 process has the name of an agent, and no service runs it".to_owned(),
        count => format!("{count} processes have the name of an agent, and no service runs them"),
    })
    .seen(lines.join("\n"))
    .cure(Remedy::by_hand("Find out who started these processes.").inspect(processes))
    .into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{JUDGED_LIMIT, Status, fixtures::*},
        host::Seen,
    };

    #[test]
    fn no_agent_is_said_to_be_missing_where_the_search_broke_off() {
        let mut survey = healthy();
        survey.installs.clear();
        assert_eq!(status(&survey, "agent/installed"), Status::Fail);
        survey.undiscovered = vec!["the receipts took longer than 2 s".into()];
        let found = finding(&survey, "agent/installed");
        // It fails, so that the exit code is not that of a healthy host.
        assert_eq!(found.status, Status::Fail);
        assert!(found.summary.contains("not known"), "{}", found.summary);
    }

    #[test]
    fn a_configuration_alone_is_no_agent() {
        let mut survey = healthy();
        let install = &mut survey.installs[0];
        (install.binary, install.service, install.processes) = (None, None, Seen::default());
        assert_eq!(status(&survey, "agent/installed"), Status::NotApplicable);
    }

    #[test]
    fn what_is_beyond_the_limits_is_counted() {
        let mut survey = healthy();
        survey.host.agents_beyond = 968;
        let summary = finding(&survey, "agent/installed").summary;
        assert!(summary.contains("968 more processes"), "{summary}");
        survey.installs = vec![survey.installs[0].clone(); JUDGED_LIMIT + 5];
        let summary = finding(&survey, "agent/installed").summary;
        assert!(summary.contains("the last 5 are not judged"), "{summary}");
        assert!(summary.len() < 500, "{summary}");
    }
}
