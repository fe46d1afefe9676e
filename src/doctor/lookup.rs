//! What several checks ask of a survey, and remedies that several of them give.

use super::{Consent, Remedy};
use crate::{
    apply::{Owner, Settle, Step},
    facts::survey::{AccountFacts, Install, Service, Survey, Trail, Unseen},
    platform::{
        command::quoted,
        fs::Kind,
        macos::launchd::{self, SYSTEM},
        service::Manager,
    },
};
use std::{path::Path, time::Duration};

/// How long an agent may drain whose configuration says nothing usable.
const DRAIN: Duration = Duration::from_secs(5 * 3600 + 300);

/// A path as a word of a shell command.
pub(super) fn word(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// A mode as `ls` and `chmod` write it.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// `-rw-r--r-- root:root`, for evidence.
pub(super) fn stand(trail: &Trail, survey: &Survey) -> String {
    match &trail.end {
        None => format!("{} is not there", trail.path.display()),
        Some(meta) => format!(
            "{} is {}, mode {}, owner {}",
            trail.path.display(),
            meta.kind,
            octal(meta.mode),
            owner(survey, meta.uid)
        ),
    }
}

/// An account's name where it is known, else its number.
pub(super) fn owner(survey: &Survey, uid: u32) -> String {
    let known = survey.host.accounts.iter().find(|account| account.uid == uid);
    known.map_or_else(
        || if uid == 0 { "root".to_owned() } else { format!("number {uid}") },
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
    survey.account(name).ok_or_else(|| unseen(format!("nothing is known of the account {name}")))
}

/// The account that an agent's jobs run as.
///
/// # Errors
/// Why it is not known.
pub(super) fn task_account<'a>(
    survey: &'a Survey,
    install: &Install,
) -> Result<&'a AccountFacts, Unseen> {
    let name = install.task_user.as_deref().unwrap_or("?");
    survey.account(name).ok_or_else(|| unseen(format!("nothing is known of the account {name}")))
}

/// The reason of a check that is skipped.
pub(super) fn unseen(why: impl Into<String>) -> Unseen {
    Unseen { why: why.into(), broke: false }
}

/// Sets owner and mode of what stands at a path. A step only on ground that nobody but root can
/// change: elsewhere the path could be another one by then.
pub(super) fn settled(remedy: Remedy, trail: &Trail, owner: Option<&str>, mode: u32) -> Remedy {
    let path = word(&trail.path);
    let mut remedy = remedy;
    if let Some(owner) = owner {
        remedy = remedy.command(format!("sudo chown {owner}: {path}"));
    }
    remedy = remedy.command(format!("sudo chmod {mode:o} {path}"));
    let is_folder = trail.is(Kind::Folder);
    // What is a link belongs to whoever made what it leads to.
    let is_link = trail.passed.iter().any(|passed| passed.path == trail.path);
    if is_link || !is_folder && !trail.is(Kind::File) {
        return remedy;
    }
    remedy.step(Step::Settle(Settle {
        path: trail.path.clone(),
        folder: is_folder,
        owner: owner.map(Owner::user),
        mode,
    }))
}

/// The same remedy, and the service started again so that it sees the change.
pub(super) fn restarted(remedy: Remedy, install: &Install) -> Remedy {
    let Some(service) = install.service.as_ref() else { return remedy };
    let name = &service.name;
    match service.manager {
        Manager::Systemd => {
            let remedy = remedy.command(format!("sudo systemctl restart {name}"));
            let step = Step::Start { service: name.clone(), drain: drain(install) };
            match install.runs_job() {
                Some(true) => remedy.step(step).asks(Consent::RestartBusy),
                _ => remedy.step(step),
            }
        }
        Manager::Launchd => {
            let remedy = remedy.command(format!("sudo launchctl kickstart -k {}", target(service)));
            let step = Step::Start { service: name.clone(), drain: drain(install) };
            match install.runs_job() {
                // Only what the system's domain holds is known to be started by its label alone.
                _ if !is_daemon(service) => remedy,
                Some(true) => remedy.step(step).asks(Consent::RestartBusy),
                _ => remedy.step(step),
            }
        }
        Manager::TaskScheduler => remedy
            .command(format!("schtasks /End /TN \"{name}\""))
            .command(format!("schtasks /Run /TN \"{name}\"")),
        Manager::None => remedy,
    }
}

/// What `launchctl` calls the job of a service: its domain and its label.
pub(super) fn target(service: &Service) -> String {
    format!("{}/{}", domain(service), service.name)
}

/// The domain that launchd has, or would have, a service in, as a word of a shell.
pub(super) fn domain(service: &Service) -> String {
    if let Some(domain) = service.state.ok().and_then(|state| state.domain.clone()) {
        return domain;
    }
    launchd::domain_of(service.file().map_or(Path::new(""), |file| file.path.as_path()))
}

/// Whether launchd runs it for the system, from the place where daemons are.
pub(super) fn is_daemon(service: &Service) -> bool {
    let file = service.file().map(|file| file.path.as_path());
    domain(service) == SYSTEM && file == Some(launchd::definition(&service.name).as_path())
}

/// How long an agent's job may take to end.
pub(super) fn drain(install: &Install) -> Duration {
    let longest = install
        .config()
        .ok()
        .and_then(|config| config.text("runner.max_run_time"))
        .and_then(|text| text.parse::<crate::spec::values::GoDuration>().ok());
    longest
        .map_or(DRAIN, |longest| Duration::from_secs(longest.seconds()) + Duration::from_secs(300))
}
