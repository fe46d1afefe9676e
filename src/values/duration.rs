//! Durations as the agent reads them.

use super::serde_as_text;
use crate::{Code, Error, Help, Result};
use std::{fmt, str::FromStr};

/// A length of time in Go's syntax: hours, minutes and seconds in this order, such as `5h` or
/// `1h30m20s`.
///
/// Rule: `^(\d+h)?(\d+m)?(\d+s)?$` and not empty, as the agent's documentation writes
/// `max_run_time` and `idle_timeout`. At most what a Go `time.Duration` can hold, 2562047 hours.
/// Written in the shortest form, so `90m` becomes `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration {
    seconds: u64,
}

/// The longest job that root lets a stop of the service, and so of the host, wait for where only an
/// account says how long jobs may take: the documented default. A person says what is longer.
pub const LONGEST_UNCONFIRMED: GoDuration = GoDuration { seconds: 5 * 3600 };

/// Go counts a duration in nanoseconds, in a signed 64-bit number.
const MAX_SECONDS: u64 = i64::MAX as u64 / 1_000_000_000;

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
        let Some(parts) = split(text) else {
            let error = Error::new(Code::ValueInvalid, format!("{text:?} is not a duration"));
            return Err(match suggestion(text) {
                Some(better) => error.help(Help::value("use ", better, "")),
                None => error.help(RULE),
            });
        };
        let seconds = parts.into_iter().try_fold(0_u64, |sum, (number, unit)| {
            sum.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)
        });
        // `u64::MAX` stands for "does not fit" and is refused with the same words.
        Self::from_seconds(seconds.unwrap_or(u64::MAX))
            .map_err(|error| error.context(format_args!("{text:?}")))
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

/// The digits and the seconds of their unit, or `None` when the text breaks the rule.
fn split(text: &str) -> Option<Vec<(&str, u64)>> {
    let mut rest = text;
    let mut parts = Vec::new();
    for (letter, unit) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(letter) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            parts.push((number, unit));
            rest = after;
        }
    }
    (rest.is_empty() && !parts.is_empty()).then_some(parts)
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

    #[test]
    fn other_orders_signs_and_fractions_are_refused() {
        for text in ["", "h", "-5h", "+5h", "1.5h", "5m1h", "5h5h", "5h ", "٥h", "1h30", "100ms"] {
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
