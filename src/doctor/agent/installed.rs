//! Whether there is anything to examine.

use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    facts::survey::Survey,
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

fn installed(survey: &Survey) -> Judged {
    if survey.installs.is_empty() {
        let remedy = Remedy::by_hand("Install an agent.").command("sudo runnerup install");
        return Ok(Problem::fail("no agent is installed on this host")
            .seen("no service definition, no process and no receipt names one")
            .cure(remedy)
            .into());
    }
    let names: Vec<_> = survey.installs.iter().map(|install| install.name.as_str()).collect();
    Ok(Verdict::Holds(format!("found: {}", names.join(", "))))
}
