//! Decoding, and hashing with writing, each on a thread of its own beside the transfer: what is
//! verified costs no time of its own. Channels are short and buffers go round, so that memory
//! does not depend on the size of the file.

use super::{
    Artifact,
    decode::{Decoder, Encoding},
    unpack::unpack,
    write::{Writer, Written, refuse_other},
};
use crate::{Code, Error, Result, values::Sha256};
use sha2::Digest;
use std::{
    cell::RefCell,
    fs::File,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

/// Bytes of a decoded block.
pub(super) const BLOCK: usize = 256 << 10;

/// Decoded blocks under way at most.
const BLOCKS: usize = 6;

/// Received pieces under way at most.
const PIECES: usize = 4;

/// The threads that a transfer feeds.
pub(super) struct Pipeline {
    pieces: SyncSender<Piece>,
    decoder: JoinHandle<Result<()>>,
    writer: JoinHandle<Result<Written>>,
    archive: Option<Archive>,
}

/// An archive is verified as it arrives, and its member by that.
struct Archive {
    arrived: RefCell<sha2::Sha256>,
    wanted: Sha256,
}

pub(super) enum Piece {
    Begin(Encoding),
    Encoded(Vec<u8>),
    End,
}

pub(super) enum Block {
    Begin,
    Decoded(Vec<u8>),
    End,
}

impl Pipeline {
    /// Starts the threads; `into` must be open for writing.
    pub(super) fn start(into: File, artifact: &Artifact) -> Result<Self> {
        let (pieces, to_decode) = sync_channel(PIECES);
        let (blocks, to_write) = sync_channel(BLOCKS);
        let (used, free) = channel();
        let writer = Writer::new(into, artifact);
        let blocks = Blocks { blocks, free };
        let decoder = match artifact.member.clone() {
            None => spawn("decode", move || decode(&to_decode, &blocks))?,
            Some(member) => spawn("unpack", move || unpack(&to_decode, &blocks, &member))?,
        };
        let wanted = artifact.sha256;
        let archive = || Archive { arrived: RefCell::default(), wanted };
        Ok(Self {
            pieces,
            decoder,
            archive: artifact.member.is_some().then(archive),
            writer: spawn("write", move || write(writer, &to_write, &used))?,
        })
    }

    /// Begins the file anew: whatever came before is forgotten. `false` as for
    /// [`Pipeline::send`].
    pub(super) fn begin(&self, encoding: Encoding) -> bool {
        if let Some(archive) = &self.archive {
            archive.arrived.take();
        }
        self.pieces.send(Piece::Begin(encoding)).is_ok()
    }

    /// Hands over the next bytes; `false` when the pipeline has failed, and
    /// [`Pipeline::finish`] says why.
    pub(super) fn send(&self, bytes: &[u8]) -> bool {
        if let Some(archive) = &self.archive {
            archive.arrived.borrow_mut().update(bytes);
        }
        self.pieces.send(Piece::Encoded(bytes.to_vec())).is_ok()
    }

    /// Ends the threads, so that nobody holds the file any more.
    pub(super) fn abandon(self) {
        let Self { pieces, decoder, writer, .. } = self;
        drop(pieces);
        let _ = (decoder.join(), writer.join());
    }

    /// All bytes were sent: waits until the file is verified and synced.
    pub(super) fn finish(self) -> Result<Written> {
        let Self { pieces, decoder, writer, archive } = self;
        let refused = archive.map_or(Ok(()), |archive| {
            refuse_other(archive.arrived.into_inner(), archive.wanted, "archive").map(drop)
        });
        if refused.is_ok() {
            let _ = pieces.send(Piece::End);
        }
        drop(pieces);
        let lost = || Error::new(Code::StepFailed, "a thread of the download was lost");
        let decoded = decoder.join().unwrap_or_else(|_| Err(lost()));
        let written = writer.join().unwrap_or_else(|_| Err(lost()));
        // A decoder that failed did not wait for the rest, by which the checksum was taken. A writer
        // that was cut short has nothing to say of its own.
        match written {
            Err(error) if error.code() != Code::Broken => Err(error),
            written => decoded.and(refused).and(written),
        }
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<JoinHandle<Result<T>>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::new(Code::HostUnfit, format!("no thread can be started: {error}")))
}

/// Where decoded blocks go, and where used ones come back.
pub(super) struct Blocks {
    blocks: SyncSender<Block>,
    free: Receiver<Vec<u8>>,
}

/// The writer has stopped; its own error says why.
pub(super) struct Stopped;

impl Blocks {
    pub(super) fn empty(&self) -> Vec<u8> {
        let mut block = self.free.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
        block.clear();
        block
    }

    pub(super) fn send(&self, block: Block) -> Result<(), Stopped> {
        self.blocks.send(block).map_err(|_| Stopped)
    }

    /// Sends a block unless it is empty, and puts an empty one in its place.
    pub(super) fn pass_on(&self, block: &mut Vec<u8>) -> Result<(), Stopped> {
        if block.is_empty() {
            return Ok(());
        }
        self.send(Block::Decoded(std::mem::replace(block, self.empty())))
    }
}

/// Ends without error when the transfer was given up or the writer has stopped: they have it.
fn decode(pieces: &Receiver<Piece>, blocks: &Blocks) -> Result<()> {
    let mut decoder = Decoder::new(Encoding::Identity);
    let mut block = blocks.empty();
    for piece in pieces {
        let passed_on = match piece {
            Piece::Begin(encoding) => {
                decoder = Decoder::new(encoding);
                block.clear();
                blocks.send(Block::Begin)
            }
            Piece::Encoded(bytes) => {
                let mut passed_on = Ok(());
                let mut rest = bytes.as_slice();
                while passed_on.is_ok() {
                    rest = decoder.decode(rest, &mut block)?;
                    let is_full = block.len() == block.capacity();
                    if !is_full && rest.is_empty() {
                        break;
                    }
                    if is_full {
                        passed_on = blocks.pass_on(&mut block);
                    }
                }
                passed_on
            }
            Piece::End => {
                decoder.check_end()?;
                let _ = blocks.pass_on(&mut block).and_then(|()| blocks.send(Block::End));
                return Ok(());
            }
        };
        if passed_on.is_err() {
            break;
        }
    }
    Ok(())
}

fn write(mut writer: Writer, blocks: &Receiver<Block>, used: &Sender<Vec<u8>>) -> Result<Written> {
    for block in blocks {
        match block {
            Block::Begin => writer.begin()?,
            Block::Decoded(bytes) => {
                writer.take(&bytes)?;
                // The decoder may have ended already, and needs no block any more.
                let _ = used.send(bytes);
            }
            Block::End => return writer.end(),
        }
    }
    Err(Error::new(Code::Broken, "the transfer was given up"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Sha256;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use sha2::Digest;
    use std::io::{Read, Seek, Write};

    fn agent(size: usize) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0".to_vec();
        bytes.resize(16, 0);
        bytes.extend([2, 0, 62, 0]);
        // Neither all the same nor without any pattern.
        bytes.extend((0..size).map(|index| (index * index / 97 % 251) as u8));
        bytes
    }

    fn artifact(of: &[u8]) -> Artifact {
        let sha256 = Sha256::from_bytes(sha2::Sha256::digest(of).into());
        Artifact {
            version: "1.1.1-a".parse().unwrap(),
            platform: "linux/amd64".parse().unwrap(),
            url: "https://bucket.example.com/a".parse().unwrap(),
            sha256,
            member: None,
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What stands in the file after `sent` went through in pieces of `size`.
    fn through(encoding: Encoding, sent: &[u8], size: usize, want: &[u8]) -> Result<Vec<u8>> {
        passed(encoding, sent, size, &artifact(want))
    }

    fn passed(encoding: Encoding, sent: &[u8], size: usize, want: &Artifact) -> Result<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        let pipeline = Pipeline::start(file.try_clone().unwrap(), want)?;
        // What a broken transfer left before it began anew.
        let earlier = match want.member {
            None => b"\x7fELF, and nonsense",
            Some(_) => sent.get(..sent.len() / 2).unwrap_or_default(),
        };
        let _ = pipeline.begin(Encoding::Identity) && pipeline.send(earlier);
        let _ = pipeline.begin(encoding) && sent.chunks(size).all(|piece| pipeline.send(piece));
        let Written { bytes, sha256 } = pipeline.finish()?;
        file.rewind().unwrap();
        let mut written = Vec::new();
        file.read_to_end(&mut written).unwrap();
        assert_eq!(bytes, written.len() as u64);
        assert_eq!(sha256, artifact(&written).sha256);
        Ok(written)
    }

    /// A `.tar.gz` with the agent as its member, and what it must be.
    fn packed(agent: &[u8]) -> (Vec<u8>, Artifact) {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in [("LICENSE", &b"text"[..]), ("circleci-runner", agent)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, content).unwrap();
        }
        let archive = gzip(&builder.into_inner().unwrap());
        let member = Some("circleci-runner".to_owned());
        let artifact = Artifact { member, ..artifact(&archive) };
        (archive, artifact)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_was_encoded_arrives_however_it_was_cut(
            size in 0_usize..3 * BLOCK,
            piece in prop_oneof![1_usize..64, 1000_usize..100_000],
            cut in 0_usize..BLOCK,
        ) {
            let agent = agent(size);
            let (first, second) = agent.split_at(cut.min(agent.len()));
            let members = [gzip(first), gzip(second)].concat();
            for (encoding, sent) in
                [(Encoding::Gzip, &gzip(&agent)), (Encoding::Gzip, &members), (Encoding::Identity, &agent)]
            {
                prop_assert!(through(encoding, sent, piece, &agent).unwrap() == agent);
            }
            let (archive, artifact) = packed(&agent);
            prop_assert!(passed(Encoding::Identity, &archive, piece, &artifact).unwrap() == agent);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_give_an_answer(
            bytes: Vec<u8>, looks_right: bool, piece in 1_usize..32, encoded: bool,
        ) {
            let start: &[u8] = if looks_right { b"\x1f\x8b\x08\0\0\0\0\0\0\xff" } else { b"" };
            let sent = [start, &bytes].concat();
            let encoding = if encoded { Encoding::Gzip } else { Encoding::Identity };
            prop_assert!(through(encoding, &sent, piece, &agent(1)).is_err());
            prop_assert!(passed(encoding, &sent, piece, &packed(&agent(1)).1).is_err());
        }
    }

    #[test]
    fn an_archive_is_verified_as_a_whole() {
        let (archive, artifact) = packed(&agent(50_000));
        let code =
            |sent: &[u8]| passed(Encoding::Identity, sent, 999, &artifact).unwrap_err().code();
        // Its header says when it was made, and nothing checks that but the checksum.
        let mut other = archive.clone();
        other[5] ^= 1;
        assert_eq!(code(&other), Code::ChecksumMismatch);
        assert_eq!(code(&archive[..archive.len() - 1]), Code::ChecksumMismatch);
        assert_eq!(code(&archive[..archive.len() / 2]), Code::ChecksumMismatch);
        assert_eq!(code(&[]), Code::ChecksumMismatch);
        assert_eq!(code(b"<!DOCTYPE html>"), Code::EncodingBroken);
        assert_eq!(code(&[&archive[..], b"more"].concat()), Code::EncodingBroken);
        let mut damaged = archive.clone();
        damaged[archive.len() / 2] ^= 1;
        let code = code(&damaged);
        assert!([Code::EncodingBroken, Code::ChecksumMismatch].contains(&code), "{code:?}");
    }

    #[test]
    fn an_archive_that_hashes_as_published_must_hold_an_agent() {
        let published = |agent: &[u8]| {
            let (archive, artifact) = packed(agent);
            passed(Encoding::Identity, &archive, 999, &artifact).unwrap_err().code()
        };
        assert_eq!(published(b"#!/bin/sh\nexit\n"), Code::NotExecutable);
        assert_eq!(published(b""), Code::NotExecutable);
        let gzipped = gzip(&agent(10));
        let artifact = Artifact { member: Some("circleci-runner".into()), ..artifact(&gzipped) };
        let error = passed(Encoding::Identity, &gzipped, 999, &artifact).unwrap_err();
        assert_eq!(error.code(), Code::ArchiveInvalid, "{error}");
    }

    #[test]
    fn another_content_is_refused() {
        let error = through(Encoding::Identity, &agent(100), 64, &agent(101)).unwrap_err();
        assert_eq!(error.code(), Code::ChecksumMismatch);
    }

    #[test]
    fn a_cut_or_prolonged_encoding_is_refused() {
        let agent = agent(5000);
        let whole = gzip(&agent);
        let prolonged = [whole.as_slice(), b"\0\0\0\0"].concat();
        for sent in [&whole[..whole.len() - 1], &whole[..5], &[], &prolonged, &agent] {
            let error = through(Encoding::Gzip, sent, 999, &agent).unwrap_err();
            assert_eq!(error.code(), Code::EncodingBroken, "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let agent = agent(5000);
        let pipeline = Pipeline::start(full, &artifact(&agent)).unwrap();
        // No `begin`: a device cannot be truncated.
        let _ = pipeline.send(&agent);
        let error = pipeline.finish().unwrap_err();
        assert!(error.message().contains("cannot be written"), "{error}");
    }
}
