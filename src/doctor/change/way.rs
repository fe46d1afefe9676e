//! Folders above a path that an account cannot enter.

use super::{Change, Mode, Site, goes_up, refusal::Refusal, with_mode};
use crate::{
    doctor::Remedy,
    host::{AccountFacts, Provenance},
    record::{SetPermissions, Step},
};
use std::path::Path;

impl Change<'_> {
    /// Lets an account enter a folder above a path: a folder of the install, or one above it that root
    /// chose. No other folder is opened. The bits that let one account enter let all others enter too.
    pub(in crate::doctor) fn pass(
        &self,
        remedy: Remedy,
        site: Site<'_>,
        folder: &Path,
        account: &AccountFacts,
    ) -> Remedy {
        if goes_up(&site.walk.path) {
            return self.refused(remedy, Refusal::Up);
        }
        if self.is_with_agent(site) {
            return self.refused(remedy, Refusal::Agent);
        }
        let Some(way) = site.walk.up_to(folder) else { return remedy };
        let Some(meta) = way.end else { return remedy };
        let way = Site { walk: &way, ..site };
        let Some(mode) = Mode::of_way(&meta) else {
            return self.refused(remedy, Refusal::Shared);
        };
        let is_above = site.named_by.is_root()
            && way.walk.replaceable_by.is_root()
            && self.folders.is_above(folder)
            && meta.is_of(0);
        if !is_above && !self.folders.contains(folder, self.open_to(site)) {
            return self.refused(remedy, Refusal::NotOwn);
        }
        // Whoever wrote the configuration chose the account of jobs, and opens only own folders by it.
        let by = self.install.account_by(account);
        if !by.is_root() && (meta.is_of(0) || meta.uid().map(Provenance::Account) != Some(by)) {
            return self.refused(remedy, Refusal::Account);
        }
        match is_above {
            true => with_mode(remedy, way, mode).step(Step::SetPermissions(SetPermissions {
                path: folder.to_owned(),
                folder: true,
                owner: None,
                mode: mode.bits(),
                judged: way.walk.end,
                only_if_empty: false,
            })),
            false => self.permissions(remedy, way, None, mode),
        }
    }
}
