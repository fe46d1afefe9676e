//! Lines that a service manager takes otherwise than they are meant.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A line that its manager takes otherwise than whoever wrote it meant it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misread {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The key of the directive; empty in an environment file.
    pub key: String,
    /// The variable that it is about.
    pub variable: Option<String>,
    /// It means something to the agent.
    pub matters: bool,
    /// What becomes of it.
    pub what: Misreading,
}

/// How a line is misread. Nothing of a value is repeated here that could be a part of a secret, but
/// for one sign that a URL escapes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misreading {
    /// A percent sign before what is no specifier, such as `%40`: the assignment is dropped.
    NoSpecifier(String),
    /// A specifier, such as `%s`, for which something else stands there.
    Specifier(String),
    /// So many words are no assignments, and are dropped: the value in front of them ends at a blank.
    NoAssignment(usize),
    /// A word of a shell, such as `export`, in front of an assignment, which is dropped.
    Keyword(String),
    /// What stands in front of the equals sign is no name of a variable: the line is dropped.
    BadName,
    /// A quote is not closed: it and what follows is dropped.
    OpenQuote,
    /// A backslash begins no escape: the rest of the line is dropped.
    Escape,
    /// What only a shell expands, such as `$PATH` or `~`, stays as it is.
    NotExpanded(String),
    /// What was meant as a comment at the end of the line is a part of the value.
    Comment,
    /// Quotes make one word of a whole command, or belong to a path.
    Quoted,
}
