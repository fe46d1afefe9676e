//! Everything that is printed goes through here: results to standard output, the rest to
//! standard error, nothing with a known secret in it.

use super::{
    early::Manner,
    options::When,
    text::{folded, harmless},
};
use crate::{Code, Error, Result, agent::Secrets, platform::terminal::takes_escapes};
use console::{Style, Term};
use serde::Serialize;
use std::{
    env,
    io::{self, IsTerminal, Write},
};

/// The version of every JSON document.
pub const SCHEMA_VERSION: u32 = 1;

/// Text is folded to the terminal, but never wider than one reads well.
const WIDEST: usize = 100;

/// Where and how to print.
#[derive(Debug, Clone)]
pub struct Output {
    manner: Manner,
    secrets: Secrets,
    color_out: bool,
    color_err: bool,
}

#[derive(Serialize)]
struct Document<'a, T: Serialize> {
    schema_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Serialize)]
struct Failure<'a> {
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    message: &'a str,
    help: &'a [String],
    exit: u8,
}

impl Output {
    /// Prints in this manner.
    pub fn new(manner: Manner) -> Self {
        Self {
            manner,
            secrets: Secrets::default(),
            color_out: is_coloured(manner.color, || {
                io::stdout().is_terminal() && is_wanted() && takes_escapes(false)
            }),
            color_err: is_coloured(manner.color, || {
                io::stderr().is_terminal() && is_wanted() && takes_escapes(true)
            }),
        }
    }

    /// How things are printed.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.manner.json
    }

    /// What must not be printed; add every secret as soon as it is known.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Whether there is a person to ask: on a terminal, unless `--yes` or JSON was asked for.
    ///
    /// # Errors
    /// [`Code::Contradiction`] with `--quiet`, which would leave out the questions and the plan.
    pub fn is_asking(&self, yes: bool) -> Result<bool> {
        let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let is_asking = is_terminal && !yes && !self.manner.json;
        if is_asking && self.manner.quiet {
            return Err(Error::new(
                Code::Contradiction,
                "--quiet leaves out the questions and the plan that they are about",
            )
            .help("add --yes to ask nothing, or leave out --quiet"));
        }
        Ok(is_asking)
    }

    /// Columns of the terminal, or what is usual.
    pub fn width(&self) -> usize {
        let columns = Term::stderr().size_checked().map_or(80, |(_, columns)| columns.into());
        columns.clamp(20, WIDEST)
    }

    /// A style for standard output, without effect where there is no colour.
    pub fn style(&self) -> Style {
        Style::new().force_styling(self.color_out)
    }

    /// A style for standard error, without effect where there is no colour.
    pub fn note_style(&self) -> Style {
        Style::new().force_styling(self.color_err)
    }

    /// Whether standard error is coloured.
    pub fn has_note_colour(&self) -> bool {
        self.color_err
    }

    /// clap's text, coloured where standard output is.
    pub(super) fn rendered(&self, text: &clap::builder::StyledStr) -> String {
        if self.color_out { text.ansi().to_string() } else { text.to_string() }
    }

    /// A result as text, lines and styles as they are.
    ///
    /// # Errors
    /// [`Code::HostUnfit`] when standard output cannot be written. That its reader has gone, as
    /// `head` does, is none.
    pub fn result(&self, text: &str) -> Result<()> {
        match self.write(io::stdout().lock(), text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::new(
                Code::HostUnfit,
                format!("standard output cannot be written: {error}"),
            )),
            _ => Ok(()),
        }
    }

    /// A result as a JSON document; `body` must serialize as a map.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn document(&self, body: &impl Serialize) -> Result<()> {
        let document = Document { schema_version: SCHEMA_VERSION, body };
        let text = serde_json::to_string_pretty(&document)
            .map_err(|error| Error::new(Code::HostUnfit, format!("the JSON document: {error}")))?;
        self.result(&text)
    }

    /// Something worth knowing.
    pub fn note(&self, text: &str) {
        if !self.manner.quiet {
            self.labelled(&self.note_style().cyan().bold(), "note", text);
        }
    }

    /// Something that may be wrong. `-q` keeps it, `--json` too: it goes to standard error.
    pub fn warning(&self, text: &str) {
        self.labelled(&self.note_style().yellow().bold(), "warning", text);
    }

    /// Lines of progress, or of a dialogue, folded to the terminal.
    pub fn line(&self, text: &str) {
        match io::stderr().is_terminal() {
            true => self.verbatim(&folded(text, self.width(), 2)),
            false => self.verbatim(text),
        }
    }

    /// The same for what must keep its lines, as files do.
    pub fn verbatim(&self, text: &str) {
        if !self.manner.quiet {
            // Standard error is the last resort; when it is gone there is nobody to tell.
            let _ = self.write(io::stderr().lock(), text);
        }
    }

    /// What went wrong: in rustc's form on standard error, or as a JSON document.
    pub fn error(&self, error: &Error) {
        if self.manner.json {
            let told = Told {
                code: error.code().id(),
                message: error.message(),
                help: error.help_lines(),
                exit: error.exit(),
            };
            // Nothing is left to do about an error while telling an error.
            let _ = self.document(&Failure { error: told });
            return;
        }
        let id = error.code().id();
        self.labelled(&self.note_style().red().bold(), &format!("error[{id}]"), error.message());
        let help = self.note_style().cyan().apply_to("help:");
        // What `explain` could add to a usage error, the message says.
        let explain = (error.exit() != 2).then(|| format!("runnerup explain {id}"));
        for line in error.help_lines().iter().chain(&explain) {
            // Not folded: a command is copied whole.
            let _ = self.write(io::stderr().lock(), &format!("  {help} {}", harmless(line)));
        }
    }

    fn labelled(&self, style: &Style, label: &str, text: &str) {
        let text = harmless(text);
        let text = format!("{label}: {text}");
        let text = if io::stderr().is_terminal() { folded(&text, self.width(), 2) } else { text };
        let rest = text.strip_prefix(label).unwrap_or(&text);
        let _ = self.write(io::stderr().lock(), &format!("{}{rest}", style.apply_to(label)));
    }

    fn write(&self, mut to: impl Write, text: &str) -> io::Result<()> {
        let text = self.secrets.scrub(text);
        to.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            to.write_all(b"\n")?;
        }
        to.flush()
    }
}

/// Colour is escape sequences: none where they would be printed as they are.
fn is_coloured(when: When, by_itself: impl FnOnce() -> bool) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => by_itself(),
    }
}

fn is_wanted() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_console_gets_no_escapes_by_itself() {
        for takes in [false, true] {
            assert_eq!(is_coloured(When::Auto, || takes), takes);
            assert!(is_coloured(When::Always, || takes) && !is_coloured(When::Never, || takes));
        }
    }
}
