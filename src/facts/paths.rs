//! What stands at a path.

use super::Facts;
use crate::{
    Result,
    apply::{self, Digest, Target},
    platform::{
        fs::{Kind, Meta, Root},
        windows::registry::Place,
    },
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// A path, and what to learn of its content.
    Path {
        /// Where.
        path: PathBuf,
        /// How its content is fingerprinted; `None`: not at all.
        digest: Option<Fingerprint>,
    },
    /// An account, by name.
    Account(String),
    /// A service, by name.
    Service(String),
    /// A value of the Windows registry.
    Registry(Place),
}

/// How content is fingerprinted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fingerprint {
    /// For files that anyone may read.
    Plain,
    /// For files with a secret.
    Keyed,
}

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PathFact {
    /// Kind, owner, mode; `None` when nothing is there.
    pub meta: Option<Meta>,
    /// The fingerprint of a file's content.
    pub digest: Option<Digest>,
    /// Where a link points.
    pub link: Option<PathBuf>,
    /// Why it could not be looked at.
    pub trouble: Option<String>,
}

impl PathFact {
    pub(super) const NOTHING: Self = Self { meta: None, digest: None, link: None, trouble: None };

    /// Whether it is of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.meta.is_some_and(|meta| meta.kind == kind)
    }

    pub(super) fn of(root: &Root, path: &Path, digest: Option<Fingerprint>, facts: &Facts) -> Self {
        let mut fact = Self::default();
        if let Err(error) = fact.learn(root, path, digest, facts) {
            fact.trouble = Some(error.to_string());
        }
        fact
    }

    fn learn(
        &mut self,
        root: &Root,
        path: &Path,
        digest: Option<Fingerprint>,
        facts: &Facts,
    ) -> Result<()> {
        let Some(spot) = root.find(path)? else { return Ok(()) };
        let Some(meta) = spot.look()? else { return Ok(()) };
        self.meta = Some(meta);
        match (meta.kind, digest) {
            (Kind::Link, _) => self.link = Some(spot.link_target()?),
            (Kind::File, Some(fingerprint)) => {
                let known = known_digest(path, &meta, facts);
                self.digest = Some(match (known, fingerprint) {
                    (Some(known), _) => known,
                    (None, Fingerprint::Plain) => apply::file_digest(&spot, None)?,
                    (None, Fingerprint::Keyed) => apply::file_digest(&spot, Some(&facts.key))?,
                });
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the receipt says of a file that has not been touched since: reading 100 MB again would
/// tell nothing new.
fn known_digest(path: &Path, meta: &Meta, facts: &Facts) -> Option<Digest> {
    let receipt = facts.receipt.as_ref()?;
    let after = receipt.record(&Target::File(path.to_owned()))?.after.as_ref()?;
    if after.meta.identity != meta.identity || after.meta.size != meta.size {
        return None;
    }
    let placed = || {
        let binary = receipt.binary.as_ref().filter(|binary| binary.path == path)?;
        Some(Digest::of_sha256(binary.sha256))
    };
    after.digest.clone().or_else(placed)
}
