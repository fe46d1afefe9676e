//! What stands at a path.

use serde::{Deserialize, Serialize};
use std::{ffi::OsString, fmt};

/// The kind of thing at a path; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device: never opened.
    Special,
}

/// Owner, mode and identity of what stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// File, folder, link or something else.
    pub kind: Kind,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Permission bits, set-id and sticky included.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Number of names (hard links).
    pub links: u64,
    /// Device, inode, and the times of the last change of content and of status, in nanoseconds:
    /// while these are the same, so is the content.
    pub identity: (u64, u64, i64, i64),
}

/// What an open handle shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Owner, mode and identity.
    pub meta: Meta,
    /// It is a folder with nothing in it.
    pub is_bare_folder: bool,
}

/// Some of the names in a folder.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// In no order.
    pub names: Vec<OsString>,
    /// How many names there are, as far as they were counted.
    pub count: usize,
    /// There are no more than these.
    pub is_whole: bool,
}

impl Meta {
    /// The mode of what has an access list in place of one.
    pub const LISTED: u32 = u32::MAX;

    /// Whether both are names of one file.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.identity.0, self.identity.1) == (other.identity.0, other.identity.1)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Special => "a FIFO, socket or device",
        })
    }
}
