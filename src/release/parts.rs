//! Which line fetches which part of a file, and the parts in their order. Pure: it neither asks
//! nor waits, and time is told to it.
//!
//! Parts are cut off in order, and few of them are under way, so that memory does not depend on the
//! size of the file. What a broken line left of a part is kept: the next one fetches the rest.

use std::{collections::VecDeque, ops::Range, time::Instant};

/// Bytes of the largest part: enough that the way there and back counts for little.
pub(super) const LARGEST: u64 = 3 << 20;

/// Bytes of the smallest part. Towards the end parts get smaller, so that all lines end together.
pub(super) const SMALLEST: u64 = 1 << 20;

/// Parts under way at most, received ones that wait for an earlier one among them.
pub(super) const WINDOW: usize = 6;

/// Lines that fetch the same part at most.
const RIVALS: usize = 2;

/// The parts of one file.
#[derive(Debug)]
pub(super) struct Parts {
    total: u64,
    /// From here on no part was cut off yet.
    uncut: u64,
    /// Those that were not handed over yet, in order and without a gap.
    parts: VecDeque<Part>,
    /// What each line fetches.
    holds: Vec<Option<Hold>>,
    /// Used buffers. A new one each time would have the allocator keep more than there are.
    spare: Vec<Vec<u8>>,
    /// Bytes a second of the last part that was whole.
    usual: Option<f64>,
}

#[derive(Debug)]
struct Part {
    range: Range<u64>,
    bytes: Vec<u8>,
    /// How many of them were handed over.
    given: usize,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    /// Where its part starts.
    part: u64,
    /// Where the line began.
    from: u64,
    /// What the line sends next; never behind what arrived of the part.
    at: u64,
    since: Instant,
}

impl Parts {
    /// Those of a file of `total` bytes, of which all before `from` were handed over already.
    pub(super) fn new(from: u64, total: u64, lines: usize) -> Self {
        let (parts, spare) = (VecDeque::new(), Vec::new());
        Self { total, uncut: from, parts, holds: vec![None; lines], spare, usual: None }
    }

    /// What a line that fetches nothing is to ask for; `None` when there is nothing for it now.
    pub(super) fn ask(&mut self, line: usize, now: Instant) -> Option<Range<u64>> {
        let left = self.parts.iter().find(|part| !part.is_whole() && self.rivals(part) == 0);
        let range = match left.map(Part::rest) {
            Some(rest) => rest,
            None if self.may_cut() => self.cut(),
            None => {
                let late = |part: &&Part| !part.is_whole() && self.is_late(part, now);
                self.parts.iter().find(late).map(Part::rest)?
            }
        };
        self.hold(line, range.start, now);
        Some(range)
    }

    /// Whether a line that goes on by itself at `at` may: nobody else fetches what comes there.
    pub(super) fn go_on(&mut self, line: usize, at: u64, now: Instant) -> bool {
        let next = self.parts.iter().find(|part| part.range.start == at);
        let is_free = match next {
            Some(part) => !part.is_whole() && self.rivals(part) == 0,
            None if at == self.uncut && self.may_cut() => {
                self.cut();
                true
            }
            None => false,
        };
        if is_free {
            self.hold(line, at, now);
        }
        is_free
    }

    /// Takes what a line received, up to the end of its part, and says how many bytes that were.
    /// A part that is whole by it is fetched by nobody any more.
    pub(super) fn take(&mut self, line: usize, bytes: &[u8], now: Instant) -> usize {
        let Some(Some(hold)) = self.holds.get_mut(line) else { return 0 };
        let part = self.parts.iter_mut().find(|part| part.range.start == hold.part);
        let Some(part) = part else { return 0 };
        let count = bytes.len().min(length(&(hold.at..part.range.end)));
        // A rival may have been faster.
        let known = length(&(hold.at..part.arrived()));
        part.bytes.extend_from_slice(bytes.get(known..count).unwrap_or_default());
        hold.at += count as u64;
        if part.is_whole() {
            let (start, pace) = (hold.part, hold.pace(now));
            self.usual = Some(pace);
            for hold in &mut self.holds {
                hold.take_if(|hold| hold.part == start);
            }
        }
        count
    }

