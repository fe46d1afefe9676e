//! What systemd needs before it starts the agent: each thing ends the start when it is not there.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A thing that a unit names for its start, and that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartLack {
    /// The directive, such as `WorkingDirectory`.
    pub key: String,
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is needed.
    pub need: StartNeed,
    /// What is wrong with it.
    pub lack: Lack,
}

/// A thing that a unit names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartNeed {
    /// A folder.
    Folder(PathBuf),
    /// A file that is read.
    File(PathBuf),
    /// A program, or the interpreter of a script.
    Program(PathBuf),
    /// A file or a folder.
    Path(PathBuf),
    /// A group.
    Group(String),
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}

/// What is wrong with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lack {
    /// It does not exist.
    Missing,
    /// Another kind of thing stands there.
    OtherKind,
    /// Nobody may execute it.
    NotExecutable,
    /// The account of the service may not enter it.
    Closed,
    /// What another version of this program knows.
    #[serde(other)]
    Unknown,
}
