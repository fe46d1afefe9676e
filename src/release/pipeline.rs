//! Decoding, and hashing with writing, each on a thread of its own beside the transfer: what is
//! verified costs no time of its own. Channels are short and buffers go round, so that memory
//! does not depend on the size of the file.

use super::{Artifact, Sha256, format};
use crate::{Code, Error, Result};
use flate2::{Decompress, FlushDecompress, Status};
use reqwest::header::HeaderValue;
use sha2::Digest;
use std::{
    fs::File,
    io::{Seek, Write},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

/// Bytes of a decoded block.
const BLOCK: usize = 256 << 10;

/// Decoded blocks under way at most.
const BLOCKS: usize = 6;

/// Received pieces under way at most.
const PIECES: usize = 4;

/// Written bytes after which the disk is told to begin, so that the last sync has little to do.
const SYNC_EVERY: u64 = 16 << 20;

/// A decoded file that is larger is no agent.
const DECODED_LIMIT: u64 = 2 << 30;

/// What expands further, after the first megabyte, is no program: those compress about 3 to 1.
const RATIO_LIMIT: u64 = 100;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Identity,
}

/// The threads that a transfer feeds.
pub(super) struct Pipeline {
    pieces: SyncSender<Piece>,
    decoder: JoinHandle<Result<()>>,
    writer: JoinHandle<Result<u64>>,
}

enum Piece {
    Begin(Encoding),
    Encoded(Vec<u8>),
    End,
}

enum Block {
    Begin,
    Decoded(Vec<u8>),
    End,
}

/// The other side has stopped; its own error says why.
struct Stopped;

impl Encoding {
    /// By the `Content-Encoding` header; `None` for one that is not understood.
    pub(super) fn of(header: Option<&HeaderValue>) -> Option<Self> {
        match header.map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => Some(Self::Identity),
            Some(b"gzip" | b"x-gzip") => Some(Self::Gzip),
            Some(_) => None,
        }
    }
}

impl Pipeline {
    pub(super) fn start(into: File, artifact: &Artifact) -> Self {
        let (pieces, to_decode) = sync_channel(PIECES);
        let (blocks, to_write) = sync_channel(BLOCKS);
        let (used, free) = channel();
        let writer = Writer { file: into, artifact: artifact.clone(), used };
        Self {
            pieces,
            decoder: thread::spawn(move || decode(&to_decode, &blocks, &free)),
            writer: thread::spawn(move || writer.run(&to_write)),
        }
    }

    /// Begins the file anew: whatever came before is forgotten.
    pub(super) fn begin(&self, encoding: Encoding) -> bool {
        self.pieces.send(Piece::Begin(encoding)).is_ok()
    }

    /// Hands over the next bytes; `false` when the pipeline has failed, and
    /// [`Pipeline::finish`] says why.
    pub(super) fn send(&self, bytes: &[u8]) -> bool {
        self.pieces.send(Piece::Encoded(bytes.to_vec())).is_ok()
    }

    /// Ends the threads, so that nobody holds the file any more.
    pub(super) fn abandon(self) {
        let Self { pieces, decoder, writer } = self;
        drop(pieces);
        let _ = (decoder.join(), writer.join());
    }

    /// All bytes were sent: waits until the file is verified and synced, and says its size.
    pub(super) fn finish(self) -> Result<u64> {
        let Self { pieces, decoder, writer } = self;
        let _ = pieces.send(Piece::End);
        drop(pieces);
        let lost = |_| Err(Error::new(Code::StepFailed, "a thread of the download was lost"));
        let decoded = decoder.join().unwrap_or_else(lost);
        let written = writer.join().unwrap_or_else(|_| lost(Box::new(())).map(|()| 0));
        // A writer that was cut short by the decoder has nothing to say of its own.
        decoded.and(written)
    }
}

fn decode(
    pieces: &Receiver<Piece>,
    blocks: &SyncSender<Block>,
    free: &Receiver<Vec<u8>>,
) -> Result<()> {
    let mut decoder = Decoder::new(Encoding::Identity);
    for piece in pieces {
        let sent = match piece {
            Piece::Begin(encoding) => {
                decoder = Decoder::new(encoding);
                blocks.send(Block::Begin).map_err(|_| Stopped)
            }
            Piece::Encoded(bytes) => decoder.take(bytes, blocks, free)?,
            Piece::End => {
                decoder.check_end()?;
                // A writer that has gone has the error to tell.
                if decoder.flush(blocks).is_ok() {
                    let _ = blocks.send(Block::End);
                }
                return Ok(());
            }
        };
        if sent.is_err() {
            return Ok(());
        }
    }
    // The transfer was given up: it has the error.
    Ok(())
}

struct Decoder {
    gzip: Option<Decompress>,
    /// Between the end of one gzip member and the start of another.
    at_end: bool,
    block: Vec<u8>,
    encoded: u64,
    decoded: u64,
}

impl Decoder {
    fn new(encoding: Encoding) -> Self {
        let gzip = (encoding == Encoding::Gzip).then(|| Decompress::new_gzip(15));
        Self { gzip, at_end: true, block: Vec::new(), encoded: 0, decoded: 0 }
    }

    fn take(
        &mut self,
        bytes: Vec<u8>,
        blocks: &SyncSender<Block>,
        free: &Receiver<Vec<u8>>,
    ) -> Result<Result<(), Stopped>> {
        if self.gzip.is_none() {
            self.count(bytes.len() as u64, bytes.len() as u64)?;
            return Ok(blocks.send(Block::Decoded(bytes)).map_err(|_| Stopped));
        }
        let mut rest = bytes.as_slice();
        loop {
            if self.block.capacity() == 0 {
                self.block = free.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
                self.block.clear();
            }
            rest = self.inflate(rest)?;
            let is_full = self.block.len() == self.block.capacity();
            if is_full && self.flush(blocks).is_err() {
                return Ok(Err(Stopped));
            }
            if rest.is_empty() && !is_full {
                return Ok(Ok(()));
            }
        }
    }

