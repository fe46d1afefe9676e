//! Files as the steps need them: found without being led astray, made with their final mode,
//! put in place whole.
//!
//! [`Root::find`] walks from the root to a path's parent a folder at a time. A link is followed
//! only where nobody but root or the caller could have put it; everything after that works on
//! the open folder, so that a path that is swapped meanwhile changes nothing.

#[cfg(unix)]
mod drive;
mod meta;
mod mounted;
mod provenance;
mod removal;
mod trail;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use meta::{Found, Kind, Listed, Meta};
pub use mounted::Mounted;
pub use provenance::Provenance;
pub use removal::{GoOn, Removal};
pub use trail::{Passed, Trail};
#[cfg(unix)]
pub use unix::{Root, Spot, has_access_list, mounts};
#[cfg(windows)]
pub use windows::{Root, Spot, has_access_list, mounts};

/// An empty folder as a root; it is gone with the first of the two.
#[cfg(test)]
pub(crate) fn empty_root() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    (folder, root)
}
