//! What a step acts on, and how it stood before: all that is needed to put it back.

use crate::{
    platform::{
        fs::Meta,
        windows::registry::{Place, Value},
    },
    text::shown,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A thing on the host that a step changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A regular file.
    File(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// A symbolic link.
    Link(PathBuf),
    /// An account of the system, with its group and home.
    Account(String),
    /// A value of the Windows registry.
    Registry(Place),
    /// Whether a service starts with the host.
    Enabled(String),
    /// Whether a service runs.
    Running(String),
    /// The processes of an account.
    Processes(String),
}

/// How a target stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not there; for a service: not enabled, not running.
    Absent,
    /// A file, with the name of the copy that the state folder keeps of it.
    File {
        /// Owner, mode, size and identity.
        meta: Meta,
        /// A name in the state folder's `backup`.
        backup: String,
    },
    /// A file, or what stands in its place, that is removed and of which no copy could be kept.
    Unkept {
        /// Owner, mode, size and identity.
        meta: Meta,
    },
    /// A file that keeps its content: owner and mode alone are put back.
    #[serde(rename = "settled")]
    PermissionsSet {
        /// Owner and mode.
        meta: Meta,
    },
    /// A folder.
    Folder {
        /// Owner and mode.
        meta: Meta,
    },
    /// A symbolic link.
    Link {
        /// Where it points.
        target: PathBuf,
    },
    /// No account, but its home was there already, and stays.
    HomeOnly,
    /// No account, but a group of its name was there already, and stays.
    GroupOnly {
        /// The group's number.
        gid: u32,
        /// Its home was there already as well.
        home: bool,
    },
    /// A value of the registry.
    Value(Value),
    /// No value of the registry, and no key for it either.
    NoKey {
        /// The nearest key above that was there.
        nearest: String,
    },
    /// There; for a service: enabled, running.
    Present,
}

/// How a target stood when a step had done its work: tells later whether someone changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct After {
    /// Owner, mode, size and identity.
    pub meta: Meta,
    /// What was in it; `None` where change is expected, as of a binary that updates itself.
    pub digest: Option<Digest>,
    /// The number of the account that it was made for, where it was given to root since: what the
    /// account has in it goes with a purge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_for: Option<u32>,
}

/// What a digest's text begins with, in front of a colon.
const KEYED: &str = "keyed";
const PLAIN: &str = "sha256";

/// A fingerprint of a file's content, such as `sha256:…`, or `keyed:…` for a file with a secret:
/// the key stays in the state folder, readable by root alone, so that the receipt, which
/// everyone may read, cannot be used to try tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Digest(String);

/// A target that was changed and how it stood before; a line of the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// What was changed.
    pub target: Target,
    /// How it stood before the first change that this tool made.
    pub before: State,
    /// How it stood after the last one; `None` when the change was cut off.
    pub after: Option<After>,
    /// Belongs to the jobs' data, and goes only with `--purge`.
    pub data: bool,
    /// The doctor cured a fault by it: only an uninstall puts it back, as the fault comes back with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cure: bool,
}

impl Record {
    /// Whether it goes only with `--purge`. What was there before, and was only given an owner and a
    /// mode, is put back by every uninstall.
    pub fn goes_with_purge(&self) -> bool {
        self.data && !matches!(self.before, State::PermissionsSet { .. })
    }
}

/// Hashes content into a [`Digest`].
pub(crate) struct Hasher {
    sha: sha2::Sha256,
    name: &'static str,
}

impl Target {
    /// The path, for what has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Folder(path) | Self::Link(path) => Some(path),
            Self::Account(_)
            | Self::Registry(_)
            | Self::Enabled(_)
            | Self::Running(_)
            | Self::Processes(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", shown(path)),
            Self::Folder(path) => write!(f, "the folder {}", shown(path)),
            Self::Link(path) => write!(f, "the link {}", shown(path)),
            Self::Account(name) => write!(f, "the account {name}"),
            Self::Registry(place) => write!(f, "the registry value {place}"),
            Self::Enabled(name) => write!(f, "the start of {name} with the host"),
            Self::Running(name) => write!(f, "the service {name}"),
            Self::Processes(name) => write!(f, "the processes of {name}"),
        }
    }
}

impl Digest {
    /// Of a file's plain SHA-256, known already.
    pub fn of_sha256(hex: impl fmt::Display) -> Self {
        Self(format!("{PLAIN}:{hex}"))
    }

    /// Whether the key of the state folder went into it.
    pub fn is_keyed(&self) -> bool {
        self.0.split_once(':').is_some_and(|(name, _)| name == KEYED)
    }

    /// Of `content`; with a key where the content holds a secret.
    pub fn of(content: &[u8], key: Option<&[u8]>) -> Self {
        let mut hasher = Hasher::new(key);
        hasher.update(content);
        hasher.finish()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Hasher {
    pub(crate) fn new(key: Option<&[u8]>) -> Self {
        use sha2::Digest as _;
        let mut sha = sha2::Sha256::new();
        // The key has a fixed length, and the digest is compared, never extended.
        key.into_iter().for_each(|key| sha.update(key));
        Self { sha, name: if key.is_some() { KEYED } else { PLAIN } }
    }

    pub(crate) fn update(&mut self, content: &[u8]) {
        sha2::Digest::update(&mut self.sha, content);
    }

    pub(crate) fn finish(self) -> Digest {
        use fmt::Write as _;
        let mut text = format!("{}:", self.name);
        for byte in sha2::Digest::finalize(self.sha) {
            let _ = write!(text, "{byte:02x}");
        }
        Digest(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_well_known_one_and_a_key_changes_it() {
        let plain = Digest::of(b"abc", None);
        assert_eq!(
            plain.to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_ne!(Digest::of(b"abc", Some(b"k")), Digest::of(b"abc", Some(b"l")));
        assert!(!plain.is_keyed() && Digest::of(b"abc", Some(b"k")).is_keyed());
    }
}
