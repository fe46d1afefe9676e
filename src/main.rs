//! Parse, dispatch, exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    runnerup::platform::privilege::keep_memory_private();
    runnerup::cli::run()
}
