//! What this process may do.

/// Whether it may change accounts, services and the documented folders: as root.
#[cfg(unix)]
pub fn is_privileged() -> bool {
    rustix::process::geteuid().is_root()
}

/// Without numbers of users the first step that is refused says so.
#[cfg(not(unix))]
pub fn is_privileged() -> bool {
    true
}

/// The number of the user that this process acts as.
#[cfg(unix)]
pub(crate) fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Without numbers of users, all of them are one.
#[cfg(not(unix))]
pub(crate) fn uid() -> u32 {
    0
}
