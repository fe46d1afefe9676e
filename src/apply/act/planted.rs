//! What an account leaves outside of its home. It would be the next account's that gets the name or
//! the number, and its jobs would run again.

use super::Tools;
use crate::{
    Code, Command, Result,
    platform::{
        accounts::Account,
        fs::{Kind, Meta, Spot},
    },
};
use std::path::Path;

/// Where mail for an account is kept, in a file of its name; the second is a link to the first, or
/// the other way round.
const MAIL: [&str; 2] = ["/var/mail", "/var/spool/mail"];

/// Folders in which a file of the account's name starts something: the tables of cron (Debian, Red
/// Hat, Alpine, macOS), and who is logged in from the boot on.
const BY_NAME: [&str; 5] = [
    "/var/spool/cron/crontabs",
    "/var/spool/cron",
    "/etc/crontabs",
    "/var/at/tabs",
    "/var/lib/systemd/linger",
];

/// Folders in which files are an account's by their owner: the jobs of `at` (Debian, Red Hat, SUSE,
/// macOS) with what they printed, and the folders that every account may write to.
const BY_NUMBER: [&str; 10] = [
    "/var/spool/cron/atjobs",
    "/var/spool/cron/atspool",
    "/var/spool/at",
    "/var/spool/at/spool",
    "/var/spool/atjobs",
    "/var/at/jobs",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/run/lock",
];

/// Removes what an account that is gone has left in these places, and says that there may be more.
///
/// # Errors
/// Interruption. Whatever else stays is told.
pub(super) fn remove(tools: &Tools<'_>, account: &Account) -> Result<()> {
    MAIL.iter().for_each(|folder| remove_named(tools, folder, account));
    // Of an account that this very run made nothing else is there, and what has its number is older.
    if tools.undoes {
        return Ok(());
    }
    BY_NAME.iter().for_each(|folder| remove_named(tools, folder, account));
    let report = tools.host.report;
    for folder in BY_NUMBER {
        let removed =
            tools.host.root.remove_owned(Path::new(folder), account.uid, &|| tools.go_on());
        match removed {
            Ok(true) => {}
            Ok(false) => report.leaves(&format!("{folder} holds too much to be looked through")),
            Err(error) if error.code() == Code::Interrupted => return Err(error),
            Err(error) => report.leaves(&format!("in {folder} something stays: {error}")),
        }
    }
    let list = Command::root("find / -xdev -uid").number(account.uid);
    if let Some(line) = list.line().filter(|_| tools.host.root.is_host()) {
        report.tells(&format!(
            "other files of {} may stay, and would belong to the next account with the number {}; \
             to list those of one file system: {line}",
            account.name, account.uid
        ));
    }
    Ok(())
}

/// Only a file of the account's own, or one that nobody but root can have put there.
fn remove_named(tools: &Tools<'_>, folder: &str, account: &Account) {
    let path = Path::new(folder).join(&account.name);
    let is_theirs = |spot: &Spot, meta: Meta| {
        meta.kind == Kind::File && (meta.uid == account.uid || spot.is_trusted())
    };
    let removed = tools.host.root.find(&path).and_then(|spot| {
        let Some(spot) = spot else { return Ok(()) };
        let found = spot.look()?;
        if found.is_some_and(|meta| is_theirs(&spot, meta)) { spot.remove() } else { Ok(()) }
    });
    if let Err(error) = removed {
        tools.host.report.leaves(&format!("{} stays: {error}", path.display()));
    }
}
