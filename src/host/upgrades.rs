//! What package upgrades of the host do to services by themselves.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What upgrades do by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Upgrades {
    /// Where needrestart is set to restart services without a question.
    pub restarts: Option<Place>,
    /// Patterns of units that needrestart leaves alone, as they are written between the signs of Perl.
    pub spared: Vec<String>,
    /// Where unattended-upgrades is set to reboot the host.
    pub reboots: Option<Place>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

impl Upgrades {
    /// Whether needrestart leaves a unit alone.
    pub fn spare(&self, unit: &str) -> bool {
        self.spared.iter().any(|pattern| matches(pattern, unit))
    }
}

/// Whether a pattern of Perl fits a name: `^`, `$`, `.`, `\` and `.*` as they are usual there, and words
/// between bars in one pair of brackets. Of another pattern that is not known: it does.
fn matches(pattern: &str, unit: &str) -> bool {
    if let Some((before, rest)) = pattern.split_once('(')
        && let Some((words, after)) = rest.rsplit_once(')')
    {
        let words = words.strip_prefix("?:").unwrap_or(words);
        return words.split('|').any(|word| matches(&format!("{before}{word}{after}"), unit));
    }
    let inner = pattern.strip_prefix('^');
    let (from_start, inner) = (inner.is_some(), inner.unwrap_or(pattern));
    let end = inner.strip_suffix('$');
    let (to_end, inner) = (end.is_some(), end.unwrap_or(inner));
    let parts: Vec<String> = inner.split(".*").map(|part| part.replace('\\', "")).collect();
    if inner.replace(".*", "").replace("\\.", "").contains(['[', '?', '+', '*', '{', '|', '(']) {
        return true;
    }
    let mut rest = unit;
    for (at, part) in parts.iter().enumerate() {
        match rest.find(part.as_str()) {
            Some(found) if at > 0 || !from_start || found == 0 => {
                rest = rest.get(found + part.len()..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    !to_end || rest.is_empty() || parts.last().is_some_and(String::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_units_are_read_as_they_are_usual() {
        for (pattern, fits) in [
            ("^circleci", true),
            ("^circleci\\.service$", true),
            ("^circleci.service$", true),
            ("circleci", true),
            ("^circleci.*$", true),
            ("^(docker|circleci)", true),
            ("^(?:docker|circleci)\\.service$", true),
            ("^actions\\.runner\\..*$", false),
            ("^dbus", false),
            ("^circleci$", false),
            ("^(getty|docker)", false),
            // Not known is not told.
            ("^c[a-z]+ci", true),
        ] {
            assert_eq!(matches(pattern, "circleci.service"), fits, "{pattern}");
        }
    }
}
