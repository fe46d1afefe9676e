//! `runnerup man`: the manual page, one section a command.

use super::{options::CommandLine, output::Output};
use crate::{Code, Error, Result};
use clap::CommandFactory;
use clap_mangen::Man;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Prints the manual page.
pub fn run(out: &Output) -> Result<ExitCode> {
    let mut page = Vec::new();
    write(&mut page)
        .map_err(|error| Error::new(Code::HostUnfit, format!("the manual page: {error}")))?;
    out.page(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}

const EXIT_STATUS: [(&str, &str); 10] = [
    ("0", "Done, or nothing to do, or healthy."),
    ("1", "doctor: something fails; with --strict also when something is only a warning."),
    ("2", "Usage: an option is missing or wrong."),
    ("3", "The host is not fit: privilege, platform, missing system tool."),
    ("4", "Network: could not reach or was refused."),
    ("5", "Verification: a checksum, signature or format is wrong."),
    ("6", "A step failed and everything was rolled back."),
    ("7", "A step failed and the roll-back is incomplete; says what is left."),
    ("8", "Installed, but the agent did not come up healthy."),
    ("130", "Interrupted."),
];

fn write(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = CommandLine::command();
    command.build();
    let main = Man::new(command.clone()).manual("runnerup").date("");
    main.render_title(page)?;
    main.render_name_section(page)?;
    main.render_synopsis_section(page)?;
    main.render_description_section(page)?;
    main.render_options_section(page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        section(sub, page)?;
    }
    page.write_all(b".SH EXIT STATUS\n")?;
    for (code, meaning) in EXIT_STATUS {
        write!(page, ".TP\n\\fB{code}\\fR\n{meaning}\n")?;
    }
    Ok(())
}

/// A command as a section: its own page, with each of its sections one level down.
fn section(sub: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let mut shown = sub.clone().mut_args(|arg| {
        let hide = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(hide)
    });
    let usage = shown.render_usage().to_string();
    let man = Man::new(shown.clone());
    let mut body = Vec::new();
    man.render_description_section(&mut body)?;
    // clap's own synopsis names every option; they follow.
    writeln!(body, ".SH SYNOPSIS\n{}", usage.trim_start_matches("Usage: "))?;
    man.render_options_section(&mut body)?;
    if shown.get_after_help().is_some() {
        man.render_extra_section(&mut body)?;
    }
    writeln!(page, ".SH RUNNERUP {}", sub.get_name().to_uppercase())?;
    let body = String::from_utf8_lossy(&body).replace(".SH DESCRIPTION\n", "");
    page.write_all(body.replace(".SH EXTRA", ".SS NOTES").replace(".SH ", ".SS ").as_bytes())
}
