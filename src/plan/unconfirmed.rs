//! Settings that only an existing configuration has, which the account of jobs can write. Where root would
//! act on one, a person must confirm it.

use super::desired::is_declared;
use crate::{
    Code, Error, Result,
    host::Facts,
    platform::Os,
    settings::{Settings, Source, Spec},
    text::{inner, shown},
    values::{LONGEST_UNCONFIRMED, static_prefix},
};
use std::path::Path;

/// Refuses settings that only the account could have chosen.
///
/// # Errors
/// With the option that confirms the setting.
pub(super) fn refuse_unconfirmed(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    refuse_endless_stop(spec, settings, facts)?;
    refuse_updates(spec, settings, facts)?;
    if facts.receipt.is_some() {
        return Ok(());
    }
    refuse_places(spec, settings, facts)?;
    refuse_prefix(spec, settings)
}

/// A folder or a file that root would create for the account.
fn refuse_places(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    let account = facts.account(spec.user.as_str());
    let is_theirs = |path: &Path| {
        let owner = facts.path(path).meta.and_then(|meta| meta.uid());
        path.starts_with(&spec.layout.data)
            || owner.is_some_and(|uid| account.is_some_and(|account| account.uid() == Some(uid)))
    };
    let workdir = Some(static_prefix(spec.workdir.as_str()));
    let log = spec.log_file.as_ref().map(|path| inner(path.as_str()));
    let places = [("workdir", workdir), ("log-file", log)];
    for (name, path) in places {
        let source = settings.source(name);
        let Some(path) = path.filter(|_| matches!(source, Source::Existing(_))) else { continue };
        if is_theirs(&path) {
            continue;
        }
        let text = shown(&path);
        let error = Error::new(
            Code::UntrustedPath,
            format!("{text} comes from the {source}, which the account can write"),
        );
        // Without the path, which the account chose: a person could paste it.
        return Err(error.help(match name {
            "workdir" => "confirm the folder: --workdir PATH",
            _ => "confirm the file: --log-file PATH",
        }));
    }
    Ok(())
}

/// A stop of the service, and so of the host, that waits longer for a job than by default.
fn refuse_endless_stop(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    let source = settings.source("max-run-time");
    let of_receipt = facts.receipt.as_ref().is_some_and(|receipt| {
        receipt
            .settings
            .get("max-run-time")
            .is_some_and(|setting| *setting == spec.max_run_time.to_string())
    });
    let is_unconfirmed = matches!(source, Source::Existing(_)) && !of_receipt;
    if !is_unconfirmed || spec.max_run_time <= LONGEST_UNCONFIRMED {
        return Ok(());
    }
    Err(Error::new(
        Code::ValueInvalid,
        format!(
            "a stop of the service would wait {} for a job, because of the {source}, which the \
             account can write",
            spec.max_run_time
        ),
    )
    .help("confirm how long a job may take: --max-run-time TIME"))
}

/// A binary of root, or its folder, that the account would own so that the agent updates itself. The
/// configuration decides whether the agent is one of the cloud, which updates itself by default.
fn refuse_updates(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    let is_persons = |source| !matches!(source, Source::Existing(_) | Source::Default);
    let source = match settings.source("auto-update") {
        Source::Existing(_) if facts.receipt.is_some() => return Ok(()),
        Source::Default if facts.path(&spec.layout.config).meta.is_none() => return Ok(()),
        Source::Default => settings.source("url"),
        source => source,
    };
    // Windows has no owners by number, and in an image that only declares its account root owns all
    // files until the first boot.
    let is_unknown = spec.platform.os() == Os::Windows || is_declared(facts);
    if !spec.auto_update || is_persons(source) || is_unknown {
        return Ok(());
    }
    let account = facts.account(spec.user.as_str());
    let is_others = |path: &&Path| {
        let owner = facts.path(path).meta.and_then(|meta| meta.uid());
        owner.is_some_and(|uid| account.is_none_or(|account| account.uid() != Some(uid)))
    };
    let binary = spec.layout.binary.as_path();
    let Some(path) = [Some(binary), binary.parent()].into_iter().flatten().find(is_others) else {
        return Ok(());
    };
    Err(Error::new(
        Code::UntrustedPath,
        format!(
            "{1} would own {0} so that the agent updates itself, because of the configuration, which \
             the account can write",
            shown(path),
            spec.user
        ),
    )
    .help("confirm it: --auto-update true, or --auto-update false"))
}

/// A command prefix with rights of root: on macOS the agent runs it as root, and with sudo the unit lets
/// jobs gain privileges.
fn refuse_prefix(spec: &Spec, settings: &Settings) -> Result<()> {
    let source = settings.source("command-prefix");
    let is_powerful = match spec.platform.os() {
        Os::Darwin => spec.command_prefix != spec.steps_down(),
        Os::Linux => spec.prefix_has_sudo(),
        Os::Windows => false,
    };
    if !matches!(source, Source::Existing(_)) || !is_powerful {
        return Ok(());
    }
    Err(Error::new(
        Code::UntrustedPath,
        format!("the command prefix comes from the {source}, which the account can write"),
    )
    .help("confirm the prefix, such as --command-prefix 'sudo -niHu USER --', or ''"))
}
