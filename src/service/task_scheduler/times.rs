//! Moments and durations of a task's definition, as XML Schema writes them.

/// Seconds that local time may be ahead of, or behind, UTC.
const ZONES: i64 = 14 * 3600;

/// A moment of a definition, such as `2020-01-01T00:00:00`: without a zone it is the host's local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since 1970 where the local time is UTC.
    seconds: i64,
    is_local: bool,
}

impl Moment {
    /// `None` where the text is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (date, time) = text.trim().split_once('T')?;
        let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let zone_at = time.find(['Z', '+', '-']);
        let (clock, zone) = time.split_at(zone_at.unwrap_or(time.len()));
        let mut clock = clock
            .splitn(3, ':')
            .map(|part| part.split('.').next().and_then(|whole| whole.parse::<i64>().ok()));
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        let is_moment = (0..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && [hour, minute, second].iter().all(|part| (0..=60).contains(part));
        let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        let ahead = match zone {
            "" | "Z" => Some(0),
            zone => {
                zone.get(1..).and_then(|zone| zone.split_once(':')).and_then(|(hours, minutes)| {
                    let ahead =
                        hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
                    Some(if zone.starts_with('-') { -ahead } else { ahead })
                })
            }
        };
        is_moment.then_some(Self { seconds: local - ahead?, is_local: zone.is_empty() })
    }

    /// Whether it is surely later than a time in seconds since 1970.
    pub(crate) fn is_after(self, now: i64) -> bool {
        self.seconds.saturating_sub(self.slack()) > now
    }

    /// Whether it is surely earlier.
    pub(crate) fn is_before(self, now: i64) -> bool {
        self.seconds.saturating_add(self.slack()) < now
    }

    /// The same some seconds later.
    pub(crate) fn later(self, seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Self { seconds: self.seconds.saturating_add(seconds), ..self }
    }

    fn slack(self) -> i64 {
        if self.is_local { ZONES } else { 0 }
    }
}

/// Days from 1970 to a date of the Gregorian calendar (the algorithm of days from a civil date in
/// Howard Hinnant's `chrono`-compatible calendar functions).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Seconds of a duration such as `PT72H` or `P1DT2H`, with months of 30 days; `None` where it is none.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim().strip_prefix('P')?;
    let (mut total, mut is_time, mut count) = (0_u64, false, 0);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|_| !is_time) {
            (rest, is_time) = (time, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(end);
        let whole = number.split('.').next()?;
        let number = whole.parse::<u64>().ok()?;
        let seconds = match (unit.chars().next()?, is_time) {
            ('Y', false) => 365 * 86_400,
            ('M', false) => 30 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        total = total.saturating_add(number.saturating_mul(seconds));
        rest = unit.get(1..)?;
        count += 1;
    }
    (count > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_is_read_with_and_without_its_zone() {
        let seconds = |text: &str| Moment::read(text).map(|moment| moment.seconds);
        assert_eq!(seconds("1970-01-01T00:00:00"), Some(0));
        assert_eq!(seconds("2026-11-27T07:12:00Z"), Some(1_795_763_520));
        assert_eq!(seconds("2026-11-27T08:12:00.123+01:00"), Some(1_795_763_520));
        assert_eq!(seconds("2024-02-29T00:00:00-05:30"), Some(1_709_184_600));
        for text in
            ["", "2020-01-01", "2020-13-01T00:00:00", "2020-01-01T00:00", "T", "x-y-zTa:b:c"]
        {
            assert_eq!(Moment::read(text), None, "{text}");
        }
        let local = Moment::read("1970-01-01T00:00:00").unwrap();
        assert!(!local.is_after(-3600) && local.is_after(-15 * 3600) && local.is_before(15 * 3600));
        assert!(Moment::read("1970-01-01T00:00:00Z").unwrap().later(10).is_after(9));
    }

    #[test]
    fn a_duration_is_read_in_seconds() {
        for (text, seconds) in [
            ("PT1M", Some(60)),
            ("PT72H", Some(259_200)),
            ("P1DT2H", Some(93_600)),
            ("P1M", Some(2_592_000)),
            ("PT0S", Some(0)),
            ("P99999999DT23H59M59S", Some(99_999_999 * 86_400 + 86_399)),
            ("", None),
            ("P", None),
            ("PT", None),
            ("1M", None),
            ("PT1D", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[PTYMDHS0-9.:+Z-]{0,40}|.{0,20}") {
            let _ = (duration(&text), Moment::read(&text));
        }
    }
}
