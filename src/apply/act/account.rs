//! The account that jobs run as.

use super::Tools;
use crate::{
    Code, Error, Result,
    apply::{
        step::{NewAccount, Step},
        target::State,
    },
    platform::accounts,
};

pub(super) fn before(tools: &Tools<'_>, name: &str, step: &Step) -> Result<State> {
    if accounts::find(tools.host.root, name)?.is_some() {
        return Ok(State::Present);
    }
    match step {
        Step::Account(NewAccount { home, .. }) if tools.host.root.look(home)?.is_some() => {
            Ok(State::HomeOnly)
        }
        _ => Ok(State::Absent),
    }
}

pub(super) fn create(tools: &Tools<'_>, account: &NewAccount) -> Result<()> {
    let host = tools.host;
    if accounts::find(host.root, &account.name)?.is_some() {
        return Ok(());
    }
    let NewAccount { name, home, shell, .. } = account;
    host.system.create_account(name, home, shell)?;
    match accounts::find(host.root, name)? {
        Some(_) => Ok(()),
        None => Err(Error::new(
            Code::StepFailed,
            format!("the system's tools ended well, and yet there is no account {name}"),
        )),
    }
}

pub(super) fn restore(tools: &Tools<'_>, name: &str, to: &State) -> Result<()> {
    let host = tools.host;
    match (to, accounts::find(host.root, name)?) {
        (State::Absent | State::HomeOnly, Some(account)) => {
            if account.uid == 0 {
                return Err(Error::new(Code::StepFailed, format!("{name} is root; it stays")));
            }
            let with_home = *to == State::Absent;
            host.system.remove_account(&account, with_home)
        }
        _ => Ok(()),
    }
}