    /// A line gives up; what it received stays.
    pub(super) fn release(&mut self, line: usize) {
        if let Some(hold) = self.holds.get_mut(line) {
            *hold = None;
        }
    }

    pub(super) fn is_held_by(&self, line: usize) -> bool {
        self.holds.get(line).is_some_and(Option::is_some)
    }

    /// Forgets what comes behind the part that `line` fetches, so that it can go on to the end
    /// alone.
    pub(super) fn leave_to(&mut self, line: usize) {
        let Some(Some(hold)) = self.holds.get(line).copied() else { return };
        self.parts.retain(|part| part.range.start <= hold.part);
        self.uncut = self.parts.back().map_or(self.uncut, |part| part.range.end);
        for (other, hold) in self.holds.iter_mut().enumerate() {
            hold.take_if(|_| other != line);
        }
    }

    /// The next bytes in order, as far as they are there, and at most `most`.
    pub(super) fn ready(&self, most: usize) -> &[u8] {
        let bytes = self.parts.front().and_then(|part| part.bytes.get(part.given..));
        let bytes = bytes.unwrap_or_default();
        bytes.get(..most).unwrap_or(bytes)
    }

    /// So many of them were handed over.
    pub(super) fn gave(&mut self, count: usize) {
        let Some(part) = self.parts.front_mut() else { return };
        part.given = (part.given + count).min(part.bytes.len());
        if part.is_whole() && part.given == part.bytes.len() {
            self.spare.extend(self.parts.pop_front().map(|part| part.bytes));
        }
    }

    /// Whether all was handed over.
    pub(super) fn are_done(&self) -> bool {
        self.parts.is_empty() && self.uncut == self.total
    }

    /// How many bytes of the file are there, handed over or not.
    pub(super) fn arrived(&self) -> u64 {
        let missing: usize = self.parts.iter().map(|part| length(&part.rest())).sum();
        self.uncut - missing as u64
    }

    fn may_cut(&self) -> bool {
        self.uncut < self.total && self.parts.len() < WINDOW
    }

    fn cut(&mut self) -> Range<u64> {
        let left = self.total - self.uncut;
        let share = (left / self.holds.len().max(1) as u64).clamp(SMALLEST, LARGEST);
        // No request for a rest that is hardly worth one.
        let size = if left < 2 * SMALLEST { left } else { share };
        let range = self.uncut..self.uncut + size;
        self.uncut = range.end;
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.reserve_exact(length(&range));
        self.parts.push_back(Part { range: range.clone(), bytes, given: 0 });
        range
    }

    fn hold(&mut self, line: usize, from: u64, now: Instant) {
        let part = self.parts.iter().find(|part| part.range.contains(&from));
        let hold = part.map(|part| Hold { part: part.range.start, from, at: from, since: now });
        if let Some(place) = self.holds.get_mut(line) {
            *place = hold;
        }
    }

    fn rivals(&self, part: &Part) -> usize {
        self.holds.iter().flatten().filter(|hold| hold.part == part.range.start).count()
    }

    /// Whether whoever fetches it takes more than twice as long as is usual.
    fn is_late(&self, part: &Part, now: Instant) -> bool {
        let holds = self.holds.iter().flatten().filter(|hold| hold.part == part.range.start);
        let Some(usual) = self.usual.filter(|_| self.rivals(part) < RIVALS) else { return false };
        #[allow(clippy::cast_precision_loss, reason = "a threshold need not be exact")]
        let due = |hold: &Hold| 2.0 * (part.range.end - hold.from) as f64 / usual;
        let mut holds = holds.map(|hold| (due(hold), now.saturating_duration_since(hold.since)));
        holds.all(|(due, taken)| taken.as_secs_f64() > due)
    }
}

