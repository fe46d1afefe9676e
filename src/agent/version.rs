//! Versions: what a user may ask for, and what the bucket names.

use crate::{Code, Error, Help, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An exact launch-agent version, commit included, such as `1.1.73189-8792751`.
///
/// Form: three numbers, a dash, an optional channel (`canary-`, `dev-`, `server-4.2-`), then
/// lowercase hex digits. It becomes part of a URL, so nothing else is let through.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// What `--version` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum VersionChoice {
    /// Whatever the bucket's `release.txt` says.
    Latest,
    /// An exact version, or the one that the facts pin for a CircleCI server release.
    Exact(Version),
}

/// CircleCI server release → launch-agent version to pin (CircleCI's server documentation).
const SERVER_PINS: [(&str, &str); 12] = [
    ("3.1", "1.0.11147-881b608"),
    ("3.2", "1.0.19813-e9e1cd9"),
    ("3.3", "1.0.29477-605777e"),
    ("3.4", "1.1.73695-40bf772"),
    ("4.0", "1.1.73695-40bf772"),
    ("4.1", "1.1.73695-40bf772"),
    ("4.2", "1.1.73695-40bf772"),
    ("4.3", "1.1.73189-8792751"),
    ("4.4", "1.1.73189-8792751"),
    ("4.5", "1.1.73189-8792751"),
    ("4.6", "1.1.73189-8792751"),
    ("4.7", "1.1.73189-8792751"),
];

impl Version {
    /// The text, fit for a URL's path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first and the last CircleCI server release that a version is pinned for.
    pub fn servers_of(version: &str) -> Option<(&'static str, &'static str)> {
        let mut servers =
            SERVER_PINS.iter().filter(|(_, pin)| *pin == version).map(|(server, _)| *server);
        let first = servers.next()?;
        Some((first, servers.next_back().unwrap_or(first)))
    }

    /// The version to pin for a CircleCI server release such as `4.6`.
    pub fn for_server(release: &str) -> Result<Self> {
        if let Some((_, pin)) = SERVER_PINS.iter().find(|(server, _)| *server == release) {
            return Ok(Self((*pin).to_owned()));
        }
        let (first, last) = (SERVER_PINS[0].0, SERVER_PINS[SERVER_PINS.len() - 1].0);
        Err(Error::new(
            Code::ValueInvalid,
            format!("no launch-agent version is known for CircleCI server {release}"),
        )
        .help(Help::words(format!(
            "server {first} to {last} work with launch-agent; from 4.4 on use machine runner 3"
        ))))
    }

    /// The versions of the server table, newest server first, without repeats.
    pub fn known() -> Vec<Self> {
        let mut known: Vec<Self> = Vec::new();
        for (_, pin) in SERVER_PINS.iter().rev() {
            if known.iter().all(|version| version.0 != *pin) {
                known.push(Self((*pin).to_owned()));
            }
        }
        known
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if is_exact(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(Code::ValueInvalid, format!("{text:?} is not a launch-agent version"))
            .help("a version is whole, commit included, such as 1.1.73189-8792751"))
    }
}

impl FromStr for VersionChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.strip_prefix("server-") {
            _ if text == "latest" => Ok(Self::Latest),
            Some(release) => Version::for_server(release).map(Self::Exact),
            None => text.parse().map(Self::Exact).map_err(|error: Error| {
                error.help("or `latest`, or `server-4.6` for what that CircleCI server needs")
            }),
        }
    }
}

fn is_exact(text: &str) -> bool {
    let Some((numbers, rest)) = text.split_once('-') else { return false };
    let commit = match rest.strip_prefix("server-") {
        Some(server) => match server.split_once('-') {
            Some((release, commit)) if is_digit_dot_digit(release) => commit,
            _ => return false,
        },
        None => rest.strip_prefix("canary-").or_else(|| rest.strip_prefix("dev-")).unwrap_or(rest),
    };
    text.len() <= 64
        && numbers.split('.').count() == 3
        && numbers
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && !commit.is_empty()
        && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_digit_dot_digit(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b'.', b] if a.is_ascii_digit() && b.is_ascii_digit())
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VersionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Exact(version) => version.fmt(f),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl TryFrom<String> for VersionChoice {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<VersionChoice> for String {
    fn from(choice: VersionChoice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_versions_of_every_channel_pass() {
        for text in
            ["1.1.73189-8792751", "1.0.1-canary-abc123", "1.0.1-dev-a", "1.0.1-server-4.2-0af"]
        {
            assert_eq!(text.parse::<Version>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_would_leave_the_folder_or_lacks_the_commit_is_refused() {
        for text in [
            "1.1.73189",
            "../1.1.1-a",
            "1.1.1-a/../b",
            "1.1.1-A",
            "1.1.1-",
            " 1.1.1-a",
            "1.1.1-a\n",
            "",
            "1..1-a",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_server_release_pins_its_agent() {
        let choice = "server-4.6".parse::<VersionChoice>().unwrap();
        assert_eq!(choice.to_string(), "1.1.73189-8792751");
        assert!("server-4.8".parse::<VersionChoice>().is_err());
    }
}
