//! The account of a task.

use crate::{
    doctor::{Command, Judged, Problem, Remedy, Verdict},
    host::{Install, Service, Survey, Unseen},
};

/// Whether the account of a task exists, if it is a local one.
pub(super) fn judge(survey: &Survey, install: &Install, service: &Service) -> Judged {
    let Some(name) = install.user.as_deref() else {
        return Err(Unseen::not_applicable("the task runs as the user who is logged on"));
    };
    let written = service.value("Principals/Principal", "UserId").unwrap_or(name);
    let domain = written.rsplit_once('\\').map(|(domain, _)| domain);
    let is_here =
        |domain: &str| domain == "." || domain.eq_ignore_ascii_case(&survey.host.hostname);
    if let Some(account) = survey.account(name) {
        return Ok(Verdict::Holds(account.name.clone()));
    }
    if ["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE"].contains(&name) {
        return Ok(Verdict::Holds(format!("{name}, an account of the system")));
    }
    if !domain.is_none_or(is_here) {
        return Err(Unseen::not_examined(format!("{written} is an account of a domain")));
    }
    if !survey.host.windows.as_ref().is_some_and(|windows| windows.lists_accounts) {
        return Err(Unseen::not_examined("the accounts of this host are not known"));
    }
    let remedy = Remedy::by_hand("Create the account, and register the task with it.")
        .command(Command::install());
    Ok(Problem::fail(format!("the task must run as {name}, an account that does not exist"))
        .seen(format!("UserId of the task is {written}"))
        .cure(remedy)
        .into())
}