impl Part {
    fn arrived(&self) -> u64 {
        self.range.start + self.bytes.len() as u64
    }

    fn rest(&self) -> Range<u64> {
        self.arrived()..self.range.end
    }

    fn is_whole(&self) -> bool {
        self.rest().is_empty()
    }
}

impl Hold {
    /// Bytes a second.
    #[allow(clippy::cast_precision_loss, reason = "a threshold need not be exact")]
    fn pace(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        ((self.at - self.from) as f64 / seconds.max(1e-3)).max(1.0)
    }
}

/// Ranges here are at most a part long.
fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{sync::LazyLock, time::Duration};

    const LINES: usize = 4;

    /// A file whose bytes tell where they stand.
    static FILE: LazyLock<Vec<u8>> =
        LazyLock::new(|| (0..20_u32 << 20).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect());

    fn bytes(range: &Range<u64>) -> Vec<u8> {
        let start = range.start as usize % FILE.len();
        let (most, length) = (FILE.len() - start, length(range));
        [&FILE[start..start + length.min(most)], &FILE[..length.saturating_sub(most)]].concat()
    }

    /// A server with as many lines; what each still sends.
    struct Model {
        parts: Parts,
        sends: [Option<Range<u64>>; LINES],
        /// Sends on to the end of the file, as an answer to a request without a range does.
        endless: Option<usize>,
        now: Instant,
        from: u64,
        next: u64,
    }

    impl Model {
        fn new(from: u64, total: u64) -> Self {
            let mut parts = Parts::new(from, total, LINES);
            let now = Instant::now();
            assert!(from == total || parts.go_on(0, from, now));
            let mut sends = [const { None }; LINES];
            sends[0] = Some(from..total);
            Self { parts, sends, endless: Some(0), now, from, next: from }
        }

        fn ask(&mut self, line: usize) {
            if self.sends[line].is_none() {
                self.sends[line] = self.parts.ask(line, self.now);
                let range = self.sends[line].clone();
                assert!(range.is_none_or(|range| !range.is_empty() && range.start >= self.next));
            }
        }

        fn send(&mut self, line: usize, count: u64) {
            let Some(range) = self.sends[line].clone() else { return };
            let end = range.end.min(range.start + count);
            let bytes = bytes(&(range.start..end));
            let mut rest = bytes.as_slice();
            let mut at = range.start;
            loop {
                let taken = self.parts.take(line, rest, self.now);
                at += taken as u64;
                rest = &rest[taken..];
                if self.parts.is_held_by(line) {
                    assert!(rest.is_empty());
                    self.sends[line] = Some(at..range.end);
                    break;
                }
                if self.endless == Some(line) && self.parts.go_on(line, at, self.now) {
                    continue;
                }
                assert!(self.endless == Some(line) || rest.is_empty());
                break;
            }
            // Whoever lost its part to another is cut off.
            for line in 0..LINES {
                if !self.parts.is_held_by(line) {
                    self.drop(line);
                }
            }
        }

        fn drop(&mut self, line: usize) {
            self.parts.release(line);
            self.sends[line] = None;
            self.endless.take_if(|endless| *endless == line);
        }

        fn give(&mut self, most: usize) {
            let found = self.parts.ready(most);
            let count = found.len();
            let next = self.next..self.next + count as u64;
            assert!(found == bytes(&next));
            self.next = next.end;
            self.parts.gave(count);
        }

        fn check(&self) {
            assert!(self.parts.parts.len() <= WINDOW);
            let buffers: usize = self.parts.parts.iter().map(|part| part.bytes.capacity()).sum();
            let spare: usize = self.parts.spare.iter().map(Vec::capacity).sum();
            assert!(buffers + spare <= WINDOW * length(&(0..LARGEST)));
            assert!(self.parts.parts.iter().all(|part| self.parts.rivals(part) <= RIVALS));
            assert!(self.parts.arrived() >= self.next && self.next >= self.from);
        }

        /// To the end, by every line in turn.
        fn finish(&mut self) {
            while !self.parts.are_done() {
                self.now += Duration::from_millis(100);
                for line in 0..LINES {
                    self.ask(line);
                    self.send(line, 1 << 20);
                }
                self.give(usize::MAX);
            }
            assert_eq!((self.next, self.parts.arrived()), (self.parts.total, self.parts.total));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Whatever comes in whatever order, and whoever fails: bytes in order, each once.
        #[test]
        fn bytes_come_out_in_order_and_each_once(
            from in 0_u64..3 << 20,
            size in 0_u64..16 << 20,
            acts in proptest::collection::vec((0..LINES, 0..12_u8, 0_u64..2 << 20), 0..120),
        ) {
            let mut model = Model::new(from, from + size);
            for (line, act, amount) in acts {
                model.now += Duration::from_millis(amount >> 12);
                match act {
                    0..=3 => model.ask(line),
                    4..=7 => model.send(line, amount),
                    8 | 9 => model.give(length(&(0..amount))),
                    10 => model.drop(line),
                    _ => if let Some(line) = model.endless {
                        model.parts.leave_to(line);
                        (0..LINES).filter(|other| *other != line).for_each(|other| model.drop(other));
                    }
                }
                model.check();
            }
            model.finish();
        }
    }

    #[test]
    fn a_late_part_is_fetched_by_one_more_and_a_usual_one_is_not() {
        let mut model = Model::new(0, 64 << 20);
        (1..LINES).for_each(|line| model.ask(line));
        let is_thief = |model: &Model, line: usize| {
            let asked = model.sends[line].as_ref();
            asked.is_some_and(|range| range.end == LARGEST)
        };
        // Line 0 gets hardly anything, the others all: until the window is full.
        let mut seconds = 0;
        let thief = loop {
            seconds += 1;
            model.now += Duration::from_secs(1);
            model.send(0, 1000);
            for line in 1..LINES {
                model.send(line, LARGEST);
                model.ask(line);
            }
            if let Some(thief) = (1..LINES).find(|line| is_thief(&model, *line)) {
                break thief;
            }
            assert!(seconds < 10);
        };
        assert!(seconds > 2, "twice the usual second is not over");
        (1..LINES).for_each(|line| model.ask(line));
        assert_eq!((1..LINES).filter(|line| is_thief(&model, *line)).count(), 1);
        // From where the slow one is.
        assert_eq!(model.sends[thief].as_ref().map(|range| range.start), Some(1000 * seconds));
        model.send(thief, LARGEST);
        assert!(model.sends[0].is_none(), "the slow one is cut off");
        model.give(usize::MAX);
        model.finish();
    }

    #[test]
    fn lines_of_one_pace_never_fetch_the_same() {
        let total = 100 << 20;
        let mut model = Model::new(0, total);
        let mut sent = 0;
        while !model.parts.are_done() {
            model.now += Duration::from_millis(50);
            for line in 0..LINES {
                model.ask(line);
                sent += model.sends[line]
                    .as_ref()
                    .map_or(0, |range| (range.end - range.start).min(200_000));
                model.send(line, 200_000);
            }
            model.give(usize::MAX);
        }
        // The endless one sends a little of a part that is another's.
        assert!(sent <= total + 200_000, "{sent}");
    }

    #[test]
    fn parts_get_smaller_towards_the_end() {
        let mut parts = Parts::new(0, 20 << 20, LINES);
        let mut sizes = Vec::new();
        while parts.uncut < parts.total {
            sizes.push(length(&parts.cut()) as u64);
        }
        assert_eq!(sizes.iter().sum::<u64>(), 20 << 20);
        assert!(sizes.is_sorted_by(|one, next| one >= next || *next < 2 * SMALLEST), "{sizes:?}");
        assert_eq!(sizes[0], LARGEST);
        assert!(*sizes.last().unwrap() >= SMALLEST && sizes.iter().all(|size| *size <= LARGEST));
    }
}
