//! Verifies that an agent came up: the service runs, keeps the same process for a while, and does not
//! report that it is unhealthy.

use super::host::Host;
use crate::{
    Code, Command, Error, Foreign, Help, Result, agent::is_unhealthy, host::ServiceState,
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

/// Restarts that count as a crash loop.
const RESTARTS: u32 = 2;

/// Lines of the service's log that the error shows.
const LINES: usize = 12;

/// Waits until the service is up and stays up.
///
/// # Errors
/// [`Code::Unhealthy`] with the last lines of the service's log.
pub fn prove(host: &Host<'_>, services: &dyn Services, service: &str) -> Result<ServiceState> {
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
        let stays = steady.is_some_and(|(_, since)| since.elapsed() >= STEADY);
        if stays && !unhealthy {
            return Ok(state);
        }
        let why = if !state.is_held() {
            Some(format!("its state is {state}"))
        } else if state.restarts >= first.saturating_add(RESTARTS) {
            Some(format!("it ends and is started again and again: {state}"))
        } else if begun.elapsed() > LIMIT {
            Some(match state.health.as_deref() {
                Some(health) => format!("its state is {state}, and it reports {health:?}"),
                None => format!("its state is {state}"),
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
