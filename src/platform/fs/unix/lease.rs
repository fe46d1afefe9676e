//! Leases: a process may be told before a file of its own is opened, and can hold up the opening.

use crate::{Code, Command, Error, Help};
use std::path::Path;

/// The error for a file that cannot be opened now because a process holds a lease on it.
pub(super) fn held(path: &Path, inode: u64) -> Error {
    let list = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let path = path.display();
    let error = |who: String| {
        Error::new(Code::StepFailed, format!("cannot open {path}: {who} holds a lease on it"))
    };
    match holder(&list, inode) {
        Some(pid) => error(format!("the process {pid}"))
            .help(Help::command("look at it", &Command::fixed("ps -fp").number(pid)))
            .help(Help::command(
                "end it, and run again",
                &Command::ending("kill -KILL").number(pid),
            )),
        None => error("another process".to_owned()).help(
            "look for the word LEASE in /proc/locks; the number after the mode is the process",
        ),
    }
}

/// Lines such as `3: LEASE  ACTIVE    WRITE 814 08:01:1311764 0 EOF`.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "LEASE", _, _, pid, place, ..] = fields.as_slice() else { return None };
        let (_, number) = place.rsplit_once(':')?;
        (number.parse() == Ok(inode)).then(|| pid.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lease_is_found_by_the_file() {
        let locks = "1: FLOCK  ADVISORY  WRITE 7 00:19:811 0 EOF\n\
                     2: LEASE  ACTIVE    READ  8 08:01:812 0 EOF\n\
                     3: LEASE  BREAKING  WRITE 9 08:01:811 0 EOF\n";
        assert_eq!(holder(locks, 811), Some(9));
        assert_eq!(holder(locks, 813), None);
    }
}
