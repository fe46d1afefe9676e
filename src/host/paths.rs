//! What a planner asks for, and what was found at a path.

use crate::{
    platform::{
        fs::{Kind, Meta},
        windows::registry::Place,
    },
    record::Digest,
};
use serde::Serialize;
use std::path::PathBuf;

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
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
    /// What systemd adds to a unit, by the unit's name.
    DropIns(String),
    /// What others than root left in the home of an account that is to be made.
    Home(PathBuf),
    /// A value of the Windows registry.
    Registry(Place),
    /// The accounts that the services of the host run as.
    ServiceUsers,
    /// Whether Credential Guard of Windows runs.
    CredentialGuard,
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
    /// The fingerprint of a file's content; `None` where it is larger than any file of ours, or
    /// has another size than it was written with.
    pub digest: Option<Digest>,
    /// Where a link points.
    pub link: Option<PathBuf>,
    /// Why it could not be looked at.
    #[serde(rename = "trouble")]
    pub failure: Option<String>,
}

impl PathFact {
    /// Nothing is there.
    pub(super) const NOTHING: Self = Self { meta: None, digest: None, link: None, failure: None };

    /// Whether it is of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.meta.is_some_and(|meta| meta.kind == kind)
    }
}
