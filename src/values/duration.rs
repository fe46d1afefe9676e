//! Durations as the agent reads them.

use super::serde_as_text;
use crate::{Code, Error, Help, Result};
use std::{fmt, str::FromStr};

/// A length of time in Go's syntax, such as `5h`, `1.5h` or `1h30m20s`.
///
/// Rule: that of Go's `time.ParseDuration`, which the agents use, without a minus. Parts of a second
/// count as a whole one. At most what a Go `time.Duration` can hold, 2562047 hours. Written in the
/// shortest form of hours, minutes and seconds, so `90m` becomes `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration {
    seconds: u64,
}

/// The longest job that root lets a stop of the service, and so of the host, wait for where only an
/// account says how long jobs may take: the documented default. A person says what is longer.
pub const LONGEST_UNCONFIRMED: GoDuration = GoDuration { seconds: 5 * 3600 };

/// Go counts a duration in nanoseconds, in a signed 64-bit number.
const MAX_SECONDS: u64 = i64::MAX as u64 / 1_000_000_000;

/// A second in nanoseconds.
const SECOND: u128 = 1_000_000_000;

/// Go's units, in nanoseconds. The microsecond has three names.
const UNITS: [(&str, u128); 8] = [
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1000),
    ("\u{b5}s", 1000),
    ("\u{3bc}s", 1000),
    ("ns", 1),
];

const RULE: &str = "a duration is hours, minutes and seconds, such as 5h, 90m or 1h30m20s";

impl GoDuration {
    /// A duration of whole seconds.
    pub fn from_seconds(seconds: u64) -> Result<Self> {
        if seconds > MAX_SECONDS {
            return Err(Error::new(
                Code::ValueInvalid,
                format!("a duration of {seconds} seconds is longer than the agent can count"),
            )
            .help("the longest is 2562047h"));
        }
        Ok(Self { seconds })
    }

    /// The length in seconds.
    pub fn seconds(self) -> u64 {
        self.seconds
    }
}

impl FromStr for GoDuration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(nanoseconds) = nanoseconds(text) else {
            let error = Error::new(Code::ValueInvalid, format!("{text:?} is not a duration"));
            return Err(match suggestion(text) {
                Some(better) => error.help(Help::value("use ", better, "")),
                None => error.help(RULE),
            });
        };
        // `u64::MAX` stands for "does not fit" and is refused with the same words.
        let seconds = u64::try_from(nanoseconds.div_ceil(SECOND)).unwrap_or(u64::MAX);
        Self::from_seconds(seconds).map_err(|error| error.context(format_args!("{text:?}")))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) =
            (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if seconds > 0 || self.seconds == 0 {
            write!(f, "{seconds}s")?;
        }
        Ok(())
    }
}

serde_as_text!(GoDuration);

/// The nanoseconds of a text, or `None` when it breaks the rule.
fn nanoseconds(text: &str) -> Option<u128> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    let mut sum = (!rest.is_empty()).then_some(0_u128)?;
    while !rest.is_empty() {
        let is_unit = |sign: char| !sign.is_ascii_digit() && sign != '.';
        let (number, after) = rest.split_at(rest.find(is_unit)?);
        let (unit, after) =
            after.split_at(after.find(|sign| !is_unit(sign)).unwrap_or(after.len()));
        let unit = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if part.contains('.') || whole.is_empty() && part.is_empty() {
            return None;
        }
        let whole = whole.bytes().fold(0_u128, |sum, digit| {
            sum.saturating_mul(10).saturating_add(u128::from(digit - b'0'))
        });
        // What stands behind more digits is less than a nanosecond.
        let part = part.bytes().take(15);
        let (part, of) = part.fold((0_u128, 1_u128), |(sum, of), digit| {
            (sum * 10 + u128::from(digit - b'0'), of * 10)
        });
        sum = sum.saturating_add(whole.saturating_mul(unit)).saturating_add(part * unit / of);
        rest = after;
    }
    Some(sum)
}

/// What someone who wrote a bare number, days or a word for the unit will have meant.
fn suggestion(text: &str) -> Option<String> {
    let text: String = text.to_lowercase().split_whitespace().collect();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        // Nobody means weeks by it: it is the number of seconds that a unit or another tool has.
        "" if number > 168 => 1,
        "" | "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "d" | "day" | "days" => 24 * 3600,
        "w" | "week" | "weeks" => 7 * 24 * 3600,
        _ => return None,
    };
    let duration = GoDuration::from_seconds(number.checked_mul(seconds)?).ok()?;
    Some(duration.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(text: &str) -> u64 {
        text.parse::<GoDuration>().unwrap().seconds()
    }

    fn help(text: &str) -> String {
        text.parse::<GoDuration>().unwrap_err().help_lines()[0].clone()
    }

    #[test]
    fn hours_minutes_and_seconds_add_up() {
        assert_eq!(seconds("5h"), 18_000);
        assert_eq!(seconds("1h30m20s"), 5420);
        assert_eq!(seconds("90m"), 5400);
        assert_eq!(seconds("0s"), 0);
        assert_eq!(seconds("2562047h47m16s"), MAX_SECONDS);
    }

    #[test]
    fn the_shortest_form_is_written() {
        for (given, written) in [("5h", "5h"), ("90m", "1h30m"), ("3600s", "1h"), ("0h", "0s")] {
            assert_eq!(given.parse::<GoDuration>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_was_meant_is_suggested() {
        assert_eq!(help("5d"), "use 120h");
        assert_eq!(help("5"), "use 5h");
        assert_eq!(help("2 weeks"), "use 336h");
        assert_eq!(help("10 min"), "use 10m");
        assert_eq!(help("5H"), "use 5h");
        assert_eq!(help("soon"), RULE);
    }

    /// The cases of the tests of Go's `time` package.
    #[test]
    fn what_go_reads_is_read() {
        for (text, expected) in [
            ("0", 0),
            ("+5h", 18_000),
            ("1.5h", 5400),
            (".5m", 30),
            ("5.m", 300),
            ("5m1h", 3900),
            ("5h5h", 36_000),
            ("3m30.5s", 211),
            ("100ms", 1),
            ("12\u{b5}s", 1),
            ("0.9999999999999999999h", 3600),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
        for text in ["", "h", "-5h", "5h ", "\u{665}h", "1h30", "5", ".", ".s", "+", "1.2.3h", "3d"]
        {
            assert!(text.parse::<GoDuration>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn more_than_go_can_count_is_refused() {
        for text in ["2562047h47m17s", "99999999999999999999h", "18446744073709551615h1s"] {
            let error = text.parse::<GoDuration>().unwrap_err();
            assert!(error.help_lines()[0].contains("2562047h"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_duration_reads_back(seconds in 0..=MAX_SECONDS) {
            let duration = GoDuration::from_seconds(seconds).unwrap();
            prop_assert_eq!(duration.to_string().parse::<GoDuration>().unwrap(), duration);
        }

        #[test]
        fn any_text_is_judged_without_panic(text in "[0-9]{0,22}[hmsdw 0-9.+-]{0,8}|.{0,40}") {
            super::super::assert_round_trip::<GoDuration>(&text);
        }
    }
}
