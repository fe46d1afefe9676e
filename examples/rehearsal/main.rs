//! The main job on a machine with nothing: no CircleCI account, no root, no internet.
//!
//! `cargo run --example rehearsal` serves a release bucket and the runner API on loopback,
//! installs from it into a scratch root by the very code that a real install runs, shows what
//! that made, runs the agent that was installed, installs again, and takes it all away. The
//! agent is a stand-in: this very program, which the bucket offers and the install verifies.

#![allow(clippy::print_stdout, clippy::print_stderr)] // To be read is what it is for.

#[cfg(unix)]
#[path = "../stand-in-agent/agent.rs"]
mod agent;
#[cfg(unix)]
#[path = "../stand-in-agent/form.rs"]
mod form;
#[cfg(unix)]
#[path = "../stand-in-agent/job.rs"]
mod job;
#[cfg(unix)]
#[path = "../../tests/support/loopback.rs"]
// Of the tests, which use more of it, and where a panic is a failure told.
#[allow(dead_code, unreachable_pub, clippy::expect_used)]
mod loopback;
#[cfg(unix)]
#[path = "unix.rs"]
mod rehearsal;

fn main() -> std::process::ExitCode {
    #[cfg(unix)]
    return rehearsal::run();
    #[cfg(not(unix))]
    {
        eprintln!("the rehearsal is for Linux and macOS; here, try: runnerup plan --root FOLDER");
        std::process::ExitCode::FAILURE
    }
}
