//! Whether an agent is installed, and whether a service runs it.

use super::strays;
use crate::{
    doctor::{Check, JUDGED_LIMIT, Judge, Judged, Problem, Verdict},
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
        return Ok(strays::alone(survey).into());
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
