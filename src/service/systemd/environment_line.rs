//! The assignments of an `Environment=` line, as systemd takes them: `systemd.exec(5)`. Recorded of
//! versions 247 to 257 in tests/recorded_facts/systemd/.

use super::{
    specifiers::{Specifiers, Unfilled},
    words::{Flaw, strict},
};
use crate::host::Misreading;

/// An assignment. A value with a specifier that only the host knows is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The variable.
    pub(crate) name: String,
    /// Its value, specifiers filled in.
    pub(crate) value: Option<String>,
    /// As it is written, without quotes.
    pub(crate) written: String,
}

/// A line as it is taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it sets, in order.
    pub(crate) set: Vec<Assignment>,
    /// What is dropped, with the variable that it is about: that of the value which a blank cuts, or
    /// the one that is not set.
    pub(crate) dropped: Vec<(Option<String>, Misreading)>,
}

/// Reads a line.
pub(crate) fn read(value: &str, specifiers: &Specifiers<'_>) -> Line {
    let (words, flaw) = strict(value);
    let mut line = Line::default();
    let mut before: Option<String> = None;
    let mut loose: Vec<(Option<String>, usize)> = Vec::new();
    for word in words {
        let named = word.split_once('=').filter(|(name, _)| is_name(name));
        let Some((name, written)) = named else {
            match loose.last_mut().filter(|(name, _)| *name == before) {
                Some((_, count)) => *count += 1,
                None => loose.push((before.clone(), 1)),
            }
            continue;
        };
        before = Some(name.to_owned());
        let (name, written) = (name.to_owned(), written.to_owned());
        match specifiers.fill(&written) {
            Ok(value) => line.set.push(Assignment { name, value: Some(value), written }),
            Err(Unfilled::NotKnown(_)) => line.set.push(Assignment { name, value: None, written }),
            Err(Unfilled::NoSpecifier(sign)) => {
                let text = Misreading::NoSpecifier(percent(&written, sign));
                line.dropped.push((Some(name), text));
            }
        }
    }
    line.dropped
        .extend(loose.into_iter().map(|(name, count)| (name, Misreading::NoAssignment(count))));
    let flaw = flaw.map(|flaw| match flaw {
        Flaw::OpenQuote => Misreading::OpenQuote,
        Flaw::Escape => Misreading::Escape,
    });
    line.dropped.extend(flaw.map(|flaw| (None, flaw)));
    line
}

/// Whether it can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The percent sign with what follows it: both digits of a sign that a URL escapes, such as `%40`.
pub(crate) fn percent(text: &str, sign: char) -> String {
    let begin = format!("%{sign}");
    let rest = text.replace("%%", "");
    let next = rest.split_once(&begin).and_then(|(_, rest)| rest.chars().next());
    match next.filter(|next| escapes_sign(sign, *next)) {
        Some(next) => format!("{begin}{next}"),
        None => begin,
    }
}

/// Whether two digits stand in a URL for a sign that has a meaning there, and so for none of a word.
pub(crate) fn escapes_sign(high: char, low: char) -> bool {
    let digits = high.to_digit(16).zip(low.to_digit(16));
    let byte = digits.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
    byte.is_some_and(|byte| byte.is_ascii_punctuation() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_of(value: &str) -> Line {
        read(value, &Specifiers { unit: "a@b.service", of_host: &|_| None })
    }

    fn set(line: &Line) -> Vec<(&str, Option<&str>)> {
        line.set.iter().map(|set| (set.name.as_str(), set.value.as_deref())).collect()
    }

    #[test]
    fn what_is_dropped_is_told_with_its_variable() {
        let some = |name: &str| Some(name.to_owned());
        for (value, dropped) in [
            ("P=http://a:p%40s@h B=1", (some("P"), Misreading::NoSpecifier("%40".into()))),
            ("P=http://a:p%41s@h B=1", (some("P"), Misreading::NoSpecifier("%4".into()))),
            ("B=1 P=%z", (some("P"), Misreading::NoSpecifier("%z".into()))),
            ("B=1, 2 C", (some("B"), Misreading::NoAssignment(2))),
            ("B = 1", (None, Misreading::NoAssignment(3))),
            ("B=1 C=\"d", (None, Misreading::OpenQuote)),
            (r"B=1 C=C:\dir", (None, Misreading::Escape)),
            ("B=1 # note", (some("B"), Misreading::NoAssignment(2))),
        ] {
            assert_eq!(read_of(value).dropped, [dropped], "{value}");
        }
        let line = read_of("B=%%40 'C=a b' D=%i-%H");
        assert_eq!(set(&line), [("B", Some("%40")), ("C", Some("a b")), ("D", None)]);
        assert_eq!(line.dropped, []);
    }

    proptest! {
        #[test]
        fn any_line_is_read(value in "[A-C=%\\\\\"' a-f0-9#;]{0,60}") {
            read_of(&value);
        }
    }
}
