//! When to try again, and how long to wait before.

use crate::{Error, Help};
use std::time::Duration;

/// The first pause; each one after it is twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// No pause of our own choice is longer.
const LONGEST: Duration = Duration::from_secs(20);

/// A server that wants to be left alone for longer is not asked again.
const HEARD: Duration = Duration::from_secs(60);

/// What went wrong in one attempt.
#[derive(Debug)]
pub(super) struct AttemptError {
    pub(super) error: Error,
    /// Whether another attempt may go better.
    pub(super) again: bool,
    /// When the server asked to be asked again.
    pub(super) after: Option<Duration>,
}

impl AttemptError {
    /// Another attempt may go better.
    pub(super) fn passing(error: Error) -> Self {
        Self { error, again: true, after: None }
    }

    /// Another attempt would end the same.
    pub(super) fn lasting(error: Error) -> Self {
        Self { error, again: false, after: None }
    }

    /// How long to wait before attempt number `next` (the first is 1); `None` when there is to be
    /// none.
    pub(super) fn pause(&self, next: u32) -> Option<Duration> {
        let doubled = FIRST.saturating_mul(1 << next.saturating_sub(2).min(10)).min(LONGEST);
        // Many hosts of one change window must not come back at the same moment.
        let jitter = getrandom::u32().unwrap_or_default() % 1000;
        let pause = doubled / 2 + doubled * jitter / 2000;
        match self.after {
            _ if !self.again => None,
            Some(after) if after > HEARD => None,
            after => Some(after.unwrap_or_default().max(pause)),
        }
    }

    /// The error when this was attempt number `attempts`, and the last one.
    pub(super) fn after_attempts(self, attempts: u32) -> Error {
        let error = match self.after {
            Some(after) => {
                self.error.help(Help::value("the server asked to wait for ", after.as_secs(), " s"))
            }
            None => self.error,
        };
        match attempts {
            0 | 1 => error,
            _ => error.help(Help::words(format!("{attempts} attempts were made"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn attempt_error(after: Option<u64>) -> AttemptError {
        let error = Error::new(Code::HttpStatus, "429");
        AttemptError { error, again: true, after: after.map(Duration::from_secs) }
    }

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        for next in 2..40 {
            let doubled = FIRST.saturating_mul(1 << (next - 2).min(10)).min(LONGEST);
            let pause = attempt_error(None).pause(next).unwrap();
            assert!(pause >= doubled / 2 && pause <= doubled, "{next}: {pause:?}");
        }
    }

    #[test]
    fn a_server_is_heard_or_left_alone() {
        assert_eq!(attempt_error(Some(30)).pause(2), Some(Duration::from_secs(30)));
        assert!(attempt_error(Some(0)).pause(2).unwrap() >= FIRST / 2);
        assert_eq!(attempt_error(Some(3600)).pause(2), None);
    }

    #[test]
    fn what_lasts_is_not_tried_again() {
        assert_eq!(AttemptError::lasting(Error::new(Code::Tls, "expired")).pause(2), None);
    }
}
