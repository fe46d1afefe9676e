//! Time spans as systemd reads them: `systemd.time(7)`, Parsing time spans.

use std::time::Duration;

/// The units, in microseconds. A month has 30.4375 days, a year 365.25.
const UNITS: [(&[&str], u64); 9] = [
    (&["us", "usec", "µs", "μs"], 1),
    (&["ms", "msec"], 1000),
    (&["s", "sec", "second", "seconds"], SECOND),
    (&["m", "min", "minute", "minutes"], 60 * SECOND),
    (&["h", "hr", "hour", "hours"], 3600 * SECOND),
    (&["d", "day", "days"], 86_400 * SECOND),
    (&["w", "week", "weeks"], 604_800 * SECOND),
    (&["M", "month", "months"], 2_629_800 * SECOND),
    (&["y", "year", "years"], 31_557_600 * SECOND),
];

/// A second in microseconds, the unit of a number without one.
const SECOND: u64 = 1_000_000;

/// A time span; `None` for `infinity`, and for what systemd does not accept.
pub(crate) fn time_span(text: &str) -> Option<Duration> {
    let mut micros = 0_u64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) if !after.starts_with(|sign: char| sign.is_ascii_digit()) => return None,
            Some(after) => digits(after),
            None if whole.is_empty() => return None,
            None => ("", after),
        };
        let unit_at = after.trim_start();
        let length = unit_at.find(|sign: char| !sign.is_alphabetic()).unwrap_or(unit_at.len());
        let (name, after_unit) = unit_at.split_at(length);
        // `12.34.56` is no time span, but `12.34 .56` is.
        if name.is_empty() && unit_at.len() == after.len() && !after.is_empty() {
            return None;
        }
        let unit = match name {
            "" => SECOND,
            name => UNITS.iter().find(|(names, _)| names.contains(&name))?.1,
        };
        let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
        micros = micros.checked_add(whole.checked_mul(unit)?)?;
        micros = micros.checked_add(part(fraction, unit))?;
        rest = after_unit.trim_start();
    }
    Some(Duration::from_micros(micros))
}

/// The decimal digits at the start, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// The microseconds of the digits after a decimal point.
fn part(digits: &str, unit: u64) -> u64 {
    let mut place = unit;
    digits.bytes().fold(0, |micros, digit| {
        place /= 10;
        micros + u64::from(digit - b'0') * place
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_systemd_reads_them() {
        for (text, micros) in [
            ("18300", 18_300_000_000),
            ("5h 5min", 18_300_000_000),
            ("1d2h", 93_600_000_000),
            ("5.5h", 19_800_000_000),
            ("1.5 h", 5_400_000_000),
            (".5min", 30_000_000),
            ("12.34 .56", 12_900_000),
            ("1month", 2_629_800_000_000),
            ("1M", 2_629_800_000_000),
            ("2y 1w", 63_720_000_000_000),
            ("300 ms", 300_000),
            ("5µs 5μs", 10),
            ("10minutes", 600_000_000),
            ("0", 0),
        ] {
            assert_eq!(time_span(text), Some(Duration::from_micros(micros)), "{text}");
        }
        for text in
            ["", "soon", "h", ".", "5.", "5.s", "5 5 soon", "12.34.56", "-5", "5foo", "infinity"]
        {
            assert_eq!(time_span(text), None, "{text}");
        }
        assert_eq!(time_span(&format!("{}y", u64::MAX)), None);
    }
}
