//! The folders of an install, by the documented layout of its agent.

use super::change::Purpose;
use crate::{
    agent::Layout,
    host::{Install, PathWalk, Survey},
    platform::fs::{Meta, Permissions},
};
use std::path::{Path, PathBuf};

/// The folders of one install.
pub(super) struct OwnFolders {
    /// Of the binary and of the configuration.
    parts: Vec<PathBuf>,
    /// Of jobs' data and of logs.
    data: Vec<PathBuf>,
    /// The binary, the configuration, and the files of the service beside it.
    files: [PathBuf; 4],
    /// Places in all of them that the documentation names.
    known: Vec<PathBuf>,
    /// Those among them that jobs and the agent write to.
    for_jobs: Vec<PathBuf>,
}

impl OwnFolders {
    pub(super) fn of(survey: &Survey, install: &Install) -> Self {
        let layout = Layout::of(install.agent, survey.host.os, instance(install));
        let parent = |path: &Path| path.parent().map(Path::to_owned);
        let parts: Vec<PathBuf> =
            [parent(&layout.binary), parent(&layout.config)].into_iter().flatten().collect();
        // A log may be in a folder of other logs.
        let logs: Vec<PathBuf> = [layout.log, layout.start_log].into_iter().flatten().collect();
        let data = [&[layout.data], logs.as_slice()].concat();
        let files = [layout.binary, layout.config, layout.environment, layout.ca];
        let mut known = [parts.as_slice(), &data, &files].concat();
        let for_jobs = [&[layout.workdir], logs.as_slice()].concat();
        known.extend_from_slice(&for_jobs);
        Self { parts, data, files, known, for_jobs }
    }

    /// The folders that a path for this purpose may lie in.
    fn of_purpose(&self, purpose: Purpose) -> impl Iterator<Item = &PathBuf> {
        let parts = self.parts.iter().filter(move |_| purpose == Purpose::Agent);
        parts.chain(&self.data)
    }

    /// Whether a path is one of these folders, or in one of them.
    pub(super) fn contains(&self, path: &Path, purpose: Purpose) -> bool {
        self.of_purpose(purpose).any(|folder| path.starts_with(folder))
    }

    /// Whether the binary, the configuration or a file of the service is at a path, or below it.
    pub(super) fn has_part_in(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.starts_with(path))
    }

    /// Whether a path is in the folder of the binary or of the configuration, and in none for data.
    pub(super) fn is_with_part(&self, path: &Path) -> bool {
        self.parts.iter().any(|folder| path.starts_with(folder))
            && !self.contains(path, Purpose::Data)
    }

    /// Whether a path is one that the documentation names.
    pub(super) fn is_known(&self, path: &Path) -> bool {
        self.known.iter().any(|known| known == path)
    }

    /// Whether a path is the work folder or the log that the documentation names.
    pub(super) fn is_for_jobs(&self, path: &Path) -> bool {
        self.for_jobs.iter().any(|known| known == path)
    }

    /// Whether one of these folders is below a path.
    pub(super) fn is_above(&self, path: &Path) -> bool {
        self.of_purpose(Purpose::Agent).any(|folder| folder.starts_with(path) && folder != path)
    }

    /// Whether a path is in one of these folders, and only root can replace that folder.
    pub(super) fn holds(&self, walk: &PathWalk, purpose: Purpose) -> bool {
        let is_moved = walk.end.is_some() && walk.real != walk.path;
        let is_roots = |meta: &Meta| {
            meta.permissions == Permissions::Acl
                || meta.is_of(0) && (meta.has_none(0o022) || meta.has_any(0o1000))
        };
        self.of_purpose(purpose).filter(|folder| walk.path.starts_with(folder)).any(|folder| {
            let mut above = walk
                .passed
                .iter()
                .filter(|passed| folder.starts_with(&passed.path) && passed.path != *folder);
            walk.replaceable_by.is_root() || !is_moved && above.all(|passed| is_roots(&passed.meta))
        })
    }
}

/// The name of the instance: by the receipt, else by the name of the service.
fn instance(install: &Install) -> Option<&str> {
    let name = match (&install.receipt, &install.service) {
        (Some(_), _) => install.name.as_str(),
        (None, Some(service)) => install.agent.profile().instance_of(&service.name)?,
        (None, None) => return None,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (name != "default" && !name.is_empty() && name.chars().all(is_plain)).then_some(name)
}
