//! Looks that run at once, each with a deadline. One that hangs is left behind.

use crate::facts::survey::Seen;
use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// A look that is under way.
pub(super) struct Probe<T> {
    what: &'static str,
    limit: Duration,
    deadline: Instant,
    answer: Receiver<T>,
}

/// Starts to look at `what`.
pub(super) fn probe<T: Send + 'static>(
    what: &'static str,
    limit: Duration,
    look: impl FnOnce() -> T + Send + 'static,
) -> Probe<T> {
    let (send, answer) = mpsc::sync_channel(1);
    // Not joined: a stat on a dead network file system never comes back.
    let begun = thread::Builder::new().name(what.to_owned()).spawn(move || {
        let begun = Instant::now();
        let seen = look();
        tracing::debug!(what, ms = begun.elapsed().as_millis(), "looked");
        let _ = send.send(seen);
    });
    if let Err(error) = begun {
        tracing::debug!(what, %error, "no thread");
    }
    Probe { what, limit, deadline: Instant::now() + limit, answer }
}

impl<T> Probe<T> {
    /// What was seen, once it is there or the deadline has come.
    pub(super) fn seen(self) -> Seen<T> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.answer.recv_timeout(left) {
            Ok(seen) => Seen::Known(seen),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.limit.as_secs_f32();
                Seen::broken(format!("{} took longer than {seconds} s", self.what))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Seen::broken(format!("the look at {} broke off", self.what))
            }
        }
    }
}

impl<T> Probe<Seen<T>> {
    /// The same for a look that may itself come to nothing.
    pub(super) fn flat(self) -> Seen<T> {
        match self.seen() {
            Seen::Known(seen) => seen,
            Seen::Unseen(unseen) => Seen::Unseen(unseen),
        }
    }
}

/// What was seen, else nothing, and a word on it.
pub(super) fn known_or_default<T: Default>(seen: Seen<T>) -> T {
    match seen {
        Seen::Known(known) => known,
        Seen::Unseen(unseen) => {
            tracing::warn!("{}", unseen.why);
            T::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_hides_nothing_but_itself() {
        let hangs = probe("the thing that hangs", Duration::from_millis(20), || {
            thread::sleep(Duration::from_secs(60));
        });
        let answers = probe("another", Duration::from_secs(10), || 7);
        assert_eq!(answers.seen(), Seen::Known(7));
        let Seen::Unseen(unseen) = hangs.seen() else { panic!("it ended") };
        assert!(unseen.broke && unseen.why.contains("the thing that hangs"), "{}", unseen.why);
    }

    #[test]
    fn what_panics_is_said_to_have_broken() {
        let broken = probe("a broken look", Duration::from_secs(10), || assert_eq!(1, 2));
        assert!(matches!(broken.seen(), Seen::Unseen(unseen) if unseen.broke));
    }
}
