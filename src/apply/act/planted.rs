//! Files of an account outside of its home. The next account with its name or user ID would own them,
//! and what the account scheduled would run as that account.

use super::{Loss, Tools, processes::Group, rest};
use crate::{
    Code, Result,
    platform::{
        accounts::UnixAccount,
        fs::{Kind, Meta, Spot},
    },
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Where mail for an account is kept, in a file of its name; the second is a link to the first, or
/// the other way round.
const MAIL: [&str; 2] = ["/var/mail", "/var/spool/mail"];

/// Folders in which a file of the account's name starts something: the tables of cron (Debian, SUSE,
/// Red Hat, Alpine, macOS), and the accounts whose services start with the host.
const BY_NAME: [&str; 6] = [
    "/var/spool/cron/crontabs",
    "/var/spool/cron/tabs",
    "/var/spool/cron",
    "/etc/crontabs",
    "/var/at/tabs",
    "/var/lib/systemd/linger",
];

/// Folders in which files are an account's by their owner: the jobs of `at` (Debian, Red Hat, SUSE,
/// macOS) with what they printed, and the folders that every account may write to.
const BY_NUMBER: [&str; 13] = [
    "/var/spool/cron/atjobs",
    "/var/spool/cron/atspool",
    "/var/spool/at",
    "/var/spool/at/spool",
    "/var/spool/atjobs",
    "/var/at/jobs",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev/mqueue",
    "/run/lock",
    "/run/user",
    "/Users/Shared",
];

/// Longest time for each of these folders: other accounts can fill some of them without end.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Removes what an account that is about to go has in these places.
///
/// # Errors
/// Interruption. Whatever else stays is told.
pub(super) fn remove(tools: &Tools<'_>, account: &UnixAccount, group: Group) -> Result<()> {
    MAIL.iter().for_each(|folder| remove_named(tools, folder, account));
    // Of an account that this very run made nothing else is there, and what has its number is older.
    if tools.undoes {
        return Ok(());
    }
    BY_NAME.iter().for_each(|folder| remove_named(tools, folder, account));
    // What an image has there is nobody's once it is booted; what is mounted there is this host's.
    if !tools.host.root.is_host() {
        return Ok(());
    }
    let session = rest::end_session(tools, account);
    // Where nothing unmounts it, it is emptied.
    let emptied = session.as_deref().into_iter();
    for folder in emptied.chain(BY_NUMBER.iter().map(Path::new)) {
        sweep(tools, account, folder)?;
    }
    rest::tell_session(tools, account, session.as_deref());
    if rest::remove_memory(tools, account, group) {
        note_loss(tools, account);
    }
    Ok(())
}

fn sweep(tools: &Tools<'_>, account: &UnixAccount, folder: &Path) -> Result<()> {
    let (report, until) = (tools.host.report, Instant::now() + TIME_LIMIT);
    let removed = tools.host.root.remove_owned(folder, account.uid, until, &|| tools.go_on());
    if removed.as_ref().map_or(true, |end| end.has_removed) {
        note_loss(tools, account);
    }
    let folder = folder.display();
    match removed {
        Ok(end) if end.is_whole => {}
        Ok(_) => report.leaves(&format!(
            "{folder} contains more than could be searched within the time limit"
        )),
        Err(error) if error.code() == Code::Interrupted => return Err(error),
        Err(error) => report.leaves(&format!("some files in {folder} stay: {error}")),
    }
    Ok(())
}

/// Removes a file of the account, or one that only root can have put there.
fn remove_named(tools: &Tools<'_>, folder: &str, account: &UnixAccount) {
    let path = Path::new(folder).join(&account.name);
    let is_theirs = |spot: &Spot, meta: Meta| {
        meta.kind == Kind::File && (meta.is_of(account.uid) || spot.is_trusted())
    };
    let removed = tools.host.root.find(&path).and_then(|spot| {
        let Some(spot) = spot else { return Ok(false) };
        let found = spot.metadata()?;
        let is_theirs = found.is_some_and(|meta| is_theirs(&spot, meta));
        if is_theirs {
            spot.remove()?;
        }
        Ok(is_theirs)
    });
    match removed {
        Ok(true) => note_loss(tools, account),
        Ok(false) => {}
        Err(error) => tools.host.report.leaves(&format!("{} stays: {error}", path.display())),
    }
}

/// Notes a loss, except in a roll-back, which removes only what its run created.
fn note_loss(tools: &Tools<'_>, account: &UnixAccount) {
    if tools.undoes {
        return;
    }
    tools.lost.borrow_mut().insert(Loss::Planted(account.name.clone()));
}
