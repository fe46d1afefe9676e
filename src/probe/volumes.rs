//! Where agents write, and the space that is left there.

use super::{ProbeContext, host};
use crate::{
    host::{Install, Named, PathRole, ProbeName, Trail, Volume},
    platform::fs::Kind,
};
use std::path::PathBuf;

/// The file systems that an agent writes to, each once.
pub(super) fn of(context: &ProbeContext, installs: &[Install]) -> Vec<Volume> {
    if !context.is_host {
        return Vec::new();
    }
    let looks: Vec<_> = writes(installs)
        .into_iter()
        .map(|(folder, what)| {
            context.start(ProbeName::FileSystem, move |_| host::volume(&folder, what))
        })
        .collect();
    looks.into_iter().filter_map(|look| look.seen().ok().cloned().flatten()).collect()
}

/// The folders that agents write to, each once, and what they are for.
pub(super) fn writes(installs: &[Install]) -> Vec<(PathBuf, PathRole)> {
    let mut folders: Vec<(PathBuf, PathRole)> = Vec::new();
    for Named { role, trail, .. } in installs.iter().flat_map(|install| &install.paths) {
        let Some(folder) = trail.ok().and_then(Trail::nearest) else { continue };
        let folder = match trail.ok() {
            Some(trail) if trail.is(Kind::Folder) => trail.real.clone(),
            _ => folder.path.clone(),
        };
        if role.is_written() && !folders.iter().any(|(known, _)| *known == folder) {
            folders.push((folder, *role));
        }
    }
    folders
}
