//! What jobs left in the work folder, counted for a limited time, without following a link.

use crate::{
    Result,
    host::{Leftover, Workdir},
    platform::fs::{Kind, Root, Spot},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Things in each folder that are looked at.
const ENTRIES: usize = 2000;

/// The time for listing the folder, and again for counting what is in it.
const TIME: Duration = Duration::from_millis(120);

/// How many of the greatest, and of the foreign, are kept.
const KEPT: usize = 5;

/// How deep is counted.
const DEPTH: usize = 40;

/// Looks into a work folder. `owner` is the number of the jobs' account.
pub(super) fn examine(root: &Root, folder: &Path, owner: Option<u32>) -> Result<Workdir> {
    let mut workdir = Workdir { folder: folder.to_owned(), ..Workdir::default() };
    let Some(spot) = root.find(folder)? else { return Ok(workdir) };
    let listed = spot.list_some(ENTRIES, Instant::now() + TIME)?;
    // However long the list is, something of it is looked at.
    let until = Instant::now() + TIME;
    workdir.entries = listed.count;
    let mut count =
        Count { until, owner, foreign: Vec::new(), newest: i64::MIN, cut: !listed.is_whole };
    let mut found = Vec::new();
    for name in listed.names {
        if count.is_over() {
            break;
        }
        let inner = spot.inside(name)?;
        let Ok(Some(meta)) = inner.metadata() else { continue };
        let bytes = count.of(&inner, 0);
        found.push(Leftover {
            path: inner.path().to_owned(),
            bytes,
            uid: meta.uid(),
            changed: meta.identity.2 / 1_000_000_000,
        });
    }
    workdir.cut_short = count.cut || count.is_over();
    workdir.changed = (count.newest > i64::MIN).then_some(count.newest);
    found.sort_by_key(|leftover| std::cmp::Reverse(leftover.bytes));
    found.truncate(KEPT);
    workdir.greatest = found;
    workdir.foreign = count.foreign;
    Ok(workdir)
}

struct Count {
    until: Instant,
    owner: Option<u32>,
    foreign: Vec<Leftover>,
    newest: i64,
    /// Something was left out.
    cut: bool,
}

impl Count {
    fn is_over(&self) -> bool {
        Instant::now() > self.until
    }

    /// The bytes of a thing and all in it.
    fn of(&mut self, spot: &Spot, depth: usize) -> u64 {
        let Ok(Some(meta)) = spot.metadata() else { return 0 };
        let changed = meta.identity.2 / 1_000_000_000;
        self.newest = self.newest.max(changed);
        let owner = self.owner.filter(|owner| *owner != 0);
        let foreign = meta.uid().filter(|uid| owner.is_some_and(|owner| owner != *uid));
        if let Some(uid) = foreign.filter(|_| self.foreign.len() < KEPT) {
            self.foreign.push(Leftover {
                path: spot.path().to_owned(),
                bytes: meta.size,
                uid: Some(uid),
                changed,
            });
        }
        if meta.kind != Kind::Folder || depth == DEPTH || self.is_over() {
            return if meta.kind == Kind::File { meta.size } else { 0 };
        }
        let mut bytes = 0;
        let listed = spot.list_some(ENTRIES, self.until).unwrap_or_default();
        self.cut |= !listed.is_whole;
        for name in listed.names {
            if self.is_over() {
                break;
            }
            if let Ok(inner) = spot.inside(name) {
                bytes += self.of(&inner, depth + 1);
            }
        }
        bytes
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn leftovers_are_counted_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("w/job/deep")).unwrap();
        fs::write(folder.path().join("w/job/deep/file"), [0; 5000]).unwrap();
        fs::write(folder.path().join("w/small"), [0; 10]).unwrap();
        symlink("/", folder.path().join("w/out")).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let workdir = examine(&root, Path::new("/w"), Some(4_000_000)).unwrap();
        assert_eq!((workdir.entries, workdir.greatest[0].bytes), (3, 5000));
        assert!(!workdir.cut_short && !workdir.foreign.is_empty());
        let found =
            examine(&root, Path::new("/w"), Some(rustix::process::geteuid().as_raw())).unwrap();
        assert!(found.foreign.is_empty());
    }

    #[test]
    fn of_a_full_folder_a_part_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("w")).unwrap();
        for number in 0..ENTRIES + 5 {
            fs::write(folder.path().join("w").join(number.to_string()), "").unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        let spot = root.find(Path::new("/w")).unwrap().unwrap();
        let listed = spot.list_some(3, Instant::now() + Duration::from_secs(20)).unwrap();
        assert_eq!((listed.names.len(), listed.count, listed.is_whole), (3, ENTRIES + 5, false));
        let late = spot.list_some(3, Instant::now()).unwrap();
        assert_eq!((late.count, late.is_whole), (1, false));
        assert!(examine(&root, Path::new("/w"), None).unwrap().cut_short);
    }
}
