//! The runner's name in CircleCI's inventory, and the template it is made from.

use super::serde_as_text;
use crate::{Code, Error, Help, Result};
use std::{fmt, str::FromStr};

/// `runner.name`: unique among an organisation's runners.
///
/// Rule: ASCII letters, digits and `. ( ) - _`, as the agent's documentation has it; at most 255
/// characters, which holds the longest host name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunnerName(String);

/// What `--name` takes: a name in which `{hostname}` and `{random}` are filled in on the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunnerNameTemplate(String);

const MAX_CHARS: usize = 255;

impl RunnerName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RunnerNameTemplate {
    /// Fills in the blanks. Characters of `hostname` that a name cannot have become `-`.
    pub fn resolve(&self, hostname: &str, random: &str) -> Result<RunnerName> {
        let hostname: String =
            hostname.chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
        let name = self.0.replace("{random}", random).replace("{hostname}", &hostname);
        name.parse().map_err(|error: Error| error.context(format_args!("the name {:?}", self.0)))
    }

    /// Whether the name needs the host's name.
    pub fn needs_hostname(&self) -> bool {
        self.0.contains("{hostname}")
    }

    /// Whether each resolution gives another name.
    pub fn needs_random(&self) -> bool {
        self.0.contains("{random}")
    }
}

impl FromStr for RunnerName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(Code::ValueInvalid, "a runner's name cannot be empty")
                .help("--name '{hostname}' takes the host's name"));
        }
        if text.len() > MAX_CHARS {
            return Err(Error::new(
                Code::ValueInvalid,
                format!("a runner's name of {} characters is too long", text.chars().count()),
            )
            .help(Help::words(format!("{MAX_CHARS} characters at most"))));
        }
        match text.chars().find(|c| !is_allowed(*c)) {
            None => Ok(Self(text.to_owned())),
            Some(c) => Err(Error::new(
                Code::ValueInvalid,
                format!("the runner's name {text:?} has the character {c:?}"),
            )
            .help("letters, digits and . ( ) - _ may be used")),
        }
    }
}

impl FromStr for RunnerNameTemplate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let template = Self(text.to_owned());
        // An `x` for each blank: the template is right when the rest of it is.
        let sample = text.replace("{hostname}", "x").replace("{random}", "x");
        if sample.contains(['{', '}']) {
            return Err(Error::new(
                Code::ValueInvalid,
                format!("the runner's name {text:?} has a blank that is not known"),
            )
            .help("the blanks are {hostname} and {random}"));
        }
        sample.parse::<RunnerName>()?;
        Ok(template)
    }
}

impl fmt::Display for RunnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RunnerNameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(RunnerName);
serde_as_text!(RunnerNameTemplate);

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '(' | ')' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::super::assert_round_trip;
    use super::*;
    use proptest::prelude::*;

    fn resolve(template: &str, hostname: &str) -> Result<RunnerName> {
        template.parse::<RunnerNameTemplate>()?.resolve(hostname, "k3x9")
    }

    #[test]
    fn blanks_are_filled_in() {
        assert_eq!(resolve("{hostname}", "build-1.local").unwrap().as_str(), "build-1.local");
        assert_eq!(resolve("ci-{hostname}-{random}", "a").unwrap().as_str(), "ci-a-k3x9");
        assert_eq!(resolve("fixed", "ignored").unwrap().as_str(), "fixed");
    }

    #[test]
    fn a_host_name_is_made_to_fit() {
        assert_eq!(resolve("{hostname}", "Anna's Mac").unwrap().as_str(), "Anna-s-Mac");
        assert_eq!(resolve("{hostname}", "{random}").unwrap().as_str(), "-random-");
        assert!(resolve("{hostname}", "").is_err());
    }

    #[test]
    fn unknown_blanks_and_characters_are_refused() {
        for text in ["", "{host}", "{hostname", "a b", "ä", "a/b", "a\n", "}{", "{{hostname}}"] {
            assert!(text.parse::<RunnerNameTemplate>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "[a-z{}.()_-]{0,20}|.{0,300}") {
            assert_round_trip::<RunnerName>(&text);
            assert_round_trip::<RunnerNameTemplate>(&text);
        }

        #[test]
        fn any_host_name_gives_a_name(hostname in ".{1,60}") {
            let name = resolve("{hostname}-{random}", &hostname);
            prop_assert!(name.is_ok());
        }
    }
}
