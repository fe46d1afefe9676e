//! What people type and read: one file a command, the dialogue, text and JSON.

mod bundle;
pub mod completions;
mod confirm;
mod doctor;
mod early;
mod elevate;
pub mod explain;
mod guided;
mod harmless;
pub mod inputs;
mod install;
mod interrupt;
mod json;
pub mod man;
mod next_steps;
pub mod options;
pub mod output;
mod place;
mod plan;
mod progress;
#[cfg(test)]
mod schemas;
mod service_report;
pub mod text;
mod trace;
mod uninstall;
mod usage;
pub mod variables;

pub use crate::text::Secrets;
pub use early::OutputOptions;
pub use inputs::Inputs;
pub use output::Output;

use crate::{Error, Result};
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use options::{Command, CommandLine};
use std::{ffi::OsString, process::ExitCode};

/// The whole program: reads the command line, runs the command, prints what went wrong.
pub fn run() -> ExitCode {
    run_with(&std::env::args_os().collect::<Vec<_>>())
}

/// The same with other arguments; the first is the program's name.
pub fn run_with(args: &[OsString]) -> ExitCode {
    let early = Output::new(OutputOptions::guess(args));
    let (line, matches) = match early::refuse_token(args).and_then(|()| parse(args, &early)) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => return failure(&error, &early),
    };
    let out = match OutputOptions::of(&line.global) {
        Ok(options) => Output::new(options),
        Err(error) => return failure(&error, &early),
    };
    trace::start(&out);
    dispatch(&line.command, &matches, &out).unwrap_or_else(|error| failure(&error, &out))
}

/// `None`: help or the version was asked for, and printed.
fn parse(args: &[OsString], out: &Output) -> Result<Option<(CommandLine, ArgMatches)>> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    let parsed = CommandLine::command()
        .try_get_matches_from(args)
        .and_then(|matches| Ok((CommandLine::from_arg_matches(&matches)?, matches)));
    match parsed {
        Ok(parsed) => Ok(Some(parsed)),
        Err(shown) if matches!(shown.kind(), DisplayHelp | DisplayVersion) => {
            out.help(&shown.render())?;
            Ok(None)
        }
        Err(error) => Err(usage::error(&error)),
    }
}

fn dispatch(command: &Command, matches: &ArgMatches, out: &Output) -> Result<ExitCode> {
    match command {
        Command::Install(_) | Command::Plan(_) => {
            interrupt::listen(out)?;
            let inputs = Inputs::read(of_command(matches), out)?;
            install::run(inputs, matches!(command, Command::Plan(_)), out)
        }
        Command::Doctor(args) => {
            interrupt::listen(out)?;
            doctor::run(args, out)
        }
        Command::Uninstall(args) => {
            interrupt::listen(out)?;
            uninstall::run(args, out)
        }
        Command::Bundle(args) => bundle::run(args, out),
        Command::Explain(args) => explain::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man => man::run(out),
    }
}

fn of_command(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, of_command)| of_command)
}

fn failure(error: &Error, out: &Output) -> ExitCode {
    out.error(error);
    ExitCode::from(error.exit())
}
