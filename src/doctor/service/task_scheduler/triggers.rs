//! What starts a task, and starts it again.

use super::{
    cure::changed,
    definition::{SETTINGS, keeper, of, place},
};
use crate::{
    doctor::{Check, Judge, Judged, Problem, Verdict, change::one_shot},
    host::{Directive, Install, Service, Survey},
    service::task_scheduler::times::{Moment, duration},
};

/// Triggers that fire by an event: their repetition begins with the next one of it (Microsoft Learn,
/// "Repeating a Task": "after a trigger is fired").
const BY_EVENT: [&str; 7] = [
    "BootTrigger",
    "LogonTrigger",
    "EventTrigger",
    "RegistrationTrigger",
    "SessionStateChangeTrigger",
    "IdleTrigger",
    "WnfStateChangeTrigger",
];

/// Seconds of a repetition that count as endless: ten years.
const ENDLESS: u64 = 10 * 365 * 86_400;

/// Seconds without an agent, after each end of it, that are told of.
const LONG_WAIT: u64 = 900;

/// A trigger of a definition that is not disabled.
pub(super) struct Trigger<'a> {
    pub(super) kind: &'a str,
    inner: Vec<&'a Directive>,
}

impl<'a> Trigger<'a> {
    /// An element of it, by the elements around it below the trigger.
    fn line(&self, below: &str, key: &str) -> Option<&'a Directive> {
        let section = match below {
            "" => format!("Triggers/{}", self.kind),
            below => format!("Triggers/{}/{below}", self.kind),
        };
        self.inner.iter().copied().find(|line| line.section == section && line.key == key)
    }

    /// When it begins to count.
    pub(super) fn start(&self) -> Option<&'a Directive> {
        self.line("", "StartBoundary")
    }

    /// When it no longer counts.
    pub(super) fn end(&self) -> Option<&'a Directive> {
        self.line("", "EndBoundary")
    }

    /// How long what it started may run.
    pub(super) fn limit(&self) -> Option<&'a Directive> {
        self.line("", "ExecutionTimeLimit")
    }

    /// The end of its repetition, where that ends what runs then.
    pub(super) fn stops(&self) -> Option<&'a Directive> {
        let stops = self.line("Repetition", "StopAtDurationEnd")?;
        self.duration().filter(|_| stops.value == "true").map(|(line, _)| line)
    }

    /// After what time it starts the task once more.
    fn interval(&self) -> Option<&'a str> {
        self.line("Repetition", "Interval").map(|line| line.value.as_str())
    }

    /// For how long it does so, unless that is endless.
    fn duration(&self) -> Option<(&'a Directive, u64)> {
        let line = self.line("Repetition", "Duration")?;
        duration(&line.value).filter(|seconds| (1..ENDLESS).contains(seconds)).map(|of| (line, of))
    }

    fn is_by_event(&self) -> bool {
        BY_EVENT.contains(&self.kind)
    }

    fn moment(line: Option<&Directive>) -> Option<Moment> {
        line.and_then(|line| Moment::read(&line.value))
    }

    /// It does not count yet.
    pub(super) fn is_future(&self, now: i64) -> bool {
        Self::moment(self.start()).is_some_and(|start| start.is_after(now))
    }

    /// It does not count any more.
    pub(super) fn is_past(&self, now: i64) -> bool {
        Self::moment(self.end()).is_some_and(|end| end.is_before(now))
    }

    /// Its repetition is over for good: it fired once.
    fn has_run_out(&self, now: i64) -> bool {
        let start = Self::moment(self.start());
        let end = self.duration().zip(start).map(|((_, seconds), start)| start.later(seconds));
        self.kind == "TimeTrigger" && end.is_some_and(|end| end.is_before(now))
    }
}

/// The triggers that are not disabled. The elements of each stand before it.
pub(super) fn enabled(service: &Service) -> Vec<Trigger<'_>> {
    let (mut all, mut inner) = (Vec::new(), Vec::new());
    for line in &service.directives {
        if line.section.starts_with("Triggers/") {
            inner.push(line);
        } else if line.section == "Triggers" {
            let inner = std::mem::take(&mut inner);
            if line.value == "enabled" {
                all.push(Trigger { kind: &line.key, inner });
            }
        }
    }
    all
}

