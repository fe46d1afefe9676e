//! Releases of machine runner 3 in a bucket that misbehaves: each kind is told with its own code and
//! in words that name the cause, and nothing of what it sent stays behind.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use runnerup::{
    Code,
    agent::{Kind, RELEASE_URL},
};
use serde_json::{Value, json};
use std::{fs, process::Command, sync::LazyLock};
use support::{
    hostile::{Asked, Hostile, Reply, Then, gzip},
    hostile_kinds::{AGENT, PLATFORM},
};
use tar::{EntryType, Header};

const MANIFEST: &str = "/circleci-runner/manifest.json";
const NAME: &str = "circleci-runner";

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| archive(&[(NAME, EntryType::Regular, &AGENT)]));

/// A bucket's manifest and archive, and how the program must end.
struct Case {
    what: &'static str,
    ends: Result<(), (Code, &'static str)>,
    manifest: fn(&Value) -> Reply,
    archive: fn(&Asked) -> Reply,
}

fn archive(members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in members {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

/// What is published, so that its checksum is right and only what it holds is wrong.
fn published(what: &str) -> Vec<u8> {
    let file = (NAME, EntryType::Regular, AGENT.as_slice());
    match what {
        "a link beside it" => archive(&[file, ("x", EntryType::Symlink, b"")]),
        "a path that climbs" => archive(&[file, ("../x", EntryType::Regular, b"x")]),
        "it twice" => archive(&[file, file]),
        "it in a folder" => archive(&[("bin/circleci-runner", EntryType::Regular, &AGENT)]),
        "a script in its place" => archive(&[(NAME, EntryType::Regular, b"#!/bin/sh\n")]),
        "no archive" => gzip(&AGENT),
        "a bomb" => archive(&[("x", EntryType::Regular, &vec![0; 64 << 20])]),
        "not even gzip" => AGENT.clone(),
        _ => GOOD.clone(),
    }
}

fn manifest_of(what: &str) -> Value {
    let (os, arch) = (PLATFORM.os().to_string(), PLATFORM.arch().to_string());
    let url = format!("{RELEASE_URL}/circleci-runner/3.1.11/archive.tar.gz");
    let sha256 = support::hostile::sha256(&published(what)).to_uppercase();
    let of_platform = json!({"url": url, "sha256": sha256, "size": 7});
    let release = json!({os: {arch: of_platform}, "published": "2026-07-29"});
    json!({"releases": {"current": release, "3.1.11": release}, "comment": "x"})
}

fn sent(manifest: &Value) -> Reply {
    Reply::ok(manifest.to_string())
}

/// With another text in place of one that is in it.
fn with(manifest: &Value, text: &str, other: &str) -> Reply {
    let manifest = manifest.to_string();
    assert!(manifest.contains(text), "{text}");
    Reply::ok(manifest.replace(text, other))
}

fn good(_: &Asked) -> Reply {
    Reply::ok(GOOD.as_slice()).header("ETag", "\"good\"")
}

/// `$what` is published, and sent as it is.
macro_rules! holds {
    ($what:literal, $code:ident, $words:literal) => {
        Case {
            what: $what,
            ends: Err((Code::$code, $words)),
            manifest: sent,
            archive: |_| Reply::ok(published($what)),
        }
    };
}

fn cases() -> Vec<Case> {
    let case = |what, ends, manifest, archive| Case { what, ends, manifest, archive };
    let of = |code, words| Err((code, words));
    vec![
        case("good", Ok(()), sent, good),
        case("said to be gzip, as some mirrors say", Ok(()), sent, |asked| {
            good(asked).header("Content-Encoding", "gzip")
        }),
        case("broken off once", Ok(()), sent, |asked| match asked.from {
            Some(from) => {
                Reply::new("206 Partial Content", &GOOD[from..]).header("ETag", "\"good\"").header(
                    "Content-Range",
                    &format!("bytes {from}-{}/{}", GOOD.len() - 1, GOOD.len()),
                )
            }
            None => good(asked).then(Then::Cut(GOOD.len() / 2)),
        }),
        case("changed while it was sent", of(Code::ChecksumMismatch, "hashes to"), sent, |_| {
            Reply::ok(archive(&[
                (NAME, EntryType::Regular, &AGENT),
                ("x", EntryType::Regular, b""),
            ]))
        }),
        case("a byte changed", of(Code::ChecksumMismatch, "hashes to"), sent, |_| {
            let mut other = GOOD.clone();
            other[4] ^= 1;
            Reply::ok(other)
        }),
        case("cut by a proxy", of(Code::ChecksumMismatch, "hashes to"), sent, |_| {
            Reply::ok(&GOOD[..GOOD.len() / 2])
        }),
        case("a web page", of(Code::EncodingBroken, "gzip data"), sent, |_| {
            Reply::ok("<!DOCTYPE html><html>Log in")
        }),
        case("missing", of(Code::NoSuchVersion, "the bucket has no"), sent, |_| Reply::denied()),
        holds!("a link beside it", ArchiveInvalid, "holds a link"),
        holds!("a path that climbs", ArchiveInvalid, "outside of it"),
        holds!("it twice", ArchiveInvalid, "holds circleci-runner twice"),
        holds!("it in a folder", ArchiveInvalid, "holds no file circleci-runner at its top"),
        holds!("a script in its place", NotExecutable, "a script"),
        holds!("no archive", ArchiveInvalid, "cannot be read"),
        holds!("a bomb", TooLarge, "expands more than"),
        holds!("not even gzip", EncodingBroken, "gzip data"),
        case(
            "manifest: a web page",
            of(Code::ManifestInvalid, "a web page"),
            |_| Reply::ok("<html>"),
            good,
        ),
        case(
            "manifest: missing",
            of(Code::NoSuchVersion, "manifest.json"),
            |_| Reply::denied(),
            good,
        ),
        case(
            "manifest: endless",
            of(Code::ManifestInvalid, "longer than"),
            |_| Reply::ok("").then(Then::Repeat(vec![b' '; 64 << 10])),
            good,
        ),
        case(
            "manifest: another host",
            of(Code::ManifestInvalid, "not in the release bucket"),
            |manifest| with(manifest, RELEASE_URL, "https://evil.example.com"),
            good,
        ),
        case(
            "manifest: without the platform",
            of(Code::NoSuchVersion, "and not for"),
            |manifest| with(manifest, &format!("\"{}\"", PLATFORM.arch()), "\"s390x\""),
            good,
        ),
        case(
            "manifest: no checksum",
            of(Code::ManifestInvalid, "has no sha256"),
            |manifest| with(manifest, "sha256", "md5"),
            good,
        ),
    ]
}

#[test]
fn every_kind_of_release_is_told_and_leaves_nothing_behind() {
    let mut wrong = Vec::new();
    for Case { what, ends, manifest, archive } in cases() {
        let hostile = Hostile::start(move |asked| match asked.key.as_str() {
            MANIFEST => manifest(&manifest_of(what)),
            _ => archive(asked),
        });
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
            .env_clear()
            .args(["install", "--yes", "--json", "--name", "n", "--service", "none"])
            .env("RUNNERUP_TOKEN", "0123456789".repeat(8))
            .args(["--timeout", "2", "--root", "root"])
            .args(["--agent", "machine-runner", "--release-url", &hostile.url()])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let binary = root.join("opt/circleci-runner/circleci-runner");
        let is_right = match ends {
            Ok(()) => fs::read(&binary).is_ok_and(|found| found == *AGENT),
            Err((code, words)) => {
                let id = Code::ALL.iter().find(|entry| entry.code == code).unwrap().id;
                told.contains(&format!("\"{id}\""))
                    && told.contains(words)
                    && fs::read_dir(&root).unwrap().count() == 0
            }
        };
        if !is_right {
            wrong.push(format!("{what}: {told}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Which version `current` is: that of the key with the same checksum, else the day of the manifest.
#[test]
fn the_newest_version_is_told_by_its_checksum_or_by_its_day() {
    for (has_version, expected) in [(true, "3.1.11"), (false, "current (2026-07-29)")] {
        let hostile = Hostile::start(move |asked| match asked.key.as_str() {
            MANIFEST => {
                let mut manifest = manifest_of("good");
                if !has_version {
                    manifest["releases"].as_object_mut().unwrap().remove("3.1.11");
                }
                sent(&manifest).header("Last-Modified", "Wed, 29 Jul 2026 10:00:00 GMT")
            }
            _ => good(asked),
        });
        let network = runnerup::release::Network {
            base: hostile.url().parse().unwrap(),
            proxy: None,
            no_proxy: None,
            ca: None,
            connections: runnerup::values::Connections::default(),
            timeout: std::time::Duration::from_secs(2),
        };
        let client = runnerup::release::Client::new(Kind::MachineRunner, network);
        let version = client.newest(*PLATFORM).unwrap();
        assert_eq!(version.to_string(), expected);
        let artifact = client.artifact(&version, *PLATFORM, None).unwrap();
        assert_eq!(artifact.url.path(), "/circleci-runner/3.1.11/archive.tar.gz");
        assert_eq!(hostile.asked_for(MANIFEST), 1, "the manifest is read once");
    }
}
