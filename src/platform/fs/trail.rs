//! The way to a path, as it is found.

use super::{Kind, Meta, Provenance};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Every folder on the way to a path, and what stands at its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trail {
    /// The path, as it was named.
    pub path: PathBuf,
    /// The folders and links that were passed, from the root on.
    pub passed: Vec<Passed>,
    /// What stands at the end; `None`: nothing.
    pub end: Option<Meta>,
    /// Where it really is, links taken out.
    pub real: PathBuf,
    /// Where the way ends that has no end: the first missing name, or what is no folder.
    pub stopped: Option<String>,
    /// Who could have put another thing in the place of what stands at the end.
    #[serde(default)]
    pub ground: Provenance,
    /// Where the walk came upon another mount: folders on the way, and the end. What could not be
    /// told counts as one.
    #[serde(default)]
    pub mounts: Vec<PathBuf>,
}

impl Trail {
    /// Computes who could have put another thing in the place of each thing on the way.
    ///
    /// The caller counts as root, so this is for a walk made just now.
    pub(crate) fn note_grounds(&mut self) {
        let grounds = Provenance::of_way(self);
        self.ground = grounds.last().copied().unwrap_or_default();
        for (passed, ground) in self.passed.iter_mut().zip(grounds) {
            passed.ground = ground;
        }
    }

    /// The walk as far as a folder on the way; `None` where it did not pass the folder.
    pub fn up_to(&self, folder: &Path) -> Option<Self> {
        let at = self.passed.iter().position(|passed| passed.path == folder)?;
        let passed = self.passed.get(at)?;
        Some(Self {
            path: folder.to_owned(),
            real: folder.to_owned(),
            passed: self.passed.get(..at)?.to_vec(),
            end: Some(passed.meta),
            stopped: None,
            ground: passed.ground,
            mounts: self.mounts.iter().filter(|own| folder.starts_with(own)).cloned().collect(),
        })
    }

    /// Who could have put what stands at the end there, or changed it since: a file's content, or
    /// what is in a folder.
    pub fn changed_by(&self) -> Provenance {
        match (self.end, &self.stopped) {
            (Some(end), None) => self.ground.and(Provenance::of_meta(&end)),
            _ => Provenance::Anybody,
        }
    }

    /// Who could have made or changed what stands at the end; where nothing does, who could make it:
    /// what leads to nothing today can lead to something at the next look.
    pub fn made_by(&self) -> Provenance {
        if self.end.is_some() { self.changed_by() } else { self.ground }
    }

    /// Whether owners and modes, as they are noted, let nobody but root change what stands at the
    /// end or on the way. This is for judging; what root does goes by who was found to be able to.
    pub fn is_roots(&self) -> bool {
        let way = Provenance::of_way(self).last().copied().unwrap_or_default();
        let end = self.end.as_ref().map_or(Provenance::Root, Provenance::of_meta);
        way.and(end).is_root()
    }

    /// Who could have written the content of the file at the end. A walk that did not reach a file
    /// proves nothing.
    pub fn written_by(&self) -> Provenance {
        let is_file = self.end.is_some_and(|end| end.kind == Kind::File);
        if is_file { self.changed_by() } else { Provenance::Anybody }
    }
}

/// A folder or link on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Its path.
    pub path: PathBuf,
    /// Its owner and mode.
    pub meta: Meta,
    /// An access control list says more than the mode does.
    pub has_list: bool,
    /// Who could have put another thing in its place.
    #[serde(default)]
    pub ground: Provenance,
}
