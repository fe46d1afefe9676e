//! The way to a path, as it is found.

use super::Meta;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Every folder on the way to a path, and what stands at its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trail {
    /// The path, as it was named.
    pub path: PathBuf,
    /// The folders and links that were passed, from the root on.
    pub passed: Vec<Passed>,
    /// What stands at the end; `None`: nothing.
    pub end: Option<Meta>,
    /// Where it really is, links taken out.
    pub real: PathBuf,
    /// Where the way ends that has no end: the first missing name, or what is no folder.
    pub stopped: Option<String>,
}

/// A folder or link on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Its path.
    pub path: PathBuf,
    /// Its owner and mode.
    pub meta: Meta,
    /// An access control list says more than the mode does.
    pub has_list: bool,
}
