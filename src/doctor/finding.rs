//! Findings, as a report shows them and as scripts read them.

use super::{Check, Remedy};
use crate::host::Reason;
use serde::Serialize;

/// What one check found about one agent, or about the host.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// The check's name.
    pub check: &'static str,
    /// How it ended.
    pub status: Status,
    /// One sentence without a full stop.
    pub summary: String,
    /// What was read, where, and the value.
    pub evidence: String,
    /// What fixes it.
    pub remedy: Option<Remedy>,
    /// The command that explains the check.
    pub docs: String,
    /// The agent that it is about; `None`: the host.
    pub instance: Option<String>,
    /// Milliseconds that the check took, without the probes.
    pub elapsed_ms: u64,
    /// The check whose failure is the cause, of one that was skipped for it.
    #[serde(skip)]
    pub because: Option<&'static str>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It holds.
    Pass,
    /// It can become a failure.
    Warn,
    /// It does not hold.
    Fail,
    /// It could not be judged; the summary says why.
    Skip,
    /// It is about something that this host or agent does not have.
    NotApplicable,
    /// The check itself failed.
    Error,
}

/// How many findings of each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Checks that hold.
    pub pass: usize,
    /// Warnings.
    pub warn: usize,
    /// Failures.
    pub fail: usize,
    /// Could not be judged.
    pub skip: usize,
    /// About what this host or agent does not have.
    pub not_applicable: usize,
    /// Checks that failed themselves.
    pub error: usize,
}

/// Everything that was found.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// In the order of causes.
    pub findings: Vec<Finding>,
    /// Counted.
    pub summary: Summary,
    /// Milliseconds from the first probe to the last check.
    pub elapsed_ms: u64,
}

impl Finding {
    /// Of a check, without remedy.
    pub(super) fn new(
        check: &Check,
        instance: Option<&str>,
        status: Status,
        summary: String,
    ) -> Self {
        Self {
            check: check.name,
            status,
            summary,
            evidence: String::new(),
            remedy: None,
            docs: format!("runnerup explain {}", check.name),
            instance: instance.map(str::to_owned),
            elapsed_ms: 0,
            because: None,
        }
    }

    /// Whether a person should look at it.
    pub fn is_problem(&self) -> bool {
        matches!(self.status, Status::Warn | Status::Fail | Status::Error)
    }
}

impl Diagnosis {
    /// Counts.
    pub fn new(findings: Vec<Finding>, elapsed_ms: u64) -> Self {
        let count = |status| findings.iter().filter(|finding| finding.status == status).count();
        let summary = Summary {
            pass: count(Status::Pass),
            warn: count(Status::Warn),
            fail: count(Status::Fail),
            skip: count(Status::Skip),
            not_applicable: count(Status::NotApplicable),
            error: count(Status::Error),
        };
        Self { findings, summary, elapsed_ms }
    }

    /// What is wrong, the worst first, and in the order of causes.
    pub fn problems(&self) -> impl Iterator<Item = &Finding> {
        let of = |status| self.findings.iter().filter(move |finding| finding.status == status);
        of(Status::Fail).chain(of(Status::Warn)).chain(of(Status::Error))
    }

    /// What was skipped because of a finding.
    pub fn consequences<'a>(&'a self, cause: &'a Finding) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| {
            finding.because == Some(cause.check)
                && (cause.instance.is_none() || finding.instance == cause.instance)
        })
    }
}

impl Status {
    /// As in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::NotApplicable => "not_applicable",
            Self::Error => "error",
        }
    }
}

impl From<Reason> for Status {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NotApplicable => Self::NotApplicable,
            Reason::NotExamined => Self::Skip,
            Reason::ProbeFailed => Self::Error,
        }
    }
}
