//! The account that runs jobs.

use super::serde_as_text;
use crate::{Code, Error, Help, Result, platform::Os};
use std::{fmt, str::FromStr};

/// The name of a local account.
///
/// Rule on Linux and macOS: `^[a-z_][a-z0-9_-]{0,30}\$?$`, what `useradd` of shadow-utils and
/// Debian's `adduser` both take, and single dots, as accounts of a directory have them (`first.last`); it excludes names of digits, which `chown` would read as a number.
/// On Windows: at most 20 characters, without those that `NetUserAdd` refuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(String);

const UNIX_RULE: &str = "a name starts with a small letter or _ and goes on with small letters, digits, _, - or single dots, 31 in all";
const WINDOWS_RULE: &str =
    "a name has at most 20 characters and none of \" / \\ [ ] : ; | = , + * ? < > @";

impl AccountName {
    /// Reads an account's name for `os`.
    pub fn new(text: &str, os: Os) -> Result<Self> {
        let (fits, rule) = match os {
            Os::Linux | Os::Darwin => (is_unix_name(text), UNIX_RULE),
            Os::Windows => (is_windows_name(text), WINDOWS_RULE),
        };
        if fits {
            return Ok(Self(text.to_owned()));
        }
        let error =
            Error::new(Code::ValueInvalid, format!("{text:?} cannot be the name of an account"));
        let lower = text.to_ascii_lowercase();
        if os != Os::Windows && is_unix_name(&lower) {
            return Err(error.help(Help::value("use ", lower, "")));
        }
        Err(error.help(rule))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = Error;

    /// Reads a name that fits any of the systems.
    fn from_str(text: &str) -> Result<Self> {
        Self::new(text, Os::Linux).or_else(|error| Self::new(text, Os::Windows).map_err(|_| error))
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(AccountName);

fn is_unix_name(text: &str) -> bool {
    let stem = text.strip_suffix('$').unwrap_or(text);
    stem.len() <= 31
        && stem.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && !stem.contains("..")
        && !stem.ends_with('.')
        && stem.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
}

fn is_windows_name(text: &str) -> bool {
    const REFUSED: &[char] =
        &['"', '/', '\\', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@'];
    (1..=20).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_control() || REFUSED.contains(&c))
        && !text.starts_with(' ')
        && !text.ends_with([' ', '.'])
}

#[cfg(test)]
mod tests {
    use super::super::assert_round_trip;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_useradd_takes_pass() {
        for text in
            ["circleci", "_runner", "a", "ci-1_b", "machine$", "first.last", &"a".repeat(31)]
        {
            assert!(AccountName::new(text, Os::Linux).is_ok(), "{text}");
        }
    }

    #[test]
    fn names_that_mislead_are_refused() {
        let long = "a".repeat(32);
        for text in [
            "", "1000", "-x", "a b", "a:b", "a$b", "root\n", "ä", "../x", "a..b", "a.", ".a", "$",
            &long,
        ] {
            assert!(AccountName::new(text, Os::Linux).is_err(), "{text:?}");
        }
        for text in ["", "a/b", "DOM\\x", "x@y", "x.", " x", "a234567890123456789012"] {
            assert!(AccountName::new(text, Os::Windows).is_err(), "{text:?}");
        }
    }

    #[test]
    fn capitals_are_corrected() {
        let error = AccountName::new("CircleCI", Os::Darwin).unwrap_err();
        assert_eq!(error.help_lines(), ["use circleci"]);
        assert!(AccountName::new("CircleCI", Os::Windows).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "[a-z_$ .-]{0,40}|.{0,40}") {
            assert_round_trip::<AccountName>(&text);
        }
    }
}
