//! Text as Windows writes it: what PowerShell 5 puts into a file with `>` is UTF-16.

use secrecy::zeroize::Zeroizing;

/// The text in UTF-8, where a mark in front says that it is UTF-16; `None`: it is not. It may be
/// a secret, and leaves no copy behind.
pub fn from_utf16(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let read = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = bytes.get(2..)?.chunks(2).map(|pair| match pair {
        [one, other] => read([*one, *other]),
        // Half a character, which no text ends with.
        _ => 0xD800,
    });
    // Room for everything from the start: three bytes at most for each unit.
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 2));
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
            // What is no text stays none: no UTF-8 has this byte.
            Err(_) => text.push(0xFF),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_is_marked_is_utf16() {
        assert!(from_utf16(b"plain").is_none() && from_utf16(b"\xFF").is_none());
        assert_eq!(from_utf16(b"\xFE\xFF\0a\0\xE9").unwrap().as_slice(), "aé".as_bytes());
        let cut = from_utf16(b"\xFF\xFEa\0b").unwrap();
        assert_eq!(cut.as_slice(), b"a\xFF");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in any::<String>()) {
            for (mark, write) in [([0xFF, 0xFE], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xFE, 0xFF], u16::to_be_bytes)] {
                let bytes: Vec<u8> =
                    mark.into_iter().chain(text.encode_utf16().flat_map(write)).collect();
                let read = from_utf16(&bytes).unwrap();
                prop_assert!(read.as_slice() == text.as_bytes());
                prop_assert!(read.len() <= bytes.len() * 2, "a buffer that grew leaves a copy");
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let marked = [&[0xFF, 0xFE], bytes.as_slice()].concat();
            prop_assert!(from_utf16(&marked).unwrap().len() <= marked.len() * 2);
        }
    }
}
