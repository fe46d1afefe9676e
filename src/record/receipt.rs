//! The receipt: what was installed, and how the host stood before. Readable by everyone, and so
//! without a secret.

use super::target::{Digest, Record, State, Target};
use crate::{
    agent::{Kind, Version},
    platform::Platform,
    values::Sha256,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// The form of receipts that this program writes.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What one instance's install made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Receipt {
    /// The form of this file; 1.
    pub schema_version: u32,
    /// The version of `runnerup` that wrote it last.
    pub tool_version: String,
    /// The instance's name; `default` for the one without a name.
    pub instance: String,
    /// When it was last written, RFC 3339.
    pub written: String,
    /// Whether the last run came to its end.
    pub complete: bool,
    /// Whether an agent is installed; `false` after an uninstall that kept data.
    pub installed: bool,
    /// The binary that was placed.
    pub binary: Option<PlacedBinary>,
    /// The settings that an install took, by option name, without the token.
    pub settings: BTreeMap<String, String>,
    /// Folders that were made for the state folder itself, outermost first.
    pub made_for_state: Vec<PathBuf>,
    /// Every target that was changed, in order.
    pub records: Vec<Record>,
}

/// Whether a text can be the name of an instance in a receipt or a journal.
pub(super) fn is_instance(name: &str) -> bool {
    // The reserved names too: receipts have them.
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('-')
}

/// The version of the agent that was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlacedBinary {
    /// Where it stands.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
    /// Its platform.
    pub platform: Platform,
    /// The checksum that was verified: its own, or that of the archive that it came in.
    pub sha256: Sha256,
    /// Whether it came in an archive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

impl Receipt {
    /// A receipt for an instance of which nothing is known yet.
    pub fn new(instance: &str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: instance.to_owned(),
            written: String::new(),
            complete: false,
            installed: false,
            binary: None,
            settings: BTreeMap::new(),
            made_for_state: Vec::new(),
            records: Vec::new(),
        }
    }

    /// The agent that was installed. Receipts of earlier versions have it where it was named.
    pub fn agent(&self) -> Kind {
        self.known_agent().unwrap_or_default()
    }

    /// The same; `None` for an install that was cut off before its receipt was written.
    pub fn known_agent(&self) -> Option<Kind> {
        let named = self.settings.get("agent").and_then(|name| name.parse().ok());
        named.or_else(|| self.installed.then(Kind::default))
    }

    /// The checksum of the binary that was placed, where it is known.
    pub fn binary_digest(&self) -> Option<Digest> {
        let placed = self.binary.as_ref()?;
        if !placed.archived {
            return Some(Digest::of_sha256(placed.sha256));
        }
        let record = self.record(&Target::File(placed.path.clone()))?;
        record.after.as_ref()?.digest.clone()
    }

    /// The record of a target, if this tool changed it.
    pub fn record(&self, target: &Target) -> Option<&Record> {
        self.records.iter().find(|record| record.target == *target)
    }

    /// Takes in what a step did. How the target stood before the *first* change stays: that is
    /// what `uninstall` puts back.
    pub fn changed(&mut self, record: Record) {
        match self.records.iter_mut().find(|known| known.target == record.target) {
            Some(known) => {
                // Its content is replaced for the first time only now.
                if let (State::PermissionsSet { meta }, State::File { backup, .. }) =
                    (&known.before, &record.before)
                {
                    known.before = State::File { meta: *meta, backup: backup.clone() };
                }
                known.after = record.after;
                // A step that only sets rights does not know what the folder is for.
                known.data |= record.data;
                // What an install makes as well is its own.
                known.cure &= record.cure;
            }
            None => self.records.push(record),
        }
    }

    /// Takes in that a target was put back.
    pub fn restored(&mut self, target: &Target) {
        self.records.retain(|record| record.target != *target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::{Kind, Meta, Permissions};

    #[test]
    fn the_first_before_stays() {
        let target = Target::File("/etc/x".into());
        let record = |before| Record {
            target: target.clone(),
            before,
            after: None,
            data: false,
            cure: false,
        };
        let mut receipt = Receipt::new("default");
        receipt.changed(record(State::Absent));
        receipt.changed(record(State::Present));
        assert_eq!(receipt.record(&target).unwrap().before, State::Absent);
        receipt.restored(&target);
        assert!(receipt.records.is_empty());
    }

    #[test]
    fn what_was_settled_and_then_written_is_put_back_whole() {
        let target = Target::File("/etc/x".into());
        let record = |before| Record {
            target: target.clone(),
            before,
            after: None,
            data: false,
            cure: false,
        };
        let meta = |mode| Meta {
            kind: Kind::File,
            permissions: Permissions::Mode { uid: 1, gid: 1, mode },
            size: 1,
            links: 1,
            identity: (1, 1, 1, 1),
        };
        let mut receipt = Receipt::new("doctor");
        receipt.changed(record(State::PermissionsSet { meta: meta(0o644) }));
        receipt.changed(record(State::File { meta: meta(0o600), backup: "b".into() }));
        let whole = State::File { meta: meta(0o644), backup: "b".into() };
        assert_eq!(receipt.record(&target).unwrap().before, whole);
    }
}
