//! Jobs: the running one, and the processes that ended ones left.

use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{drain, service},
    },
    host::{Activity, Install, Process, Survey, Unseen},
    platform::Os,
};

/// Seconds without a line in the log or a changed file after which a job is reported.
const SILENT: i64 = 3600;

pub(super) const NO_ZOMBIES: Check = Check {
    name: "agent/no-zombies",
    holds: "Ended processes of jobs are reaped",
    why: "Ended processes that no process reaps accumulate until no new process can start.",
    found: "The doctor reads the process tree of the agent.",
    cure: "Run the container with --init, so that an init process reaps them.",
    after: &[],
    judge: Judge::Agent(no_zombies),
};

fn no_zombies(_: &Survey, install: &Install) -> Judged {
    let processes = install.processes.known()?;
    let orphans = install.orphans.ok().map(Vec::as_slice).unwrap_or_default();
    let listed = processes.iter().chain(orphans).filter(|process| process.state == 'Z').count();
    let zombies = listed + install.unlisted.zombies;
    if zombies <= 10 {
        return Ok(Verdict::Holds(format!("{zombies} ended processes are not reaped")));
    }
    Ok(Problem::warn(format!("{zombies} ended processes are not reaped"))
        .seen(format!("processes in the state Z below the agent or of its account: {zombies}"))
        .cure(
            Remedy::by_hand("Run the container with --init.")
                .inspect(Command::fixed("ps -eo pid,ppid,stat,comm | grep ' Z'")),
        )
        .into())
}

pub(super) const NO_ORPHANS: Check = Check {
    name: "agent/no-orphans",
    holds: "Ended jobs have left no running processes",
    why: "Processes that a cancelled job leaves running hold ports, files and memory that the next \
          job needs.",
    found: "The doctor looks for processes of the account that runs jobs, or of the service, that \
            do not descend from an agent.",
    cure: "Examine these processes, and end them.",
    after: &[],
    judge: Judge::Agent(no_orphans),
};

fn no_orphans(survey: &Survey, install: &Install) -> Judged {
    let orphans = install.orphans.known()?;
    // Processes of two agents with the same account cannot be distinguished by it.
    let first = survey.installs.iter().find(|other| other.task_user == install.task_user);
    let is_first = first.is_some_and(|first| first.name == install.name);
    let left: Vec<&Process> = orphans
        .iter()
        .filter(|process| process.state != 'Z' && (process.in_service || is_first))
        .filter(|process| !(install.main_process().is_none() && process.in_service))
        .collect();
    if left.is_empty() {
        return Ok(Verdict::Holds("ended jobs have left no process".to_owned()));
    }
    let seen: Vec<String> = left
        .iter()
        .take(5)
        .map(|process| format!("process {}: {}", process.pid, process.command))
        .collect();
    let count = left.len() + install.unlisted.orphans;
    Ok(Problem::warn(match count {
        1 => "a job that has ended left 1 process".to_owned(),
        count => format!("jobs that have ended left {count} processes"),
    })
    .seen(seen.join("\n"))
    .cure(
        Remedy::by_hand("Examine these processes, and end those that no running job needs.")
            .inspect(
                left.iter().fold(Command::fixed("ps -f"), |all, process| {
                    all.then("-p").number(process.pid)
                }),
            ),
    )
    .into())
}

pub(super) const MOVES: Check = Check {
    name: "agent/job-moves",
    holds: "The running job makes progress",
    why: "While a job hangs, the agent claims no other job until runner.max_run_time is over.",
    found: "The doctor reads from the agent's process tree since when a job runs, and from the log \
            and the work folder whether it makes progress.",
    cure: "Cancel the job in CircleCI; the agent then ends it.",
    after: &[],
    judge: Judge::Agent(moves),
};

fn moves(survey: &Survey, install: &Install) -> Judged {
    let processes = install.processes.known()?;
    let main = processes.first().ok_or_else(|| Unseen::not_examined("the agent is not running"))?;
    let Some(job) = install.jobs().and_then(|jobs| jobs.min_by_key(|job| job.started)) else {
        return Ok(Verdict::Holds("no job is running".to_owned()));
    };
    let since = survey.age(job.started);
    let newest = install
        .workdir
        .ok()
        .and_then(|workdir| workdir.changed)
        .into_iter()
        .chain(install.log_written)
        .max();
    let silent = newest.map_or(since, |newest| survey.age(newest)).min(since);
    let longest = i64::try_from(drain(install).as_secs()).unwrap_or(i64::MAX);
    let seen = format!(
        "process {} of the job is {since} s old; log and work folder have not changed for {silent} s",
        job.pid
    );
    let problem = if since > longest {
        Problem::fail(format!("a job has run for {since} s, longer than runner.max_run_time"))
    } else if silent > SILENT {
        Problem::warn(format!("a job is running, but has made no progress for {silent} s"))
    } else {
        return Ok(Verdict::Holds(format!("a job has been running for {since} s")));
    };
    Ok(problem
        .seen(seen)
        .cure(
            Remedy::by_hand("Cancel the job in CircleCI, or find out what it waits for.")
                .inspect(tree(survey, main)),
        )
        .into())
}

