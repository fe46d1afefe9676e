//! The launchd label, which must be unique.

use super::job;
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, lookup::others},
    host::{Install, Survey},
    service::launchd::{OnJob, on_job},
};

pub(in crate::doctor) const LABEL: Check = Check {
    name: "agent/label-free",
    holds: "No other agent has the launchd label of this agent",
    why: "On macOS launch-agent and machine runner 3 have the same label. The second one fails to \
          load, or replaces the first one.",
    found: "The doctor compares the labels of all launchd jobs that run an agent.",
    cure: "Unload and remove the agent that you no longer need.",
    after: &[],
    judge: Judge::Agent(label),
};

fn label(survey: &Survey, install: &Install) -> Judged {
    let service = job(install)?;
    let same = others(survey, install)
        .find(|other| other.service.as_ref().is_some_and(|theirs| theirs.name == service.name));
    match same {
        None => Ok(Verdict::Holds(service.name.clone())),
        Some(other) => {
            let file = other.service.as_ref().and_then(|service| service.file());
            let path = file.map_or(String::new(), |file| file.path.display().to_string());
            Ok(Problem::fail(format!("two agents have the label {}", service.name))
                .seen(format!("the other one is defined in {path}"))
                .cure(other.service.iter().fold(
                    Remedy::by_hand("Unload one of the two agents, and remove its plist."),
                    |all, theirs| all.command(on_job(OnJob::Bootout, other, theirs)),
                ))
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        values::Manager,
    };

    #[test]
    fn one_label_cannot_be_twos() {
        let mut survey = healthy();
        survey.installs.push(survey.installs[0].clone());
        survey.installs[1].name = "gpu".into();
        for install in &mut survey.installs {
            install.service.as_mut().unwrap().manager = Manager::Launchd;
        }
        assert_eq!(status(&survey, "agent/label-free"), Status::Fail);
    }
}
