//! What the tests of whole commands share.

// Each test binary uses its own part of this.
#![allow(dead_code, unreachable_pub)]
// The lints on `unwrap` and printing know `#[test]` functions, not the helpers that they call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

pub mod answers;
#[cfg(target_os = "linux")]
pub mod bucket;
pub mod certs;
#[cfg(target_os = "linux")]
pub mod crowd;
#[cfg(target_os = "linux")]
pub mod faults;
#[cfg(target_os = "linux")]
pub mod host;
#[cfg(target_os = "linux")]
pub mod host_tree;
pub mod hostile;
pub mod hostile_kinds;
#[cfg(target_os = "linux")]
pub mod interceptor;
#[cfg(target_os = "linux")]
pub mod lab;
mod left_out;
pub mod loopback;
pub mod plans;
#[cfg(target_os = "linux")]
pub mod planted;
#[cfg(unix)]
pub mod process;
pub mod report;
#[cfg(target_os = "linux")]
pub mod scratch;

pub use left_out::{leave_out, needs_root};

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// True, having said so, when `what` must be left out because real hosts cannot be booted here.
#[must_use]
pub fn needs_hosts(what: &str) -> bool {
    if needs_root(what) {
        return true;
    }
    let tools = ["systemd-nspawn", "mmdebstrap", "unshare", "nsenter", "ip"];
    let missing: Vec<&str> = tools.into_iter().filter(|tool| !on_path(tool)).collect();
    if !missing.is_empty() {
        leave_out(what, &format!("needs {}; ci/provision installs it", missing.join(", ")));
    }
    !missing.is_empty()
}

/// Where a program of the system is. When it is missing, says that `what` is left out.
#[must_use]
pub fn tool(name: &str, what: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers are not on the path of everyone.
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(more).map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        leave_out(what, &format!("needs {name}; ci/provision installs it"));
    }
    found
}

/// The binary of this name that runs on every test host (`runnerup`, `stand-in-agent`). When it
/// is missing, says that `what` is left out.
///
/// # Panics
/// When it is older than the sources: it would prove nothing about them.
#[must_use]
pub fn portable(name: &str, what: &str) -> Option<PathBuf> {
    let profile = Path::new(env!("CARGO_BIN_EXE_runnerup")).parent().unwrap();
    let binary = profile.parent().unwrap().join("portable").join(name);
    let Ok(about) = fs::metadata(&binary) else {
        leave_out(what, "needs target/portable/; ci/build-portable makes it");
        return None;
    };
    let sources = ["src", "templates", "examples", "Cargo.lock"];
    let newest = sources.iter().map(|path| newest_change(&repository().join(path))).max();
    assert!(
        newest.unwrap() <= about.modified().unwrap(),
        "{} is older than the sources: run ci/build-portable",
        binary.display()
    );
    Some(binary)
}

/// The program, and the bytes of the stand-in agent, for a host that is booted; `None`, having said
/// so, where none can be or they are not built.
#[must_use]
pub fn programs_for_hosts(what: &str) -> Option<(PathBuf, Vec<u8>)> {
    if needs_hosts(what) {
        return None;
    }
    Some((portable("runnerup", what)?, fs::read(portable("stand-in-agent", what)?).unwrap()))
}

/// The folder of `Cargo.toml`.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn newest_change(path: &Path) -> SystemTime {
    let Ok(about) = fs::metadata(path) else { return SystemTime::UNIX_EPOCH };
    if !about.is_dir() {
        return about.modified().unwrap();
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| newest_change(&entry.unwrap().path()));
    entries.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn on_path(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}
