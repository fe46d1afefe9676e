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
