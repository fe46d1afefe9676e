//! What stands at a path.

use super::Facts;
use crate::{
    Result,
    platform::{
        fs::{Kind, Meta, Root},
        windows::registry::Place,
    },
    record::{self, Digest, Target},
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
    /// What systemd adds to a unit, by the unit's name.
    DropIns(String),
    /// What others than root left in the home of an account that is to be made.
    Home(PathBuf),
    /// A value of the Windows registry.
    Registry(Place),
    /// The accounts that the services of the host run as.
    ServiceUsers,
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
    pub trouble: Option<String>,
}

impl Fingerprint {
    /// Most bytes of a file that are read: its owner can make it as large as it likes. Only files
    /// of text hold a secret.
    fn limit(self) -> u64 {
        match self {
            Self::Plain => record::FILE_LIMIT,
            Self::Keyed => 16 << 20,
        }
    }
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
                let key = match fingerprint {
                    Fingerprint::Plain => None,
                    Fingerprint::Keyed => Some(facts.key.as_slice()),
                };
                self.digest = match known(path, &meta, facts) {
                    Known::Unchanged(digest) => Some(digest),
                    Known::Changed => None,
                    Known::Nothing => record::file_digest(&spot, key, fingerprint.limit())?,
                };
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the receipt says of a file's content.
enum Known {
    /// It has not been touched since: reading 100 MB again would tell nothing new.
    Unchanged(Digest),
    /// Its size is another one.
    Changed,
    /// It has to be read.
    Nothing,
}

fn known(path: &Path, meta: &Meta, facts: &Facts) -> Known {
    let Some(receipt) = facts.receipt.as_ref() else { return Known::Nothing };
    let record = receipt.record(&Target::File(path.to_owned()));
    let Some(after) = record.and_then(|record| record.after.as_ref()) else {
        return Known::Nothing;
    };
    if after.meta.size != meta.size {
        // Where no fingerprint was written down, changes are expected, and may be known ones.
        return if after.digest.is_some() { Known::Changed } else { Known::Nothing };
    }
    if after.meta.identity != meta.identity {
        return Known::Nothing;
    }
    let placed = || {
        let binary = receipt.binary.as_ref().filter(|binary| binary.path == path)?;
        Some(Digest::of_sha256(binary.sha256))
    };
    after.digest.clone().or_else(placed).map_or(Known::Nothing, Known::Unchanged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        platform::fs::empty_root,
        record::{After, Receipt, Record, State},
    };
    use std::fs::{self, File};

    fn digest(root: &Root, fingerprint: Fingerprint, facts: &Facts) -> Option<Digest> {
        let fact = PathFact::of(root, Path::new("/file"), Some(fingerprint), facts);
        assert_eq!(fact.trouble, None);
        fact.digest
    }

    #[test]
    fn a_file_that_is_too_large_to_be_ours_is_not_read() {
        let (folder, root) = empty_root();
        let file = File::create(folder.path().join("file")).unwrap();
        // Hours of reading.
        file.set_len(4 << 40).unwrap();
        for fingerprint in [Fingerprint::Plain, Fingerprint::Keyed] {
            assert_eq!(digest(&root, fingerprint, &Facts::default()), None);
        }
        file.set_len(4).unwrap();
        let known = Digest::of(&[0; 4], None);
        assert_eq!(digest(&root, Fingerprint::Plain, &Facts::default()), Some(known));
    }

    #[test]
    fn a_file_of_another_size_than_it_was_written_with_is_not_read() {
        let (folder, root) = empty_root();
        let path = folder.path().join("file");
        fs::write(&path, "four").unwrap();
        let meta = root.look(Path::new("/file")).unwrap().unwrap();
        let after = After { meta, digest: Some(Digest::of(b"four", None)) };
        let mut facts = Facts::default();
        let mut receipt = Receipt::new("default");
        receipt.changed(Record {
            target: Target::File("/file".into()),
            before: State::Absent,
            after: Some(after),
            data: false,
        });
        facts.receipt = Some(receipt);
        assert_eq!(digest(&root, Fingerprint::Plain, &facts), Some(Digest::of(b"four", None)));
        fs::write(&path, "five!").unwrap();
        assert_eq!(digest(&root, Fingerprint::Plain, &facts), None);
        fs::write(&path, "four").unwrap();
        assert_eq!(digest(&root, Fingerprint::Plain, &facts), Some(Digest::of(b"four", None)));
    }
}
