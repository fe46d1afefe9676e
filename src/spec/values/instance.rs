//! Names that tell several agents on a host apart.

use super::serde_as_text;
use crate::{Code, Error, Result};
use std::{fmt, str::FromStr};

/// What `--instance` takes. It becomes part of names of units and folders: `circleci-NAME.service`.
///
/// Rule: small letters, digits and `-`, not at an end; 32 at most; not `runner`, because
/// `circleci-runner.service` belongs to the machine runner packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName(String);

const MAX_CHARS: usize = 32;

impl InstanceName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "runner" {
            return Err(Error::new(
                Code::ValueInvalid,
                "an instance cannot be named \"runner\": circleci-runner.service is the unit of the machine runner packages",
            )
            .help("choose another name, such as runner-1"));
        }
        let fits = (1..=MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(Code::ValueInvalid, format!("{text:?} cannot be the name of an instance"))
            .help(format!(
                "a name has small letters, digits and - between them, {MAX_CHARS} at most"
            )))
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

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "[a-z0-9-]{0,40}|.{0,40}") {
            assert_round_trip::<InstanceName>(&text);
        }
    }
}
