//! Versions: what a user may ask for, and what the bucket names.

use super::{
    Kind,
    profile::{Profile, ReleaseForm, profiles},
};
use crate::{Code, Error, Help, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Longest version, in bytes.
const LONGEST: usize = 64;

/// An exact version of an agent, such as `1.1.73189-8792751` of launch-agent. It becomes part of a
/// URL, so nothing else is let through.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// What `--version` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionChoice {
    /// The newest one that the bucket names.
    Latest,
    /// An exact version, or the one that is pinned for a CircleCI server release.
    Exact(Version),
}

/// The versions of an agent.
#[derive(Debug)]
pub struct Versions {
    /// One of them.
    pub example: &'static str,
    /// Whether a text has the form of one.
    pub fits: fn(&str) -> bool,
    /// The first CircleCI server release from which on any version works; `None` where versions are
    /// pinned.
    pub first_server: Option<&'static str>,
    /// The version to pin for each CircleCI server release (CircleCI's server documentation).
    pub of_servers: &'static [(&'static str, &'static str)],
}

impl Version {
    /// A version of an agent.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] when the text has another form.
    pub fn of(agent: Kind, text: &str) -> Result<Self> {
        let Profile { title, versions, .. } = agent.profile();
        if is_of(versions, text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(Code::ValueInvalid, format!("{text:?} is not a {title} version")).help(
            Help::words(format!(
                "a version is whole, commit included, such as {}",
                versions.example
            )),
        ))
    }

    /// The text as receipts have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The newest version of an agent whose bucket does not name it, as of a day such as
    /// `2026-11-20`.
    pub fn current(day: Option<&str>) -> Self {
        let day = day.filter(|day| is_day(day));
        Self(day.map_or(CURRENT.to_owned(), |day| format!("{CURRENT}-{day}")))
    }

    /// The folder of the bucket that has it.
    pub fn folder(&self) -> &str {
        if is_current(&self.0) { CURRENT } else { &self.0 }
    }

    /// Its first three numbers, by which versions are compared.
    pub fn numbers(&self) -> [u64; 3] {
        let numbers = self.0.split('-').next().unwrap_or_default();
        let mut parts = numbers.split('.').map(|part| part.parse().unwrap_or_default());
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    /// The first and the last CircleCI server release that a version is pinned for.
    pub fn servers_of(version: &str) -> Option<(&'static str, &'static str)> {
        let pins = profiles().flat_map(|profile| profile.versions.of_servers);
        let mut servers = pins.filter(|(_, pin)| *pin == version).map(|(server, _)| *server);
        let first = servers.next()?;
        Some((first, servers.last().unwrap_or(first)))
    }

    /// The version of an agent to pin for a CircleCI server release such as `4.6`.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] when none is known.
    pub fn for_server(agent: Kind, release: &str) -> Result<Self> {
        let Profile { title, versions, .. } = agent.profile();
        let pins = versions.of_servers;
        if let Some((_, pin)) = pins.iter().find(|(server, _)| *server == release) {
            return Ok(Self((*pin).to_owned()));
        }
        let error = Error::new(
            Code::ValueInvalid,
            format!("no {title} version is known for CircleCI server {release}"),
        );
        let (Some((first, _)), Some((last, _))) = (pins.first(), pins.last()) else {
            return Err(error);
        };
        Err(error.help(Help::words(format!(
            "CircleCI server {first} to {last} works with {title}; for a later one use machine runner 3"
        ))))
    }

    /// The versions of an agent that are pinned for servers, newest server first, without repeats.
    pub fn known(agent: Kind) -> Vec<Self> {
        let mut known: Vec<Self> = Vec::new();
        for (_, pin) in agent.profile().versions.of_servers.iter().rev() {
            if known.iter().all(|version| version.0 != *pin) {
                known.push(Self((*pin).to_owned()));
            }
        }
        known
    }
}

impl VersionChoice {
    /// What `--version` says for an agent.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] when it is no version, and when none is known for the server.
    pub fn of(agent: Kind, text: &str) -> Result<Self> {
        match text.strip_prefix("server-") {
            _ if text == "latest" => Ok(Self::Latest),
            _ if text == CURRENT && agent.profile().bucket.form == ReleaseForm::Archives => {
                Ok(Self::Latest)
            }
            Some(release) if is_server(agent, release) => Ok(Self::Latest),
            Some(release) => Version::for_server(agent, release).map(Self::Exact),
            None => Version::of(agent, text).map(Self::Exact).map_err(|error: Error| {
                error.help("or `latest`, or `server-4.6` for what that CircleCI server needs")
            }),
        }
    }
}

impl FromStr for Version {
    type Err = Error;

