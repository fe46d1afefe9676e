//! An agent's configuration, with the place of every key.

use super::{Provenance, Scrubbed, Trail};
use serde::{Deserialize, Serialize};

/// The configuration that an agent reads; before it is scrubbed, of `String`s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile<T = Scrubbed> {
    /// The way to it.
    pub trail: Trail,
    /// Why it cannot be parsed, with line and column; then there are no settings.
    pub fault: Option<String>,
    /// Why it was named and not read: an account could have named it that may not read it.
    #[serde(default)]
    pub unread: Option<String>,
    /// Every key with a value, in the file's order. A section is no key.
    pub settings: Vec<Setting<T>>,
    /// The token, by its shape alone.
    pub token: Option<TokenShape>,
    /// Who could have written its values, or named another file in its place.
    #[serde(default)]
    pub written_by: Provenance,
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
        match self.text(path)? {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// The token's fact, which every agent needs.
    pub fn token(&self) -> Option<&TokenShape> {
        self.token.as_ref()
    }
}

impl<T: AsRef<str>> Setting<T> {
    /// `FILE:LINE:COLUMN`, as editors take it.
    pub fn place(&self, config: &ConfigFile<T>) -> String {
        format!("{}:{}:{}", config.trail.path.display(), self.line, self.column)
    }
}
