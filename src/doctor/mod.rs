//! The doctor: pure functions from a survey to findings, each with its remedy.
//!
//! Every check stands in one catalogue, [`CHECKS`], in the order of causes: one that another one
//! depends on stands before it. `doctor --list`, `explain` and `docs/checks.md` come from it.

mod agent;
mod bounds;
mod change;
mod check;
mod config;
mod connectivity;
mod consequence;
mod finding;
#[cfg(test)]
pub(crate) mod fixtures;
mod host;
mod judge;
mod lookup;
mod own_folders;
mod packages;
mod page;
mod permissions;
mod programs;
mod queue;
mod reinstall;
mod remedy;
#[cfg(test)]
mod saved;
mod service;
mod sources;

pub use crate::Command;
pub use change::allowed_path;
pub use check::{Check, Judge, Judged, Problem, Severity, Topic, Verdict};
pub use consequence::consequence;
pub use finding::{Diagnosis, Finding, Status, Summary};
pub use judge::{JUDGED_LIMIT, Selection, judge};
pub use page::page;
pub use remedy::{Consent, Remedy};

use std::sync::LazyLock;

/// The catalogue.
pub static CHECKS: LazyLock<Vec<&'static Check>> = LazyLock::new(|| {
    let topics = [
        host::CHECKS,
        agent::FIRST,
        service::DEFINITION,
        permissions::BINARY,
        config::CHECKS,
        permissions::GROUND,
        connectivity::CHECKS,
        agent::CHECKS,
        service::STATE,
        queue::CHECKS,
    ];
    topics.into_iter().flatten().copied().collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_causes_stand_first() {
        let mut seen = HashSet::new();
        for check in CHECKS.iter() {
            for cause in check.after {
                assert!(seen.contains(cause), "{} comes before {cause}", check.name);
            }
            assert!(seen.insert(check.name), "{} twice", check.name);
        }
    }

    #[test]
    fn every_name_is_a_topic_and_what_must_hold() {
        for check in CHECKS.iter() {
            let (topic, holds) = check.name.split_once('/').unwrap();
            assert!(Topic::ALL.iter().any(|known| known.name() == topic), "{}", check.name);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(holds.chars().all(plain), "{}", check.name);
        }
    }

    /// Each text is made of whole sentences, and none is missing.
    #[test]
    fn texts_are_whole() {
        for check in CHECKS.iter() {
            assert!(!check.holds.ends_with('.'), "{}", check.name);
            for text in [check.why, check.found, check.cure] {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", check.name);
            }
        }
    }
}
