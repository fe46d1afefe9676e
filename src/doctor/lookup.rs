//! What several checks ask of a survey, and remedies that several of them give.

use super::{Command, Consent, Remedy, remedy::Text, service::rules};
use crate::{
    agent::{Names, profiles},
    host::{AccountFacts, Install, PathWalk, Provenance, Service, Survey, Unseen},
    platform::fs::Meta,
    record::{IfBusy, Step},
    service::{Verb, is_closed},
    values::{GoDuration, LONGEST_UNCONFIRMED},
};
use std::time::Duration;

/// The longest job that a limit of root's is set for, whatever a configuration says: a week.
const LONGEST_LIMIT: u64 = 7 * 24 * 3600;

/// A mode as `ls` and `chmod` write it.
pub(super) fn octal(meta: &Meta) -> String {
    meta.mode().map_or_else(|| "(access list)".to_owned(), |mode| format!("{mode:04o}"))
}

/// A number of seconds, and in hours and minutes where it is long.
pub(super) fn duration(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, _) => format!("{seconds} s"),
        (_, 0) => format!("{seconds} s ({hours} h)"),
        _ => format!("{seconds} s ({hours} h {minutes} min)"),
    }
}

/// `-rw-r--r-- root:root`, for evidence.
pub(super) fn described(walk: &PathWalk, survey: &Survey) -> String {
    match &walk.end {
        None => format!("{} does not exist", walk.path.display()),
        Some(meta) => format!(
            "{} is {}, mode {}, owner {}",
            walk.path.display(),
            meta.kind,
            octal(meta),
            owner_of(survey, meta)
        ),
    }
}

/// The owner of a file or folder, for evidence.
pub(super) fn owner_of(survey: &Survey, meta: &Meta) -> String {
    meta.uid().map_or_else(|| "(access list)".to_owned(), |uid| owner(survey, uid))
}

/// An account's name where it is known, else its number.
pub(super) fn owner(survey: &Survey, uid: u32) -> String {
    let known = survey.host.accounts.iter().find(|account| account.uid() == Some(uid));
    known.map_or_else(
        || if uid == 0 { "root".to_owned() } else { format!("user ID {uid}") },
        |account| account.name.clone(),
    )
}

/// The account that an agent runs as.
///
/// # Errors
/// Why it is not known.
pub(super) fn account<'a>(
    survey: &'a Survey,
    install: &Install,
) -> Result<&'a AccountFacts, Unseen> {
    let name = install.user.as_deref().unwrap_or("?");
    survey
        .account(name)
        .ok_or_else(|| Unseen::not_examined(format!("the account {name} is not known")))
}

/// The account that an agent's jobs run as.
///
/// # Errors
/// Why it is not known.
pub(super) fn task_account<'a>(
    survey: &'a Survey,
    install: &Install,
) -> Result<&'a AccountFacts, Unseen> {
    let Some(name) = install.task_user.as_deref() else {
        return Err(Unseen::not_examined("the account that jobs run as is not known"));
    };
    survey
        .account(name)
        .ok_or_else(|| Unseen::not_examined(format!("the account {name} is not known")))
}

/// The service that runs an agent.
///
/// # Errors
/// There is none; where a configuration alone was given, nothing is missing.
pub(super) fn service(install: &Install) -> Result<&Service, Unseen> {
    install.service.as_ref().ok_or_else(|| match install.binary {
        Some(_) => Unseen::not_examined("no service runs the agent"),
        None => Unseen::not_applicable("only a configuration was given"),
    })
}

/// Every other agent that comes later in the survey, so that a pair is reported once.
pub(super) fn others<'a>(
    survey: &'a Survey,
    install: &'a Install,
) -> impl Iterator<Item = &'a Install> {
    let at = survey.installs.iter().position(|other| other.name == install.name);
    survey.installs.iter().skip(at.map_or(usize::MAX, |at| at + 1))
}

