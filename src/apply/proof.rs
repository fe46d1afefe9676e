//! Verifies that an agent came up: the service runs what was planned, keeps the same process for a
//! while, and reports that it is healthy where it reports its health.

use super::{
    host::Host,
    planned::{Expected, another},
};
use crate::{
    Code, Command, Error, Foreign, Help, Result,
    agent::{
        is_unhealthy,
        log_texts::{Started, started},
    },
    host::ServiceState,
    service::Services,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long the same process must run.
const STEADY: Duration = Duration::from_secs(4);

/// Time in which an agent that reports its health must become healthy.
const LIMIT: Duration = Duration::from_secs(30);

/// The times of a proof.
#[derive(Clone, Copy)]
struct Pace {
    steady: Duration,
    limit: Duration,
    /// Until when a service that does not run has not begun yet.
    begins: Duration,
}

/// Restarts that count as a crash loop.
const RESTARTS: u32 = 2;

/// Lines of the service's log in which its start is looked for.
const STARTED_WITHIN: usize = 200;

/// Lines of the service's log that the error shows.
const LINES: usize = 12;

/// Waits until the service is up and stays up.
///
/// # Errors
/// [`Code::Unhealthy`] with the last lines of the service's log.
pub fn prove(
    host: &Host<'_>,
    services: &dyn Services,
    service: &str,
    expected: Option<&Expected>,
) -> Result<ServiceState> {
    let begins = services.begins_within();
    let pace = Pace { steady: STEADY, limit: LIMIT + begins, begins };
    prove_at(pace, host, services, service, expected)
}

fn prove_at(
    pace: Pace,
    host: &Host<'_>,
    services: &dyn Services,
    service: &str,
    expected: Option<&Expected>,
) -> Result<ServiceState> {
    let word = expected.and_then(|expected| expected.healthy);
    let start_text = expected.and_then(|expected| expected.start_text);
    let begun = Instant::now();
    let first = services.state(service)?.restarts;
    let mut steady: Option<(u32, Instant)> = None;
    loop {
        host.check_interrupted()?;
        let state = services.state(service)?;
        let unhealthy = state.health.as_deref().is_some_and(is_unhealthy);
        steady = match (state.main_pid, steady) {
            (Some(pid), Some((same, since))) if pid == same => Some((pid, since)),
            (Some(pid), _) => Some((pid, Instant::now())),
            (None, _) => None,
        };
        let stays = steady.is_some_and(|(_, since)| since.elapsed() >= pace.steady);
        let other = match (expected, state.main_pid) {
            (Some(expected), Some(pid)) if stays => {
                another(host, services, service, expected, pid)?
            }
            _ => None,
        };
        let health = state.health.as_deref();
        // Asked only of one that stays: it costs a command.
        let started = start_text.filter(|_| stays).and_then(|text| {
            // A log that cannot be read proves nothing, and the process stays all the same.
            let lines = services.last_lines(service, STARTED_WITHIN).ok()?;
            Some(started(&lines, text))
        });
        let is_silent = word.is_some_and(|word| !health.is_some_and(|said| said.contains(word)));
        let is_bad = matches!(started, Some(Started::No | Started::Failing(_)));
        if stays && !unhealthy && !is_silent && !is_bad && other.is_none() {
            return Ok(state);
        }
        let why = if other.is_some() {
            other
        } else if !state.is_held() && begun.elapsed() >= pace.begins {
            Some(format!("its state is {state}"))
        } else if state.restarts >= first.saturating_add(RESTARTS) {
            Some(format!("it ends and is started again and again: {state}"))
        } else if begun.elapsed() > pace.limit {
            Some(match (health, word) {
                _ if started == Some(Started::No) => {
                    "it runs, and its log does not tell of its start".to_owned()
                }
                (None, _) if let Some(Started::Failing(meaning)) = started => {
                    format!("it runs, and its log has an error: {meaning}")
                }
                (Some(health), _) => format!("its state is {state}, and it reports {health:?}"),
                (None, Some(word)) => {
                    format!("its state is {state}, and it does not report {word}")
                }
                (None, None) => format!("its state is {state}"),
            })
        } else {
            None
        };
        if let Some(why) = why {
            return Err(unhealthy_error(services, service, &why));
        }
        host.report.waits(&format!("{service} to come up and stay up ({state})"));
        thread::sleep(Duration::from_millis(100));
    }
}

fn unhealthy_error(services: &dyn Services, service: &str, why: &str) -> Error {
    let log = services.last_lines(service, LINES).map(|lines| Foreign::new(&lines).last(LINES));
    let words = match &log {
        Ok(lines) if lines.is_empty() => "its log is empty".to_owned(),
        Ok(_) => "the last lines of its log:".to_owned(),
        Err(error) => format!("its log cannot be read: {error}"),
    };
    let hints = services.hints(service);
    Error::new(
        Code::Unhealthy,
        format!("installed, but {service} did not come up healthy: {why}; {words}"),
    )
    .output(log.unwrap_or_default())
    .help(Help::of_program(Command::root("runnerup doctor"), "explains the cause and the fix"))
    .help(Help::words(hints.inspect))
    .help(Help::words(hints.follow))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::{
        apply::bench::{self, Bench},
        platform::command::{Answer, Call, Commands, Recorded},
        service::task_scheduler::Tasks,
    };
    use std::{collections::VecDeque, path::PathBuf, sync::Mutex};

    const SOON: Duration = Duration::from_millis(10);

    /// What a scheduler says, one word after the other; the last one again and again.
    struct InTurn(Mutex<VecDeque<&'static str>>);

    impl Commands for InTurn {
        fn find(&self, program: &str) -> Option<PathBuf> {
            Some(program.into())
        }

        fn answer(&self, call: &Call) -> Result<Answer> {
            let mut words = self.0.lock().unwrap();
            let word = if words.len() > 1 { words.pop_front() } else { words.front().copied() };
            let pid = if word == Some("Running") { "7" } else { "null" };
            let state = word.unwrap();
            let said =
                format!(r#"{{"state":"{state}","result":267011,"pid":{pid},"stale":false}}"#);
            Recorded::answering(0, &said).answer(call)
        }
    }

    fn proved(words: &[&'static str], pace: Pace) -> Result<ServiceState> {
        let commands = InTurn(Mutex::new(words.iter().copied().collect()));
        let tasks = Tasks::new(&commands);
        bench::tools_with(&Bench::new(), Some(&tasks), |tools| {
            prove_at(pace, tools.host, &tasks, "CircleCI Launch Agent", None)
        })
    }

    #[test]
    fn a_task_that_has_not_begun_yet_is_waited_for() {
        assert!(Tasks::new(&Recorded::default()).begins_within() > Duration::from_secs(20));
        let long = Duration::from_secs(60);
        let pace = Pace { steady: SOON, limit: long, begins: long };
        let state = proved(&["Ready", "Ready", "Queued", "Ready", "Running"], pace).unwrap();
        assert_eq!(state.main_pid, Some(7));
        let pace = Pace { begins: Duration::ZERO, ..pace };
        let error = proved(&["Ready"], pace).unwrap_err();
        assert!(error.message().contains("inactive (Ready)"), "{error}");
    }
}
