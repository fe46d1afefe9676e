//! An agent's configuration, with the place of every key.

use super::{PathWalk, Provenance, Scrubbed};
use crate::{
    agent::config::truth,
    platform::fs::{Kind, WalkEnd},
};
use serde::{Deserialize, Serialize};

/// The configuration that an agent reads; before it is scrubbed, of `String`s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct ConfigFile<T = Scrubbed> {
    /// The way to it.
    #[serde(rename = "trail")]
    pub walk: PathWalk,
    /// What came of reading it.
    pub state: ConfigState,
    /// Every key with a value, in the file's order. A section is no key.
    pub settings: Vec<Setting<T>>,
    /// The token, by its shape alone.
    pub token: Option<TokenShape>,
    /// Who could have written its values, or named another file in its place.
    pub written_by: Provenance,
    /// Nobody named it: the agent looks for a file of this name in its working directory.
    #[serde(default)]
    pub is_default: bool,
    /// The line where a second document begins, which no agent reads.
    #[serde(default)]
    pub second: Option<usize>,
}

/// What came of reading a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum ConfigState {
    /// Nothing is at its path.
    Missing,
    /// Something else than a file is at its path.
    NotAFile,
    /// It was not read, and why: an account could have named it that may not read it, for example.
    Unreadable(String),
    /// It cannot be parsed, or holds too much, and why, with line and column.
    Broken(String),
    /// It was parsed.
    Parsed,
}

impl ConfigState {
    /// Why nothing can be read at the end of a walk; `None` where a file is.
    pub fn of_walk(walk: &PathWalk) -> Option<Self> {
        match (walk.end, &walk.stopped) {
            (Some(meta), _) if meta.kind == Kind::File => None,
            (Some(_), _) => Some(Self::NotAFile),
            (None, None | Some(WalkEnd::Missing(_) | WalkEnd::NoFolder(..))) => Some(Self::Missing),
            (None, Some(end)) => Some(Self::Unreadable(end.to_string())),
        }
    }
}

/// A configuration in saved facts: older versions had `fault` and `unread` for `state`.
#[derive(Deserialize)]
struct Saved<T> {
    #[serde(rename = "trail")]
    walk: PathWalk,
    state: Option<ConfigState>,
    fault: Option<String>,
    unread: Option<String>,
    settings: Vec<Setting<T>>,
    token: Option<TokenShape>,
    #[serde(default)]
    written_by: Provenance,
    #[serde(default)]
    is_default: bool,
    #[serde(default)]
    second: Option<usize>,
}

impl<T> From<Saved<T>> for ConfigFile<T> {
    fn from(saved: Saved<T>) -> Self {
        let Saved { walk, state, fault, unread, settings, token, written_by, is_default, second } =
            saved;
        let of_older = || {
            let unread = unread.map(ConfigState::Unreadable);
            let state = unread.or_else(|| ConfigState::of_walk(&walk));
            state.or(fault.map(ConfigState::Broken)).unwrap_or(ConfigState::Parsed)
        };
        let state = state.unwrap_or_else(of_older);
        Self { walk, state, settings, token, written_by, is_default, second }
    }
}

/// A key, where it stands and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting<T = Scrubbed> {
    /// Its path, such as `runner.name`.
    pub path: String,
    /// The key's line, counted from 1.
    pub line: usize,
    /// The key's column, counted from 1.
    pub column: usize,
    /// What it holds.
    pub value: Written<T>,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Written<T = Scrubbed> {
    /// Nothing.
    Nothing,
    /// A text; number and truth are texts too.
    Text {
        /// The text.
        text: T,
        /// Not quoted.
        plain: bool,
    },
    /// A list of texts; what is no text stands as its kind, such as `a mapping`.
    List(Vec<T>),
    /// A mapping where a value belongs.
    Map,
    /// Not shown: the token, or a value of a key that no agent knows and that may be one.
    Hidden,
}

