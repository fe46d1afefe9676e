//! Names that tell several agents on a host apart.

use super::serde_as_text;
use crate::{Code, Error, Help, Result};
use std::{fmt, str::FromStr};

/// What `--instance` takes. It becomes part of names of units and folders: `circleci-NAME.service`.
///
/// Rule: small letters, digits and `-`, not at an end; 32 at most; none that is taken: `runner`, `default`, `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName(String);

const MAX_CHARS: usize = 32;

/// Names that are taken, each with by what.
const RESERVED: [(&str, &str); 3] = [
    ("runner", "circleci-runner.service is the unit of the machine runner packages"),
    ("default", "the receipt of that name belongs to the install without an instance name"),
    ("doctor", "the receipt of that name belongs to what `runnerup doctor --fix` changed"),
];

impl InstanceName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, why)) = RESERVED.iter().find(|(name, _)| *name == text) {
            return Err(Error::new(
                Code::ValueInvalid,
                format!("an instance cannot be named {text:?}: {why}"),
            )
            .help(Help::value("choose another name, such as ", text, "-1")));
        }
        let fits = (1..=MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(Code::ValueInvalid, format!("{text:?} cannot be the name of an instance"))
            .help(Help::words(format!(
                "a name has small letters, digits and - between them, {MAX_CHARS} at most"
            ))))
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(InstanceName);

#[cfg(test)]
mod tests {
    use super::super::assert_round_trip;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_names_fit_for_units_and_folders_pass() {
        for text in ["a", "gpu-1", "2", &"a".repeat(32)] {
            assert!(text.parse::<InstanceName>().is_ok(), "{text}");
        }
        let long = "a".repeat(33);
        for text in ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "..", "a@b", "a b", "runner", &long]
        {
            assert!(text.parse::<InstanceName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_is_taken_is_refused_with_the_reason() {
        for name in ["default", "doctor", "runner"] {
            let error = name.parse::<InstanceName>().unwrap_err();
            assert!(error.message().contains(name) && error.exit() == 2, "{error}");
            assert!(format!("{name}-1").parse::<InstanceName>().is_ok());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "[a-z0-9-]{0,40}|.{0,40}") {
            assert_round_trip::<InstanceName>(&text);
        }
    }
}
