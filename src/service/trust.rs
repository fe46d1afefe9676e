//! Whether root may have a service manager act by a definition.

use crate::{
    host::{Install, PathWalk, Provenance, Service},
    platform::fs::Meta,
};

/// Whether root may have the system's manager act by what defines a service: another account that
/// can write a part of it says what root's manager runs, and what tools of root's read. Saved facts
/// must at least claim that nobody else can.
pub(super) fn is_roots(install: &Install, service: &Service) -> bool {
    match install.named_by {
        Provenance::Root => true,
        Provenance::Account(_) => false,
        Provenance::Anybody => {
            service.definitions.iter().all(|definition| is_closed(&definition.walk))
        }
    }
}

/// Whether modes and owners claim that root alone can change it.
pub(crate) fn is_closed(walk: &PathWalk) -> bool {
    let is_closed = |meta: &Meta| meta.is_of(0) && meta.has_none(0o022);
    walk.end.is_none_or(|end| is_closed(&end))
        && walk.passed.iter().all(|passed| is_closed(&passed.meta))
}
