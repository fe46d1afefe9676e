//! The account that jobs run as.

use super::Tools;
use crate::{
    Code, Error, Result,
    apply::{
        step::{NewAccount, Step},
        target::State,
    },
    platform::{accounts, linux::account_tools},
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
    let group = accounts::group(host.root, &account.name)?.is_some();
    let NewAccount { name, home, shell } = account;
    let call = account_tools::create(host.commands, name, home, shell, group, host.image())?;
    host.commands.run(&call)?;
    match accounts::find(host.root, name)? {
        Some(_) => Ok(()),
        None => Err(Error::new(
            Code::StepFailed,
            format!("`{call}` ended well, and yet there is no account {name}"),
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
            let call = account_tools::remove(host.commands, name, with_home, host.image())?;
            host.commands.run(&call).map(drop)
        }
        _ => Ok(()),
    }
}
