//! Whether there is anything to examine.

use crate::{
    doctor::{Check, JUDGED_LIMIT, Judge, Judged, Problem, Remedy, Verdict},
    facts::survey::{Survey, Unseen},
};

pub(super) const INSTALLED: Check = Check {
    name: "agent/installed",
    holds: "An agent is installed on this host",
    why: "Without an agent no job is ever claimed: jobs of the resource class wait in the queue, \
          and CircleCI shows no error.",
    found: "By service definitions that run circleci-launch-agent or circleci-runner, by running \
            processes of these names, and by the receipts of this tool.",
    cure: "Install one with `runnerup install`.",
    after: &[],
    judge: Judge::Host(installed),
};

/// Most names that are told.
const TOLD: usize = 32;

fn installed(survey: &Survey) -> Judged {
    if survey.installs.is_empty() {
        if let Some(why) = survey.undiscovered.first() {
            return Err(Unseen { why: why.clone(), broke: true });
        }
        let remedy = Remedy::by_hand("Install an agent.").command("sudo runnerup install");
        return Ok(Problem::fail("no agent is installed on this host")
            .seen("no service definition, no process and no receipt names one")
            .cure(remedy)
            .into());
    }
    let names: Vec<_> =
        survey.installs.iter().take(TOLD).map(|install| install.name.as_str()).collect();
    let mut found = format!("found: {}", names.join(", "));
    match survey.installs.len().saturating_sub(TOLD) {
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
            "; {more} more processes have an agent's name and were not looked at"
        )),
    }
    Ok(Verdict::Holds(found))
}

#[cfg(test)]
mod tests {
    use crate::doctor::{JUDGED_LIMIT, Status, sample::*};

    #[test]
    fn no_agent_is_said_to_be_missing_where_the_search_broke_off() {
        let mut survey = healthy();
        survey.installs.clear();
        assert_eq!(status(&survey, "agent/installed"), Status::Fail);
        survey.undiscovered = vec!["the receipts took longer than 2 s".into()];
        assert_eq!(status(&survey, "agent/installed"), Status::Error);
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
