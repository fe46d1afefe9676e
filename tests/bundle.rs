//! Bundles: made from the bucket, installed from without it, and refused when a byte of one is another.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use runnerup::{Code, release::Bundle};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output},
};
use support::{
    hostile_kinds::{AGENT, PLATFORM},
    loopback::{Loopback, NEWEST, NEWEST_RUNNER},
};
use tar::{EntryType, Header};

const TOKEN: &str =
    "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

struct Stage {
    folder: tempfile::TempDir,
    bucket: Loopback,
}

impl Stage {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), bucket: Loopback::start(&AGENT, TOKEN) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        command.env_clear().env("RUNNERUP_TOKEN", TOKEN).args(args);
        command.current_dir(self.folder.path()).output().unwrap()
    }

    /// Makes a bundle of an agent.
    fn create(&self, name: &str, agent: &str) -> PathBuf {
        let url = self.bucket.url();
        let platforms = format!("{0},{0}", *PLATFORM);
        let args = ["bundle", "create", "--out", name, "--agent", agent, "--release-url", &url];
        said(&self.run(&[&args[..], &["--platform", &platforms]].concat()), 0);
        self.file(name)
    }

    /// Installs from a bundle into a fresh root, where no bucket answers.
    fn install(&self, root: &str, more: &[&str]) -> Output {
        let _ = fs::create_dir(self.file(root));
        let args = ["install", "--yes", "--name", "n", "--service", "none", "--root", root];
        let nowhere = ["--release-url", "http://127.0.0.1:1", "--timeout", "1"];
        self.run(&[&args[..], &nowhere, more].concat())
    }
}

fn said(output: &Output, code: i32) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[test]
fn what_was_bundled_is_installed_without_the_bucket() {
    let stage = Stage::new();
    for (agent, version, place) in [
        ("machine-runner", NEWEST_RUNNER, "opt/circleci-runner/circleci-runner"),
        ("launch-agent", NEWEST, "opt/circleci/circleci-launch-agent"),
    ] {
        let name = format!("{agent}.tar");
        let bundle = stage.create(&name, agent);
        assert_eq!(fs::metadata(&bundle).unwrap().permissions().mode() & 0o777, 0o600);
        let asked = stage.bucket.requests().len();
        let given = ["--agent", agent, "--bundle", &name];
        let told = said(&stage.install(agent, &given), 0);
        assert!(told.contains(version) && told.contains("task agent"), "{told}");
        assert!(fs::read(stage.file(agent).join(place)).unwrap() == *AGENT);
        assert!(said(&stage.install(agent, &given), 0).contains("Nothing to do"));
        assert_eq!(stage.bucket.requests().len(), asked, "the bucket was asked");
        // What the bucket has is the same.
        let url = stage.bucket.url();
        let args = ["install", "--yes", "--root", agent, "--release-url", &url];
        assert!(said(&stage.run(&args), 0).contains("Nothing to do"));
    }
    let left: Vec<_> = fs::read_dir(stage.folder.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 4, "a temporary stays: {left:?}");
}

#[test]
fn what_a_bundle_does_not_have_is_told_with_what_it_has() {
    let stage = Stage::new();
    stage.create("b.tar", "machine-runner");
    let told =
        |more: &[&str]| said(&stage.install("r", &[&["--bundle", "b.tar"], more].concat()), 4);
    let has = format!("it has: machine-runner {NEWEST_RUNNER} for {}", *PLATFORM);
    for more in [&["--agent", "launch-agent"][..], &["--version", "3.1.4"]] {
        let told = told(more);
        assert!(told.contains(&has), "{told}");
    }
    let pinned = "0".repeat(64);
    said(&stage.install("r", &["--bundle", "b.tar", "--sha256", &pinned]), 5);
    assert_eq!(fs::read_dir(stage.file("r")).unwrap().count(), 0);

    // Whoever writes it chooses what root runs.
    fs::set_permissions(stage.file("b.tar"), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = stage.install("r", &["--bundle", "b.tar"]);
    assert!(said(&refused, 3).contains("chmod go-w"), "{refused:?}");
}

fn opened(bytes: &[u8]) -> runnerup::Result<Bundle> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Bundle::open(file)
}

