//! Waiting tasks and running tasks.

use super::{queue, runners::AWAY};
use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Queue, Survey, Unseen},
};

pub(super) const ANSWERS: Check = Check {
    name: "queue/answers",
    holds: "The runner API answers requests about the resource class",
    why: "Without its answers the doctor cannot examine runners and queue.",
    found: "The doctor requests the inventory, the waiting and running tasks, and the resource \
            classes of the namespace. It never claims a task.",
    cure: "Use a personal API token of a user who has access to the namespace.",
    after: &[],
    judge: Judge::Host(answers),
};

fn answers(survey: &Survey) -> Judged {
    let queue = survey.queue.known()?;
    if let Some(host) = &queue.withheld_from {
        return Ok(Problem::fail(format!(
            "no request about {} was sent to the runner API: an account other than root could have set \
             its address to {host}",
            queue.resource_class
        ))
        .seen(format!("the request would send the personal API token to {host}"))
        .cure(Remedy::by_hand(
            "Name the server with --endpoint api=URL. The request then uses HTTPS_PROXY and \
             SSL_CERT_FILE of this shell, and no proxy or certificate authority that another account \
             could have set.",
        ))
        .into());
    }
    match &queue.failure {
        None => Ok(Verdict::Holds(queue.resource_class.clone())),
        Some(why) => Ok(Problem::fail(format!(
            "the runner API gives no answer about {}",
            queue.resource_class
        ))
        .seen(why.clone())
        .cure(Remedy::by_hand(
            "Check the token in CIRCLECI_TOKEN and the name of the resource class: circleci runner \
                 resource-class list NAMESPACE.",
        ))
        .into()),
    }
}

pub(super) const CLASS: Check = Check {
    name: "queue/class-exists",
    holds: "The resource class exists",
    why: "Jobs of a resource class that does not exist, or that a project misspells, wait without \
          end.",
    found: "The doctor lists the resource classes of the namespace.",
    cure: "Correct the name in the project's configuration, or create the resource class.",
    after: &["queue/answers"],
    judge: Judge::Host(class),
};

fn class(survey: &Survey) -> Judged {
    let queue = queue(survey)?;
    match queue.exists {
        None => Err(Unseen::not_examined("the runner API did not list the resource classes")),
        Some(true) => Ok(Verdict::Holds(queue.resource_class.clone())),
        Some(false) => {
            let names: Vec<&str> = queue.classes.iter().map(String::as_str).collect();
            let near = crate::text::nearest(&queue.resource_class, &names);
            let near = near.map_or(String::new(), |near| format!("; the nearest name is {near}"));
            Ok(Problem::fail(format!("there is no resource class {}", queue.resource_class))
                .seen(format!("resource classes of the namespace: {}{near}", names.join(", ")))
                .cure(Remedy::by_hand(
                    "Correct the name, or create the resource class: circleci runner resource-class \
                     create NAMESPACE/CLASS DESCRIPTION.",
                ))
                .into())
        }
    }
}

pub(super) const HAS_RUNNER: Check = Check {
    name: "queue/work-has-runner",
    holds: "A runner is connected that can take the waiting tasks",
    why: "Tasks of a resource class without a connected runner wait until somebody cancels them.",
    found: "The doctor compares the waiting tasks with the runners that contacted the server in \
            the last ten minutes.",
    cure: "Start a runner of the resource class.",
    after: &["queue/answers", "queue/class-exists"],
    judge: Judge::Host(has_runner),
};

fn alive(queue: &Queue, survey: &Survey) -> usize {
    let is_alive = |last: i64| survey.age(last) <= AWAY;
    queue.runners.iter().filter(|runner| runner.last_connected.is_some_and(is_alive)).count()
}

fn has_runner(survey: &Survey) -> Judged {
    let queue = queue(survey)?;
    let waiting = queue.unclaimed.unwrap_or_default();
    let alive = alive(queue, survey);
    if waiting == 0 || alive > 0 {
        return Ok(Verdict::Holds(format!("{waiting} tasks wait, {alive} runners are connected")));
    }
    Ok(Problem::fail(format!(
        "{waiting} tasks wait, and no runner of {} is connected",
        queue.resource_class
    ))
    .seen(format!(
        "{} runners in the inventory, none connected in the last {AWAY} s",
        queue.runners.len()
    ))
    .cure(
        Remedy::by_hand(
            "Start a runner of this resource class. On a host that has one, `runnerup doctor` says \
             what keeps it from the server.",
        )
        .inspect(Command::root("runnerup doctor")),
    )
    .into())
}

