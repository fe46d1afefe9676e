//! The way to a path, as it is found.

use super::{Kind, Meta};
use crate::platform::privilege;
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

/// Whether nobody but root and the caller could have written what stands at the end, or put it
/// there: by owner and mode of every folder and link on the way, and of the end itself.
///
/// Nothing at the end, and a way that could not be walked, are no proof: `false`. So is a system
/// whose rights are not modes. An access control list needs no look of its own where it comes
/// with a mode: the group bits are its mask then, so that without the write bit in them no entry
/// of the list can write. The caller counts as itself, so this is for a walk made just now.
pub fn only_root_could_write(trail: &Trail) -> bool {
    only_these_could_write(trail, [0, privilege::uid()])
}

/// Whether nobody but root and the caller can change the way that was walked, so that it leads to
/// the same place a moment later. What stands at the end, if anything, does not count.
pub fn only_root_could_lead(trail: &Trail) -> bool {
    only_these_could_lead(trail, [0, privilege::uid()])
}

fn only_these_could_write(trail: &Trail, owners: [u32; 2]) -> bool {
    trail.stopped.is_none()
        && only_these_could_lead(trail, owners)
        && trail.end.is_some_and(|end| is_closed(&end, owners))
}

fn only_these_could_lead(trail: &Trail, owners: [u32; 2]) -> bool {
    let mut passed = trail.passed.iter();
    !trail.passed.is_empty() && passed.all(|passed| is_closed(&passed.meta, owners))
}

fn is_closed(meta: &Meta, owners: [u32; 2]) -> bool {
    // The mode of a link means nothing: who may replace it is up to its folder.
    let is_open = meta.kind != Kind::Link && meta.mode & 0o022 != 0;
    owners.contains(&meta.uid) && !is_open
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: u32 = 990;

    fn meta(kind: Kind, uid: u32, mode: u32) -> Meta {
        Meta { kind, uid, gid: uid, mode, size: 1, links: 1, identity: (0, 0, 0, 0) }
    }

    fn passed(path: &str, meta: Meta) -> Passed {
        Passed { path: path.into(), meta, has_list: false }
    }

    fn trail() -> Trail {
        let folder = meta(Kind::Folder, 0, 0o755);
        Trail {
            path: "/etc/file".into(),
            passed: vec![passed("/", folder), passed("/etc", folder)],
            end: Some(meta(Kind::File, 0, 0o644)),
            real: "/etc/file".into(),
            stopped: None,
        }
    }

    fn is_roots(trail: &Trail) -> bool {
        only_these_could_write(trail, [0, 0])
    }

    #[test]
    fn every_folder_and_the_end_must_be_roots_and_closed() {
        assert!(is_roots(&trail()));
        for (uid, mode) in [(CI, 0o755), (0, 0o775), (0, 0o757), (0, 0o1777), (0, Meta::LISTED)] {
            for place in 0..2 {
                let mut led = trail();
                led.passed[place].meta = meta(Kind::Folder, uid, mode);
                assert!(!is_roots(&led), "{uid} {mode:o} at {place}");
            }
            let mut written = trail();
            written.end = Some(meta(Kind::File, uid, mode));
            assert!(!is_roots(&written), "{uid} {mode:o} at the end");
        }
    }

    #[test]
    fn a_link_counts_by_its_owner() {
        for (uid, expected) in [(0, true), (CI, false)] {
            let mut linked = trail();
            linked.passed.push(passed("/etc/link", meta(Kind::Link, uid, 0o777)));
            assert_eq!(is_roots(&linked), expected);
        }
    }

    #[test]
    fn what_was_not_walked_to_its_end_is_no_proof() {
        let mut stopped = trail();
        stopped.stopped = Some("a link that was not followed".to_owned());
        let mut missing = trail();
        missing.end = None;
        let end = trail().end;
        for no_proof in [stopped, missing, Trail { end, ..Trail::default() }] {
            assert!(!is_roots(&no_proof), "{no_proof:?}");
        }
    }

    #[test]
    fn the_caller_counts_as_itself() {
        let mut own = trail();
        own.end = Some(meta(Kind::File, CI, 0o600));
        assert!(only_these_could_write(&own, [0, CI]) && !is_roots(&own));
    }
}
