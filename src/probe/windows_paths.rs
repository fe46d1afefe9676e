//! Paths of Windows as Windows writes them: inside of the program a slash is as good.

use crate::{
    host::{Install, Seen, Trail},
    text::shown,
};
use std::path::PathBuf;

/// Every path that a finding may name.
pub(super) fn as_windows_does(install: &mut Install) {
    let mut trails: Vec<&mut Trail> = Vec::new();
    if let Some(binary) = &mut install.binary {
        trails.extend(known(&mut binary.trail));
    }
    if let Some(Seen::Known(config)) = &mut install.config {
        trails.push(&mut config.trail);
    }
    trails.extend(install.paths.iter_mut().filter_map(|named| known(&mut named.trail)));
    if let Some(service) = &mut install.service {
        trails.extend(service.definitions.iter_mut().map(|definition| &mut definition.trail));
        service.directives.iter_mut().for_each(|directive| write(&mut directive.file));
    }
    for trail in trails {
        write(&mut trail.path);
        write(&mut trail.real);
        trail.passed.iter_mut().for_each(|passed| write(&mut passed.path));
    }
    if let Seen::Known(workdir) = &mut install.workdir {
        write(&mut workdir.folder);
        let left = workdir.greatest.iter_mut().chain(&mut workdir.foreign);
        left.for_each(|leftover| write(&mut leftover.path));
    }
}

fn known<T>(seen: &mut Seen<T>) -> Option<&mut T> {
    match seen {
        Seen::Known(fact) => Some(fact),
        Seen::Unseen(_) => None,
    }
}

fn write(path: &mut PathBuf) {
    *path = shown(&*path).into();
}
