//! What a file is by its first bytes: an executable, for which systems and processors, or what is
//! found in the place of one.

use super::{Os, Platform};
use crate::{Code, Error, Result};

/// Bytes that are looked at; every header of an executable is within them.
pub const HEAD: usize = 4096;

/// A processor that is none of those that have a name here.
pub const OTHER_PROCESSOR: &str = "another processor";

/// Most processors of a universal binary. A Java class begins with the same four bytes, and has its
/// version, 45 at least, where their number stands.
const UNIVERSAL: u32 = 16;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An executable.
    Native {
        /// Its system.
        os: Os,
        /// Its processors, by Go's names or [`OTHER_PROCESSOR`]; a universal binary has several.
        processors: Vec<&'static str>,
    },
    /// A script, and what stands behind `#!`.
    Script(String),
    /// HTML.
    WebPage,
    /// XML.
    Xml,
    /// JSON, by its first character.
    Json,
    /// Compressed by gzip.
    Gzip,
    /// An archive of zip.
    Zip,
    /// Compressed otherwise.
    Compressed,
    /// An archive of tar.
    Tar,
    /// Text.
    Text,
    /// Nothing.
    Empty,
    /// Anything else.
    Unknown,
}

impl Content {
    /// By the first bytes of a file, [`HEAD`] of them where it has as many.
    pub fn of(head: &[u8]) -> Self {
        if let Some((os, processors)) = native(head) {
            return Self::Native { os, processors };
        }
        let start = head.get(..64).unwrap_or(head);
        let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
        match head {
            [] => Self::Empty,
            [b'#', b'!', rest @ ..] => {
                let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
                Self::Script(String::from_utf8_lossy(line).trim().to_owned())
            }
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', ..] => Self::Zip,
            [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', ..] => Self::Compressed,
            _ if text.starts_with("<?xml") || text.starts_with("<error") => Self::Xml,
            _ if text.starts_with('<') => Self::WebPage,
            _ if text.starts_with('{') => Self::Json,
            _ if head.get(257..262) == Some(b"ustar") => Self::Tar,
            _ if is_text(start) => Self::Text,
            _ => Self::Unknown,
        }
    }

    /// Whether it is an executable of a platform.
    pub fn runs_on(&self, platform: Platform) -> bool {
        let Self::Native { os, processors } = self else { return false };
        let arch = platform.arch().to_string();
        *os == platform.os() && processors.iter().any(|processor| **processor == arch)
    }

    /// In a few words.
    fn words(&self) -> String {
        match self {
            Self::Native { os, processors } => {
                match processors.iter().find(|name| **name != OTHER_PROCESSOR) {
                    Some(processor) => return format!("an executable of {os}/{processor}"),
                    None => "an executable of another system or processor",
                }
            }
            Self::Script(_) => "a script",
            Self::WebPage => "a web page",
            Self::Xml => "an XML document",
            Self::Json | Self::Text => "text",
            Self::Gzip => "a gzip file",
            Self::Zip => "a zip archive",
            Self::Compressed => "a compressed file",
            Self::Tar => "a tar archive",
            Self::Empty => "nothing",
            Self::Unknown => "unknown data",
        }
        .to_owned()
    }
}

/// Checks that a file with this head is an executable of `platform`.
///
/// # Errors
/// [`Code::NotExecutable`], with what it is instead.
pub fn check_executable(head: &[u8], platform: Platform) -> Result<()> {
    let content = Content::of(head);
    if content.runs_on(platform) {
        return Ok(());
    }
    let found = content.words();
    Err(Error::new(
        Code::NotExecutable,
        format!("what arrived is {found}, not an executable of {platform}"),
    ))
}

/// The system and the processors of an executable.
fn native(head: &[u8]) -> Option<(Os, Vec<&'static str>)> {
    if head.starts_with(b"\x7fELF") {
        return Some((Os::Linux, vec![elf(head).unwrap_or(OTHER_PROCESSOR)]));
    }
    if head.starts_with(b"MZ") {
        return Some((Os::Windows, vec![portable_executable(head)?]));
    }
    match bytes(head, 0)? {
        [0xcf, 0xfa, 0xed, 0xfe] => {
            Some((Os::Darwin, vec![mach(u32::from_le_bytes(bytes(head, 4)?))]))
        }
        [0xca, 0xfe, 0xba, 0xbe] => Some((Os::Darwin, universal(head)?)),
        _ => None,
    }
}

fn elf(head: &[u8]) -> Option<&'static str> {
    let (bits, order): (u8, u8) = (*head.get(4)?, *head.get(5)?);
    let machine: [u8; 2] = bytes(head, 18)?;
    let machine =
        if order == 1 { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) };
    match (bits, order, machine) {
        (1, 1, 3) => Some("386"),
        (1, 1, 40) => Some("arm"),
        (2, 1, 62) => Some("amd64"),
        (2, 1, 183) => Some("arm64"),
        (2, 1, 21) => Some("ppc64le"),
        (2, 1, 243) => Some("riscv64"),
        (2, 2, 22) => Some("s390x"),
        _ => None,
    }
}

/// `None`: the bytes only begin like a PE file.
fn portable_executable(head: &[u8]) -> Option<&'static str> {
    let at = usize::try_from(u32::from_le_bytes(bytes(head, 0x3c)?)).ok()?;
    if bytes(head, at)? != *b"PE\0\0" {
        return None;
    }
    Some(match u16::from_le_bytes(bytes(head, at.checked_add(4)?)?) {
        0x8664 => "amd64",
        0xaa64 => "arm64",
        0x014c => "386",
        _ => OTHER_PROCESSOR,
    })
}

