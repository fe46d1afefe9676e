//! The host itself.

use super::{
    PackageFault, PackageManager, PathRole, PathWalk, PlannedMount, Seen, Sudo, Upgrades, Windows,
};
use crate::platform::{Os, accounts::AccountId, fs::Meta};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// The number of the system itself, on Windows.
pub const SYSTEM_SID: &str = "S-1-5-18";

/// Groups whose members can become root.
pub const POWERFUL: [&str; 8] =
    ["docker", "lxd", "libvirt", "disk", "sudo", "wheel", "admin", "root"];

/// What is true of the whole host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Host {
    /// Its operating system.
    pub os: Os,
    /// Its processor by the system's own name, such as `x86_64`.
    pub machine: String,
    /// The system in words, such as `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// Its name.
    pub hostname: String,
    /// The doctor ran as root (on Windows: elevated).
    pub privileged: bool,
    /// A folder given as `--root` that nothing runs in.
    pub image: bool,
    /// The container that it is, such as `docker`.
    pub container: Option<String>,
    /// The version of systemd that runs it.
    pub systemd: Option<u32>,
    /// File systems.
    pub mounts: Vec<Mount>,
    /// Mounts that every start of the host is to bring.
    pub planned_mounts: Vec<PlannedMount>,
    /// Free space where it matters.
    pub volumes: Vec<Volume>,
    /// Memory.
    pub memory: Seen<Memory>,
    /// What the kernel killed for want of memory, newest last.
    pub oom_kills: Seen<Vec<String>>,
    /// The clock.
    pub clock: Seen<Clock>,
    /// SELinux, where there is one.
    pub selinux: Option<Selinux>,
    /// Who answers for names.
    pub resolver: Seen<Resolver>,
    /// Accounts that an agent or its jobs run as.
    pub accounts: Vec<AccountFacts>,
    /// Numbers of the groups of [`POWERFUL`] that are there.
    pub powerful_groups: Vec<(u32, String)>,
    /// Why more accounts than these may be there.
    pub accounts_unread: Option<String>,
    /// TCP ports below 65536 that something listens on.
    pub listening: Seen<Vec<u16>>,
    /// The host has a default route for IPv4, for IPv6.
    pub routes: Seen<(bool, bool)>,
    /// What package upgrades left incomplete.
    pub packages: Seen<Vec<PackageFault>>,
    /// Linux: what upgrades do to services by themselves.
    pub upgrades: Seen<Upgrades>,
    /// Linux: its package manager, where that is a known one.
    pub package_manager: Option<PackageManager>,
    /// How many processes with an agent's name were not looked at, because there are too many.
    pub agents_beyond: usize,
    /// macOS only.
    pub mac: Option<Mac>,
    /// Windows only.
    pub windows: Option<Windows>,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mount {
    /// Where.
    pub point: PathBuf,
    /// Its kind, such as `ext4`.
    pub kind: String,
    /// Its options, such as `noexec`.
    pub options: Vec<String>,
    /// The kernel's number of it, and that of the mount that it lies on; `None` where that is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<(u64, u64)>,
}

/// Space on the file system of a folder that matters to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// The folder.
    pub folder: PathBuf,
    /// What it is for.
    pub purpose: PathRole,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that an account other than root may still use.
    pub bytes_free: u64,
    /// Inodes in all; 0 where the file system does not count them.
    pub inodes: u64,
    /// Inodes that are free.
    pub inodes_free: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// In all.
    pub total: u64,
    /// That can be had without swapping.
    pub available: u64,
    /// Swap in all.
    pub swap: u64,
}

/// The clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Clock {
    /// Whether the kernel is told the time by someone, and agrees.
    pub synchronized: bool,
    /// Who tells it, such as `chronyd`; `None`: nobody that is known.
    pub by: Option<String>,
}

/// SELinux.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selinux {
    /// `enforcing`, `permissive` or `disabled`.
    pub mode: String,
    /// Policy modules whose names begin with `circleci`.
    pub modules: Seen<Vec<String>>,
}

/// The resolver's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resolver {
    /// Addresses that are asked.
    pub servers: Vec<String>,
    /// Why its configuration cannot be used.
    #[serde(rename = "trouble")]
    pub failure: Option<String>,
    /// Where its configuration leads, as a link to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<PathBuf>,
}

