//! Operating system and processor, as the release bucket names them.

use crate::{Code, Error, Help, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An operating system that an agent runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Linux, any distribution.
    #[default]
    Linux,
    /// macOS; the bucket says `darwin`.
    Darwin,
    /// Windows.
    Windows,
}

impl Os {
    /// The one that this program was built for.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::Darwin
    } else {
        Self::Linux
    };
}

/// A processor, by Go's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// AArch64.
    Arm64,
    /// 64-bit little-endian POWER.
    Ppc64le,
    /// IBM Z.
    S390x,
}

/// `os/arch`, such as `linux/amd64`. Only pairs that an agent is published for exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Platform {
    os: Os,
    arch: Arch,
}

impl Platform {
    /// Every platform that launch-agent is published for.
    pub const ALL: [Self; 7] = [
        Self { os: Os::Linux, arch: Arch::Amd64 },
        Self { os: Os::Linux, arch: Arch::Arm64 },
        Self { os: Os::Linux, arch: Arch::Ppc64le },
        Self { os: Os::Linux, arch: Arch::S390x },
        Self { os: Os::Darwin, arch: Arch::Amd64 },
        Self { os: Os::Darwin, arch: Arch::Arm64 },
        Self { os: Os::Windows, arch: Arch::Amd64 },
    ];

    /// The platform this program was built for; the agent runs where it runs.
    pub fn of_this_host() -> Result<Self> {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            other => other,
        };
        format!("{os}/{arch}")
            .parse()
            .map_err(|error: Error| error.recode(Code::PlatformUnsupported))
    }

    /// The operating system.
    pub fn os(self) -> Os {
        self.os
    }

    /// The processor.
    pub fn arch(self) -> Arch {
        self.arch
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "linux",
            Self::Darwin => "darwin",
            Self::Windows => "windows",
        })
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|platform| platform.to_string() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(ToString::to_string).collect();
            Error::new(Code::ValueInvalid, format!("there is no agent for the platform {text:?}"))
                .help(Help::words(format!("platforms: {}", known.join(", "))))
        })
    }
}

impl TryFrom<String> for Platform {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_reads_back() {
        for platform in Platform::ALL {
            assert_eq!(platform.to_string().parse::<Platform>().unwrap(), platform);
        }
    }

    #[test]
    fn an_unknown_pair_is_refused_with_the_list() {
        let error = "windows/arm64".parse::<Platform>().unwrap_err();
        assert!(error.help_lines()[0].contains("windows/amd64"));
    }
}
