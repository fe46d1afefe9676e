//! A mount of this host.

use std::path::PathBuf;

/// A file system, as it is mounted at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Where.
    pub point: PathBuf,
    /// The kind of file system.
    pub kind: String,
    /// Options of the mount, and of the file system.
    pub options: Vec<String>,
    /// Its number, and that of the mount that it lies on; `None` where there are none.
    pub order: Option<(u64, u64)>,
}