/// A universal binary lists its processors, big end first.
fn universal(head: &[u8]) -> Option<Vec<&'static str>> {
    let count = u32::from_be_bytes(bytes(head, 4)?);
    if !(1..=UNIVERSAL).contains(&count) {
        return None;
    }
    let kinds = (0..usize::try_from(count).ok()?)
        .filter_map(|index| Some(u32::from_be_bytes(bytes(head, 8 + 20 * index)?)));
    Some(kinds.map(mach).collect())
}

/// Mach-O's processor.
fn mach(kind: u32) -> &'static str {
    match kind {
        0x0100_0007 => "amd64",
        0x0100_000c => "arm64",
        _ => OTHER_PROCESSOR,
    }
}

/// Whether the start of a file is text; a character may be cut at its end.
fn is_text(start: &[u8]) -> bool {
    let is_whole = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_whole && !start.contains(&0)
}

fn bytes<const N: usize>(head: &[u8], at: usize) -> Option<[u8; N]> {
    head.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn elf_of(class: u8, order: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut head = b"\x7fELF".to_vec();
        head.extend([class, order]);
        head.resize(18, 0);
        head.extend(machine);
        head
    }

    fn pe_of(machine: u16) -> Vec<u8> {
        let mut head = b"MZ".to_vec();
        head.resize(0x3c, 0);
        head.extend(0x80_u32.to_le_bytes());
        head.resize(0x80, 0);
        head.extend(b"PE\0\0");
        head.extend(machine.to_le_bytes());
        head
    }

    fn is(head: &[u8], platform: &str) -> bool {
        check_executable(head, platform.parse().unwrap()).is_ok()
    }

    #[test]
    fn each_platforms_executable_is_its_own_and_no_others() {
        let heads = [
            ("linux/amd64", elf_of(2, 1, [62, 0])),
            ("linux/arm64", elf_of(2, 1, [183, 0])),
            ("linux/ppc64le", elf_of(2, 1, [21, 0])),
            ("linux/s390x", elf_of(2, 2, [0, 22])),
            ("darwin/amd64", [[0xcf, 0xfa, 0xed, 0xfe], [7, 0, 0, 1]].concat()),
            ("darwin/arm64", [[0xcf, 0xfa, 0xed, 0xfe], [12, 0, 0, 1]].concat()),
            ("windows/amd64", pe_of(0x8664)),
        ];
        for (name, head) in &heads {
            for (other, _) in &heads {
                assert_eq!(is(head, other), name == other, "{name} as {other}");
            }
        }
    }

    #[test]
    fn a_universal_binary_is_for_both_macs() {
        let mut head = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
        for kind in [0x0100_0007_u32, 0x0100_000c] {
            head.extend(kind.to_be_bytes());
            head.resize(head.len() + 16, 0);
        }
        assert!(is(&head, "darwin/amd64") && is(&head, "darwin/arm64"));
        assert!(!is(b"\xca\xfe\xba\xbe\x00\x00\x00\x34", "darwin/amd64"), "a Java class");
    }

    #[test]
    fn what_it_is_instead_is_said() {
        let cases: [(&[u8], &str); 6] = [
            (b"#!/bin/sh\n", "a script"),
            (b"<!DOCTYPE html>", "a web page"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"", "nothing"),
            (b"hello", "text"),
            (&[0x7f, b'E', b'L', b'F', 1, 1], "another system or processor"),
        ];
        for (head, words) in cases {
            let error = check_executable(head, "linux/amd64".parse().unwrap()).unwrap_err();
            assert!(error.message().contains(words), "{error}");
        }
    }

    #[test]
    fn what_is_saved_in_place_of_a_binary_is_known() {
        for (head, content) in [
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied".as_slice(), Content::Xml),
            (b"\n<!DOCTYPE html>", Content::WebPage),
            (b"<head>", Content::WebPage),
            (b"{\"message\": \"no\"}", Content::Json),
            (&[0x1f, 0x8b, 8], Content::Gzip),
            (b"#!/bin/sh\n", Content::Script("/bin/sh".into())),
            (b"MZ and no more", Content::Text),
            (b"", Content::Empty),
        ] {
            assert_eq!(Content::of(head), content);
        }
    }

    #[test]
    fn programs_of_other_processors_are_programs() {
        let universal = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1, 1, 0, 0, 99];
        let machines = [elf_of(2, 1, [0, 9]), elf_of(1, 1, [62, 0]), elf_of(2, 1, [22, 0])];
        for head in machines.iter().map(Vec::as_slice).chain([universal.as_slice()]) {
            let Content::Native { processors, .. } = Content::of(head) else { panic!("{head:?}") };
            assert_eq!(processors, [OTHER_PROCESSOR]);
        }
        assert!(matches!(Content::of(&elf_of(1, 1, [40, 0])),
            Content::Native { processors, .. } if processors == ["arm"]));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(head: Vec<u8>, start in 0_usize..5) {
            let starts: [&[u8]; 5] =
                [b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b""];
            let head = [starts[start], &head].concat();
            let _ = check_executable(&head, "linux/amd64".parse().unwrap());
        }
    }
}
