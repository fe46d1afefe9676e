//! The resource class: its runners and its tasks.

mod runners;
mod work;

use super::Check;
use crate::host::{Queue, Survey, Unseen};

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[
    &work::ANSWERS,
    &work::CLASS,
    &runners::LISTED,
    &runners::SEEN,
    &runners::NAMES,
    &work::HAS_RUNNER,
    &work::CONCURRENCY,
];

/// The answers of the runner API.
fn queue(survey: &Survey) -> Result<&Queue, Unseen> {
    let queue = survey.queue.known()?;
    match queue.withheld_from {
        None => Ok(queue),
        Some(_) => Err(Unseen::not_examined("no request was sent to the runner API")),
    }
}
