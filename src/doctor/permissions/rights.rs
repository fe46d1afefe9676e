//! Access lists, which Windows has in place of owners and modes.

use super::binary::binary;
use crate::{
    doctor::{Command, Judged, Problem, Remedy, Verdict},
    host::{AccountFacts, Grant, Install, Survey, Unseen, Windows},
    platform::Os,
};
use std::path::Path;

/// What only Windows has, where the host is one and is no image.
///
/// # Errors
/// Why nothing is known of it.
fn windows(survey: &Survey) -> Result<&Windows, Unseen> {
    survey
        .host
        .windows
        .as_ref()
        .ok_or_else(|| Unseen::not_applicable("access lists are not part of an image"))
}

/// Whether owners and modes say nothing here.
pub(super) fn apply(survey: &Survey) -> bool {
    survey.host.os == Os::Windows
}

/// Whose rights are its own business; without it nobody's can be told from a stranger's.
fn account<'a>(survey: &'a Survey, install: &Install) -> Result<&'a AccountFacts, Unseen> {
    survey.account_of(install).ok_or_else(|| match &survey.host.accounts_unread {
        Some(why) => Unseen::probe_failed(why.clone()),
        None => Unseen::not_examined("nothing is known of the account"),
    })
}

/// Whether the agent's account is given the right to read its configuration.
pub(super) fn readable(survey: &Survey, install: &Install, path: &Path) -> Judged {
    let rights =
        windows(survey)?.rights(path)?.ok_or_else(|| Unseen::not_examined("it is not there"))?;
    let account = account(survey, install)?;
    if rights.may_read(account) {
        return Ok(Verdict::Holds(format!("{} may", account.name)));
    }
    let remedy = Remedy::by_hand("Give the account the right to read it.").command(
        Command::fixed("icacls").path(path, install.named_by).then("/grant").windows_user(
            &account.name,
            ":(RX)",
            install.account_by(account),
        ),
    );
    Ok(Problem::fail(format!("{} may not read {}", account.name, path.display()))
        .seen(list(&rights.grants.iter().filter(|grant| grant.read).collect::<Vec<_>>()))
        .cure(remedy)
        .into())
}

/// Whether nobody else is given the right to read or change the configuration. What the program folder
/// gives every user by itself is what the documented install leaves: a warning.
pub(super) fn private(survey: &Survey, install: &Install, path: &Path) -> Judged {
    let rights =
        windows(survey)?.rights(path)?.ok_or_else(|| Unseen::not_examined("it is not there"))?;
    let others: Vec<&Grant> = rights.others(account(survey, install)?).collect();
    let users: Vec<&Grant> =
        others.iter().copied().filter(|other| other.read || other.write).collect();
    if users.is_empty() {
        return Ok(Verdict::Holds("only its account and administrators may use it".to_owned()));
    }
    let verb = if users.iter().any(|user| user.write) { "change" } else { "read" };
    let what = format!("{} can {verb} {}, which holds the token", who(&users), path.display());
    let is_left = others.iter().all(|other| other.inherited && !other.write);
    let problem = if is_left { Problem::warn(what) } else { Problem::fail(what) };
    let user = install.user.as_deref().unwrap_or("circleci");
    let remedy = Remedy::by_hand(
        "Remove access for others, and make a new token if strangers use this host.",
    )
    .command(
        Command::fixed("icacls")
            .path(path, install.named_by)
            .then("/inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F")
            .windows_user(user, ":(RX)", install.named_by),
    );
    Ok(problem.seen(list(&users)).cure(remedy).into())
}

/// Whether nobody else is given the right to change what the service runs: the binary, its
/// folder, or the script in front of it.
pub(super) fn unchangeable(survey: &Survey, install: &Install) -> Judged {
    let (windows, account) = (windows(survey)?, account(survey, install)?);
    let (_, trail) = binary(install)?;
    let folder = crate::host::same(&trail.path.display().to_string());
    let folder = folder.rsplit_once('\\').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    let scripts = install.service.iter().flat_map(|service| service.definitions.iter().skip(1));
    let scripts = scripts.map(|script| script.trail.path.clone());
    let mut judged = false;
    let mut problems = Vec::new();
    for path in [trail.path.clone(), folder.into()].into_iter().chain(scripts) {
        let Some(rights) = windows.rights(&path)? else { continue };
        judged = true;
        let others: Vec<&Grant> = rights.others(account).filter(|other| other.write).collect();
        if others.is_empty() {
            continue;
        }
        let remedy = Remedy::by_hand("Remove this right.").command(
            Command::fixed("icacls")
                .path(&path, install.named_by)
                .then("/inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F *S-1-5-32-545:RX"),
        );
        problems.push(
            Problem::fail(format!("{} can change {}", who(&others), rights.path))
                .seen(list(&others))
                .cure(remedy),
        );
    }
    if !judged {
        return Err(Unseen::not_examined("its access list was not read"));
    }
    Ok(Verdict::of(problems, "only administrators and its account can"))
}

fn who(grants: &[&Grant]) -> String {
    let names: Vec<&str> = grants.iter().map(|grant| grant.who()).collect();
    names.join(", ")
}

fn list(grants: &[&Grant]) -> String {
    let told = grants.iter().map(|grant| {
        let what = if grant.write { "changes" } else { "reads" };
        format!("{} {what}{}", grant.who(), if grant.inherited { " (inherited)" } else { "" })
    });
    told.collect::<Vec<_>>().join("; ")
}
