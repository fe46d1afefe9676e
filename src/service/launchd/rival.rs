//! Another agent that already has our launchd label.

use super::{AGENTS, DAEMONS, OnJob};
use crate::{
    Code, Command, Error, Help, Result,
    agent::{Profile, profiles},
    host::{Defined, Facts},
    platform::{Os, fs::Provenance, macos, paths::home},
    settings::Spec,
    text::shown,
};
use std::path::{Path, PathBuf};

/// Definitions by which another agent would have our label.
pub(super) fn places(spec: &Spec) -> impl Iterator<Item = PathBuf> {
    let file = format!("{}.plist", spec.layout.service);
    let home = home(Os::Darwin, spec.user.as_str());
    [PathBuf::from(AGENTS), home.join("Library/LaunchAgents")]
        .into_iter()
        .map(move |folder| folder.join(&file))
}

/// Refuses a label that another agent has: launchd runs one job for each label.
pub(super) fn refuse(spec: &Spec, facts: &Facts) -> Result<()> {
    let label = &spec.layout.service;
    let loaded = facts.services.get(label).and_then(|status| status.definition.clone());
    let loaded = loaded.filter(|path| *path != spec.layout.definition);
    let defined = places(spec).find(|path| facts.path(path).meta.is_some());
    // In any home; and at our own path, if it runs the other agent.
    let is_rival = |defined: &&Defined| {
        defined.label == *label
            && (defined.file != spec.layout.definition || defined.agent != spec.agent)
    };
    let of_launchd = facts.launchd.iter().find(is_rival).map(|launchd| launchd.file.clone());
    let Some(rival) = loaded.or(defined).or(of_launchd) else { return Ok(()) };
    let removal = removal(&rival, label);
    let rival = shown(&rival);
    let others = profiles().filter(|other| other.kind != spec.agent);
    let same = |other: &&Profile| other.names.label == spec.agent.profile().names.label;
    let same: Vec<&Profile> = others.filter(same).collect();
    let mut error = Error::new(Code::InTheWay, format!("{rival} already has the label {label}"));
    for title in same.iter().map(|other| other.title) {
        error = error.help(Help::words(format!(
            "{title} has the same label; only one of the two can run here"
        )));
    }
    error = error.help(Help::command("to remove it", &removal));
    for cask in same.iter().filter_map(|other| other.cask) {
        error = error.help(Help::words(format!("if Homebrew installed it: brew uninstall {cask}")));
    }
    Err(error.help("or give this agent another label: --instance NAME"))
}

/// Removes a launchd definition that only root can write. The user of a home chose the names in it.
fn removal(file: &Path, label: &str) -> Command {
    let by = Provenance::Root;
    match file.parent().and_then(Path::to_str) {
        Some(DAEMONS) => {
            OnJob::Bootout.of(macos::SYSTEM, label, by).then("; sudo rm").path(file, by)
        }
        Some(AGENTS) => {
            OnJob::Bootout.of(macos::DESKTOP, label, by).then("; sudo rm").path(file, by)
        }
        _ => Command::left_out(),
    }
}
