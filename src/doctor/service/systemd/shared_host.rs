//! What a unit says of its share of the host: what ends with one job, and who comes first.

use super::{OnUnit, drop_in::written_alone, on_unit, unit};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Service, Survey, Unseen},
};

/// The first version of systemd with OOMPolicy=.
const OOM_POLICY: u32 = 243;

pub(in crate::doctor::service) const OOM: Check = Check {
    name: "service/oom-spares-agent",
    holds: "The agent goes on when the kernel kills a program of a job for want of memory",
    why: "With OOMPolicy=stop, the default, systemd stops the agent and the whole job as soon as the \
          kernel has killed one program of it. The job is lost without a word in its output.",
    found: "The doctor asks systemd for the OOMPolicy= that is in force, or reads it from the unit.",
    cure: "Set OOMPolicy=continue.",
    after: &["service/loaded"],
    judge: Judge::Agent(oom),
};

fn oom(survey: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let is_old = survey.host.systemd.is_some_and(|version| version < OOM_POLICY);
    if is_old {
        return Err(Unseen::not_applicable("systemd before version 243 has no OOMPolicy="));
    }
    let effective = service.state.ok().and_then(|state| state.effective.as_deref());
    let in_force = effective.map(|told| told.oom_policy.as_str()).filter(|word| !word.is_empty());
    let policy = in_force.or_else(|| service.value("Service", "OOMPolicy")).unwrap_or("stop");
    if policy == "continue" {
        return Ok(Verdict::Holds("OOMPolicy=continue".to_owned()));
    }
    let lines = "[Service]\nOOMPolicy=continue\n";
    let cure = written_alone("Set OOMPolicy=continue in [Service].", install, "oom", lines);
    let what = match policy {
        "kill" => "one program of a job that is killed for memory takes the agent with it",
        _ => "one program of a job that is killed for memory ends the agent and the job",
    };
    let place = service.directive("Service", "OOMPolicy");
    let place = place
        .map_or("the default".to_owned(), |line| format!("{}:{}", line.file.display(), line.line));
    Ok(Problem::warn(what).seen(format!("OOMPolicy={policy} ({place})")).cure(cure).into())
}

pub(in crate::doctor::service) const SCHEDULED: Check = Check {
    name: "service/scheduled-fairly",
    holds: "Jobs get their share of the processor and the disk, and the log of the agent is kept",
    why: "With an idle policy or a high Nice= jobs run only when nothing else does: builds take many \
          times longer, and time out. With StandardOutput=null an agent without a log file leaves no \
          word of why it ended.",
    found: "The doctor asks systemd for the scheduling and the output that are in force, or reads them \
            from the unit.",
    cure: "Remove the directives.",
    after: &["service/loaded"],
    judge: Judge::Agent(scheduled),
};

/// From this number on jobs get less than a third of the time of a program of usual priority.
const NICE: i32 = 5;

fn scheduled(_: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let effective = service.state.ok().and_then(|state| state.effective.as_deref());
    let has = |key: &str, words: &[&str]| {
        service.value("Service", key).is_some_and(|value| words.contains(&value))
    };
    let nice = effective.and_then(|told| told.nice);
    let nice = nice.or_else(|| service.value("Service", "Nice")?.parse().ok()).unwrap_or_default();
    let policy = effective.and_then(|told| told.cpu_policy);
    let class = effective.and_then(|told| told.io_class);
    let is_idle =
        policy.map_or_else(|| has("CPUSchedulingPolicy", &["idle"]), |policy| policy == 5);
    let is_late =
        class.map_or_else(|| has("IOSchedulingClass", &["idle", "3"]), |class| class == 3);
    let mut problems = Vec::new();
    let mut add = |holds: bool, key: &'static str, lines: &'static str, what: &str| {
        if holds {
            let text = ["Remove ", key, "= from the unit."];
            let cure = written_alone(text, install, "priority", lines);
            problems.push(
                Problem::warn(what)
                    .seen(place(service, key))
                    .cure(cure.and("It counts from the next start of the agent.")),
            );
        }
    };
    let all = "[Service]\nCPUSchedulingPolicy=other\nIOSchedulingClass=best-effort\nNice=0\n";
    add(
        is_idle,
        "CPUSchedulingPolicy",
        all,
        "jobs run only while nothing else wants the processor",
    );
    add(is_late, "IOSchedulingClass", all, "jobs reach the disk only while nothing else wants it");
    add(nice >= NICE, "Nice", all, "jobs come after other programs of the host");
    let is_null = |key: &str| has(key, &["null"]);
    let is_lost = is_null("StandardOutput")
        && matches!(service.value("Service", "StandardError"), None | Some("inherit" | "null"));
    let log = install.settings().given("logging.file");
    let has_log = log.is_err() || log.is_ok_and(|log| log.is_some());
    if is_lost && !has_log {
        let edit = on_unit(OnUnit::Edit, install, service);
        problems.push(
            Problem::warn("what the agent logs is kept nowhere")
                .seen(place(service, "StandardOutput"))
                .cure(
                    Remedy::by_hand("Set StandardOutput=journal and StandardError=inherit.")
                        .command(edit),
                ),
        );
    }
    Ok(Verdict::of(problems, "jobs get their share, and the log is kept"))
}

fn place(service: &Service, key: &str) -> String {
    let line = service.directive("Service", key);
    line.map_or_else(
        || format!("{key}= is in force by the manager's word"),
        |line| format!("{}:{}: {key}={}", line.file.display(), line.line, line.value.as_str()),
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Effective, Seen, Survey},
    };

    fn without(key: &str) -> Survey {
        let mut survey = healthy();
        service_of(&mut survey).directives.retain(|line| line.key != key);
        survey
    }

    #[test]
    fn the_default_ends_the_agent_with_one_program() {
        let check = "service/oom-spares-agent";
        assert_eq!(status(&healthy(), check), Status::Pass);
        let found = finding(&without("OOMPolicy"), check);
        assert_eq!((found.status, found.remedy.unwrap().fixable), (Status::Warn, true));
        let mut survey = without("OOMPolicy");
        survey.host.systemd = Some(239);
        assert_eq!(status(&survey, check), Status::NotApplicable);
        // DefaultOOMPolicy= of the manager.
        let mut survey = without("OOMPolicy");
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            let told = Effective { oom_policy: "continue".into(), ..Effective::default() };
            state.effective = Some(Box::new(told));
        }
        assert_eq!(status(&survey, check), Status::Pass);
    }

    #[test]
    fn what_puts_jobs_last_or_loses_their_log_warns() {
        for (key, value, expected) in [
            ("CPUSchedulingPolicy", "idle", Status::Warn),
            ("CPUSchedulingPolicy", "batch", Status::Pass),
            ("IOSchedulingClass", "idle", Status::Warn),
            ("Nice", "19", Status::Warn),
            ("Nice", "-5", Status::Pass),
            ("StandardOutput", "null", Status::Warn),
            ("StandardOutput", "journal", Status::Pass),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", key, value);
            assert_eq!(status(&survey, "service/scheduled-fairly"), expected, "{key}={value}");
        }
        let mut survey = healthy();
        directive(&mut survey, "Service", "StandardOutput", "null");
        set(&mut survey, "logging.file", Some("/var/log/circleci/agent.log"));
        assert_eq!(status(&survey, "service/scheduled-fairly"), Status::Pass);
    }
}
