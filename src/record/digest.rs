//! The digest of a file's content.

use super::target::{Digest, Hasher};
use crate::{Code, Error, Result, platform::fs::Spot};
use std::io::Read;

/// No file of an agent has more bytes; its program has half of it.
pub(crate) const FILE_LIMIT: u64 = 256 << 20;

/// Fingerprints a file's content; `None` when it has more than `limit` bytes.
pub(crate) fn file_digest(spot: &Spot, key: Option<&[u8]>, limit: u64) -> Result<Option<Digest>> {
    let (file, meta) = spot.read()?;
    if meta.size > limit {
        return Ok(None);
    }
    // It may grow while it is read.
    let mut rest = file.take(limit + 1);
    let mut hasher = Hasher::new(key);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = rest.read(&mut buffer).map_err(|error| {
            Error::new(Code::StepFailed, format!("cannot read {}: {error}", spot.path().display()))
        })?;
        if read == 0 {
            return Ok((rest.limit() > 0).then(|| hasher.finish()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}