/// The agent and what it started.
fn tree(survey: &Survey, main: &Process) -> Command {
    let list = match survey.host.os {
        Os::Linux => Command::root("ps -f --forest -g"),
        Os::Darwin | Os::Windows => Command::root("ps -f -g"),
    };
    list.number(main.pid)
}

pub(super) const DRAIN_ENDS: Check = Check {
    name: "agent/drain-ends",
    holds: "An agent that is stopping ends when its job ends",
    why: "An agent that is stopping claims no job. If it never ends, the host runs no more jobs.",
    found: "The doctor compares the time that the service has been stopping with \
            runner.max_run_time.",
    cure: "Cancel the job in CircleCI: the agent then ends. Do not end the agent itself, which ends \
           its job.",
    after: &[],
    judge: Judge::Agent(drain_ends),
};

fn drain_ends(survey: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    let state = service.state.known()?;
    if state.active != Activity::Deactivating {
        return Ok(Verdict::Holds("the service is not stopping".to_owned()));
    }
    let since = state.since.map_or(0, |since| survey.age(since));
    let longest = i64::try_from(drain(install).as_secs()).unwrap_or(i64::MAX);
    let text = "Wait until the job ends, or cancel it in CircleCI: the agent then ends, and the service \
                can be started again.";
    let remedy = Remedy::by_hand(text);
    let main = install.main_process();
    let remedy = main.into_iter().fold(remedy, |all, main| all.inspect(tree(survey, main)));
    let summary = format!("{} has been stopping for {since} s and claims no jobs", service.name);
    let problem = if since > longest { Problem::fail(summary) } else { Problem::warn(summary) };
    Ok(problem.seen(format!("state of the service: {state}")).cure(remedy).into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Activity, Seen, Survey},
    };

    fn job(age: i64, silent: i64) -> Survey {
        let mut survey = healthy();
        let mut child = process(501, 500, UID, "circleci-agent");
        child.started = TAKEN - age;
        if let Seen::Known(processes) = &mut agent(&mut survey).processes {
            processes.push(child);
        }
        agent(&mut survey).log_written = Some(TAKEN - silent);
        survey
    }

    #[test]
    fn a_job_is_idle_running_suspect_or_stuck() {
        assert!(finding(&healthy(), "agent/job-moves").summary.contains("no job"));
        assert_eq!(status(&job(600, 10), "agent/job-moves"), Status::Pass);
        assert_eq!(status(&job(9000, 8000), "agent/job-moves"), Status::Warn);
        assert_eq!(status(&job(100_000, 10), "agent/job-moves"), Status::Fail);
    }

    #[test]
    fn what_windows_starts_below_the_agent_is_no_job() {
        for name in ["conhost.exe", "CONHOST.EXE", "WerFault.exe", "OpenConsole.exe"] {
            let mut survey = job(100_000, 90_000);
            let Seen::Known(processes) = &mut agent(&mut survey).processes else { unreachable!() };
            processes.last_mut().unwrap().name = name.into();
            assert_eq!(agent(&mut survey).runs_job(), Some(false), "{name}");
            let found = finding(&survey, "agent/job-moves");
            assert_eq!((found.status, found.summary.as_str()), (Status::Pass, "no job is running"));
        }
        assert_eq!(agent(&mut job(1, 1)).runs_job(), Some(true));
    }

    #[test]
    fn times_at_the_ends_of_numbers_are_judged() {
        for (taken, at) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
            let mut survey = job(9000, 8000);
            survey.taken = taken;
            agent(&mut survey).log_written = Some(at);
            if let Seen::Known(processes) = &mut agent(&mut survey).processes {
                processes.iter_mut().for_each(|process| process.started = at);
            }
            if let Seen::Known(state) = &mut service_of(&mut survey).state {
                state.active = Activity::Deactivating;
                state.since = Some(at);
            }
            let expected = if taken > 0 { Status::Fail } else { Status::Pass };
            assert_eq!(status(&survey, "agent/job-moves"), expected);
            let expected = if taken > 0 { Status::Fail } else { Status::Warn };
            assert_eq!(status(&survey, "agent/drain-ends"), expected);
        }
    }

    #[test]
    fn orphans_and_zombies_are_told() {
        let mut survey = healthy();
        agent(&mut survey).orphans = Seen::Known(vec![process(900, 1, UID, "sleep")]);
        assert_eq!(status(&survey, "agent/no-orphans"), Status::Warn);
        let zombie = |pid| {
            let mut zombie = process(pid, 1, UID, "x");
            zombie.state = 'Z';
            zombie
        };
        agent(&mut survey).orphans = Seen::Known((900..920).map(zombie).collect());
        assert_eq!(status(&survey, "agent/no-zombies"), Status::Warn);
    }

    #[test]
    fn a_drain_that_does_not_end_fails() {
        let mut survey = healthy();
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.active = Activity::Deactivating;
        }
        assert_eq!(status(&survey, "agent/drain-ends"), Status::Warn);
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.since = Some(TAKEN - 100_000);
        }
        let found = finding(&survey, "agent/drain-ends");
        assert_eq!(found.status, Status::Fail);
        // A second TERM ends the job.
        let remedy = found.remedy.unwrap();
        assert!(remedy.commands().iter().all(|line| !line.contains("TERM")), "{remedy:?}");
        assert_eq!(remedy.first_cure(), None);
    }
}
