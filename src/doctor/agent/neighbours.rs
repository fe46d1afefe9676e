//! What two agents on a host must not share.

use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{account, others},
    },
    host::{Install, PathRole, Resolved, Settings, Survey, Unseen},
};

pub(super) const IDENTITY: Check = Check {
    name: "agent/one-identity",
    holds: "No two agents on this host have the same identity",
    why: "Two agents with the same token and name overwrite each other in the inventory, and one \
          of them looks offline. Two agents that read the same configuration do so too.",
    found: "The doctor compares the configurations, the names and the token fingerprints of all \
            agents on the host.",
    cure: "Give each agent its own configuration and name: `runnerup install --instance`.",
    after: &[],
    judge: Judge::Agent(identity),
};

fn identity(survey: &Survey, install: &Install) -> Judged {
    let settings = install.settings();
    let name = settings.get("runner.name")?;
    let name = name.as_ref().and_then(Resolved::text);
    let file = |install: &Install| {
        let config = install.config().ok()?;
        config.walk.end.is_some().then(|| config.walk.real.clone())
    };
    let mark = |install: &Install| Some(install.token().ok()??.0.mark.clone());
    let mut problems = Vec::new();
    for other in others(survey, install) {
        let (theirs, same_file) =
            (other.settings(), file(install).filter(|_| file(install) == file(other)));
        let same_name = name.filter(|name| theirs.text("runner.name") == Some(*name));
        let is_their_own = |settings: &Settings<'_>| {
            settings.given("runner.name").ok().flatten().is_some_and(|given| !given.is_in_file())
        };
        let same_token = mark(install).is_some() && mark(install) == mark(other);
        let (what, seen) = match (same_file, same_name) {
            // Each has a name of its own by a flag or a variable.
            (Some(_), None) if is_their_own(&settings) || is_their_own(&theirs) => continue,
            (Some(file), _) => ("read the same configuration", file.display().to_string()),
            (None, Some(name)) if same_token => ("have the same token and name", name.to_owned()),
            _ => continue,
        };
        problems.push(
            Problem::fail(format!("{} and {} {what}", install.name, other.name)).seen(seen).cure(
                Remedy::by_hand(
                    "Give each agent its own name and token: `runnerup install --instance` with a \
                     name makes an agent that shares nothing.",
                ),
            ),
        );
    }
    Ok(Verdict::of(problems, "no other agent has this identity"))
}

pub(super) const SHARED: Check = Check {
    name: "agent/nothing-shared",
    holds: "No two agents on this host share a folder or a log",
    why: "Jobs of two agents in the same work folder delete each other's files.",
    found: "The doctor compares the work folders and logs of all agents on the host.",
    cure: "Give each agent its own folders.",
    after: &["agent/one-identity"],
    judge: Judge::Agent(shared),
};

fn shared(survey: &Survey, install: &Install) -> Judged {
    let mut problems = Vec::new();
    for other in others(survey, install) {
        for what in [PathRole::WorkFolder, PathRole::LogFile] {
            let real = |install: &Install| {
                install.path(what).and_then(|seen| seen.ok()).map(|walk| walk.path.clone())
            };
            let (Some(ours), Some(theirs)) = (real(install), real(other)) else { continue };
            if ours.starts_with(&theirs) || theirs.starts_with(&ours) {
                problems.push(
                    Problem::fail(format!("{} and {} share {what}", install.name, other.name))
                        .seen(format!("{} and {}", ours.display(), theirs.display()))
                        .cure(Remedy::by_hand("Give each agent its own folder and log.")),
                );
            }
        }
    }
    Ok(Verdict::of(problems, "no other agent uses its work folder or log"))
}

pub(super) const ONE_PROCESS: Check = Check {
    name: "agent/one-process",
    holds: "The agent runs only once",
    why: "A second agent that was started by hand with the same configuration claims jobs under \
          the same name, outside the limits of the service.",
    found: "The doctor compares agent processes that no service runs with the services, by their \
            configuration.",
    cure: "End the process that no service runs.",
    after: &[],
    judge: Judge::Agent(one_process),
};

fn one_process(survey: &Survey, install: &Install) -> Judged {
    if install.service.is_none() {
        return Err(Unseen::not_applicable("no service runs this agent"));
    }
    let account = account(survey, install)?;
    let path = install.config_file()?.walk.path.display().to_string();
    // The command line of a process is its own claim: it counts only for the same account.
    let twin = survey.strays.shown.iter().map(|stray| &stray.process).find(|process| {
        let names_it = process.command.split([' ', '=']).any(|word| word == path);
        account.uid() == Some(process.uid) && names_it
    });
    let Some(process) = twin else {
        return match &survey.strays.unseen {
            Some(unseen) => Err(unseen.clone()),
            None => Ok(Verdict::Holds("no second process reads its configuration".to_owned())),
        };
    };
    Ok(Problem::fail("a second agent runs with the same configuration")
        .seen(format!("process {}: {}", process.pid, process.command))
        .cure(
            Remedy::by_hand("End the second agent; TERM lets it finish its job.")
                .inspect(Command::fixed("ps -fp").number(process.pid)),
        )
        .into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Process, Seen, Stray, Strays, Supervisor, Survey, Unseen},
    };

    fn two() -> Survey {
        let mut survey = healthy();
        let mut other = survey.installs[0].clone();
        other.name = "gpu".into();
        survey.installs.push(other);
        survey
    }

    #[test]
    fn twins_are_told_once() {
        let survey = two();
        assert_eq!(status(&survey, "agent/one-identity"), Status::Fail);
        let mut other = two();
        if let Some(Seen::Known(config)) = &mut other.installs[1].config {
            config.walk.real = "/etc/opt/circleci-gpu/x".into();
            config.token.as_mut().unwrap().mark = "m2".into();
        }
        assert_eq!(status(&other, "agent/one-identity"), Status::Pass);
        assert_eq!(status(&other, "agent/nothing-shared"), Status::Fail);
    }

    #[test]
    fn a_second_process_is_told() {
        let mut survey = healthy();
        let mut stray = |uid| {
            let command = format!("circleci-launch-agent --config={CONFIG}").into();
            let process = Process { command, ..process(700, 1, uid, "circleci-launch") };
            let stray = Stray {
                process,
                account: None,
                unit: None,
                supervisor: Supervisor::Nothing,
                is_kept_by_root: false,
            };
            survey.strays = Strays { shown: vec![stray], count: 1, unseen: None };
            status(&survey, "agent/one-process")
        };
        assert_eq!(stray(UID), Status::Fail);
        // Another account may call its process what it likes.
        assert_eq!(stray(UID + 1), Status::Pass);
        assert_eq!(status(&survey, "agent/no-strays"), Status::Warn);
    }

    #[test]
    fn processes_that_could_not_be_listed_are_no_proof_of_one_agent() {
        let mut survey = healthy();
        let why = "there are more processes than can be read in time".to_owned();
        survey.strays.unseen = Some(Unseen::not_examined(why));
        assert_eq!(status(&survey, "agent/one-process"), Status::Skip);
        assert_eq!(status(&survey, "agent/no-strays"), Status::Skip);
    }
}