/// The same remedy, and the service started again so that it sees the change.
///
/// Root starts nothing that an account could have defined.
pub(super) fn restarted(remedy: Remedy, install: &Install) -> Remedy {
    let Some(service) = &install.service else { return remedy };
    if !install.named_by.is_root() && !is_documented(service) {
        return remedy;
    }
    let name = &service.name;
    let drain = drain(install).min(drain_of(install, longest_stop(install)));
    let start = |if_busy| Step::Start { service: name.clone(), drain, if_busy };
    let consented = |remedy: Remedy| match install.is_free() {
        _ if !install.named_by.is_root() => remedy,
        true => remedy.step(start(IfBusy::Leave)),
        // Unknown counts as busy: who hides the job must not have it ended.
        false => rules(service.manager)
            .draining(remedy, service)
            .step(start(IfBusy::Drain))
            .asks(Consent::RestartBusy),
    };
    let remedy = remedy.typed(Verb::Restart, install, service);
    match service.manager.profile().is_reached(service) {
        true => consented(remedy),
        false => remedy,
    }
}

/// The service started again where the remedy changes something that it has to see.
pub(super) fn restarted_if_changed(remedy: Remedy, install: &Install) -> Remedy {
    if remedy.fixable { restarted(remedy, install) } else { remedy }
}

/// Whether a service that facts tell of is one by the documentation's name, in a file that root
/// alone can change: what saved facts claim may have root start an agent, and nothing else.
fn is_documented(service: &Service) -> bool {
    let name = service.name.as_str();
    let is_of = |names: &Names| name.starts_with(names.unit) || name.starts_with(names.label);
    let of_agent = profiles().any(|profile| is_of(&profile.names));
    let is_there = |walk: &PathWalk| walk.end.is_some() && is_closed(walk);
    of_agent
        && !service.definitions.is_empty()
        && service.definitions.iter().all(|definition| is_there(&definition.walk))
}

/// The command that edits a file: as root where root alone named it and can change the folders on
/// the way, and else with the rights of the account whose file it is. The editor is of whoever types
/// the command in both cases: one that the account runs would read the account's own settings.
pub(super) fn edit(survey: &Survey, walk: &PathWalk, named_by: Provenance) -> Command {
    if named_by.is_root() && walk.replaceable_by.is_root() {
        return Command::fixed("sudoedit").path(&walk.path, named_by);
    }
    let owner = walk.end.and_then(|end| {
        survey.host.accounts.iter().find(|account| account.owns(&end) && !account.is_root())
    });
    let Some(owner) = owner else { return Command::left_out() };
    // What an account is called, a host's own list says.
    Command::fixed("sudoedit -u").user(&owner.name, named_by).path(&walk.path, named_by)
}

/// The same for the configuration of an agent; no command where none is known.
pub(super) fn edit_config(survey: &Survey, install: &Install) -> Command {
    match install.config_file() {
        Ok(config) => edit(survey, &config.walk, install.named_by),
        Err(_) => Command::left_out(),
    }
}

/// The longest that a job may take by the agent's configuration, in seconds.
pub(super) fn longest_job(install: &Install) -> u64 {
    let limit = install.settings().text("runner.max_run_time").and_then(|text| text.parse().ok());
    limit.map_or(install.agent.profile().drain.longest_job.as_secs(), GoDuration::seconds)
}

/// The longest job, in seconds, that root lets a stop of the service wait for: an agent that passes
/// over TERM holds up every shutdown for so long. What an account could have written counts no more
/// than for an install.
pub(super) fn longest_stop(install: &Install) -> u64 {
    match install.settings().by("runner.max_run_time").is_root() {
        true => LONGEST_LIMIT,
        false => LONGEST_UNCONFIRMED.seconds(),
    }
}

/// How long an agent's job may take to end.
pub(super) fn drain(install: &Install) -> Duration {
    drain_of(install, longest_job(install).min(LONGEST_LIMIT))
}

/// How long it may take to end with a job of so many seconds.
fn drain_of(install: &Install, longest_job: u64) -> Duration {
    install.agent.profile().drain_time(Duration::from_secs(longest_job))
}

/// What is right where a stop must not wait for as long as a job may take.
pub(super) fn shorter_jobs(install: &Install) -> Remedy {
    let hours = longest_stop(install) / 3600;
    Remedy::by_hand(Text::number(
        "Set a shorter runner.max_run_time: with this configuration a stop waits for a job of at most ",
        hours,
        " h.",
    ))
}