#[test]
fn a_changed_byte_anywhere_is_seen() {
    let stage = Stage::new();
    let whole = fs::read(stage.create("b.tar", "machine-runner")).unwrap();
    assert!(opened(&whole).is_ok());
    // Every byte of what describes, and a few of what is described.
    let described = whole.len() / 97;
    let places =
        (0..4096).chain((0..whole.len()).step_by(described)).chain(whole.len() - 2048..whole.len());
    for at in places {
        let mut other = whole.clone();
        other[at] ^= 1;
        let error = opened(&other).expect_err(&format!("the byte at {at}"));
        assert_eq!(error.code(), Code::BundleInvalid, "{at}: {error}");
    }
    for cut in [0, 1, 511, 512, 2048, whole.len() / 2, whole.len() - 1024, whole.len() - 1] {
        assert_eq!(opened(&whole[..cut]).unwrap_err().code(), Code::BundleInvalid, "{cut}");
    }
    assert_eq!(opened(&[&whole[..], b"\0"].concat()).unwrap_err().code(), Code::BundleInvalid);

    // The program says so, and has changed nothing.
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    fs::write(stage.file("b.tar"), other).unwrap();
    said(&stage.install("r", &["--bundle", "b.tar"]), 5);
    assert_eq!(fs::read_dir(stage.file("r")).unwrap().count(), 0);
}

/// A bundle by anybody's hand, whole by its own checksum.
fn made(manifest: &Value, members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let text = manifest.to_string();
    let mut bytes = Vec::new();
    let all = [("manifest.json", EntryType::Regular, text.as_bytes())];
    for (name, kind, content) in all.iter().chain(members) {
        bytes.extend(header(name, *kind, content.len()));
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    let sum = format!("{}\n", support::hostile::sha256(&bytes));
    let end = bytes.len() + 2048;
    bytes.extend(header("checksum", EntryType::Regular, sum.len()));
    bytes.extend_from_slice(sum.as_bytes());
    bytes.resize(end, 0);
    bytes
}

fn header(name: &str, kind: EntryType, size: usize) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn what_another_hand_made_is_refused() {
    let part = |file: &str, size: usize| {
        json!({"agent": "machine-runner", "version": "3.1.11", "platform": "linux/amd64",
               "file": file, "size": size, "binary_sha256": "0".repeat(64),
               "published_sha256": "1".repeat(64), "comment": "x"})
    };
    let manifest =
        |parts: &[Value]| json!({"schema_version": 1, "tool_version": "0", "parts": parts});
    let file = ("a.gz", EntryType::Regular, &b"abc"[..]);
    let one = manifest(&[part("a.gz", 3)]);
    assert!(opened(&made(&one, &[file])).is_ok());
    let mut newer = one.clone();
    newer["schema_version"] = json!(2);
    let mut without = one.clone();
    without.as_object_mut().unwrap().remove("parts");
    for (bytes, why) in [
        (made(&newer, &[file]), "has the form 2"),
        (made(&without, &[file]), "another form"),
        (made(&one, &[]), "lacks a.gz"),
        (made(&one, &[file, file]), "twice"),
        (made(&one, &[file, ("b.gz", EntryType::Regular, b"")]), "does not name"),
        (made(&one, &[("a.gz", EntryType::Symlink, b"")]), "no file"),
        (made(&manifest(&[part("a.gz", 4)]), &[file]), "has 3 bytes"),
        (
            made(&manifest(&[part("../a.gz", 3)]), &[("../a.gz", EntryType::Regular, b"abc")]),
            "outside",
        ),
        (made(&manifest(&[part("/a.gz", 3)]), &[("/a.gz", EntryType::Regular, b"abc")]), "outside"),
        (b"<html>".to_vec(), "is none"),
        (fs::read("/bin/sh").unwrap(), "is none"),
    ] {
        let error = opened(&bytes).expect_err(why);
        assert_eq!(error.code(), Code::BundleInvalid);
        assert!(error.message().contains(why), "{why}: {error}");
    }

    // What it says of a binary is held against the binary.
    let bundle = opened(&made(&one, &[file])).unwrap();
    let latest = runnerup::agent::VersionChoice::Latest;
    let base = "https://releases.example.com".parse().unwrap();
    let runner = runnerup::agent::Kind::MachineRunner;
    let platform = "linux/amd64".parse().unwrap();
    let artifact = bundle.artifact(&base, runner, &latest, platform, None).unwrap();
    let into: File = tempfile::tempfile().unwrap();
    let error = bundle.fetch(&artifact, into, &Silent).unwrap_err();
    assert_eq!(error.code(), Code::EncodingBroken, "{error}");
}

struct Silent;

impl runnerup::release::DownloadProgress for Silent {
    fn started(&self, _: Option<u64>) {}
    fn moved(&self, _: u64) {}
    fn retrying(&self, _: &str, _: std::time::Duration) {}
    fn cancelled(&self) -> bool {
        false
    }
}
