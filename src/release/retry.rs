//! When to try again, and how long to wait before.

use crate::Error;
use std::time::Duration;

/// The first pause; each one after it is twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// No pause is longer, whatever `Retry-After` says.
const LONGEST: Duration = Duration::from_secs(20);

/// What went wrong in one attempt.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: Error,
    /// Whether another attempt may go better.
    pub(super) again: bool,
    /// When the server asked to be asked again.
    pub(super) after: Option<Duration>,
}

impl Trouble {
    /// Another attempt may go better.
    pub(super) fn passing(error: Error) -> Self {
        Self { error, again: true, after: None }
    }

    /// Another attempt would end the same.
    pub(super) fn lasting(error: Error) -> Self {
        Self { error, again: false, after: None }
    }

    /// How long to wait before attempt number `next` (the first is 1).
    pub(super) fn pause(&self, next: u32) -> Duration {
        let doubled = FIRST.saturating_mul(1 << next.saturating_sub(2).min(10)).min(LONGEST);
        // Many hosts of one change window must not come back at the same moment.
        let jitter = getrandom::u32().unwrap_or_default() % 1000;
        let pause = doubled / 2 + doubled * jitter / 2000;
        self.after.map_or(pause, |after| after.min(LONGEST).max(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        let trouble = Trouble::passing(Error::new(Code::Timeout, "slow"));
        for next in 2..40 {
            let pause = trouble.pause(next);
            assert!(pause >= FIRST / 2 && pause <= LONGEST, "{next}: {pause:?}");
        }
        assert!(trouble.pause(5) > FIRST * 2);
    }

    #[test]
    fn a_server_is_heard_but_not_for_an_hour() {
        let asked = |seconds| {
            let error = Error::new(Code::HttpStatus, "429");
            Trouble { error, again: true, after: Some(Duration::from_secs(seconds)) }.pause(2)
        };
        assert_eq!(asked(2), Duration::from_secs(2));
        assert_eq!(asked(3600), LONGEST);
    }
}
