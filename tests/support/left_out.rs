//! How a test says that it is left out: those of whole commands and those inside of `src/`, which
//! have this file as `platform::left_out`.

#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

use std::{fs::OpenOptions, io::Write};

/// Says that a test is left out, on standard error and, for `ci/test`, in the file named by
/// `RUNNERUP_LEFT_OUT`, because the output of a test that passes is not shown.
pub fn leave_out(what: &str, why: &str) {
    let line = format!("LEFT OUT: {what}: {why}\n");
    eprint!("{line}");
    if let Some(file) = std::env::var_os("RUNNERUP_LEFT_OUT") {
        let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// True, having said so, when `what` must be left out because it needs root:
/// `if needs_root("…") { return; }`.
#[must_use]
pub fn needs_root(what: &str) -> bool {
    #[cfg(unix)]
    let missing = !rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    let missing = true;
    if missing {
        leave_out(what, "needs root");
    }
    missing
}
