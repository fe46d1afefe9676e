//! Shared memory, message queues and semaphores of System V: they have an owner, no path, and stay
//! until they are removed.

use crate::{
    Result,
    platform::{
        accounts::UnixAccount,
        command::{Call, Commands},
    },
};
use std::{fs, io};

/// Where the kernel lists them, and the option of `ipcrm` for each kind.
const LISTS: [(&str, &str); 3] =
    [("/proc/sysvipc/shm", "-m"), ("/proc/sysvipc/msg", "-q"), ("/proc/sysvipc/sem", "-s")];

/// Most objects that one call names.
const BATCH: usize = 500;

/// What became of an account's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleared {
    /// How many there were.
    pub found: usize,
    /// How many are left.
    pub left: usize,
}

/// Removes the objects of an account; of its group too where that goes with it.
///
/// # Errors
/// When a list cannot be read.
pub fn clear(commands: &dyn Commands, account: &UnixAccount, with_group: bool) -> Result<Cleared> {
    let group = (with_group && account.gid != 0).then_some(account.gid);
    let list = || -> Result<Vec<(&'static str, Vec<u32>)>> {
        LISTS
            .iter()
            .map(|(list, kind)| Ok((*kind, owned(&read(list)?, account.uid, group))))
            .collect()
    };
    let count = |all: &[(&str, Vec<u32>)]| all.iter().map(|(_, objects)| objects.len()).sum();
    let all = list()?;
    let found = count(&all);
    if found == 0 {
        return Ok(Cleared { found, left: 0 });
    }
    for (kind, objects) in &all {
        for batch in objects.chunks(BATCH) {
            let args = batch.iter().flat_map(|object| [(*kind).to_owned(), object.to_string()]);
            // What counts is what is left.
            if let Err(error) = commands.run(&Call::new("ipcrm", args)) {
                tracing::debug!(%error, "ipcrm");
            }
        }
    }
    Ok(Cleared { found, left: count(&list()?) })
}

/// A kernel without them has no list.
fn read(list: &str) -> Result<String> {
    match fs::read_to_string(list) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            Err(crate::Error::new(crate::Code::HostUnfit, format!("cannot read {list}: {error}")))
        }
    }
}

/// The numbers of those that belong to a user or a group, or were made by them: the columns are named
/// in the first line, and the number of an object is in the second one.
fn owned(list: &str, uid: u32, group: Option<u32>) -> Vec<u32> {
    let mut lines = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let Some(names) = lines.next() else { return Vec::new() };
    let column = |name: &str| names.iter().position(|other| *other == name);
    let users = ["uid", "cuid"].map(column);
    let groups = ["gid", "cgid"].map(column);
    let object = |fields: Vec<&str>| -> Option<u32> {
        let number = |column: Option<usize>| fields.get(column?)?.parse::<u32>().ok();
        let is_users = users.iter().any(|column| number(*column) == Some(uid));
        let is_groups = group.is_some() && groups.iter().any(|column| number(*column) == group);
        if is_users || is_groups { number(Some(1)) } else { None }
    };
    lines.filter_map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_belongs_to_its_owner_and_to_its_maker() {
        let list = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime\n\
                    1 10 600 1 1001 5 5 5 0\n 1 11 600 1 5 5 1001 5 0\n 1 12 600 1 5 1001 5 5 0\n\
                    1 13 600 1 5 5 5 1002 0\n 1001 14 1001 1001 5 5 5 5 1001\n";
        assert_eq!(owned(list, 1001, None), [10, 11]);
        assert_eq!(owned(list, 1001, Some(1002)), [10, 11, 13]);
        assert!(owned("", 1001, None).is_empty() && owned("key\n1 2\n", 1001, Some(1)).is_empty());
    }
}
