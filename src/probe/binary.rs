//! The agent's binary: what its first bytes say, and its checksum where a receipt has one.

use super::reader::{self, Part};
use crate::{
    host::{Binary, Program, Provenance, Seen},
    platform::{
        executable::{Content, HEAD},
        fs::{Kind, PathWalk, Root},
    },
    record::{Digest, Receipt, Target},
};
use std::path::Path;

/// Looks at the binary at `path`, which `named_by` named for an agent with this number.
pub(super) fn examine(
    root: &Root,
    path: &Path,
    (named_by, agent): (Provenance, Option<u32>),
    receipt: Option<&Receipt>,
) -> Binary {
    let walk: Seen<PathWalk> = reader::walk(root, path, named_by, agent).into();
    let (program, sha256) = match &walk {
        Seen::Known(walk) if walk.is(Kind::File) => {
            let program = match reader::read(root, walk, Part::Head(HEAD as u64), named_by) {
                Ok(content) => Seen::Known(program(&content.bytes)),
                Err(error) => Err::<Program, _>(error).into(),
            };
            // A short file is known by its checksum.
            let placed = receipt.and_then(|receipt| receipt.binary.as_ref());
            let is_roots =
                named_by.is_root() || placed.is_some_and(|placed| placed.path == walk.path);
            let sha256 = match is_roots {
                true => checksum(root, walk, receipt),
                false => Seen::not("root named another file"),
            };
            (program, sha256)
        }
        Seen::Known(_) => (Seen::not("it is no file"), Seen::not("it is no file")),
        Seen::Unseen(unseen) => (Seen::Unseen(unseen.clone()), Seen::Unseen(unseen.clone())),
    };
    let found = walk.ok().filter(|walk| walk.end.is_some());
    let label = found.and_then(|walk| label(&root.outside(&walk.real)));
    Binary { walk, program, sha256, label, quarantined: false, gatekeeper: None }
}

/// The checksum; of a file that nothing has touched since its install, the receipt's.
fn checksum(root: &Root, walk: &PathWalk, receipt: Option<&Receipt>) -> Seen<String> {
    let Some(placed) = receipt.and_then(|receipt| receipt.binary.as_ref()) else {
        return Seen::not_applicable("no receipt has a checksum to compare it with");
    };
    let record = receipt.and_then(|receipt| receipt.record(&Target::File(placed.path.clone())));
    let after = record.and_then(|record| record.after.as_ref());
    if placed.path == walk.path
        && after.is_some_and(|after| {
            walk.end.is_some_and(|end| {
                after.meta.identity == end.identity && after.meta.size == end.size
            })
        })
    {
        return match receipt.and_then(Receipt::binary_digest) {
            Some(digest) => Seen::Known(hex(&digest)),
            None => Seen::not_applicable("no receipt has a checksum to compare it with"),
        };
    }
    let digest = root.find(&walk.real).and_then(|spot| match spot {
        Some(spot) => crate::record::file_digest(&spot, None, crate::record::FILE_LIMIT),
        None => Err(crate::Error::new(crate::Code::StepFailed, "it was taken away meanwhile")),
    });
    match digest {
        Ok(None) => Seen::not("it has more bytes than any program of an agent"),
        Ok(Some(digest)) => Seen::Known(hex(&digest)),
        Err(error) => Err::<String, _>(error).into(),
    }
}

fn hex(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
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
fn program(head: &[u8]) -> Program {
    match Content::of(head) {
        Content::Native { os, processors } => Program::Native {
            os: os.to_string(),
            machines: processors.into_iter().map(str::to_owned).collect(),
        },
        Content::Script(interpreter) => Program::Script { interpreter },
        Content::WebPage | Content::Xml | Content::Json => Program::Page,
        Content::Gzip => Program::Gzip,
        Content::Empty => Program::Empty,
        _ => Program::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
