//! The account that jobs run as, and its home.

use super::{
    Restored, Tools, folder, planted,
    processes::{self, Group},
    rest,
};
use crate::{
    Code, Error, Result,
    platform::{
        accounts::{self, Account},
        fs::Kind,
        home::refuse_strange,
        system::System,
    },
    record::{NewAccount, Record, State, Step},
};
use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long a directory may go on saying that there is no account that was made.
const APPEARS: Duration = Duration::from_secs(10);

pub(super) fn before(tools: &Tools<'_>, name: &str, step: &Step) -> Result<State> {
    if accounts::find(tools.host.root, name)?.is_some() {
        return Ok(State::Present);
    }
    let Step::Account(NewAccount { home, .. }) = step else { return Ok(State::Absent) };
    let home = tools.host.root.metadata(home)?.is_some();
    Ok(match accounts::group(tools.host.root, name)? {
        Some(gid) => State::GroupOnly { gid, home },
        None if home => State::HomeOnly,
        None => State::Absent,
    })
}

pub(super) fn create(
    tools: &Tools<'_>,
    account: &NewAccount,
    known: Option<&Record>,
) -> Result<()> {
    let host = tools.host;
    if accounts::find(host.root, &account.name)?.is_some() {
        return Ok(());
    }
    let NewAccount { name, home, shell, .. } = account;
    // An earlier install made the account with its home.
    if known.is_none() {
        refuse_strange(host.root, home, name)?;
    }
    host.system.create_account(name, home, shell)?;
    let begun = Instant::now();
    loop {
        let may_be_late = host.system.forget_absent()?;
        if accounts::find(host.root, name)?.is_some() {
            return Ok(());
        }
        if !may_be_late || begun.elapsed() > APPEARS {
            return Err(Error::new(
                Code::StepFailed,
                format!(
                    "the system's tool reported success, but the account {name} does not exist"
                ),
            ));
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Removes an account that this tool made, and then its home where that was made with it. An
/// earlier run may have been cut off between the two.
pub(super) fn restore(tools: &Tools<'_>, name: &str, to: &State) -> Result<Restored> {
    let (with_home, group) = match to {
        State::Absent => (true, None),
        State::HomeOnly => (false, None),
        State::GroupOnly { gid, home } => (!home, Some(*gid)),
        _ => return Ok(Restored::Done),
    };
    let account = accounts::find(tools.host.root, name)?;
    let guarded = tools.host.system.guards_homes().filter(|_| with_home);
    let home = tools.host.system.left_home(name).filter(|_| with_home);
    let mut restored = Restored::Done;
    if let (Some(help), Some(account), Some(home)) = (guarded, &account, &home) {
        if let Some(numbered) = account.unix() {
            processes::end(tools, &numbered, Group::Stays)?;
        }
        restored = remove_home(tools, home, Some(account)).map_err(|error| error.help(help))?;
    }
    if let Some(account) = &account {
        let own_group = if group.is_none() { Group::Goes } else { Group::Stays };
        remove(tools, account, with_home, own_group)?;
    }
    if let Some(gid) = group {
        restore_group(tools, name, gid)?;
    }
    match home {
        Some(home) if guarded.is_none() || account.is_none() => {
            remove_home(tools, &home, account.as_ref())
        }
        _ => Ok(restored),
    }
}

/// The home that goes with an account of this name.
pub(super) fn home(system: &dyn System, name: &str, to: &State) -> Option<PathBuf> {
    let goes = matches!(to, State::Absent | State::GroupOnly { home: false, .. });
    system.left_home(name).filter(|_| goes)
}

/// The tools that remove an account remove the group of its name as well.
fn restore_group(tools: &Tools<'_>, name: &str, gid: u32) -> Result<()> {
    if accounts::group(tools.host.root, name)?.is_some() {
        return Ok(());
    }
    if let Err(error) = tools.host.system.create_group(name, gid) {
        // The account is gone: a later run has nothing to go on from.
        tools.host.report.leaves(&format!(
            "the group {name} with the number {gid}, which existed before, could not be restored: {error}"
        ));
    }
    Ok(())
}

fn remove(tools: &Tools<'_>, account: &Account, with_home: bool, group: Group) -> Result<()> {
    let (host, name) = (tools.host, &account.name);
    // On Windows the system's own tool has all of it.
    let numbered = account.unix();
    if let Some(account) = &numbered {
        if account.uid == 0 {
            return Err(Error::new(Code::StepFailed, format!("{name} is root and is not removed")));
        }
        // What a timer or a login started since.
        processes::end(tools, account, group)?;
        // What it leaves is found by its number, which another account can have once this one is
        // gone.
        planted::remove(tools, account, group)?;
        // What one of those files started before it went.
        processes::end(tools, account, group)?;
    }
    let removed = host.system.remove_account(account, with_home);
    // Whether the account still exists decides, not the result of the tool.
    if accounts::find(host.root, name)?.is_some() {
        return Err(removed.err().unwrap_or_else(|| {
            Error::new(
                Code::StepFailed,
                format!("the system's tool reported success, but the account {name} still exists"),
            )
        }));
    }
    if let Err(error) = removed {
        host.report.leaves(&format!(
            "the account {name} is removed, but the system's tool reported an error: {error}"
        ));
    }
    if let Some(account) = &numbered {
        rest::tell_rest(tools, account);
    }
    Ok(())
}

fn remove_home(tools: &Tools<'_>, home: &Path, account: Option<&Account>) -> Result<Restored> {
    let root = tools.host.root;
    let Some(spot) = root.find(home)? else { return Ok(Restored::Done) };
    let Some(meta) = spot.metadata()? else { return Ok(Restored::Done) };
    let is_theirs = match account {
        Some(account) => account.uid() == meta.uid(),
        // Its account went in an earlier run, which may have given the home to root.
        None => match meta.uid() {
            Some(uid) => uid == 0 || !accounts::is_used(root, uid)?,
            None => false,
        },
    };
    if meta.kind != Kind::Folder || !is_theirs {
        let why = if is_theirs { "it is not a folder" } else { "it belongs to another account" };
        tools.host.report.leaves(&format!("the home {} stays: {why}", home.display()));
        return Ok(Restored::Done);
    }
    folder::purge(tools, &spot, None)
}
