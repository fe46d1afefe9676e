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

/// Keeps the memory of this process, which may hold the token, from becoming a file: no core dump
/// is written when the process ends by a fault, and no other process of its user may read it.
///
/// Where a system refuses either, the process goes on: it is as safe as it was.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, none);
    }
    // A handler of dumps that is a program (`core_pattern` with a pipe) does not heed the limit.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
