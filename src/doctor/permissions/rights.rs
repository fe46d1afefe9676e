//! Access lists of Windows.

use super::{binary::binary, icacls::Closing};
use crate::{
    doctor::{Command, Judged, Problem, Remedy, Verdict},
    host::{AccountFacts, Grant, Install, Survey, Unseen, Windows},
    platform::{Os, fs::Kind},
};
use std::path::Path;

/// The facts of a Windows host; an image has none.
///
/// # Errors
/// Why they are not known.
fn windows(survey: &Survey) -> Result<&Windows, Unseen> {
    survey
        .host
        .windows
        .as_ref()
        .ok_or_else(|| Unseen::not_applicable("access lists are not part of an image"))
}

/// Whether access lists decide, and not owners and modes.
pub(super) fn apply(survey: &Survey) -> bool {
    survey.host.os == Os::Windows
}

/// The agent's account, whose own rights are no fault.
fn account<'a>(survey: &'a Survey, install: &Install) -> Result<&'a AccountFacts, Unseen> {
    survey.account_of(install).ok_or_else(|| match &survey.host.accounts_unread {
        Some(why) => Unseen::probe_failed(why.clone()),
        None => Unseen::not_examined("the account of the agent is not known"),
    })
}

/// Whether the agent's account may read its configuration.
pub(super) fn readable(survey: &Survey, install: &Install, path: &Path) -> Judged {
    let rights = windows(survey)?
        .rights(path)?
        .ok_or_else(|| Unseen::not_examined("the configuration does not exist"))?;
    let account = account(survey, install)?;
    if rights.may_read(account) {
        return Ok(Verdict::Holds(format!("{} can read {}", account.name, path.display())));
    }
    let remedy = Remedy::by_hand("Give the account the right to read the configuration.").command(
        Command::fixed("icacls").path(path, install.named_by).then("/grant").windows_user(
            &account.name,
            ":(RX)",
            install.account_by(account),
        ),
    );
    Ok(Problem::fail(format!("{} cannot read {}", account.name, path.display()))
        .seen(list(&rights.grants.iter().filter(|grant| grant.read).collect::<Vec<_>>()))
        .cure(remedy)
        .into())
}

/// Whether no other account may read or change the configuration. A right that every user inherits from
/// the program folder is a warning: the documented install leaves it.
pub(super) fn private(survey: &Survey, install: &Install, path: &Path) -> Judged {
    let rights = windows(survey)?
        .rights(path)?
        .ok_or_else(|| Unseen::not_examined("the configuration does not exist"))?;
    let others: Vec<&Grant> = rights.others(account(survey, install)?).collect();
    let users: Vec<&Grant> =
        others.iter().copied().filter(|other| other.read || other.write).collect();
    if users.is_empty() {
        return Ok(Verdict::Holds(
            "only the agent's account and administrators can use it".to_owned(),
        ));
    }
    let verb = if users.iter().any(|user| user.write) { "change" } else { "read" };
    let what = format!("{} can {verb} {}, which contains the token", who(&users), path.display());
    let is_left = others.iter().all(|other| other.inherited && !other.write);
    let problem = if is_left { Problem::warn(what) } else { Problem::fail(what) };
    let remedy = Remedy::by_hand(
        "Remove access for others. If other people use this host, create a new token.",
    );
    let account = account(survey, install)?;
    let closing = Closing { install, account, path, rights, kind: Kind::File };
    Ok(problem.seen(list(&users)).cure(closing.cure(remedy, &users)).into())
}

/// Whether no other account may change what the service runs: the binary, its folder, or the script
/// that starts it.
pub(super) fn unchangeable(survey: &Survey, install: &Install) -> Judged {
    let (windows, account) = (windows(survey)?, account(survey, install)?);
    let (_, walk) = binary(install)?;
    let folder = crate::host::same(&walk.path.display().to_string());
    let folder = folder.rsplit_once('\\').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    let scripts = install.service.iter().flat_map(|service| service.definitions.iter().skip(1));
    let scripts = scripts.map(|script| script.walk.path.clone());
    let mut judged = false;
    let mut problems = Vec::new();
    let file = |path| (path, Kind::File);
    let ways = [file(walk.path.clone()), (folder.into(), Kind::Folder)];
    for (path, kind) in ways.into_iter().chain(scripts.map(file)) {
        let Some(rights) = windows.rights(&path)? else { continue };
        judged = true;
        let others: Vec<&Grant> = rights.others(account).filter(|other| other.write).collect();
        if others.is_empty() {
            continue;
        }
        let remedy = Remedy::by_hand("Remove the right of other accounts to change it.");
        // As Windows writes it, and not as it is compared.
        let path = Path::new(&rights.path);
        let remedy = Closing { install, account, path, rights, kind }.cure(remedy, &others);
        problems.push(
            Problem::fail(format!("{} can change {}", who(&others), rights.path))
                .seen(list(&others))
                .cure(remedy),
        );
    }
    if !judged {
        return Err(Unseen::not_examined("the access list of the binary was not read"));
    }
    Ok(Verdict::of(problems, "only administrators and the agent's account can modify the binary"))
}

fn who(grants: &[&Grant]) -> String {
    let names: Vec<&str> = grants.iter().map(|grant| grant.who()).collect();
    names.join(", ")
}

fn list(grants: &[&Grant]) -> String {
    let rights = grants.iter().map(|grant| {
        let right = if grant.write { "write" } else { "read" };
        format!("{}: {right}{}", grant.who(), if grant.inherited { ", inherited" } else { "" })
    });
    format!("access list: {}", rights.collect::<Vec<_>>().join("; "))
}
