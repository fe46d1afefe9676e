//! From text to YAML, quoted where a reader could take it for something else.

use crate::text::backslashed;
use std::borrow::Cow;
use std::fmt::Write;

/// `text` as a block value: as it is where every YAML reader takes it for this very string,
/// quoted otherwise.
pub fn scalar(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// `text` in quotes: single ones where that saves escapes, as in Windows paths.
pub fn quoted(text: &str) -> String {
    let printable = text.chars().all(is_printable);
    if printable && text.contains(['\\', '"']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match backslashed(c) {
            Some(escape) => out.push_str(escape),
            None if is_printable(c) => out.push(c),
            None => {
                // Writing to a string cannot fail.
                let _ = match u32::from(c) {
                    code @ ..=0xff => write!(out, "\\x{code:02X}"),
                    code @ ..=0xffff => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// What one sees on a page: neither control characters nor those that only steer a display.
fn is_printable(c: char) -> bool {
    matches!(c, '\'' | '"' | '\\') || c.escape_debug().count() == 1
}

fn is_plain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || " ./_-+()=~@%$\\:,;".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/' || c == '_')
        && text.chars().all(inner)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !is_word_of_yaml(text)
        && !could_be_number(text)
}

/// Booleans and nothing, in YAML 1.1 and 1.2.
fn is_word_of_yaml(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        .into_iter()
        .any(|word| word.eq_ignore_ascii_case(text))
}

/// Numbers of any base, times of day and dates; wider than the rules, which differ between readers.
fn could_be_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_hexdigit() || " _.:+-xobXOBTtZz".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::yaml::{Value, parse};
    use proptest::prelude::*;

    fn read_back(yaml: &str) -> Option<String> {
        match parse(yaml.as_bytes()).unwrap().value {
            Value::Map(mut entries) => match entries.remove(0).value.value {
                Value::Text { text, .. } => Some(text),
                Value::List(mut items) => match items.remove(0).value {
                    Value::Text { text, .. } => Some(text),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    #[test]
    fn everyday_values_stay_as_they_are() {
        for text in [
            "https://runner.circleci.com",
            "/var/opt/circleci/workdir",
            "/var/opt/circleci/%s",
            r"C:\Program Files\CircleCI\Workdir",
            "5h",
            "1h30m20s",
            "single-task",
            "build-1.example.com",
            "build.example.com:54782",
        ] {
            assert_eq!(scalar(text), text);
        }
    }

    #[test]
    fn what_readers_disagree_on_is_quoted() {
        for text in [
            "",
            "yes",
            "No",
            "ON",
            "null",
            "~",
            "true",
            "007",
            "0x1f",
            "0o7",
            "1e3",
            "1_000",
            "12:30:45",
            "2001-12-14",
            "2001-12-14T21:59:43Z",
            ".5",
            "+1",
            "-1",
            ".inf",
            ".NaN",
            "- a",
            "-",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "[a]",
            "{a}",
            "a ",
            " a",
            "'a",
            "\"a",
            "---",
            "...",
            "<<",
            "=",
            "?",
            "a\nb",
            "123456789012",
        ] {
            assert_ne!(scalar(text), text, "{text:?}");
        }
    }

    #[test]
    fn quotes_are_those_a_person_would_choose() {
        assert_eq!(quoted("--"), "\"--\"");
        assert_eq!(quoted(r"C:\a"), r"'C:\a'");
        assert_eq!(quoted("it's \"a\""), "\"it's \\\"a\\\"\"");
        assert_eq!(quoted("a\u{202e}b\u{7}"), "\"a\\u202Eb\\x07\"");
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in any::<String>()) {
            prop_assert_eq!(read_back(&format!("k: {}\n", scalar(&text))), Some(text.clone()));
            prop_assert_eq!(read_back(&format!("k: [{}]\n", quoted(&text))), Some(text));
        }

        #[test]
        fn every_yaml_like_text_reads_back(text in r#"[a-bnyeofx0-1:,?!&*#|>'"%@{}\[\] \n\t\r~.+\\-]{0,12}"#) {
            prop_assert_eq!(read_back(&format!("k: {}\n", scalar(&text))), Some(text.clone()));
            prop_assert_eq!(read_back(&format!("k: [{}]\n", quoted(&text))), Some(text));
        }
    }
}
