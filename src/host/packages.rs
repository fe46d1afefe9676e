//! The package manager of a Linux host, and what its upgrades left incomplete.

use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// A package manager whose commands are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageManager {
    /// Debian, Ubuntu.
    AptGet,
    /// Fedora, RHEL 8 and later.
    Dnf,
    /// RHEL 7, Amazon Linux 2.
    Yum,
    /// SLES, openSUSE.
    Zypper,
    /// Alpine.
    Apk,
}

impl PackageManager {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::AptGet, Self::Dnf, Self::Yum, Self::Zypper, Self::Apk];
}

/// What an upgrade left for a person to complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageFault {
    /// dpkg was interrupted: it has not taken in its list of updates.
    Interrupted,
    /// Another version of a configuration file, beside the file that the agent reads.
    LeftFile(PathBuf),
    /// A sentence, in facts that were saved before 2026-12.
    #[serde(untagged)]
    Sentence(String),
}

impl fmt::Display for PackageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("/var/lib/dpkg/updates is not empty"),
            Self::LeftFile(path) => path.display().fmt(f),
            Self::Sentence(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_were_saved_with_sentences_are_read() {
        let read = |text: &str| serde_json::from_str::<PackageFault>(text).unwrap();
        assert_eq!(read(r#""dpkg was x""#), PackageFault::Sentence("dpkg was x".into()));
        for fault in [PackageFault::Interrupted, PackageFault::LeftFile("/etc/x.rpmnew".into())] {
            assert_eq!(read(&serde_json::to_string(&fault).unwrap()), fault);
        }
    }
}