pub(in crate::doctor::service) const TRIGGERED: Check = Check {
    name: "service/task-triggered",
    holds: "The task starts after the host has started",
    why: "A task without a trigger at start-up does not run after a reboot. A task with a logon \
          trigger does not run until a user logs on.",
    found: "The doctor reads the triggers and the logon type of the task. For a logon trigger it \
            also reads the task that keeps the session open.",
    cure: "Add a trigger at start-up.",
    after: &["service/loaded"],
    judge: Judge::Agent(triggered),
};

fn triggered(_: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    let triggers = enabled(service);
    let has = |kind: &str| triggers.iter().any(|trigger| trigger.kind == kind);
    let repeats = |trigger: &Trigger<'_>| !trigger.is_by_event() && trigger.interval().is_some();
    let kinds: Vec<&str> = triggers.iter().map(|trigger| trigger.kind).collect();
    let logon = service.value("Principals/Principal", "LogonType").unwrap_or("InteractiveToken");
    let needs_session = logon == "InteractiveToken";
    let remedy = changed(
        install,
        service,
        "Add a trigger at start-up.",
        "$task.Triggers += New-ScheduledTaskTrigger -AtStartup",
    );
    let problem = if kinds.is_empty() {
        Problem::fail(format!("nothing starts the task {}", service.name))
            .seen("the task has no enabled trigger")
    } else if has("LogonTrigger") && keeper(service).is_some() {
        return Ok(Verdict::Holds("starts when its session is opened".to_owned()));
    } else if has("BootTrigger") && needs_session {
        Problem::fail("the task starts with the host, but can run only while a user is logged on")
            .seen(place(service.directive("Principals/Principal", "LogonType"), "no LogonType"))
    } else if has("BootTrigger") {
        return Ok(Verdict::Holds("starts with the host".to_owned()));
    } else if has("LogonTrigger") {
        Problem::warn("the task waits for a logon, and no user logs on after a reboot")
            .seen(kinds.join(", "))
    } else if triggers.iter().any(repeats) && !needs_session {
        return Ok(Verdict::Holds("a trigger starts it again and again".to_owned()));
    } else {
        Problem::warn("after a reboot the task waits for its scheduled time").seen(kinds.join(", "))
    };
    Ok(problem.cure(remedy).into())
}

/// Whether the scheduler restarts the agent after it has ended.
pub(super) fn restarts(survey: &Survey, install: &Install) -> Judged {
    let service = of(install)?;
    if let Some(end) = one_shot(install) {
        return Ok(Verdict::Holds(format!("a one-shot host: {end}")));
    }
    let (triggers, now) = (enabled(service), survey.taken);
    let remedy = changed(
        install,
        service,
        "Add a trigger that starts the task again each minute.",
        "$task.Triggers += New-ScheduledTaskTrigger -Once -At (Get-Date).Date -RepetitionInterval (New-TimeSpan -Minutes 1)",
    );
    let counts = |trigger: &&Trigger<'_>| {
        trigger.interval().is_some()
            && !trigger.is_future(now)
            && !trigger.is_past(now)
            && !trigger.has_run_out(now)
    };
    let (by_event, by_clock): (Vec<_>, Vec<_>) =
        triggers.iter().filter(counts).partition(|trigger| trigger.is_by_event());
    let shortest = by_clock.iter().chain(&by_event).filter_map(|trigger| trigger.interval());
    if let Some(interval) = shortest.min_by_key(|text| duration(text).unwrap_or(u64::MAX)) {
        if let Some(problem) = weakness(survey, service, &by_clock, &by_event, interval) {
            return Ok(problem.cure(remedy).into());
        }
        return Ok(Verdict::Holds(format!("a trigger restarts it every {interval}")));
    }
    if keeper(service).is_some() && triggers.iter().any(|trigger| trigger.kind == "LogonTrigger") {
        return Ok(Verdict::Holds("restarts with its session, which is opened again".to_owned()));
    }
    let problem = match service.directive(&format!("{SETTINGS}/RestartOnFailure"), "Count") {
        // [MS-TSCH] 2.5.4.2 speaks of a start that fails; a program that ends with an error is none.
        Some(count) => {
            Problem::warn("the scheduler does not restart an agent that has run").seen(format!(
                "{}: only for starts that fail; the task has no trigger that repeats",
                place(Some(count), "")
            ))
        }
        None => Problem::fail("the scheduler does not restart the agent when it ends")
            .seen("the task has neither RestartOnFailure nor a repeating trigger"),
    };
    Ok(problem.cure(remedy).into())
}

