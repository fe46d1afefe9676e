//! A fact, or why it is not known.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A fact, or why it is not known. A probe that fails or hangs hides nothing but itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen<T> {
    /// It was seen.
    Known(T),
    /// It was not.
    Unseen(Unseen),
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Record")]
pub struct Unseen {
    /// In one sentence without a full stop.
    pub why: String,
    /// What kind of reason it is.
    pub reason: Reason,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// This host or agent has no such thing.
    NotApplicable,
    /// Nobody asked for it, or whoever asks may not see it.
    NotExamined,
    /// The probe itself failed, or did not end.
    ProbeFailed,
}

/// How saved facts tell it. Those that were saved before 2026-11 say only whether the probe failed.
#[derive(Deserialize)]
struct Record {
    why: String,
    #[serde(default)]
    broke: bool,
    reason: Option<Reason>,
}

impl From<Record> for Unseen {
    fn from(Record { why, broke, reason }: Record) -> Self {
        let reason = reason.unwrap_or(match broke {
            true => Reason::ProbeFailed,
            false => Reason::NotExamined,
        });
        Self { why, reason }
    }
}

impl Unseen {
    /// This host or agent has no such thing.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self { why: why.into(), reason: Reason::NotApplicable }
    }

    /// It was not asked for, or may not be seen.
    pub fn not_examined(why: impl Into<String>) -> Self {
        Self { why: why.into(), reason: Reason::NotExamined }
    }

    /// The probe failed.
    pub fn probe_failed(why: impl fmt::Display) -> Self {
        Self { why: why.to_string(), reason: Reason::ProbeFailed }
    }

    /// Whether the probe itself failed or did not end.
    pub fn is_failure(&self) -> bool {
        self.reason == Reason::ProbeFailed
    }
}

impl<T> Seen<T> {
    /// This host or agent has no such thing.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self::Unseen(Unseen::not_applicable(why))
    }

    /// Not examined, for this reason.
    pub fn not(why: impl Into<String>) -> Self {
        Self::Unseen(Unseen::not_examined(why))
    }

    /// The probe failed.
    pub fn broken(why: impl fmt::Display) -> Self {
        Self::Unseen(Unseen::probe_failed(why))
    }

    /// The fact, or why there is none.
    ///
    /// # Errors
    /// The reason, by which a check that needs the fact is not judged.
    pub fn known(&self) -> Result<&T, Unseen> {
        match self {
            Self::Known(fact) => Ok(fact),
            Self::Unseen(unseen) => Err(unseen.clone()),
        }
    }

    /// What follows from the fact.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Known(fact) => Seen::Known(of(fact)),
            Self::Unseen(unseen) => Seen::Unseen(unseen),
        }
    }

    /// The fact, if it is known.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unseen(_) => None,
        }
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self::not("not examined: these facts do not contain it")
    }
}

impl<T> From<crate::Result<T>> for Seen<T> {
    fn from(result: crate::Result<T>) -> Self {
        match result {
            Ok(fact) => Self::Known(fact),
            // Who may not look, or does not for another's sake, has not found anything broken.
            Err(error)
                if matches!(error.code(), crate::Code::NeedsRoot | crate::Code::UntrustedPath) =>
            {
                Self::not(error.message())
            }
            Err(error) => Self::broken(error.message()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_were_saved_with_the_older_form_are_read() {
        let read = |text| serde_json::from_str::<Unseen>(text).unwrap().reason;
        assert_eq!(read(r#"{"why": "x", "broke": true}"#), Reason::ProbeFailed);
        assert_eq!(read(r#"{"why": "x", "broke": false}"#), Reason::NotExamined);
        let today = Unseen::not_applicable("x");
        assert_eq!(read(&serde_json::to_string(&today).unwrap()), Reason::NotApplicable);
    }
}
