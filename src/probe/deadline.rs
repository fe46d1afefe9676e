//! Probes that run at once, each with a deadline. One that hangs is left behind.

use crate::host::Seen;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a probe may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Its own time.
    pub(super) each: Duration,
    /// When the time of the whole examination is up.
    pub(super) until: Instant,
}

/// Probes of one kind that may be left behind before no more of them are begun: an examination that
/// is made again and again leaves no more threads than this at what never answers.
const LEFT_BEHIND: usize = 32;

/// Probes of each kind that were left behind: the thread of one holds what is counted here until it
/// ends, however that comes about.
static LEFT: Mutex<BTreeMap<&'static str, Vec<Weak<()>>>> = Mutex::new(BTreeMap::new());

/// Those of a kind whose threads have not ended.
fn left_behind(what: &'static str, and: Option<Weak<()>>) -> usize {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let probes = left.entry(what).or_default();
    probes.extend(and);
    probes.retain(|read| read.strong_count() > 0);
    probes.len()
}

/// A probe that is under way, or was not asked for.
pub(super) struct Probe<T> {
    what: &'static str,
    thread: Weak<()>,
    limit: Limit,
    deadline: Instant,
    answer: Receiver<T>,
    is_asked: bool,
}

/// Starts to look at `what`.
pub(super) fn probe<T: Send + 'static>(
    what: &'static str,
    limit: Limit,
    read: impl FnOnce() -> T + Send + 'static,
) -> Probe<T> {
    let (send, answer) = mpsc::sync_channel(1);
    let now = Instant::now();
    let deadline = limit.until.min(now + limit.each);
    let alive = Arc::new(());
    let thread = Arc::downgrade(&alive);
    let left = left_behind(what, None);
    if left >= LEFT_BEHIND {
        tracing::debug!(what, left, "not begun: so many are unanswered");
    } else if now < deadline {
        // Not joined: a stat on a dead network file system never comes back.
        let begun = thread::Builder::new().name(what.to_owned()).spawn(move || {
            let _alive = alive;
            let begun = Instant::now();
            let seen = read();
            tracing::debug!(what, ms = begun.elapsed().as_millis(), "looked");
            let _ = send.send(seen);
        });
        if let Err(error) = begun {
            tracing::debug!(what, %error, "no thread");
        }
    }
    Probe { what, thread, limit, deadline, answer, is_asked: true }
}

impl<T> Probe<T> {
    /// One that nobody asked for.
    pub(super) fn not_asked(what: &'static str) -> Self {
        let (_, answer) = mpsc::sync_channel(1);
        let deadline = Instant::now();
        let limit = Limit { each: Duration::ZERO, until: deadline };
        Self { what, thread: Weak::new(), limit, deadline, answer, is_asked: false }
    }

    /// What was seen, once it is there or the deadline has come.
    pub(super) fn seen(self) -> Seen<T> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let what = self.what;
        if !self.is_asked {
            return Seen::not(format!("{what} was not asked for"));
        }
        let answer = self.answer.recv_timeout(left);
        if answer.is_err() {
            left_behind(what, Some(self.thread));
        }
        match answer {
            Ok(seen) => Seen::Known(seen),
            Err(_) if self.deadline == self.limit.until && Instant::now() >= self.deadline => {
                Seen::broken(format!("the time of the examination was up before {what} was seen"))
            }
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.limit.each.as_secs_f32();
                Seen::broken(format!("{what} took longer than {seconds} s"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Seen::broken(format!("the probe of {what} broke off"))
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
            if unseen.is_failure() {
                tracing::warn!("{}", unseen.why);
            }
            T::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    fn within(each: Duration) -> Limit {
        Limit { each, until: Instant::now() + Duration::from_secs(60) }
    }

    #[test]
    fn what_never_answers_is_not_asked_without_end() {
        let what = "the thing that never answers";
        let left = || left_behind(what, None);
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let begun = Arc::new(AtomicU8::new(0));
        let hang = || {
            let (wait, begun) = (Arc::clone(&wait), Arc::clone(&begun));
            probe(what, within(Duration::from_millis(1)), move || {
                begun.fetch_add(1, Ordering::Relaxed);
                let _ = wait.lock().map(|wait| wait.recv());
            })
        };
        for round in 0..2 * LEFT_BEHIND {
            assert!(matches!(hang().seen(), Seen::Unseen(_)));
            assert_eq!(left(), LEFT_BEHIND.min(round + 1));
        }
        drop(release);
        let until = Instant::now() + Duration::from_secs(60);
        while left() > 0 && Instant::now() < until {
            thread::yield_now();
        }
        assert_eq!((left(), usize::from(begun.load(Ordering::Relaxed))), (0, LEFT_BEHIND));
        assert_eq!(probe(what, within(Duration::from_secs(10)), || 7).seen(), Seen::Known(7));
    }

    #[test]
    fn what_hangs_hides_nothing_but_itself() {
        let hangs = probe("the thing that hangs", within(Duration::from_millis(20)), || {
            thread::sleep(Duration::from_secs(60));
        });
        let answers = probe("another", within(Duration::from_secs(10)), || 7);
        assert_eq!(answers.seen(), Seen::Known(7));
        let Seen::Unseen(unseen) = hangs.seen() else { panic!("it ended") };
        assert!(
            unseen.is_failure() && unseen.why.contains("the thing that hangs"),
            "{}",
            unseen.why
        );
    }

    #[test]
    fn what_panics_is_said_to_have_broken() {
        let broken = probe("a broken look", within(Duration::from_secs(10)), || assert_eq!(1, 2));
        assert!(matches!(broken.seen(), Seen::Unseen(unseen) if unseen.is_failure()));
    }

    #[test]
    fn nothing_is_begun_when_the_time_of_the_whole_is_up() {
        let over = Limit { each: Duration::from_secs(10), until: Instant::now() };
        let (send, begun) = mpsc::channel();
        let Seen::Unseen(unseen) = probe("it", over, move || send.send(())).seen() else {
            panic!("it was seen")
        };
        assert!(
            unseen.is_failure() && unseen.why.contains("time of the examination"),
            "{}",
            unseen.why
        );
        assert!(begun.recv().is_err());
    }

    #[test]
    fn the_whole_ends_though_each_has_time_left() {
        let begun = Instant::now();
        let limit =
            Limit { each: Duration::from_secs(600), until: begun + Duration::from_millis(50) };
        let hang = || thread::sleep(Duration::from_secs(600));
        let all: Vec<_> = (0..20).map(|_| probe("it", limit, hang)).collect();
        assert!(all.into_iter().all(|probe| probe.seen().ok().is_none()));
        assert!(begun.elapsed() < Duration::from_secs(60), "each was waited for");
    }
}