/// What may be told of a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenShape {
    /// Characters.
    pub length: usize,
    /// Such as `letters and digits`.
    pub alphabet: String,
    /// Means something only beside another one of the same survey: same token, same mark.
    pub mark: String,
    /// Why it cannot be a token: a placeholder, blanks in it.
    pub unusable: Option<String>,
    /// What is unusual about it.
    pub unusual: Option<String>,
    /// What stands around a text that may be a token, and makes it none.
    pub around: Option<Around>,
}

/// What stands around a text that may be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Around {
    /// Quotes, copied with it or written within others.
    Quotes,
    /// Its name, or that of a header, in front.
    Name,
    /// Blanks or line breaks.
    Blanks,
}

impl<T> ConfigFile<T> {
    /// Why its settings cannot be judged.
    pub fn unjudged(&self) -> Option<String> {
        match &self.state {
            ConfigState::Parsed => None,
            ConfigState::Missing => Some(format!("{} is not there", self.walk.path.display())),
            ConfigState::NotAFile => Some(format!("{} is no file", self.walk.path.display())),
            ConfigState::Unreadable(why) | ConfigState::Broken(why) => Some(why.clone()),
        }
    }
}

impl<T: AsRef<str>> ConfigFile<T> {
    /// A setting by its path.
    pub fn setting(&self, path: &str) -> Option<&Setting<T>> {
        self.settings.iter().find(|setting| setting.path == path)
    }

    /// A setting's text; `None` where it holds something else.
    pub fn text(&self, path: &str) -> Option<&str> {
        match &self.setting(path)?.value {
            Written::Text { text, .. } => Some(text.as_ref()),
            _ => None,
        }
    }

    /// A setting's list.
    pub fn list(&self, path: &str) -> Option<&[T]> {
        match &self.setting(path)?.value {
            Written::List(items) => Some(items),
            _ => None,
        }
    }

    /// A setting that says `true` or `false` as the agent reads it.
    pub fn truth(&self, path: &str) -> Option<bool> {
        truth(self.text(path)?)
    }

    /// The token's fact, which every agent needs.
    pub fn token(&self) -> Option<&TokenShape> {
        self.token.as_ref()
    }
}

impl<T: AsRef<str>> Setting<T> {
    /// `FILE:LINE:COLUMN`, as editors take it.
    pub fn place(&self, config: &ConfigFile<T>) -> String {
        format!("{}:{}:{}", config.walk.path.display(), self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::{Meta, Permissions};
    use serde_json::{Value, json};

    fn meta(kind: Kind) -> Meta {
        let permissions = Permissions::Mode { uid: 0, gid: 0, mode: 0o600 };
        Meta { kind, permissions, size: 0, links: 1, identity: (0, 0, 0, 0) }
    }

    #[test]
    fn facts_of_older_versions_say_the_same() {
        let gone = || Some(WalkEnd::Missing("/c".to_owned()));
        for (end, stopped, fault, unread, expected) in [
            (Some(Kind::File), None, None, None, ConfigState::Parsed),
            (Some(Kind::File), None, Some("line 3"), None, ConfigState::Broken("line 3".into())),
            (Some(Kind::File), None, None, Some("x"), ConfigState::Unreadable("x".into())),
            (Some(Kind::Folder), None, Some("/c is a folder"), None, ConfigState::NotAFile),
            (None, gone(), Some("/c is not there"), None, ConfigState::Missing),
            (None, None, None, None, ConfigState::Missing),
        ] {
            let walk = PathWalk { end: end.map(meta), stopped, ..PathWalk::default() };
            let old = json!({
                "trail": walk, "fault": fault, "unread": unread, "settings": [], "token": null,
            });
            let read: ConfigFile<String> = serde_json::from_value(old).unwrap();
            assert_eq!(read.state, expected);
            let written: Value = serde_json::to_value(&read).unwrap();
            assert_eq!(serde_json::from_value::<ConfigFile<String>>(written).unwrap(), read);
        }
    }
}