    /// Decodes into what is left of the block, and returns what is left of `bytes`.
    fn inflate<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let broken =
            |why: &str| Err(Error::new(Code::EncodingBroken, format!("the gzip data {why}")));
        let Some(gzip) = self.gzip.as_mut() else { return Ok(bytes) };
        if self.at_end && self.encoded > 0 && !bytes.is_empty() {
            if bytes.first() != Some(&0x1f) {
                return broken("is followed by something else");
            }
            *gzip = Decompress::new_gzip(15);
        }
        if bytes.is_empty() && self.at_end {
            return Ok(bytes);
        }
        self.at_end = false;
        let before = (gzip.total_in(), gzip.total_out());
        let status = gzip.decompress_vec(bytes, &mut self.block, FlushDecompress::None);
        let (used, made) = (gzip.total_in() - before.0, gzip.total_out() - before.1);
        match status {
            Ok(Status::StreamEnd) => self.at_end = true,
            Ok(Status::Ok) => {}
            Ok(Status::BufError) if used == 0 && made == 0 && !bytes.is_empty() => {
                return broken("cannot be read on");
            }
            Ok(Status::BufError) => {}
            Err(_) => return broken("is damaged"),
        }
        self.count(used, made)?;
        Ok(usize::try_from(used).ok().and_then(|used| bytes.get(used..)).unwrap_or_default())
    }

    fn count(&mut self, encoded: u64, decoded: u64) -> Result<()> {
        self.encoded += encoded;
        self.decoded += decoded;
        if self.decoded > DECODED_LIMIT {
            return Err(Error::new(
                Code::TooLarge,
                format!("what arrives is larger than {} MiB", DECODED_LIMIT >> 20),
            ));
        }
        if self.decoded > self.encoded.saturating_mul(RATIO_LIMIT).saturating_add(1 << 20) {
            return Err(Error::new(
                Code::TooLarge,
                format!("what arrives expands more than {RATIO_LIMIT}-fold: no program does"),
            ));
        }
        Ok(())
    }

    fn flush(&mut self, blocks: &SyncSender<Block>) -> Result<(), Stopped> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        blocks.send(Block::Decoded(block)).map_err(|_| Stopped)
    }

    fn check_end(&self) -> Result<()> {
        if self.gzip.is_some() && !(self.at_end && self.encoded > 0) {
            return Err(Error::new(Code::EncodingBroken, "the gzip data ends too early"));
        }
        Ok(())
    }
}

struct Writer {
    file: File,
    artifact: Artifact,
    used: Sender<Vec<u8>>,
}

impl Writer {
    fn run(mut self, blocks: &Receiver<Block>) -> Result<u64> {
        let syncing = Syncing::start(&self.file);
        let mut sha = sha2::Sha256::new();
        let mut head = Vec::new();
        let (mut written, mut told) = (0_u64, 0_u64);
        for block in blocks {
            match block {
                Block::Begin => {
                    sha = sha2::Sha256::new();
                    head.clear();
                    (written, told) = (0, 0);
                    self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(cannot_write)?;
                }
                Block::Decoded(bytes) => {
                    let early = head.len() < format::HEAD;
                    if early {
                        head.extend(bytes.iter().take(format::HEAD - head.len()));
                    }
                    if early && head.len() >= format::HEAD {
                        format::check_executable(&head, self.artifact.platform)?;
                    }
                    sha.update(&bytes);
                    self.file.write_all(&bytes).map_err(cannot_write)?;
                    written += bytes.len() as u64;
                    if written - told >= SYNC_EVERY {
                        told = written;
                        syncing.tell();
                    }
                    let _ = self.used.send(bytes);
                }
                Block::End => {
                    let sum = Sha256::from_bytes(sha.finalize().into());
                    self.check(sum, &head, written)?;
                    syncing.finish();
                    self.file.sync_all().map_err(cannot_write)?;
                    return Ok(written);
                }
            }
        }
        Err(Error::new(Code::Broken, "the transfer was given up"))
    }

    fn check(&self, sum: Sha256, head: &[u8], written: u64) -> Result<()> {
        let wanted = self.artifact.sha256;
        if head.len() < format::HEAD {
            format::check_executable(head, self.artifact.platform)?;
        }
        if sum != wanted {
            return Err(Error::new(
                Code::ChecksumMismatch,
                format!("the {written} bytes that arrived hash to {sum}, and not to {wanted}"),
            )
            .help("nothing of it was kept; try again, and then look at what lies in between"));
        }
        Ok(())
    }
}

/// Has the disk write while the transfer goes on.
struct Syncing {
    tell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncing {
    fn start(file: &File) -> Self {
        let Ok(file) = file.try_clone() else { return Self { tell: None, thread: None } };
        let (tell, told) = sync_channel(1);
        // Errors show at the last sync, which is the one that counts.
        let thread = thread::spawn(move || told.iter().for_each(|()| drop(file.sync_data())));
        Self { tell: Some(tell), thread: Some(thread) }
    }

    fn tell(&self) {
        if let Some(tell) = self.tell.as_ref() {
            let _ = tell.try_send(());
        }
    }

    fn finish(mut self) {
        self.tell = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn cannot_write(error: impl std::fmt::Display) -> Error {
    Error::new(Code::HostUnfit, format!("the download cannot be written: {error}"))
        .help("df -h   # is there room?")
}
