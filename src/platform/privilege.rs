//! What this process may do.

use super::{Os, command::Commands, windows::elevation};

/// Whether it may change accounts, services and the documented folders: as root, or elevated on
/// Windows, where a program of the system is asked. Without an answer it may not.
pub fn is_administrator(os: Os, commands: &dyn Commands) -> bool {
    match os {
        Os::Linux | Os::Darwin => is_privileged(),
        Os::Windows => elevation::is_elevated(commands).unwrap_or_else(|error| {
            tracing::debug!(%error, "whether this is elevated");
            false
        }),
    }
}

/// Whether it may give files to other accounts and act on theirs: as root.
#[cfg(unix)]
pub fn is_privileged() -> bool {
    rustix::process::geteuid().is_root()
}

/// Rights are lists of names here: nothing is given to a number, and so nothing is refused for it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::{Recorded, Script};

    #[test]
    fn windows_is_asked_whether_this_is_elevated() {
        let is = |code, said: &str| is_administrator(Os::Windows, &Recorded::answering(code, said));
        assert!(is(0, "True\r\n"));
        for (code, said) in
            [(0, "False\r\n"), (0, ""), (1, "It is blocked by policy."), (Script::HANGS, "")]
        {
            assert!(!is(code, said), "{code} {said:?}");
        }
        let asked = Recorded::answering(0, "True");
        is_administrator(Os::Windows, &asked);
        assert!(asked.calls()[0].contains("S-1-5-32-544"), "{:?}", asked.calls());
    }

    #[test]
    fn other_systems_are_not_asked() {
        let asked = Recorded::default();
        for os in [Os::Linux, Os::Darwin] {
            assert_eq!(is_administrator(os, &asked), is_privileged());
        }
        assert!(asked.calls().is_empty());
    }
}
