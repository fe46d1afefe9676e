//! A check: what must hold, why, and the function that judges it.

use super::Remedy;
use crate::host::{Install, Survey, Unseen};
use serde::Serialize;

/// A row of the catalogue.
#[derive(Debug)]
pub struct Check {
    /// `topic/what-must-hold`; once published it keeps its meaning.
    pub name: &'static str,
    /// What must hold, in one line without a full stop.
    pub holds: &'static str,
    /// What happens otherwise, and why.
    pub why: &'static str,
    /// How it is checked.
    pub found: &'static str,
    /// How it is fixed.
    pub cure: &'static str,
    /// Direct causes: if one of these checks fails, this one is skipped, because it would report the
    /// same failure again. Causes of causes are not listed.
    pub after: &'static [&'static str],
    /// The function.
    pub judge: Judge,
}

/// What a check is about.
#[derive(Debug, Clone, Copy)]
pub enum Judge {
    /// The host as a whole.
    Host(fn(&Survey) -> Judged),
    /// One agent.
    Agent(fn(&Survey, &Install) -> Judged),
}

/// A verdict, or why there can be none.
pub type Judged = Result<Verdict, Unseen>;

/// What a check found.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It holds, with one line of detail.
    Holds(String),
    /// It does not hold.
    Broken(Vec<Problem>),
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    /// How severe.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub summary: String,
    /// What was read, where, and the value.
    pub evidence: String,
    /// What fixes it.
    pub remedy: Option<Remedy>,
}

/// How severe a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can become a failure.
    Warn,
    /// No job runs, jobs fail, or others get access.
    Fail,
}

/// The topics of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The host.
    Host,
    /// The service's definition and state.
    Service,
    /// Permissions of files, folders and accounts.
    Permissions,
    /// The agent's configuration.
    Config,
    /// Connections to the endpoints that an agent needs.
    Connectivity,
    /// The agent itself.
    Agent,
    /// The resource class, its runners and its tasks.
    Queue,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 7] = [
        Self::Host,
        Self::Service,
        Self::Permissions,
        Self::Config,
        Self::Connectivity,
        Self::Agent,
        Self::Queue,
    ];

    /// As in the names of checks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Service => "service",
            Self::Permissions => "permissions",
            Self::Config => "config",
            Self::Connectivity => "connectivity",
            Self::Agent => "agent",
            Self::Queue => "queue",
        }
    }
}

impl Check {
    /// The topic's name.
    pub fn topic(&self) -> &'static str {
        self.name.split('/').next().unwrap_or_default()
    }
}

impl Problem {
    /// A problem that makes jobs fail.
    pub fn fail(summary: impl Into<String>) -> Self {
        Self::new(Severity::Fail, summary)
    }

    /// A problem that can become a failure.
    pub fn warn(summary: impl Into<String>) -> Self {
        Self::new(Severity::Warn, summary)
    }

    fn new(severity: Severity, summary: impl Into<String>) -> Self {
        Self { severity, summary: summary.into(), evidence: String::new(), remedy: None }
    }

    /// With the evidence.
    #[must_use]
    pub fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = evidence.into();
        self
    }

    /// With the remedy.
    #[must_use]
    pub fn cure(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

impl From<Problem> for Verdict {
    fn from(problem: Problem) -> Self {
        Self::Broken(vec![problem])
    }
}

impl Verdict {
    /// Holds, with this detail, unless there are problems.
    pub fn of(problems: Vec<Problem>, holds: impl Into<String>) -> Self {
        if problems.is_empty() { Self::Holds(holds.into()) } else { Self::Broken(problems) }
    }
}
