//! The inventory of the resource class.

use super::queue;
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Queue, Resolved, Runner, Survey, Unseen},
};

/// Seconds without contact after which a runner counts as disconnected; an idle agent asks for work
/// every few seconds.
pub(super) const AWAY: i64 = 600;

/// The runner of an agent, by its name.
fn of<'a>(queue: &'a Queue, install: &Install) -> Result<Option<&'a Runner>, Unseen> {
    let name = install.settings().get("runner.name")?;
    let name = name.as_ref().and_then(Resolved::text);
    Ok(queue.runners.iter().find(|runner| Some(runner.name.as_str()) == name))
}

pub(super) const LISTED: Check = Check {
    name: "queue/runner-listed",
    holds: "The inventory of the resource class lists the runner",
    why: "A runner that is not listed has not contacted the server for twelve hours, or has the \
          token of another resource class. Jobs of this class never reach it.",
    found: "The doctor searches the inventory of the resource class for the name in the \
            configuration.",
    cure: "Give the agent a token of this resource class, or restore its connection to the server.",
    after: &["queue/answers", "queue/class-exists", "agent/token-accepted", "service/running"],
    judge: Judge::Agent(listed),
};

fn listed(survey: &Survey, install: &Install) -> Judged {
    let queue = queue(survey)?;
    if let Some(runner) = of(queue, install)? {
        return Ok(Verdict::Holds(format!("{} on {}", runner.name, runner.hostname)));
    }
    let names: Vec<&str> = queue.runners.iter().map(|runner| runner.name.as_str()).collect();
    Ok(Problem::fail(format!("the inventory of {} does not list the runner", queue.resource_class))
        .seen(format!("the inventory lists: {}", names.join(", ")))
        .cure(Remedy::by_hand(
            "Give the agent a token of this resource class: circleci runner token create \
                 NAMESPACE/CLASS NICKNAME.",
        ))
        .into())
}

pub(super) const SEEN: Check = Check {
    name: "queue/runner-seen",
    holds: "The runner has contacted the server in the last ten minutes",
    why: "A runner that does not contact the server claims no jobs, even if its service runs.",
    found: "The doctor reads last_connected of the runner in the inventory.",
    cure: "Restore the agent's connection to the server.",
    after: &["queue/runner-listed", "service/running"],
    judge: Judge::Agent(seen),
};

fn seen(survey: &Survey, install: &Install) -> Judged {
    let runner = of(queue(survey)?, install)?
        .ok_or_else(|| Unseen::not_examined("the inventory does not list the runner"))?;
    let last = runner.last_connected.ok_or_else(|| {
        Unseen::not_examined("the inventory has no last_connected for the runner")
    })?;
    let ago = survey.age(last);
    // An agent that runs a job does not ask for another one.
    if ago <= AWAY || install.runs_job() == Some(true) {
        return Ok(Verdict::Holds(format!("last contact {ago} s ago")));
    }
    Ok(Problem::fail(format!("the runner last contacted the server {ago} s ago"))
        .seen(format!("last_connected of {} on {}", runner.name, runner.hostname))
        .cure(Remedy::by_hand("Restore the agent's connection to the server."))
        .into())
}

pub(super) const NAMES: Check = Check {
    name: "queue/names-unique",
    holds: "No two hosts have runners of the same name",
    why: "Runners of the same name overwrite each other in the inventory, and nobody can see which \
          of them is online.",
    found: "The doctor compares the names and hosts in the inventory.",
    cure: "Give each runner its own name, such as the host name.",
    after: &["queue/answers"],
    judge: Judge::Host(names),
};

fn names(survey: &Survey) -> Judged {
    let queue = queue(survey)?;
    let mut problems = Vec::new();
    for (at, runner) in queue.runners.iter().enumerate() {
        let is_twin =
            |other: &&Runner| other.name == runner.name && other.hostname != runner.hostname;
        if let Some(twin) = queue.runners.iter().skip(at + 1).find(is_twin) {
            problems.push(
                Problem::warn(format!("two hosts have a runner with the name {}", runner.name))
                    .seen(format!(
                        "hosts in the inventory: {} and {}",
                        runner.hostname, twin.hostname
                    ))
                    .cure(
                        Remedy::by_hand("Give each runner its own name.")
                            .command(Command::install().then("--name '{hostname}'")),
                    ),
            );
        }
    }
    Ok(Verdict::of(problems, format!("{} runners, each with its own name", queue.runners.len())))
}
