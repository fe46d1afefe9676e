//! `runnerup completions SHELL`: generated from the definition of the parser.

use super::{
    options::{CommandLine, CompletionsArgs},
    output::Output,
};
use crate::Result;
use clap::CommandFactory;
use std::process::ExitCode;

/// Prints the completions for a shell.
pub fn run(args: &CompletionsArgs, out: &Output) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "runnerup", &mut script);
    out.page(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