    /// A version of any agent, or [`current`](Version::current).
    fn from_str(text: &str) -> Result<Self> {
        if is_current(text) || profiles().any(|profile| is_of(&profile.versions, text)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::new(Code::ValueInvalid, format!("{text:?} is not a version of an agent")))
    }
}

/// Where the bucket has the newest version, whichever that is.
const CURRENT: &str = "current";

/// Whether an agent of any version works with a CircleCI server release.
fn is_server(agent: Kind, release: &str) -> bool {
    let number = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    let first = agent.profile().versions.first_server.and_then(number);
    first.zip(number(release)).is_some_and(|(first, release)| release >= first)
}

fn is_current(text: &str) -> bool {
    text.strip_prefix(CURRENT)
        .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-').is_some_and(is_day))
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_of(versions: &Versions, text: &str) -> bool {
    text.len() <= LONGEST && (versions.fits)(text)
}

/// Three numbers, a dash, an optional channel (`canary-`, `dev-`, `server-4.2-`), then lowercase hex
/// digits.
pub(super) fn has_commit(text: &str) -> bool {
    let Some((numbers, rest)) = text.split_once('-') else { return false };
    let commit = match rest.strip_prefix("server-") {
        Some(server) => match server.split_once('-') {
            Some((release, commit)) if is_digit_dot_digit(release) => commit,
            _ => return false,
        },
        None => rest.strip_prefix("canary-").or_else(|| rest.strip_prefix("dev-")).unwrap_or(rest),
    };
    is_three_numbers(numbers) && is_hex(commit)
}

/// Three numbers; with the number of a build and a commit as the agent itself says it.
pub(super) fn has_numbers(text: &str) -> bool {
    let Some((numbers, build)) = text.split_once('-') else { return is_three_numbers(text) };
    let build = build.split_once('-');
    is_three_numbers(numbers)
        && build.is_some_and(|(build, commit)| {
            is_number(build) && commit.len() >= COMMIT && is_hex(commit)
        })
}

/// Fewest digits of a commit behind the number of a build.
const COMMIT: usize = 7;

fn is_three_numbers(text: &str) -> bool {
    text.split('.').count() == 3 && text.split('.').all(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_digit_dot_digit(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b'.', b] if a.is_ascii_digit() && b.is_ascii_digit())
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix(CURRENT).and_then(|rest| rest.strip_prefix('-')) {
            Some(day) => write!(f, "{CURRENT} ({day})"),
            None => f.write_str(&self.0),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_versions_of_every_channel_pass() {
        for text in
            ["1.1.73189-8792751", "1.0.1-canary-abc123", "1.0.1-dev-a", "1.0.1-server-4.2-0af"]
        {
            assert_eq!(Version::of(Kind::LaunchAgent, text).unwrap().as_str(), text);
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
            assert!(Version::of(Kind::LaunchAgent, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_server_release_pins_its_agent() {
        let choice = VersionChoice::of(Kind::LaunchAgent, "server-4.6").unwrap();
        assert_eq!(choice.to_string(), "1.1.73189-8792751");
        assert!(VersionChoice::of(Kind::LaunchAgent, "server-4.8").is_err());
        let of = |release| VersionChoice::of(Kind::MachineRunner, release);
        assert_eq!(of("server-4.8").unwrap(), VersionChoice::Latest);
        assert_eq!(of("server-4.4").unwrap(), VersionChoice::Latest);
        for release in ["server-4.3", "server-4", "server-x.y"] {
            assert!(of(release).is_err(), "{release}");
        }
        assert_eq!(Version::servers_of(&choice.to_string()), Some(("4.3", "4.7")));
    }

    #[test]
    fn the_current_release_is_a_version_that_nobody_asks_for_by_its_day() {
        let current = Version::current(Some("2026-11-20"));
        assert_eq!(current.to_string(), "current (2026-11-20)");
        assert_eq!(current.as_str().parse::<Version>().unwrap(), current);
        assert_eq!(current.folder(), "current");
        assert_eq!(Version::current(Some("../../etc")).as_str(), "current");
        let of = |text| VersionChoice::of(Kind::MachineRunner, text);
        assert_eq!(of("current").unwrap(), VersionChoice::Latest);
        assert!(of("current-2026-11-20").is_err());
        assert!(VersionChoice::of(Kind::LaunchAgent, "current").is_err());
        for text in ["current-", "current-x", "current/..", "currents", "current-2026-13-01"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let numbers = |text: &str| text.parse::<Version>().unwrap().numbers();
        assert!(numbers("3.1.10") > numbers("3.1.9-8524-872f9d7"));
        assert_eq!(numbers("1.1.73189-8792751"), [1, 1, 73189]);
    }

    #[test]
    fn no_version_of_an_agent_is_one_of_another() {
        for text in ["3.1.11", "3.1.4-7421-b48991f"] {
            assert!(Version::of(Kind::MachineRunner, text).is_ok(), "{text}");
        }
        for text in ["3.1", "3.1.4-7421", "3.1.4-7421-b4", "3.1.4-x-b48991f", "3.1.4-", "../1.1.1"]
        {
            assert!(Version::of(Kind::MachineRunner, text).is_err(), "{text}");
        }
        for one in Kind::ALL {
            let example = one.profile().versions.example;
            assert!(example.parse::<Version>().is_ok());
            for other in Kind::ALL {
                assert_eq!(Version::of(other, example).is_ok(), one == other, "{other} {example}");
            }
        }
    }
}
