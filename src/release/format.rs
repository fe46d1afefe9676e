//! What kind of file the first bytes are those of: an executable of the right system and
//! processor, or something else that should not be run.

use crate::{
    Code, Error, Result,
    platform::{Arch, Os, Platform},
};

/// Bytes that are looked at; every header of an executable is within them.
pub(super) const HEAD: usize = 4096;

/// Checks that a file with this head is an executable of `platform`.
pub fn check_executable(head: &[u8], platform: Platform) -> Result<()> {
    let found = match platforms_of(head) {
        Some(found) if found.contains(&platform) => return Ok(()),
        Some(found) => match found.first() {
            Some(other) => format!("an executable of {other}"),
            None => "an executable of another system or processor".to_owned(),
        },
        None => kind_of(head).to_owned(),
    };
    Err(Error::new(
        Code::NotExecutable,
        format!("what arrived is {found}, not an executable of {platform}"),
    ))
}

/// The platforms that an executable runs on; `None` when it is none.
fn platforms_of(head: &[u8]) -> Option<Vec<Platform>> {
    if head.starts_with(b"\x7fELF") {
        return Some(elf(head).into_iter().collect());
    }
    if head.starts_with(b"MZ") {
        return portable_executable(head).map(|arch| find(Os::Windows, arch).into_iter().collect());
    }
    match bytes(head, 0)? {
        [0xcf, 0xfa, 0xed, 0xfe] => {
            Some(mach(u32::from_le_bytes(bytes(head, 4)?)).into_iter().collect())
        }
        [0xca, 0xfe, 0xba, 0xbe] => universal(head),
        _ => None,
    }
}

fn elf(head: &[u8]) -> Option<Platform> {
    let (class, order) = (*head.get(4)?, *head.get(5)?);
    let machine: [u8; 2] = bytes(head, 18)?;
    let arch = match (class, order) {
        (2, 1) => match u16::from_le_bytes(machine) {
            62 => Arch::Amd64,
            183 => Arch::Arm64,
            21 => Arch::Ppc64le,
            _ => return None,
        },
        (2, 2) if u16::from_be_bytes(machine) == 22 => Arch::S390x,
        _ => return None,
    };
    find(Os::Linux, arch)
}

/// `None`: the bytes only begin like a PE file.
fn portable_executable(head: &[u8]) -> Option<Arch> {
    let at = usize::try_from(u32::from_le_bytes(bytes(head, 0x3c)?)).ok()?;
    if bytes(head, at)? != *b"PE\0\0" {
        return None;
    }
    match u16::from_le_bytes(bytes(head, at.checked_add(4)?)?) {
        0x8664 => Some(Arch::Amd64),
        0xaa64 => Some(Arch::Arm64),
        _ => None,
    }
}

/// A file for several processors; a Java class begins with the same four bytes, and claims far
/// more of them than any executable has.
fn universal(head: &[u8]) -> Option<Vec<Platform>> {
    let count = u32::from_be_bytes(bytes(head, 4)?);
    if !(1..=16).contains(&count) {
        return None;
    }
    let kinds = (0..usize::try_from(count).ok()?)
        .filter_map(|index| Some(u32::from_be_bytes(bytes(head, 8 + 20 * index)?)));
    Some(kinds.filter_map(mach).collect())
}

fn mach(kind: u32) -> Option<Platform> {
    match kind {
        0x0100_0007 => find(Os::Darwin, Arch::Amd64),
        0x0100_000c => find(Os::Darwin, Arch::Arm64),
        _ => None,
    }
}

fn find(os: Os, arch: Arch) -> Option<Platform> {
    Platform::ALL.into_iter().find(|platform| (platform.os(), platform.arch()) == (os, arch))
}

/// What a file that is no executable is, as far as its first bytes tell.
fn kind_of(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(head.get(..64).unwrap_or(head)).trim_start().to_lowercase();
    match head {
        [] => "nothing",
        [b'#', b'!', ..] => "a script",
        [0x1f, 0x8b, ..] => "a gzip file",
        [b'P', b'K', ..] => "a zip archive",
        [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', ..] => "a compressed file",
        _ if text.starts_with("<!doctype") || text.starts_with("<html") => "a web page",
        _ if text.starts_with("<?xml") || text.starts_with("<error") => "an XML document",
        _ if head.get(257..262) == Some(b"ustar") => "a tar archive",
        _ if std::str::from_utf8(head.get(..64).unwrap_or(head)).is_ok() => "text",
        _ => "unknown data",
    }
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

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(head: Vec<u8>, start in 0_usize..4) {
            let starts: [&[u8]; 4] = [b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b""];
            let head = [starts[start], &head].concat();
            let _ = check_executable(&head, "linux/amd64".parse().unwrap());
        }
    }
}
