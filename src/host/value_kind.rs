//! What a value of a definition is, where the definition's form has types.

use serde::{Deserialize, Serialize};

/// The type of a value of a property list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// `<string>`.
    Text,
    /// `<true/>` or `<false/>`.
    Truth,
    /// `<integer>`.
    Number,
    /// `<array>` of texts.
    Texts,
    /// `<array>` with something else in it.
    List,
    /// `<dict>`.
    Dictionary,
    /// `<real>`, `<date>` or `<data>`.
    Rest,
    /// The file has no types, or an older version did not save them.
    #[default]
    #[serde(other)]
    Unknown,
}

impl ValueKind {
    /// Whether it is not known.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    /// As a property list writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "a value",
            Self::Text => "a <string>",
            Self::Truth => "<true/> or <false/>",
            Self::Number => "an <integer>",
            Self::Texts => "an <array> of <string>",
            Self::List => "an <array>",
            Self::Dictionary => "a <dict>",
            Self::Rest => "a <real>, <date> or <data>",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_a_later_version_is_not_known() {
        let read = |text: &str| serde_json::from_str::<ValueKind>(text).unwrap();
        assert_eq!(read("\"truth\""), ValueKind::Truth);
        assert_eq!(read("\"url\""), ValueKind::Unknown);
    }
}