pub(super) const CONCURRENCY: Check = Check {
    name: "queue/concurrency",
    holds: "No task waits while a runner is idle",
    why: "Tasks wait although a runner is idle when other resource classes use up the concurrency \
          limit. The limit is one for the organization and all of its resource classes.",
    found: "The doctor reads the waiting and running tasks of this class and of the other classes \
            of the namespace, and whether a job runs on this host.",
    cure: "Cancel queued jobs and forgotten SSH jobs of the other classes, or increase the limit \
           of your plan.",
    after: &["queue/answers", "queue/work-has-runner"],
    judge: Judge::Host(concurrency),
};

fn concurrency(survey: &Survey) -> Judged {
    let queue = queue(survey)?;
    let (waiting, elsewhere) =
        (queue.unclaimed.unwrap_or_default(), queue.running_elsewhere.unwrap_or_default());
    let idle = survey.installs.iter().any(|install| install.runs_job() == Some(false));
    if waiting == 0 || !idle {
        return Ok(Verdict::Holds(format!("{waiting} tasks wait")));
    }
    Ok(Problem::warn(format!("{waiting} tasks wait while a runner on this host is idle"))
        .seen(format!(
            "{} tasks run in this resource class, {elsewhere} in the others of the namespace",
            queue.running.unwrap_or_default()
        ))
        .cure(Remedy::by_hand(
            "Cancel queued jobs and SSH jobs of other resource classes: all of them count.",
        ))
        .into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Queue, Runner, Seen, Survey},
    };

    fn with(change: impl FnOnce(&mut Queue)) -> Survey {
        let runner = |name: &str, hostname: &str| Runner {
            name: name.into(),
            hostname: hostname.into(),
            last_connected: Some(TAKEN - 5),
            ..Runner::default()
        };
        let mut queue = Queue {
            resource_class: "acme/linux".into(),
            exists: Some(true),
            classes: vec!["acme/linux".into()],
            runners: vec![runner("build-1", "build-1"), runner("build-2", "build-2")],
            unclaimed: Some(0),
            running: Some(0),
            running_elsewhere: Some(0),
            failure: None,
            withheld_from: None,
        };
        change(&mut queue);
        let mut survey = healthy();
        survey.queue = Seen::Known(queue);
        survey
    }

    #[test]
    fn what_to_give_is_told_where_the_token_was_withheld() {
        let survey = with(|queue| {
            *queue = Queue::withheld("acme/linux".into(), "evil.example".into());
        });
        let found = finding(&survey, "queue/answers");
        assert!(found.summary.contains("evil.example"), "{}", found.summary);
        let remedy = found.remedy.unwrap();
        assert!(remedy.text().contains("--endpoint api=URL"), "{}", remedy.text());
        assert!(remedy.commands().is_empty());
        assert_eq!(status(&survey, "queue/runner-listed"), Status::Skip);
    }

    #[test]
    fn each_trouble_of_a_queue_has_its_check() {
        let fine = with(|_| {});
        for check in [
            "answers",
            "class-exists",
            "runner-listed",
            "runner-seen",
            "names-unique",
            "work-has-runner",
            "concurrency",
        ] {
            assert_eq!(status(&fine, &format!("queue/{check}")), Status::Pass, "{check}");
        }
        let cases: [(Survey, &str, Status); 8] = [
            (
                with(|queue| queue.withheld_from = Some("evil.example".into())),
                "queue/answers",
                Status::Fail,
            ),
            (with(|queue| queue.failure = Some("401".into())), "queue/answers", Status::Fail),
            (with(|queue| queue.exists = Some(false)), "queue/class-exists", Status::Fail),
            (with(|queue| queue.runners.clear()), "queue/runner-listed", Status::Fail),
            (
                with(|queue| queue.runners[0].last_connected = Some(TAKEN - 9000)),
                "queue/runner-seen",
                Status::Fail,
            ),
            (
                with(|queue| queue.runners[1].name = "build-1".into()),
                "queue/names-unique",
                Status::Warn,
            ),
            (
                with(|queue| {
                    queue.unclaimed = Some(3);
                    queue.runners.clear();
                }),
                "queue/work-has-runner",
                Status::Fail,
            ),
            (with(|queue| queue.unclaimed = Some(3)), "queue/concurrency", Status::Warn),
        ];
        for (survey, check, expected) in cases {
            assert_eq!(status(&survey, check), expected, "{check}");
        }
    }
}
