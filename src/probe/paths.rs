//! Reads what stands at a path that a plan is about.

use crate::{
    Result,
    host::{Facts, Fingerprint, PathFact},
    platform::fs::{Kind, Meta, Root},
    record::{self, Digest, Target},
};
use std::path::Path;

/// What stands at a path; one that cannot be read says why.
pub(super) fn fact(
    root: &Root,
    path: &Path,
    digest: Option<Fingerprint>,
    facts: &Facts,
) -> PathFact {
    let mut fact = PathFact::default();
    if let Err(error) = learn(&mut fact, root, path, digest, facts) {
        fact.failure = Some(error.to_string());
    }
    fact
}

fn learn(
    fact: &mut PathFact,
    root: &Root,
    path: &Path,
    digest: Option<Fingerprint>,
    facts: &Facts,
) -> Result<()> {
    let Some(spot) = root.find(path)? else { return Ok(()) };
    let Some(meta) = spot.metadata()? else { return Ok(()) };
    fact.meta = Some(meta);
    match (meta.kind, digest) {
        (Kind::Link, _) => fact.link = Some(spot.link_target()?),
        (Kind::File, Some(fingerprint)) => {
            let key = match fingerprint {
                Fingerprint::Plain => None,
                Fingerprint::Keyed => Some(facts.key.as_slice()),
            };
            fact.digest = match known(path, &meta, facts) {
                KnownDigest::Unchanged(digest) => Some(digest),
                KnownDigest::Changed => None,
                KnownDigest::Nothing => record::file_digest(&spot, key, limit(fingerprint))?,
            };
        }
        _ => {}
    }
    Ok(())
}

/// Most bytes of a file that are read: its owner can make it as large as it likes. Only files of
/// text hold a secret.
fn limit(fingerprint: Fingerprint) -> u64 {
    match fingerprint {
        Fingerprint::Plain => record::FILE_LIMIT,
        Fingerprint::Keyed => 16 << 20,
    }
}

/// What the receipt says of a file's content.
enum KnownDigest {
    /// It has not been touched since: reading 100 MB again would tell nothing new.
    Unchanged(Digest),
    /// Its size is another one.
    Changed,
    /// It has to be read.
    Nothing,
}

fn known(path: &Path, meta: &Meta, facts: &Facts) -> KnownDigest {
    let Some(receipt) = facts.receipt.as_ref() else { return KnownDigest::Nothing };
    let record = receipt.record(&Target::File(path.to_owned()));
    let Some(after) = record.and_then(|record| record.after.as_ref()) else {
        return KnownDigest::Nothing;
    };
    if after.meta.size != meta.size {
        // Where no fingerprint was written down, changes are expected, and may be known ones.
        return if after.digest.is_some() { KnownDigest::Changed } else { KnownDigest::Nothing };
    }
    if after.meta.identity != meta.identity {
        return KnownDigest::Nothing;
    }
    let placed = || {
        receipt.binary.as_ref().filter(|binary| binary.path == path)?;
        receipt.binary_digest()
    };
    after.digest.clone().or_else(placed).map_or(KnownDigest::Nothing, KnownDigest::Unchanged)
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
        let fact = fact(root, Path::new("/file"), Some(fingerprint), facts);
        assert_eq!(fact.failure, None);
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
        let meta = root.metadata(Path::new("/file")).unwrap().unwrap();
        let after = After { meta, digest: Some(Digest::of(b"four", None)), made_for: None };
        let mut facts = Facts::default();
        let mut receipt = Receipt::new("default");
        receipt.changed(Record {
            target: Target::File("/file".into()),
            before: State::Absent,
            after: Some(after),
            data: false,
            cure: false,
        });
        facts.receipt = Some(receipt);
        assert_eq!(digest(&root, Fingerprint::Plain, &facts), Some(Digest::of(b"four", None)));
        fs::write(&path, "five!").unwrap();
        assert_eq!(digest(&root, Fingerprint::Plain, &facts), None);
        fs::write(&path, "four").unwrap();
        assert_eq!(digest(&root, Fingerprint::Plain, &facts), Some(Digest::of(b"four", None)));
    }
}
