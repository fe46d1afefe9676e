//! Limits on the length of a finding.
//!
//! A configuration, a process table and saved facts can hold any number of values of any length.

use super::Finding;

/// Most problems of one finding that are listed; the rest is counted.
pub(super) const PROBLEMS: usize = 32;

/// Longest summary, in bytes.
const SUMMARY: usize = 1 << 10;

/// Longest evidence, in bytes.
const EVIDENCE: usize = 8 << 10;

/// Longest command, in bytes, and most commands. A longer command is left out, not cut.
const COMMAND: usize = 8 << 10;
const COMMANDS: usize = 64;

/// The finding within its limits.
pub(super) fn bounded(mut finding: Finding) -> Finding {
    shorten(&mut finding.summary, SUMMARY);
    shorten(&mut finding.evidence, EVIDENCE);
    // Names come from definitions and from processes.
    finding.instance.iter_mut().for_each(|name| shorten(name, SUMMARY));
    if let Some(remedy) = &mut finding.remedy {
        remedy.keep_commands(COMMANDS, COMMAND);
    }
    finding
}

fn shorten(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures::*, *};
    use crate::doctor::{Selection, Status, judge};

    /// The size of a finding in JSON.
    fn size(finding: &Finding) -> usize {
        serde_json::to_string(finding).unwrap().len()
    }

    #[test]
    fn any_number_of_problems_makes_a_short_finding() {
        let mut survey = healthy();
        for number in 0..2000 {
            set(&mut survey, &format!("runner.nmae{number}"), Some("x"));
        }
        let found = finding(&survey, "config/keys-known");
        assert_eq!(found.status, Status::Warn);
        assert!(found.summary.contains("1999 more problems"), "{}", found.summary);
        assert!(size(&found) < 40 << 10, "{}", size(&found));
    }

    #[test]
    fn any_length_of_a_value_makes_a_short_finding() {
        let mut survey = healthy();
        let long = "ä".repeat(100_000);
        for key in ["runner.name", "runner.working_directory", "api.url", "logging.file", "x.y"] {
            set(&mut survey, key, Some(&long));
        }
        set(&mut survey, &long, Some("x"));
        for found in judge(&survey, &Selection::default()) {
            assert!(size(&found) < 40 << 10, "{}: {}", found.check, size(&found));
        }
    }
}