/// Why triggers that repeat do not bring an agent back soon.
fn weakness(
    survey: &Survey,
    service: &Service,
    by_clock: &[&Trigger<'_>],
    by_event: &[&Trigger<'_>],
    interval: &str,
) -> Option<Problem> {
    let windows = survey.host.windows.as_ref();
    let task = windows.and_then(|windows| windows.task(&service.name));
    let waits = task.is_some_and(|task| task.next_run.is_none() && task.state != "Disabled");
    let kinds = || by_event.iter().map(|trigger| trigger.kind).collect::<Vec<_>>().join(", ");
    if by_clock.is_empty() && waits {
        return Some(
            Problem::warn("the agent is restarted only from the next start of the system on").seen(
                format!("{} repeats every {interval}, and the task has no next run", kinds()),
            ),
        );
    }
    let limited =
        |trigger: &&&Trigger<'_>| trigger.duration().is_some() && trigger.kind != "CalendarTrigger";
    let all = by_clock.iter().chain(by_event);
    if all.clone().count() == all.clone().filter(limited).count()
        && let Some((line, _)) = all.clone().find_map(|trigger| trigger.duration())
    {
        return Some(
            Problem::warn(format!("the agent is restarted only for a time: {}", line.value))
                .seen(place(Some(line), "")),
        );
    }
    let is_long = duration(interval).is_some_and(|seconds| seconds > LONG_WAIT);
    is_long.then(|| {
        Problem::warn("an agent that has ended is not restarted soon")
            .seen(format!("the trigger of the task repeats every {interval}"))
    })
}

/// Whether the agent has ended after a job, and a trigger starts it soon.
pub(super) fn is_between_jobs(survey: &Survey, install: &Install, service: &Service) -> bool {
    use crate::service::task_scheduler::REFUSED;
    let task = survey.host.windows.as_ref().and_then(|windows| windows.task(&service.name));
    let is_single = install.settings().text("runner.mode") == Some("single-task");
    let soon = |next: i64| next.saturating_sub(survey.taken) <= 300;
    // A start that was refused while the agent ran may be the last that the scheduler noted.
    let is_well = |result: u32| result == 0 || REFUSED.contains(&result);
    is_single
        && task.is_some_and(|task| {
            task.state == "Ready" && is_well(task.result) && task.next_run.is_some_and(soon)
        })
}

#[cfg(test)]
mod tests {
    use super::{super::tests::with, *};
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Seen, TaskState, Windows},
    };

    const BOOT: (&str, &str, &str) = ("Triggers", "BootTrigger", "enabled");
    const MINUTE: (&str, &str, &str) = ("Triggers/BootTrigger/Repetition", "Interval", "PT1M");
    const CLOCK: (&str, &str, &str) = ("Triggers", "TimeTrigger", "enabled");
    const EACH: (&str, &str, &str) = ("Triggers/TimeTrigger/Repetition", "Interval", "PT1M");
    const SINCE: (&str, &str, &str) =
        ("Triggers/TimeTrigger", "StartBoundary", "2020-01-01T00:00:00");
    const ANY: (&str, &str, &str) = ("Settings", "ExecutionTimeLimit", "PT0S");

    /// The same on a host that runs: what the scheduler says of the next run.
    fn running(mut survey: Survey, next_run: Option<i64>) -> Survey {
        let name = service_of(&mut survey).name.clone();
        let task = TaskState { name, state: "Running".into(), next_run, ..TaskState::default() };
        survey.host.windows =
            Some(Windows { tasks: Seen::Known(vec![task]), ..Windows::default() });
        survey
    }

    fn restart(survey: &Survey) -> (Status, String) {
        let found = finding(survey, "service/restarts");
        let cure = found.remedy.map_or(String::new(), |remedy| remedy.commands().join("\n"));
        (found.status, found.summary + "\n" + &cure)
    }

    #[test]
    fn a_repetition_of_an_event_begins_with_the_next_one() {
        let by_boot = [MINUTE, BOOT, ANY];
        assert_eq!(restart(&running(with(&by_boot), Some(TAKEN + 30))).0, Status::Pass);
        assert_eq!(restart(&with(&by_boot)).0, Status::Pass, "an image is started first");
        let (status, text) = restart(&running(with(&by_boot), None));
        assert_eq!(status, Status::Warn);
        assert!(text.contains("from the next start of the system on"), "{text}");
        let both = [BOOT, EACH, SINCE, CLOCK, ANY];
        assert_eq!(restart(&running(with(&both), None)).0, Status::Pass);
    }

    #[test]
    fn a_restart_of_failed_starts_alone_is_none() {
        let count = ("Settings/RestartOnFailure", "Count", "3");
        let (status, text) = restart(&with(&[BOOT, ANY, count]));
        assert_eq!(status, Status::Warn);
        assert!(text.contains("has run"), "{text}");
        let mut by_hand = with(&[BOOT, ANY, count]);
        agent(&mut by_hand).receipt = None;
        let (_, text) = restart(&by_hand);
        assert!(text.contains("-Once") && text.contains("-RepetitionInterval"), "{text}");
        assert_eq!(restart(&with(&[BOOT, ANY])).0, Status::Fail);
    }

    #[test]
    fn a_repetition_that_is_over_or_not_begun_or_rare_is_told() {
        let line = |key, value| ("Triggers/TimeTrigger", key, value);
        let lasts = |value| ("Triggers/TimeTrigger/Repetition", "Duration", value);
        for (lines, expected) in [
            (vec![line("StartBoundary", "2099-01-01T00:00:00"), EACH], Status::Fail),
            (vec![SINCE, line("EndBoundary", "2021-01-01T00:00:00"), EACH], Status::Fail),
            // "For a duration of: 1 day", as the scheduler's own window offers.
            (vec![SINCE, lasts("P1D"), EACH], Status::Fail),
            // What `[TimeSpan]::MaxValue` becomes.
            (vec![SINCE, lasts("P99999999DT23H59M59S"), EACH], Status::Pass),
            (vec![SINCE, ("Triggers/TimeTrigger/Repetition", "Interval", "PT1H")], Status::Warn),
            (vec![SINCE], Status::Fail),
        ] {
            let lines = [&[BOOT], lines.as_slice(), &[CLOCK, ANY]].concat();
            assert_eq!(restart(&with(&lines)).0, expected, "{lines:?}");
        }
        let day = ("Triggers/BootTrigger/Repetition", "Duration", "P1D");
        let (status, text) = restart(&with(&[MINUTE, day, BOOT, ANY]));
        assert_eq!(status, Status::Warn);
        assert!(text.contains("P1D"), "{text}");
    }

    #[test]
    fn a_trigger_that_is_disabled_restarts_nothing() {
        let off = ("Triggers", "TimeTrigger", "disabled");
        assert_eq!(restart(&with(&[BOOT, EACH, SINCE, off, ANY])).0, Status::Fail);
    }

    #[test]
    fn a_logon_needs_one_who_makes_it() {
        let logon = ("Triggers", "LogonTrigger", "enabled");
        assert_eq!(status(&with(&[logon, ANY]), "service/task-triggered"), Status::Warn);
        let keeper = ("", "SessionKeeper", "keeper");
        let kept = with(&[logon, ANY, keeper]);
        assert_eq!(status(&kept, "service/task-triggered"), Status::Pass);
        assert_eq!(status(&kept, "service/restarts"), Status::Pass);
    }
}
