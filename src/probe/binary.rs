//! The agent's binary: what its first bytes say, and its checksum where a receipt has one.

use super::reader::{self, Part};
use crate::{
    host::{Binary, Program, Provenance, Seen},
    platform::fs::{Kind, Root, Trail},
    record::{Receipt, Target},
};
use std::path::Path;

/// Enough for every header that tells the processor.
const HEAD: u64 = 4096;

/// AgentProbes at the binary at `path`, which `named_by` named for an agent with this number.
pub(super) fn look(
    root: &Root,
    path: &Path,
    (named_by, agent): (Provenance, Option<u32>),
    receipt: Option<&Receipt>,
) -> Binary {
    let trail: Seen<Trail> = reader::walk(root, path, named_by, agent).into();
    let (program, sha256) = match &trail {
        Seen::Known(trail) if trail.is(Kind::File) => {
            let program = match reader::read(root, trail, Part::Head(HEAD), named_by) {
                Ok(content) => Seen::Known(program(&content.bytes)),
                Err(error) => Err::<Program, _>(error).into(),
            };
            // A short file is known by its checksum.
            let placed = receipt.and_then(|receipt| receipt.binary.as_ref());
            let is_roots = named_by.is_root() || placed.is_some_and(|own| own.path == trail.path);
            let sha256 = match is_roots {
                true => checksum(root, trail, receipt),
                false => Seen::not("root named another file"),
            };
            (program, sha256)
        }
        Seen::Known(_) => (Seen::not("it is no file"), Seen::not("it is no file")),
        Seen::Unseen(unseen) => (Seen::Unseen(unseen.clone()), Seen::Unseen(unseen.clone())),
    };
    let found = trail.ok().filter(|trail| trail.end.is_some());
    let label = found.and_then(|trail| label(&root.outside(&trail.real)));
    Binary { trail, program, sha256, label, quarantined: false, gatekeeper: None }
}

/// The checksum; of a file that nothing has touched since its install, the receipt's.
fn checksum(root: &Root, trail: &Trail, receipt: Option<&Receipt>) -> Seen<String> {
    let Some(placed) = receipt.and_then(|receipt| receipt.binary.as_ref()) else {
        return Seen::not_applicable("no receipt has a checksum to compare it with");
    };
    let record = receipt.and_then(|receipt| receipt.record(&Target::File(placed.path.clone())));
    let after = record.and_then(|record| record.after.as_ref());
    if placed.path == trail.path
        && after.is_some_and(|after| {
            trail.end.is_some_and(|end| {
                after.meta.identity == end.identity && after.meta.size == end.size
            })
        })
    {
        return Seen::Known(placed.sha256.to_string());
    }
    let digest = root.find(&trail.real).and_then(|spot| match spot {
        Some(spot) => crate::record::file_digest(&spot, None, crate::record::FILE_LIMIT),
        None => Err(crate::Error::new(crate::Code::StepFailed, "it was taken away meanwhile")),
    });
    match digest {
        Ok(None) => Seen::not("it has more bytes than any program of an agent"),
        Ok(Some(digest)) => {
            Seen::Known(digest.to_string().trim_start_matches("sha256:").to_owned())
        }
        Err(error) => Err::<String, _>(error).into(),
    }
}

#[cfg(target_os = "linux")]
fn label(path: &Path) -> Option<String> {
    let mut value = [0_u8; 256];
    let length = rustix::fs::lgetxattr(path, "security.selinux", &mut value[..]).ok()?;
    let label = String::from_utf8_lossy(value.get(..length)?).into_owned();
    Some(label.trim_end_matches('\0').to_owned())
}

#[cfg(not(target_os = "linux"))]
fn label(_path: &Path) -> Option<String> {
    None
}

/// What a file is that begins so.
pub(super) fn program(bytes: &[u8]) -> Program {
    let native = |os: &str, machine: Option<&str>| Program::Native {
        os: os.to_owned(),
        machines: vec![machine.unwrap_or("another processor").to_owned()],
    };
    let half = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    match bytes {
        [] => Program::Empty,
        [0x7f, b'E', b'L', b'F', ..] => native("linux", elf(bytes)),
        [0xcf, 0xfa, 0xed, 0xfe, ..] => native("darwin", half(4).zip(half(6)).and_then(mach)),
        [0xca, 0xfe, 0xba, 0xbe, ..] => universal(bytes),
        [b'M', b'Z', ..] => {
            let at = half(0x3c).map(usize::from).unwrap_or_default();
            native("windows", half(at.saturating_add(4)).and_then(coff))
        }
        [b'#', b'!', rest @ ..] => {
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            Program::Script { interpreter: String::from_utf8_lossy(line).trim().to_owned() }
        }
        [0x1f, 0x8b, ..] => Program::Gzip,
        _ => {
            let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            match first {
                Some(b'<' | b'{') => Program::Page,
                _ => Program::Other,
            }
        }
    }
}

fn elf(bytes: &[u8]) -> Option<&'static str> {
    let little = *bytes.get(5)? == 1;
    let pair = [*bytes.get(18)?, *bytes.get(19)?];
    let machine = if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
    Some(match machine {
        3 => "386",
        40 => "arm",
        62 => "amd64",
        183 => "arm64",
        21 if little => "ppc64le",
        22 => "s390x",
        243 => "riscv64",
        _ => return None,
    })
}

/// Mach-O's processor, of which the high half says whether it has 64 bits.
fn mach((low, high): (u16, u16)) -> Option<&'static str> {
    match (low, high) {
        (7, 0x0100) => Some("amd64"),
        (12, 0x0100) => Some("arm64"),
        _ => None,
    }
}

fn coff(machine: u16) -> Option<&'static str> {
    match machine {
        0x8664 => Some("amd64"),
        0xaa64 => Some("arm64"),
        0x014c => Some("386"),
        _ => None,
    }
}

/// A universal binary lists its processors, big end first.
fn universal(bytes: &[u8]) -> Program {
    let word = |at: usize| {
        let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    let count = word(4).unwrap_or_default();
    // A Java class has the same first bytes, and its version where the count stands.
    if !(1..=8).contains(&count) {
        return Program::Other;
    }
    let machines = (0..count as usize).filter_map(|index| {
        Some(match word(8 + index * 20)? {
            0x0100_0007 => "amd64",
            0x0100_000c => "arm64",
            _ => "another processor",
        })
    });
    Program::Native { os: "darwin".to_owned(), machines: machines.map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn this_program_is_one_for_this_host() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let here = crate::platform::Platform::of_this_host().unwrap();
        let machines = vec![here.arch().to_string()];
        assert_eq!(program(&bytes), Program::Native { os: here.os().to_string(), machines });
    }

    #[test]
    fn what_is_saved_in_place_of_a_binary_is_known() {
        assert_eq!(program(b"<?xml version=\"1.0\"?><Error><Code>AccessDenied"), Program::Page);
        assert_eq!(program(b"\n<!DOCTYPE html>"), Program::Page);
        assert_eq!(program(&[0x1f, 0x8b, 8]), Program::Gzip);
        assert_eq!(program(b"#!/bin/sh\n"), Program::Script { interpreter: "/bin/sh".into() });
        assert_eq!(program(b""), Program::Empty);
        let universal = [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1, 1, 0, 0, 12];
        assert_eq!(
            program(&universal),
            Program::Native { os: "darwin".into(), machines: vec!["arm64".into()] }
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), magic in 0usize..5) {
            let heads: [&[u8]; 5] = [b"", b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"];
            bytes.splice(0..0, heads[magic].iter().copied());
            program(&bytes);
        }
    }
}
