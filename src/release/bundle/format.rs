//! The bytes of a bundle: members whose headers say their name and size and nothing else, and at the
//! end the checksum of all before it, so that no byte can be changed unseen.

use crate::{Code, Error, Result, values::Sha256};
use sha2::Digest;
use std::io::{self, Read};
use tar::{EntryType, Header};

/// The form that this program writes and reads.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The first member.
pub(super) const MANIFEST: &str = "manifest.json";

/// The last member: 64 hex digits and a line break.
const CHECKSUM: &str = "checksum";

/// Bytes of a block of tar.
pub(super) const BLOCK: u64 = 512;

/// Bytes of what stands behind the parts: the last member, and the two blocks that end a tar.
pub(super) const TRAILER: u64 = 4 * BLOCK;

/// The header of a member.
///
/// # Errors
/// When no header can hold the name.
pub(super) fn header(name: &str, size: u64) -> Result<Vec<u8>> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(|error| invalid(&format!("cannot hold {name:?}: {error}")))?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

/// The zeros that fill a member's last block.
pub(super) fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

/// What stands behind the parts whose checksum this is.
///
/// # Errors
/// Never: the name is short.
pub(super) fn trailer(sum: Sha256) -> Result<Vec<u8>> {
    let text = format!("{sum}\n");
    let mut bytes = header(CHECKSUM, text.len() as u64)?;
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(usize::try_from(TRAILER).unwrap_or_default(), 0);
    Ok(bytes)
}

/// The checksum of so many bytes.
///
/// # Errors
/// When there are fewer, or they cannot be read.
pub(super) fn checksum(from: impl Read, size: u64) -> io::Result<Sha256> {
    let mut sha = sha2::Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let (mut rest, mut read) = (from.take(size), 0);
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        read += count as u64;
        sha.update(buffer.get(..count).unwrap_or_default());
    }
    match read == size {
        true => Ok(Sha256::from_bytes(sha.finalize().into())),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

pub(super) fn invalid(what: &str) -> Error {
    Error::new(Code::BundleInvalid, format!("the bundle {what}"))
}
