//! The resource class and its work.

mod runners;
mod work;

use super::Check;
use crate::facts::survey::{Queue, Survey, Unseen};

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

fn queue(survey: &Survey) -> Result<&Queue, Unseen> {
    survey.queue.known()
}
