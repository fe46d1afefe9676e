//! JSON as it leaves the program: secrets are taken out of values that may hold foreign text, and
//! what steers a terminal is escaped, because documents are read there too.

use super::harmless::steers;
use crate::text::{Secrets, backslashed};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// Keys of values that are words of this program: never foreign text, and so never searched for
/// secrets. A script must find `"status": "fail"` whatever an agent's token is.
const OWN: [&str; 13] = [
    "agent", "before", "check", "code", "cured", "docs", "kind", "manager", "os", "outcome",
    "purpose", "status", "step",
];

/// Keys of values that others may have written: here alone secrets are searched for that were
/// found, so that no token blanks a checksum.
const FOREIGN: [&str; 4] = ["health", "message", "value", "words"];

/// A document, pretty, without any known secret. Keys stay as they are.
pub(super) fn rendered(
    body: &impl Serialize,
    secrets: &Secrets,
    found: &Secrets,
) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let exit = Exit {
        pretty: PrettyFormatter::new(),
        secrets,
        found,
        keys: Vec::new(),
        key: String::new(),
        text: String::new(),
        is_key: false,
    };
    body.serialize(&mut Serializer::with_formatter(&mut bytes, exit))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes strings whole, when all of their text is there.
struct Exit<'a> {
    pretty: PrettyFormatter<'static>,
    secrets: &'a Secrets,
    found: &'a Secrets,
    /// Of the objects that are open, the key whose value is written.
    keys: Vec<String>,
    key: String,
    text: String,
    is_key: bool,
}

impl Exit<'_> {
    /// The text without secrets.
    fn shown(&self) -> Cow<'_, str> {
        let is_one =
            |keys: &[&str]| self.keys.last().is_some_and(|key| keys.contains(&key.as_str()));
        if self.is_key || is_one(&OWN) {
            return Cow::Borrowed(&self.text);
        }
        match is_one(&FOREIGN) {
            true => Cow::Owned(self.secrets.scrub(&self.found.scrub(&self.text)).into_owned()),
            false => self.secrets.scrub(&self.text),
        }
    }
}

impl Formatter for Exit<'_> {
    fn begin_string<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.text.clear();
        to.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        _: &mut W,
        text: &str,
    ) -> io::Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, c: CharEscape) -> io::Result<()> {
        self.text.push(match c {
            CharEscape::Quote => '"',
            CharEscape::ReverseSolidus => '\\',
            CharEscape::Solidus => '/',
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(byte) => char::from(byte),
        });
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        let shown = escaped(&self.shown());
        if self.is_key {
            self.key.clone_from(&self.text);
        }
        to.write_all(shown.as_bytes())?;
        to.write_all(b"\"")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.is_key = true;
        self.pretty.begin_object_key(to, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.is_key = false;
        self.pretty.end_object_key(to)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.keys.push(std::mem::take(&mut self.key));
        self.pretty.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.keys.pop();
        self.pretty.end_object_value(to)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.pretty.begin_array(to)
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.pretty.end_array(to)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_array_value(to, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(to)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.pretty.begin_object(to)
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.pretty.end_object(to)
    }
}

/// A string's text as JSON.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match backslashed(c) {
            Some(escape) => out.push_str(escape),
            None if steers(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn none() -> Secrets {
        Secrets::default()
    }

    #[test]
    fn a_token_that_was_found_blanks_no_checksum() {
        let token = "9f86d081884c7d659a2feaa0c55ad015";
        let body = json!({"sha256": token, "what": token, "value": token, "message": token});
        let found = Secrets::default();
        found.add_found(token);
        let read: Value = serde_json::from_str(&rendered(&body, &none(), &found).unwrap()).unwrap();
        let expected = json!({"sha256": token, "what": token, "value": "***", "message": "***"});
        assert_eq!(read, expected);
    }

    #[test]
    fn keys_and_own_words_stay_whatever_the_secret_is() {
        let body = json!({"status": "status", "cured": ["status"], "summary": "its status",
                          "list": [{"check": "status"}, "status"]});
        let text = rendered(&body, &Secrets::of("status"), &none()).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({"status": "status", "cured": ["status"], "summary": "its ***",
                              "list": [{"check": "status"}, "***"]});
        assert_eq!(read, expected);
    }

    #[test]
    fn numbers_as_keys_and_the_order_of_a_struct_stay() {
        #[derive(Serialize)]
        struct Body {
            z: BTreeMap<u32, &'static str>,
            a: Option<bool>,
        }
        let body = Body { z: [(7, "x")].into(), a: None };
        let plain = serde_json::to_string_pretty(&body).unwrap();
        assert_eq!(rendered(&body, &none(), &none()).unwrap(), plain);
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(text in any::<String>(), key in any::<String>()) {
            let body: Value = json!({ key: [text] });
            let shown = rendered(&body, &none(), &none()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), body);
            prop_assert!(!shown.contains(|c| steers(c) && c != '\n'));
        }

        #[test]
        fn a_secret_with_quotes_leaves_valid_json(secret in "[!-~]{6,20}", lead in "[a-z\"\\\\]{0,4}") {
            let body = json!({ "evidence": format!("{lead}{secret}{lead}") });
            let read: Value = serde_json::from_str(&rendered(&body, &Secrets::of(&secret), &none()).unwrap()).unwrap();
            let shown = read["evidence"].as_str().unwrap();
            prop_assert!(!shown.contains(&secret) || "***".contains(&secret));
        }
    }
}
