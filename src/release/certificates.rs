//! The authorities of `--ca-file`: of a file in PEM form, its certificates and nothing else.
//!
//! Servers keep certificate and private key in one file, and what is taken here becomes a file
//! that everyone may read. So only whole CERTIFICATE blocks are kept, written anew from their
//! decoded bytes: no key, no comment, no other text gets through.

use crate::{
    Code, Error, Result,
    platform::{encoding::from_utf16, fs::Root},
    text::shown,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{io::Read, path::Path};

/// Most bytes of a file that are read; the whole of Mozilla's list has a quarter of it.
const LIMIT: u64 = 1 << 20;

/// Characters of base64 on a line of PEM.
const LINE: usize = 64;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What a DER structure such as a certificate begins with.
const SEQUENCE: u8 = 0x30;

/// Reads the certificates of the regular file at `path` (absolute, as seen inside the root). A
/// link is followed only where nobody but root or the caller could have put it.
///
/// # Errors
/// When it cannot be read, is not such a file, is too large, or [`only_certificates`] refuses it.
pub(crate) fn read(root: &Root, path: &Path) -> Result<String> {
    let walk = root.walk(path)?;
    if let Some(why) = walk.stopped {
        return Err(Error::new(Code::ValueInvalid, why.to_string()));
    }
    let spot = root.find(&walk.real)?;
    let spot = spot.ok_or_else(|| invalid(format!("{} is not there", shown(path))))?;
    let mut bytes = Vec::new();
    let read = spot.read()?.0.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| invalid(error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(invalid(format!("it has more than {LIMIT} bytes")));
    }
    let bytes = from_utf16(&bytes).map_or(bytes, |mut wide| std::mem::take(&mut *wide));
    only_certificates(&String::from_utf8_lossy(&bytes))
}

/// The CERTIFICATE blocks of a text, each written anew; other blocks and other text are left out.
///
/// # Errors
/// When there is no such block, or one does not end or is not base64 of a DER structure.
fn only_certificates(text: &str) -> Result<String> {
    let mut kept = String::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate();
    while let Some((number, line)) = lines.next() {
        if line != BEGIN {
            continue;
        }
        let broken = |what: &str| invalid(format!("the certificate at line {} {what}", number + 1));
        let mut block = String::new();
        loop {
            match lines.next() {
                Some((_, END)) => break,
                Some((_, line)) => block.push_str(line),
                None => return Err(broken("does not end")),
            }
        }
        match STANDARD.decode(&block) {
            Ok(bytes) if bytes.first() == Some(&SEQUENCE) => write(&bytes, &mut kept),
            _ => return Err(broken("is not base64 of a certificate")),
        }
    }
    if kept.is_empty() {
        return Err(invalid("it holds no certificate".to_owned()));
    }
    Ok(kept)
}

fn write(certificate: &[u8], into: &mut String) {
    into.push_str(BEGIN);
    for (index, character) in STANDARD.encode(certificate).chars().enumerate() {
        if index % LINE == 0 {
            into.push('\n');
        }
        into.push(character);
    }
    into.push('\n');
    into.push_str(END);
    into.push('\n');
}

fn invalid(why: String) -> Error {
    Error::new(Code::ValueInvalid, why).help("it must be a file of certificates in PEM form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fs::empty_root;
    use proptest::prelude::*;
    use std::fs;

    fn block(kind: &str, bytes: &[u8]) -> String {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(bytes))
    }

    fn certificate(content: &[u8]) -> Vec<u8> {
        [&[SEQUENCE], content].concat()
    }

    #[test]
    fn a_key_beside_the_certificate_is_left_out() {
        let (one, other) = (certificate(&[1; 90]), certificate(&[2; 3]));
        let secret = [0xA5; 60];
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let key = block(kind, &secret);
            let (first, second) = (block("CERTIFICATE", &one), block("CERTIFICATE", &other));
            let text = format!("\u{feff}# password: x\r\n{key}{first}between\n{key}{second}{key}");
            let kept = only_certificates(&text).unwrap();
            assert_eq!(kept, only_certificates(&format!("{first}{second}")).unwrap());
            assert!(!kept.contains(&STANDARD.encode(secret)) && !kept.contains("KEY"), "{kept}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused_with_its_line() {
        let key = block("PRIVATE KEY", &certificate(&[1; 60]));
        for (text, why) in [
            (key.clone(), "no certificate"),
            (String::new(), "no certificate"),
            (format!("x\n{BEGIN}\n{key}"), "line 2 does not end"),
            (format!("{BEGIN}\n{key}{END}\n"), "line 1 is not base64"),
            (format!("{BEGIN}\nnot base64!\n{END}\n"), "line 1 is not base64"),
            (block("CERTIFICATE", b"text"), "line 1 is not base64"),
            (block("CERTIFICATE", b""), "line 1 is not base64"),
        ] {
            let error = only_certificates(&text).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_too_large_is_not_cut() {
        let (folder, root) = empty_root();
        let file = folder.path().join("ca.pem");
        let text = block("CERTIFICATE", &certificate(&[1; 90]));
        fs::write(&file, &text).unwrap();
        assert!(read(&root, Path::new("/ca.pem")).is_ok());
        fs::write(&file, text.repeat((LIMIT as usize).div_ceil(text.len()))).unwrap();
        let error = read(&root, Path::new("/ca.pem")).unwrap_err();
        assert!(error.message().contains("more than"), "{error}");
    }

    proptest! {
        #[test]
        fn nothing_gets_through_but_certificates(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..99), 0..4), 0..6),
            noise in "[ -~\n]{0,80}",
        ) {
            let mut text = String::new();
            let mut certificates = Vec::new();
            for (bytes, kind) in &parts {
                match kind {
                    0 => {
                        certificates.push(certificate(bytes));
                        text += &block("CERTIFICATE", &certificate(bytes));
                    }
                    1 => text += &block("PRIVATE KEY", &certificate(bytes)),
                    2 => text += &format!("{noise}\n"),
                    _ => text += &format!("{}\n", STANDARD.encode(bytes)),
                }
            }
            // The noise may hold the beginning of a block, which is refused.
            if let Ok(kept) = only_certificates(&text) {
                let mut expected = String::new();
                certificates.iter().for_each(|bytes| write(bytes, &mut expected));
                prop_assert_eq!(kept, expected);
            }
        }

        #[test]
        fn any_text_gives_blocks_of_base64_or_an_error(text in "(-----BEGIN CERTIFICATE-----\n|-----END CERTIFICATE-----\n|[A-Za-z0-9+/=]{0,8}\n|.{0,20}\n){0,12}") {
            let Ok(kept) = only_certificates(&text) else { return Ok(()) };
            for block in kept.split_inclusive(&format!("{END}\n")) {
                let inner = block.strip_prefix(&format!("{BEGIN}\n")).unwrap();
                let inner = inner.strip_suffix(&format!("\n{END}\n")).unwrap();
                prop_assert!(inner.lines().all(|line| line.len() <= LINE));
                let bytes = STANDARD.decode(inner.replace('\n', "")).unwrap();
                prop_assert_eq!(bytes[0], SEQUENCE);
            }
        }
    }
}
