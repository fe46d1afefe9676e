//! The lines of an environment file, as systemd takes them: `systemd.exec(5)`, `EnvironmentFile=`.
//! Nothing is expanded. Recorded of versions 247 to 257 in tests/recorded_facts/systemd/.

use super::environment_line::is_name;

/// An assignment of an environment file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The line where it begins, counted from 1.
    pub(crate) line: usize,
    /// What stands in front of the equals sign: without [`is_name`] systemd passes over it.
    pub(crate) name: String,
    /// The value, without quotes.
    pub(crate) value: String,
}

impl Assignment {
    /// Whether systemd takes it.
    pub(crate) fn is_taken(&self) -> bool {
        is_name(&self.name)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Begin,
    Key,
    BeforeValue,
    Value,
    ValueEscape,
    Single,
    Double,
    DoubleEscape,
    Comment,
}

/// The assignments of a file, in order.
pub(crate) fn read(text: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    let (mut state, mut key, mut value) = (State::Begin, String::new(), String::new());
    // Blanks at the end of a value count only in quotes or behind a backslash.
    let (mut line, mut begun, mut kept) = (1, 1, 0);
    let is_end = |sign: char| matches!(sign, '\n' | '\r');
    let is_blank = |sign: char| matches!(sign, ' ' | '\t' | '\n' | '\r');
    let mut done = |key: &mut String, value: &mut String, kept: usize, line: usize| {
        let (name, mut value) = (std::mem::take(key), std::mem::take(value));
        let end = value.trim_end_matches(is_blank).len().max(kept);
        value.truncate(end);
        all.push(Assignment { line, name: name.trim_end_matches(is_blank).to_owned(), value });
    };
    for sign in text.trim_start_matches('\u{feff}').chars() {
        state = match state {
            State::Begin if matches!(sign, '#' | ';') => State::Comment,
            State::Begin if is_blank(sign) => State::Begin,
            State::Begin => {
                (key, value, begun, kept) = (sign.to_string(), String::new(), line, 0);
                State::Key
            }
            State::Key if is_end(sign) => State::Begin,
            State::Key if sign == '=' => State::BeforeValue,
            State::Key => {
                key.push(sign);
                State::Key
            }
            State::BeforeValue | State::Value if is_end(sign) => {
                done(&mut key, &mut value, kept, begun);
                State::Begin
            }
            State::BeforeValue if sign == '\'' => State::Single,
            State::BeforeValue if sign == '"' => State::Double,
            State::BeforeValue if is_blank(sign) => State::BeforeValue,
            State::BeforeValue | State::Value if sign == '\\' => State::ValueEscape,
            State::BeforeValue | State::Value => {
                value.push(sign);
                State::Value
            }
            State::ValueEscape => {
                if !is_end(sign) {
                    value.push(sign);
                    kept = value.len();
                }
                State::Value
            }
            State::Single if sign == '\'' => State::BeforeValue,
            State::Double if sign == '"' => State::BeforeValue,
            State::Double if sign == '\\' => State::DoubleEscape,
            State::Single | State::Double => {
                value.push(sign);
                kept = value.len();
                state
            }
            State::DoubleEscape => {
                match sign {
                    '"' | '\\' | '`' | '$' => value.push(sign),
                    '\n' => {}
                    other => value.extend(['\\', other]),
                }
                kept = value.len();
                State::Double
            }
            State::Comment if is_end(sign) => State::Begin,
            State::Comment => State::Comment,
        };
        line += usize::from(sign == '\n');
    }
    if !matches!(state, State::Begin | State::Key | State::Comment) {
        done(&mut key, &mut value, kept, begun);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_quoted_is_the_value(value in "[^\0\r]{0,40}") {
            let escaped: String = value.chars().flat_map(|sign| match sign {
                '"' | '\\' | '`' | '$' => vec!['\\', sign],
                sign => vec![sign],
            }).collect();
            let text = format!("# x\nA=1\nB=\"{escaped}\" \nC=2");
            let read = read(&text);
            prop_assert_eq!((read.len(), &read[1].value), (3, &value));
            prop_assert_eq!(read[1].line, 3);
        }

        #[test]
        fn any_file_is_read(text in "[A-C=\\\\\"' a#;\n\r]{0,80}") {
            let lines = text.lines().count() + 1;
            prop_assert!(read(&text).iter().all(|set| set.line <= lines));
        }
    }

    #[test]
    fn names_are_taken_or_passed_over() {
        let read = read("export A=1\n1B=x\nB-4=x\nset C=1\nD x\nE: f\n F = g \n");
        let all: Vec<_> =
            read.iter().map(|set| (set.line, set.name.as_str(), set.is_taken())).collect();
        assert_eq!(
            all,
            [
                (1, "export A", false),
                (2, "1B", false),
                (3, "B-4", false),
                (4, "set C", false),
                (7, "F", true)
            ]
        );
    }
}
