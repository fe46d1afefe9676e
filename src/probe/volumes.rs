//! Where agents write, and the space that is left there.

use super::{ProbeContext, host};
use crate::{
    host::{Install, Named, PathRole, PathWalk, ProbeName, Volume},
    platform::fs::Kind,
};
use std::path::PathBuf;

/// The file systems that an agent writes to, each once.
pub(super) fn of(context: &ProbeContext, installs: &[Install]) -> Vec<Volume> {
    if !context.is_host {
        return Vec::new();
    }
    let probes: Vec<_> = writes(installs)
        .into_iter()
        .map(|(folder, what)| {
            context.start(ProbeName::FileSystem, move |_| host::volume(&folder, what))
        })
        .collect();
    probes.into_iter().filter_map(|probe| probe.seen().ok().cloned().flatten()).collect()
}

/// The folders that agents write to, each once, and what they are for.
pub(super) fn writes(installs: &[Install]) -> Vec<(PathBuf, PathRole)> {
    let mut folders: Vec<(PathBuf, PathRole)> = Vec::new();
    for Named { role, walk, .. } in installs.iter().flat_map(|install| &install.paths) {
        let Some(folder) = walk.ok().and_then(PathWalk::nearest) else { continue };
        let folder = match walk.ok() {
            Some(walk) if walk.is(Kind::Folder) => walk.real.clone(),
            _ => folder.path.clone(),
        };
        if role.is_written() && !folders.iter().any(|(known, _)| *known == folder) {
            folders.push((folder, *role));
        }
    }
    folders
}
