//! The answers file: settings for an unattended install, in YAML.
//!
//! One mapping; keys are the options without the dashes in front (`max-run-time: 5h`). Which keys
//! there are is the caller's to know; [`crate::text::nearest()`] finds what was meant by another.

use crate::{
    Code, Error, Result,
    platform::encoding::from_utf16,
    text::yaml::{self, Entry, Fault, Node, Value},
};
use std::collections::BTreeMap;

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A scalar of any kind, as it was written: `5h`, `007`, `"true"` in quotes.
    Text(String),
    /// `true` or `false` without quotes.
    Flag(bool),
    /// A list of scalars, each as it was written.
    List(Vec<String>),
}

/// Reads an answers file; `source` names it in messages. A repeated key, a key without a value
/// and a mapping in the mapping are refused with line and column.
pub fn parse(bytes: &[u8], source: &str) -> Result<BTreeMap<String, Answer>> {
    read(bytes).map_err(|fault| Error::new(Code::AnswersInvalid, format!("{source}, {fault}")))
}

fn read(bytes: &[u8]) -> Result<BTreeMap<String, Answer>, Fault> {
    let wide = from_utf16(bytes);
    let file = yaml::parse(wide.as_deref().map_or(bytes, Vec::as_slice))?;
    match file.value {
        Value::Null => Ok(BTreeMap::new()),
        Value::Map(entries) => {
            entries.into_iter().map(|entry| Ok((entry.key.clone(), answer(entry)?))).collect()
        }
        _ => {
            let kind = file.value.kind();
            Err(file.fault(format!("the file must hold one mapping (key: value), not {kind}")))
        }
    }
}

fn answer(entry: Entry) -> Result<Answer, Fault> {
    let key = entry.shown_key();
    match entry.value.value {
        Value::Text { text, plain } => Ok(match text.as_str() {
            "true" if plain => Answer::Flag(true),
            "false" if plain => Answer::Flag(false),
            _ => Answer::Text(text),
        }),
        Value::List(items) => items
            .into_iter()
            .map(|item| text(&key, item))
            .collect::<Result<_, _>>()
            .map(Answer::List),
        Value::Map(_) => {
            Err(entry.value.fault(format!("{key} holds a mapping; settings are not nested")))
        }
        Value::Null => {
            Err(entry.value.fault(format!("{key} has no value: give one or leave the line out")))
        }
    }
}

fn text(key: &str, item: Node) -> Result<String, Fault> {
    match item.value {
        Value::Text { text, .. } => Ok(text),
        _ => {
            let kind = item.value.kind();
            Err(item.fault(format!("{key} must be a list of texts; this one is {kind}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(text: &str) -> String {
        let error = parse(text.as_bytes(), "a.yaml").unwrap_err();
        assert_eq!(error.code(), Code::AnswersInvalid);
        error.message().to_owned()
    }

    #[test]
    fn scalars_are_given_as_they_were_written() {
        let file = "timeout: 5\nversion: 1.10\nname: 007\nmode: \"true\"\nyes: true\nno-start: false\n\
            auto-update: yes\ncommand-prefix: [sudo, -niHu, '--', true]\n";
        let answers = parse(file.as_bytes(), "a.yaml").unwrap();
        let text = |text: &str| Answer::Text(text.to_owned());
        let list = ["sudo", "-niHu", "--", "true"].map(str::to_owned).to_vec();
        let expected = [
            ("timeout", text("5")),
            ("version", text("1.10")),
            ("name", text("007")),
            ("mode", text("true")),
            ("yes", Answer::Flag(true)),
            ("no-start", Answer::Flag(false)),
            ("auto-update", text("yes")),
            ("command-prefix", Answer::List(list)),
        ];
        assert_eq!(answers, expected.map(|(key, answer)| (key.to_owned(), answer)).into());
    }

    #[test]
    fn an_empty_file_answers_nothing() {
        assert_eq!(parse(b"", "a.yaml").unwrap(), BTreeMap::new());
        assert_eq!(parse(b"# later\n{}\n", "a.yaml").unwrap(), BTreeMap::new());
    }

    #[test]
    fn a_file_reads_as_windows_writes_it() {
        let text = "# é\r\nname: a\r\ncommand-prefix: [b]\r\n";
        let plain = parse(text.as_bytes(), "a.yaml").unwrap();
        assert_eq!(plain.len(), 2);
        let marked = format!("\u{feff}{text}");
        let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(marked.as_bytes(), "a.yaml").unwrap(), plain);
        assert_eq!(parse(&wide, "a.yaml").unwrap(), plain);
        assert!(parse(&wide[2..], "a.yaml").is_err());
    }

    #[test]
    fn other_shapes_are_refused_with_their_place() {
        assert_eq!(
            message("- a"),
            "a.yaml, line 1, column 1: the file must hold one mapping (key: value), not a list"
        );
        assert_eq!(
            message("runner:\n  name: a"),
            "a.yaml, line 2, column 3: \"runner\" holds a mapping; settings are not nested"
        );
        assert!(message("name:\nurl: a").contains("\"name\" has no value"));
        assert!(message("command-prefix: [a, [b]]").contains("column 21: \"command-prefix\""));
        assert!(message("name: a\nname: b").contains("line 2, column 1: \"name\" stands a second"));
        assert!(message("name: a: b").contains("line 1, column "));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, "a.yaml");
        }

        #[test]
        fn every_text_comes_back(texts in prop::collection::vec(any::<String>(), 1..5)) {
            let items: Vec<_> = texts.iter().map(|text| yaml::quoted(text)).collect();
            let file = format!("list: [{}]\ntext: {}\n", items.join(", "), items[0]);
            let answers = parse(file.as_bytes(), "a.yaml").unwrap();
            prop_assert_eq!(&answers["text"], &Answer::Text(texts[0].clone()));
            prop_assert_eq!(&answers["list"], &Answer::List(texts));
        }
    }
}
