//! Whether a transfer still moves.

use std::time::{Duration, Instant};

/// Bytes a second, averaged over a whole timeout, below which a transfer does not move.
const SLOWEST: f64 = 1024.0;

/// Watches one transfer. Time is told to it, so that tests need not wait.
#[derive(Debug)]
pub(super) struct StallDetector {
    limit: Duration,
    /// When the last bytes came.
    last: Instant,
    /// Since when bytes are counted.
    since: Instant,
    counted: u64,
}

/// Why a transfer does not count as moving.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stall {
    /// Nothing came at all.
    Silent,
    /// So many bytes came, which is too few.
    Slow(u64),
}

impl StallDetector {
    pub(super) fn new(limit: Duration, now: Instant) -> Self {
        Self { limit, last: now, since: now, counted: 0 }
    }

    /// Bytes have come, and taking them in took from `came` to `now`: time in which the server
    /// waited for us, which is not held against it.
    pub(super) fn moved(&mut self, bytes: u64, came: Instant, now: Instant) {
        self.counted += bytes;
        self.last = now;
        self.since += now.saturating_duration_since(came);
    }

    /// We did something else from `from` to `to`, and took nothing in: as for [`Self::moved`].
    pub(super) fn kept_waiting(&mut self, from: Instant, to: Instant) {
        let waited = to.saturating_duration_since(from);
        self.last += waited;
        self.since += waited;
    }

    /// To be asked several times within a timeout.
    pub(super) fn stall(&mut self, now: Instant) -> Option<Stall> {
        if now.saturating_duration_since(self.last) >= self.limit {
            return Some(Stall::Silent);
        }
        if now.saturating_duration_since(self.since) >= self.limit {
            let counted = std::mem::take(&mut self.counted);
            self.since = now;
            #[allow(clippy::cast_precision_loss, reason = "a threshold need not be exact")]
            if (counted as f64) < SLOWEST * self.limit.as_secs_f64() {
                return Some(Stall::Slow(counted));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// What is found when, each second, so many bytes come and take so long to take in.
    fn run(bytes: u64, taking: Duration, seconds: u64) -> Option<Stall> {
        let mut now = Instant::now();
        let mut stalls = StallDetector::new(LIMIT, now);
        (0..seconds).find_map(|_| {
            now += Duration::from_secs(1);
            if bytes > 0 {
                let came = now;
                now += taking;
                stalls.moved(bytes, came, now);
            }
            stalls.stall(now)
        })
    }

    #[test]
    fn silence_a_drip_and_a_slow_line_are_told_apart() {
        assert_eq!(run(0, Duration::ZERO, 29), None);
        assert_eq!(run(0, Duration::ZERO, 30), Some(Stall::Silent));
        assert_eq!(run(1, Duration::ZERO, 30), Some(Stall::Slow(30)));
        assert_eq!(run(1024, Duration::ZERO, 3600), None);
    }

    #[test]
    fn a_slow_disk_of_ours_is_not_held_against_the_server() {
        assert_eq!(run(1024, Duration::from_secs(40), 100), None);
        let begun = Instant::now();
        let (mut stalls, later) = (StallDetector::new(LIMIT, begun), begun + 2 * LIMIT);
        stalls.kept_waiting(begun, later);
        assert_eq!(stalls.stall(later + LIMIT / 2), None);
        assert_eq!(stalls.stall(later + LIMIT), Some(Stall::Silent));
    }
}