/// An account, with what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountFacts {
    /// Its name.
    pub name: String,
    /// What the system knows it by.
    #[serde(flatten)]
    pub id: AccountId,
    /// All of its groups, by number and name.
    pub groups: Vec<(u32, String)>,
    /// Its home, as the system says.
    pub home: PathWalk,
    /// Its shell.
    pub shell: PathWalk,
    /// What sudo lets it do.
    pub sudo: Seen<Sudo>,
    /// Windows: disabled, locked or expired, in words.
    pub closed: Option<String>,
    /// Windows: its number there.
    pub sid: Option<String>,
    /// Windows: it is in the group of administrators.
    pub administrator: Option<bool>,
}

/// What only macOS has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mac {
    /// Its version, such as `14.5`.
    pub version: String,
    /// Rosetta 2 is installed.
    pub rosetta: bool,
    /// The user who is logged in at the screen.
    pub console_user: Option<String>,
    /// Labels that launchd was told never to start.
    pub disabled: Vec<String>,
    /// Groups that plists of agents name and that do not exist.
    pub missing_groups: Vec<String>,
    /// Minutes without use after which it goes to sleep; 0: never, `None`: not known.
    pub sleeps_after: Option<u32>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            os: Os::Linux,
            machine: String::new(),
            system: String::new(),
            hostname: String::new(),
            privileged: false,
            image: false,
            container: None,
            systemd: None,
            mounts: Vec::new(),
            planned_mounts: Vec::new(),
            volumes: Vec::new(),
            memory: Seen::default(),
            oom_kills: Seen::default(),
            clock: Seen::default(),
            selinux: None,
            resolver: Seen::default(),
            accounts: Vec::new(),
            powerful_groups: Vec::new(),
            accounts_unread: None,
            listening: Seen::default(),
            routes: Seen::default(),
            packages: Seen::default(),
            upgrades: Seen::default(),
            package_manager: None,
            agents_beyond: 0,
            mac: None,
            windows: None,
        }
    }
}

impl Host {
    /// The file system that `path` (without links) is on.
    pub fn mount_of(&self, path: &std::path::Path) -> Option<&Mount> {
        Mount::of(&self.mounts, path)
    }
}

impl AccountFacts {
    /// Its number, where it has one.
    pub fn uid(&self) -> Option<u32> {
        self.id.uid()
    }

    /// Whether it may do everything: root, and on Windows the system itself.
    pub fn is_root(&self) -> bool {
        self.uid() == Some(0) || self.sid.as_deref() == Some(SYSTEM_SID)
    }

    /// Whether a file or folder is its own, by its number.
    pub fn owns(&self, meta: &Meta) -> bool {
        self.uid().is_some_and(|uid| meta.is_of(uid))
    }
}

/// For a person: its name, and its user ID where it has one.
impl fmt::Display for AccountFacts {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uid() {
            Some(uid) => write!(to, "{} (user ID {uid})", self.name),
            None => to.write_str(&self.name),
        }
    }
}

impl Mount {
    /// Whether it has an option, such as `noexec`.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|other| other == option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every account of Windows had a number that was made up, and the one of which nothing was known
    /// had root's.
    #[test]
    fn an_account_without_numbers_is_not_root_and_owns_nothing() {
        use crate::platform::fs::{Kind, Permissions};
        let read = |text: &str| serde_json::from_str::<AccountFacts>(text).unwrap();
        let ci = read(r#"{"name": "ci", "uid": 990, "gid": 991, "groups": [[991, "ci"]]}"#);
        assert_eq!(ci.id, AccountId::Unix { uid: 990, gid: 991 });
        assert_eq!(ci.to_string(), "ci (user ID 990)");
        assert_eq!(read(&serde_json::to_string(&ci).unwrap()), ci);
        let of_windows = read(r#"{"name": "circleci", "sid": "S-1-5-21-7"}"#);
        let system = read(r#"{"name": "SYSTEM", "sid": "S-1-5-18"}"#);
        let permissions = Permissions::Mode { uid: 0, gid: 0, mode: 0o600 };
        let meta =
            Meta { kind: Kind::File, permissions, size: 1, links: 1, identity: (0, 0, 0, 0) };
        for account in [AccountFacts::default(), of_windows.clone(), system.clone()] {
            assert_eq!((account.uid(), account.owns(&meta)), (None, false), "{account}");
            let text = serde_json::to_string(&account).unwrap();
            assert!(!text.contains("uid"), "{text}");
            assert_eq!(read(&text), account);
        }
        assert!(!AccountFacts::default().is_root() && !of_windows.is_root() && system.is_root());
    }
}
