//! How tests read YAML.

use super::{Entry, Value, parse};

/// The entries of a mapping.
pub(super) fn map(text: &str) -> Vec<Entry> {
    match parse(text.as_bytes()).unwrap().value {
        Value::Map(entries) => entries,
        other => panic!("{other:?}"),
    }
}

/// Why a text is refused.
pub(super) fn fault_of(text: &str) -> String {
    parse(text.as_bytes()).unwrap_err().to_string()
}
