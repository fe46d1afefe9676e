//! The decoding thread of an archive: it decodes the pieces as they arrive, and hands on the one
//! member that is wanted.

use super::{
    archive,
    decode::{Decoder, Encoding},
    pipeline::{BLOCK, Block, Blocks, Piece},
};
use crate::{Code, Error, Result};
use std::{
    io::{self, Read},
    sync::mpsc::Receiver,
};

/// Ends without error when the transfer was given up or the writer has stopped: they have it.
pub(super) fn unpack(pieces: &Receiver<Piece>, blocks: &Blocks, member: &str) -> Result<()> {
    let mut again = matches!(pieces.recv(), Ok(Piece::Begin(_)));
    while again {
        if blocks.send(Block::Begin).is_err() {
            return Ok(());
        }
        let mut arriving = Arriving::new(pieces);
        let mut has_stopped = false;
        let taken = archive::take(&mut arriving, member, blocks.empty(), |block| {
            blocks.pass_on(block).map_err(|_| {
                has_stopped = true;
                Error::new(Code::Broken, "the writer has stopped")
            })
        });
        match arriving.end {
            _ if has_stopped => return Ok(()),
            Some(End::Again) => {}
            Some(End::GivenUp) => return Ok(()),
            Some(End::Failed(error)) => return Err(error),
            Some(End::All) | None => {
                taken?;
                // A writer that has stopped says why.
                let _ = blocks.send(Block::End);
                again = false;
            }
        }
    }
    Ok(())
}

/// Why nothing follows.
enum End {
    /// All of it arrived.
    All,
    /// The transfer began anew.
    Again,
    /// The transfer was given up.
    GivenUp,
    /// It cannot be decoded.
    Failed(Error),
}

/// The decoded archive, read while its pieces arrive.
struct Arriving<'a> {
    pieces: &'a Receiver<Piece>,
    decoder: Decoder,
    piece: Vec<u8>,
    /// What of the piece was decoded.
    used: usize,
    decoded: Vec<u8>,
    /// What of the decoded bytes was read.
    read: usize,
    /// The decoder had no room for all of the last piece.
    is_full: bool,
    end: Option<End>,
}

impl<'a> Arriving<'a> {
    fn new(pieces: &'a Receiver<Piece>) -> Self {
        Self {
            pieces,
            decoder: Decoder::new(Encoding::Gzip),
            piece: Vec::new(),
            used: 0,
            decoded: Vec::with_capacity(BLOCK),
            read: 0,
            is_full: false,
            end: None,
        }
    }

    /// Decodes what is there, or waits for more; `false` when nothing follows.
    fn fill(&mut self) -> Result<bool, End> {
        self.decoded.clear();
        self.read = 0;
        while self.decoded.is_empty() {
            if self.used == self.piece.len() && !self.is_full {
                match self.pieces.recv() {
                    Ok(Piece::Encoded(piece)) => (self.piece, self.used) = (piece, 0),
                    Ok(Piece::Begin(_)) => return Err(End::Again),
                    Ok(Piece::End) => {
                        self.decoder.check_end().map_err(End::Failed)?;
                        return Ok(false);
                    }
                    Err(_) => return Err(End::GivenUp),
                }
            }
            let bytes = self.piece.get(self.used..).unwrap_or_default();
            let rest = self.decoder.decode(bytes, &mut self.decoded).map_err(End::Failed)?;
            self.used = self.piece.len() - rest.len();
            self.is_full = self.decoded.len() == self.decoded.capacity();
        }
        Ok(true)
    }
}

impl Read for Arriving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.decoded.len() {
            match self.end {
                Some(End::All) => return Ok(0),
                Some(_) => return Err(io::ErrorKind::BrokenPipe.into()),
                None => {}
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => {
                    self.end = Some(End::All);
                    return Ok(0);
                }
                Err(end) => {
                    self.end = Some(end);
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
        }
        let mut rest = self.decoded.get(self.read..).unwrap_or_default();
        let read = rest.read(into)?;
        self.read += read;
        Ok(read)
    }
}
