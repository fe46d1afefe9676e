//! Paths of Windows as Windows writes them: inside of the program a slash is as good.

use crate::{
    host::{Install, PathWalk, Seen},
    text::shown,
};
use std::path::PathBuf;

/// Every path that a finding may name.
pub(super) fn as_windows_does(install: &mut Install) {
    let mut walks: Vec<&mut PathWalk> = Vec::new();
    if let Some(binary) = &mut install.binary {
        walks.extend(known(&mut binary.walk));
    }
    if let Some(Seen::Known(config)) = &mut install.config {
        walks.push(&mut config.walk);
    }
    walks.extend(install.paths.iter_mut().filter_map(|named| known(&mut named.walk)));
    if let Some(service) = &mut install.service {
        walks.extend(service.definitions.iter_mut().map(|definition| &mut definition.walk));
        service.directives.iter_mut().for_each(|directive| write(&mut directive.file));
    }
    for walk in walks {
        write(&mut walk.path);
        write(&mut walk.real);
        walk.passed.iter_mut().for_each(|passed| write(&mut passed.path));
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
