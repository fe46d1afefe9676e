//! Which mount a path is on, and mounts that are written down and not there.

use super::{Mount, Scrubbed};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A mount that the host is to have after each start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMount {
    /// Where.
    pub point: PathBuf,
    /// Who says so: `FILE:LINE` of fstab, or the file of a mount unit.
    pub source: String,
    /// The mount unit, where it is no line of fstab.
    pub unit: Option<Scrubbed>,
}

/// A name that the next job needs, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldName {
    /// The path.
    pub path: PathBuf,
    /// The number of its owner.
    pub uid: u32,
}

impl Mount {
    /// The mount of `path` (without links). Of two at one point the later one lies on top, and one
    /// at a folder hides those that were mounted below that folder before.
    pub fn of<'a>(mounts: &'a [Self], path: &Path) -> Option<&'a Self> {
        let above: Vec<&Self> =
            mounts.iter().filter(|mount| path.starts_with(&mount.point)).collect();
        top(&above)
            .or_else(|| above.into_iter().max_by_key(|mount| mount.point.components().count()))
    }
}

/// From the root up, by the kernel's numbers: a mount lies on its parent.
fn top<'a>(above: &[&'a Mount]) -> Option<&'a Mount> {
    let number = |mount: &Mount| mount.order.map(|(number, _)| number);
    let is_first = |mount: &&&Mount| {
        mount.order.is_some_and(|(number, parent)| {
            mount.point == Path::new("/")
                && (number == parent
                    || above.iter().all(|other| other.order.map(|(own, _)| own) != Some(parent)))
        })
    };
    let mut here = *above.iter().find(is_first)?;
    for _ in 0..above.len() {
        let on_it = |mount: &&&Mount| {
            mount.order.is_some_and(|(own, parent)| Some(parent) == number(here) && own != parent)
        };
        // A shorter one was mounted later: else the longer one would lie on it.
        let next = above.iter().filter(on_it).min_by_key(|mount| mount.point.components().count());
        match next {
            Some(next) => here = next,
            None => break,
        }
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(number: u64, parent: u64, point: &str) -> Mount {
        Mount { point: point.into(), order: Some((number, parent)), ..Mount::default() }
    }

    #[test]
    fn what_lies_on_top_counts() {
        let number = |mounts: &[Mount], path: &str| {
            Mount::of(mounts, Path::new(path)).and_then(|mount| mount.order).map(|(own, _)| own)
        };
        let below = [mount(20, 1, "/"), mount(30, 20, "/var"), mount(31, 30, "/var/opt")];
        assert_eq!(number(&below, "/var/opt/x"), Some(31));
        assert_eq!(number(&below, "/var/x"), Some(30));
        assert_eq!(number(&below, "/srv"), Some(20));
        // /var was mounted after /var/opt, and hides it.
        let hidden = [mount(20, 1, "/"), mount(31, 20, "/var/opt"), mount(32, 20, "/var")];
        assert_eq!(number(&hidden, "/var/opt/x"), Some(32));
        let stacked =
            [mount(20, 1, "/"), mount(21, 20, "/"), mount(30, 21, "/a"), mount(31, 30, "/a")];
        assert_eq!(number(&stacked, "/a/b"), Some(31));
        assert_eq!(number(&[], "/a"), None);
        // Facts of older versions have no numbers.
        let old = [mount(1, 1, "/"), mount(2, 2, "/a")].map(|mount| Mount { order: None, ..mount });
        assert_eq!(Mount::of(&old, Path::new("/a/b")).unwrap().point, Path::new("/a"));
    }
}
