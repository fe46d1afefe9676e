//! Files as the steps need them: found without being led astray, made with their final mode,
//! put in place whole.
//!
//! [`Root::find`] walks from the root to a path's parent a folder at a time. A link is followed
//! only where nobody but root or the caller could have put it; everything after that works on
//! the open folder, so that a path that is swapped meanwhile changes nothing.

#[cfg(unix)]
mod drive;
#[cfg(any(windows, test))]
mod file_time;
mod meta;
mod mounted;
mod provenance;
mod removal;
#[cfg(unix)]
mod unix;
mod walk;
#[cfg(windows)]
mod windows;

pub use meta::{Found, Kind, Listed, Meta, Permissions};
pub use mounted::Mounted;
pub use provenance::Provenance;
pub use removal::{GoOn, Owned, Removal};
#[cfg(unix)]
pub use unix::{Root, Spot, has_access_list, mounts, mounts_of};
pub use walk::{PathPart, PathWalk, WalkEnd};
#[cfg(windows)]
pub use windows::{Root, Spot, has_access_list, mounts, mounts_of};

/// Refuses what is no single name: a call on an open folder would follow it out of the folder.
///
/// # Errors
/// [`Code::ValueInvalid`](crate::Code::ValueInvalid) for nothing, `.`, `..`, and what has a
/// separator in it.
fn one_name(name: &std::ffi::OsStr) -> crate::Result<()> {
    let mut parts = std::path::Path::new(name).components();
    let is_one = matches!(
        (parts.next(), parts.next()),
        (Some(std::path::Component::Normal(part)), None) if part == name
    );
    if is_one {
        return Ok(());
    }
    Err(crate::Error::new(crate::Code::ValueInvalid, format!("{name:?} is not a name of a file")))
}

#[cfg(test)]
#[test]
fn a_name_leads_nowhere() {
    for name in ["a", ".a", "a b", "...", "a\u{e9}"] {
        one_name(name.as_ref()).unwrap();
    }
    for name in ["", ".", "..", "/", "a/", "a/b", "./a", "../a", "/a", "x/../../a"] {
        assert!(one_name(name.as_ref()).is_err(), "{name:?}");
    }
}

/// An empty folder as a root; it is gone with the first of the two.
#[cfg(test)]
pub(crate) fn empty_root() -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    (folder, root)
}
