//! From bytes as they travel to bytes as they were published, with a limit on how many.

use crate::{Code, Error, Result};
use flate2::{Decompress, FlushDecompress, Status};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// A decoded file that is larger is no agent.
const DECODED_LIMIT: u64 = 2 << 30;

/// What expands further, after the first megabyte, is no program: those compress about 3 to 1.
const RATIO_LIMIT: u64 = 100;

/// The largest window there is; gzip says in its header nothing about it.
const WINDOW_BITS: u8 = 15;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Identity,
}

impl Encoding {
    /// What a server may send a part of a file in that came so.
    pub(super) fn accepted(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// By the `Content-Encoding` headers.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let (first, more) = (values.next(), values.next());
        let name = first.map(|value| value.as_bytes().to_ascii_lowercase()).unwrap_or_default();
        match (name.as_slice(), more) {
            (b"" | b"identity", None) => Ok(Self::Identity),
            (b"gzip" | b"x-gzip", None) => Ok(Self::Gzip),
            _ => {
                let names: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().collect();
                Err(Error::new(
                    Code::EncodingBroken,
                    format!("the binary comes encoded as {names:?}; gzip or nothing is due"),
                ))
            }
        }
    }
}

/// Decodes one file, in pieces.
pub(super) struct Decoder {
    gzip: Option<Decompress>,
    /// Between the end of one gzip member and the start of another.
    between: bool,
    encoded: u64,
    decoded: u64,
}

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        let gzip = (encoding == Encoding::Gzip).then(|| Decompress::new_gzip(WINDOW_BITS));
        Self { gzip, between: true, encoded: 0, decoded: 0 }
    }

    /// Decodes into what is left of `block`'s capacity, and returns what is left of `bytes`.
    pub(super) fn decode<'a>(&mut self, bytes: &'a [u8], block: &mut Vec<u8>) -> Result<&'a [u8]> {
        let (used, made) = match self.gzip.as_mut() {
            _ if bytes.is_empty() && self.between => return Ok(bytes),
            Some(gzip) => {
                if self.between && self.encoded > 0 {
                    if bytes.first() != Some(&0x1f) {
                        return Err(broken("is followed by something else"));
                    }
                    *gzip = Decompress::new_gzip(WINDOW_BITS);
                }
                let before = (gzip.total_in(), gzip.total_out());
                let status = gzip
                    .decompress_vec(bytes, block, FlushDecompress::None)
                    .map_err(|_| broken("is damaged"))?;
                let moved = (gzip.total_in() - before.0, gzip.total_out() - before.1);
                let has_room = block.len() < block.capacity();
                if moved == (0, 0) && status == Status::BufError && has_room && !bytes.is_empty() {
                    return Err(broken("cannot be read on"));
                }
                self.between = status == Status::StreamEnd;
                moved
            }
            None => {
                let room = bytes.len().min(block.capacity() - block.len());
                block.extend_from_slice(bytes.get(..room).unwrap_or_default());
                (room as u64, room as u64)
            }
        };
        self.count(used, made)?;
        Ok(usize::try_from(used).ok().and_then(|used| bytes.get(used..)).unwrap_or_default())
    }

    /// All bytes were given: the encoding must be complete.
    pub(super) fn check_end(&self) -> Result<()> {
        match self.gzip.is_none() || (self.between && self.encoded > 0) {
            true => Ok(()),
            false => Err(broken("ends too early")),
        }
    }

    fn count(&mut self, encoded: u64, decoded: u64) -> Result<()> {
        self.encoded += encoded;
        self.decoded += decoded;
        let too_large =
            |what: String| Err(Error::new(Code::TooLarge, format!("what arrives {what}")));
        if self.decoded > DECODED_LIMIT {
            return too_large(format!("is larger than {} MiB", DECODED_LIMIT >> 20));
        }
        if self.decoded > self.encoded.saturating_mul(RATIO_LIMIT).saturating_add(1 << 20) {
            return too_large(format!("expands more than {RATIO_LIMIT}-fold: no program does"));
        }
        Ok(())
    }
}

fn broken(why: &str) -> Error {
    Error::new(Code::EncodingBroken, format!("the gzip data {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(values: &[&'static str]) -> Result<Encoding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        Encoding::of(&headers)
    }

    #[test]
    fn gzip_and_identity_are_understood_and_nothing_else() {
        assert_eq!(encoding(&[]), Ok(Encoding::Identity));
        assert_eq!(encoding(&["identity"]), Ok(Encoding::Identity));
        assert_eq!(encoding(&["GZip"]), Ok(Encoding::Gzip));
        for values in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["identity", "br"]] {
            assert!(encoding(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_within_two_megabytes() {
        use std::io::Write;
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        bomb.write_all(&vec![0; 16 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        let (mut decoder, mut rest) = (Decoder::new(Encoding::Gzip), bomb.as_slice());
        let mut made = 0;
        let error = loop {
            let mut block = Vec::with_capacity(64 << 10);
            match decoder.decode(rest, &mut block) {
                Ok(left) => rest = left,
                Err(error) => break error,
            }
            made += block.len();
        };
        assert_eq!(error.code(), Code::TooLarge);
        assert!(made < 4 << 20, "{made}");
    }
}
