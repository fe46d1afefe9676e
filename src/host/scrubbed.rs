//! Text of others as it may be told and saved. A survey holds such text in this type, and it is
//! made by `src/probe/scrubbed.rs` alone, so that no secret enters one by a way that was forgotten.

use crate::text::REDACTED;
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, ffi::OsStr, fmt, ops::Deref};

/// Text that another account, program or server wrote, without secrets: they are `***`.
///
/// One that is read from saved facts is as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scrubbed(String);

impl Scrubbed {
    /// A text that has no secret any more: for `src/probe/scrubbed.rs` alone, which tests/rooms.rs
    /// holds to.
    pub(crate) fn after_scrub(text: String) -> Self {
        Self(text)
    }

    /// The first characters of it.
    pub(crate) fn cut(mut self, limit: usize) -> Self {
        if let Some((at, _)) = self.0.char_indices().nth(limit) {
            self.0.truncate(at);
        }
        self
    }

    /// Whether nothing was taken out, so that it can be compared.
    pub fn is_whole(&self) -> bool {
        !self.0.contains(REDACTED)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Scrubbed {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Scrubbed {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Scrubbed {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scrubbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Scrubbed {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Scrubbed {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl AsRef<OsStr> for Scrubbed {
    fn as_ref(&self) -> &OsStr {
        self.0.as_ref()
    }
}

impl From<Scrubbed> for String {
    fn from(text: Scrubbed) -> Self {
        text.0
    }
}

/// Samples of tests hold no secret.
#[cfg(test)]
impl From<&str> for Scrubbed {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
impl From<String> for Scrubbed {
    fn from(text: String) -> Self {
        Self(text)
    }
}
