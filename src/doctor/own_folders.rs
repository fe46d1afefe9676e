//! The folders that an install has for itself, by the documented layout of its agent.

use crate::{
    agent::Kind,
    facts::survey::{Install, Survey, Trail},
    platform::{fs::Meta, layout::Layout},
};
use std::path::{Path, PathBuf};

/// The folders of one install.
pub(super) struct OwnFolders {
    folders: Vec<PathBuf>,
    /// Places in them that the documentation names.
    known: Vec<PathBuf>,
}

impl OwnFolders {
    pub(super) fn of(survey: &Survey, install: &Install) -> Self {
        let layout = Layout::of_agent(install.agent, survey.host.os, instance(install));
        let parent = |path: &Path| path.parent().map(Path::to_owned);
        let mut folders: Vec<PathBuf> =
            [parent(&layout.binary), parent(&layout.config)].into_iter().flatten().collect();
        folders.push(layout.data.clone());
        let mut known = folders.clone();
        known.extend([layout.binary, layout.config, layout.environment, layout.ca]);
        known.push(layout.workdir);
        // A log that stands beside others' is a place of its own.
        let logs = [layout.log, layout.start_log].into_iter().flatten();
        let logs: Vec<PathBuf> = logs.collect();
        folders.extend(logs.iter().cloned());
        known.extend(logs);
        Self { folders, known }
    }

    /// Whether a path is one of these folders, or in one of them.
    pub(super) fn contains(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether a path is one that the documentation names.
    pub(super) fn is_known(&self, path: &Path) -> bool {
        self.known.iter().any(|known| known == path)
    }

    /// Whether one of these folders is below a path.
    pub(super) fn is_above(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| folder.starts_with(path) && folder != path)
    }

    /// Whether a walk ends in one of these folders, and nobody but root can put another one in its
    /// place.
    pub(super) fn holds(&self, trail: &Trail) -> bool {
        let is_moved = trail.end.is_some() && trail.real != trail.path;
        let is_roots = |meta: &Meta| {
            meta.mode == Meta::LISTED
                || meta.uid == 0 && (meta.mode & 0o022 == 0 || meta.mode & 0o1000 != 0)
        };
        self.folders.iter().filter(|folder| trail.path.starts_with(folder)).any(|folder| {
            let mut above = trail
                .passed
                .iter()
                .filter(|passed| folder.starts_with(&passed.path) && passed.path != *folder);
            trail.ground.is_root() || !is_moved && above.all(|passed| is_roots(&passed.meta))
        })
    }
}

/// The name of the instance: by the receipt, else by the name of the service.
fn instance(install: &Install) -> Option<&str> {
    let name = match (&install.receipt, &install.service) {
        (Some(_), _) => install.name.as_str(),
        (None, Some(service)) => {
            let stem = service.name.trim_end_matches(".service");
            match install.agent {
                Kind::LaunchAgent => stem.strip_prefix("circleci-")?,
                Kind::MachineRunner => stem.strip_prefix("circleci-runner-")?,
            }
        }
        (None, None) => return None,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (name != "default" && !name.is_empty() && name.chars().all(is_plain)).then_some(name)
}
