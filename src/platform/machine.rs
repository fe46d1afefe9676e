//! What the machine says of itself.

use std::path::Path;

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that an account without privileges may still use.
    pub bytes_free: u64,
    /// Inodes in all; 0 where there is no such limit.
    pub inodes: u64,
    /// Inodes that are left.
    pub inodes_free: u64,
}

/// The host's name.
#[cfg(unix)]
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The host's name; the system sets the variable.
#[cfg(windows)]
pub fn hostname() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default().to_lowercase()
}

/// The processor, by the system's own word, such as `x86_64`, `arm64` or `AMD64`.
#[cfg(unix)]
pub fn machine() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// The processor, by the system's own word, such as `AMD64`.
#[cfg(windows)]
pub fn machine() -> String {
    std::env::var("PROCESSOR_ARCHITECTURE").unwrap_or_default()
}

/// Clock ticks a second, in which `/proc` counts times of processes.
#[cfg(unix)]
pub fn clock_ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// None: there is no `/proc`.
#[cfg(windows)]
pub fn clock_ticks_per_second() -> u64 {
    0
}

/// Room on the file system that a folder is on.
#[cfg(unix)]
pub fn space(folder: &Path) -> Option<Space> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(Space {
        bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        bytes_free: stat.f_bavail.saturating_mul(stat.f_frsize),
        inodes: stat.f_files,
        inodes_free: stat.f_favail,
    })
}

/// Not known without calls of the system's own.
#[cfg(windows)]
pub fn space(_folder: &Path) -> Option<Space> {
    None
}
