//! The one exit: everything that is printed goes through here, results to standard output, the
//! rest to standard error. Callers hand over text in parts; control characters, what only steers a
//! terminal, and known secrets are taken out of them here, and styles are added afterwards.

// Nothing else in this program may print: `clippy.toml` forbids it everywhere but here.
#![allow(clippy::disallowed_methods)]

use super::{
    early::OutputOptions,
    harmless::{harmless, one_row},
    json,
    options::When,
    text::{Fold, Line, Rendering, Text, Tone, own_page},
};
use crate::{Code, Command, Error, Result, platform::terminal::takes_escapes, text::Secrets};
use console::{AnsiCodeIterator, Term};
use serde::Serialize;
use std::{
    borrow::Cow,
    env,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The version of every JSON document.
pub const SCHEMA_VERSION: u32 = 1;

/// Text is folded to the terminal, but never wider than one reads well.
const WIDEST: usize = 100;

/// Where and how to print.
#[derive(Debug, Clone)]
pub struct Output {
    options: OutputOptions,
    secrets: Secrets,
    /// The folder of the image that the run is about.
    image: Arc<OnceLock<PathBuf>>,
    found: Secrets,
    color_out: bool,
    color_err: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a, T: Serialize> {
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// JSON that may be printed or saved.
pub(super) struct Json(String);

/// Where something is printed.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Out,
    Error,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Failure<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    help: Vec<String>,
    exit: u8,
}

impl Output {
    /// Prints in this manner.
    pub fn new(options: OutputOptions) -> Self {
        Self {
            options,
            secrets: Secrets::default(),
            image: Arc::default(),
            found: Secrets::default(),
            color_out: is_coloured(options.color, || {
                is_terminal(Stream::Out) && is_wanted() && takes_escapes(false)
            }),
            color_err: is_coloured(options.color, || {
                is_terminal(Stream::Error) && is_wanted() && takes_escapes(true)
            }),
        }
    }

    /// How things are printed.
    pub fn options(&self) -> OutputOptions {
        self.options
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.options.json
    }

    /// What must not be printed; add every secret as soon as it is known.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Takes down the folder of the image that the run is about, so that no command of ours that is
    /// told acts on the host instead; it is returned as it is from any folder.
    ///
    /// # Errors
    /// [`Code::ValueInvalid`] where nothing is there, [`Code::HostUnfit`] where the folder that this
    /// process is in is gone.
    pub(super) fn about(&self, root: Option<&Path>) -> Result<Option<PathBuf>> {
        let Some(root) = root else { return Ok(None) };
        let whole = std::path::absolute(root)
            .map_err(|error| Error::new(Code::HostUnfit, format!("{}: {error}", root.display())))?;
        if whole.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let why = format!("--root: the folder {} does not exist", whole.display());
            return Err(Error::new(Code::ValueInvalid, why));
        }
        Ok(Some(self.image.get_or_init(|| whole).clone()))
    }

    /// A command of this program as it is told by this run; `None` where it cannot be typed.
    pub(super) fn command_line(&self, command: Command) -> Option<String> {
        command.of_image(self.image.get().map(PathBuf::as_path)).into_line()
    }

    fn help_of(&self, error: &Error) -> Vec<String> {
        let Some(base) = self.image.get() else { return error.help_lines() };
        let mut help = error.help_in(Some(base));
        let shown = base.display().to_string();
        if error.sentence().contains('/') && !error.sentence().contains(&shown) {
            help.push(format!("paths here are those inside of {shown}"));
        }
        help
    }

    /// What must not be printed of text that others wrote: secrets that stand where an account
    /// could have written them.
    pub fn found(&self) -> &Secrets {
        &self.found
    }

    /// Whether there is a person to ask: on a terminal, unless `--yes` or JSON was asked for.
    ///
    /// # Errors
    /// [`Code::Contradiction`] with `--quiet`, which would leave out the questions and the plan.
    pub fn is_asking(&self, yes: bool) -> Result<bool> {
        let has_person = io::stdin().is_terminal() && is_terminal(Stream::Error);
        let is_asking = has_person && !yes && !self.options.json;
        if is_asking && self.options.quiet {
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
        // Either may have been sent elsewhere.
        let size = Term::stderr().size_checked().or_else(|| Term::stdout().size_checked());
        size.map_or(80, |(_, columns)| columns.into()).clamp(20, WIDEST)
    }

    /// Whether a person reads standard error.
    pub(super) fn has_reader(&self) -> bool {
        is_terminal(Stream::Error)
    }

    /// A result as text.
    ///
    /// # Errors
    /// [`Code::HostUnfit`] when standard output cannot be written. That its reader has gone, as
    /// `head` does, is none.
    pub fn result(&self, text: impl Into<Text>) -> Result<()> {
        let terminal = is_terminal(Stream::Out).then(|| self.width());
        self.out(&text.into().rendered(&self.rendering(terminal, self.color_out)))
    }

    /// A result that is a page of this program's own: the manual, completions, the catalogue.
    /// Nothing that was read on the host may be in it, since its line breaks are kept.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn page(&self, text: &str) -> Result<()> {
        self.out(&own_page(text))
    }

    /// clap's help, coloured where standard output is.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub(super) fn help(&self, text: &clap::builder::StyledStr) -> Result<()> {
        if !self.color_out {
            return self.page(&text.to_string());
        }
        let text = text.ansi().to_string();
        let styled = AnsiCodeIterator::new(&text).map(|(part, is_code)| match is_code {
            // Of escape sequences, colours alone.
            true if part.ends_with('m') => Cow::Borrowed(part),
            _ => harmless(part),
        });
        self.out(&styled.collect::<String>())
    }

    /// A result as a JSON document; `body` must serialize as a map.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn document(&self, body: &impl Serialize) -> Result<()> {
        self.json_result(&self.json(&Document { schema_version: SCHEMA_VERSION, body })?)
    }

    /// A result that is JSON already, made by [`Output::json`].
    ///
    /// # Errors
    /// As [`Output::result`].
    pub(super) fn json_result(&self, json: &Json) -> Result<()> {
        self.out(&json.0)
    }

    /// JSON without a known secret, as every document is printed or saved.
    ///
    /// # Errors
    /// [`Code::HostUnfit`] for what cannot be JSON.
    pub(super) fn json(&self, body: &impl Serialize) -> Result<Json> {
        let text = json::rendered(body, &self.secrets, &self.found);
        text.map(Json)
            .map_err(|error| Error::new(Code::HostUnfit, format!("the JSON document: {error}")))
    }

    /// Something worth knowing.
    pub fn note(&self, text: &str) {
        if !self.options.quiet {
            self.err(&Line::labelled(Tone::Note, "note", text).into());
        }
    }

    /// The same, and a command in a row of its own.
    pub(super) fn note_with(&self, text: &str, command: String) {
        if !self.options.quiet {
            let mut lines = Text::from(Line::labelled(Tone::Note, "note", &format!("{text}:")));
            lines.line(Line::new().lead("  ").text(command).fold(Fold::Never));
            self.err(&lines);
        }
    }

    /// Something that may be wrong. `-q` keeps it, `--json` too: it goes to standard error.
    pub fn warning(&self, text: &str) {
        self.err(&Line::labelled(Tone::Warning, "warning", text).into());
    }

    /// Lines of progress, or of a dialogue.
    pub fn line(&self, text: impl Into<Text>) {
        if !self.options.quiet {
            self.err(&text.into());
        }
    }

    /// A row of `-v`.
    pub(super) fn trace(&self, level: &str, text: &str) {
        let line = Line::new().toned(Tone::Dim, level.to_owned()).foreign(text);
        self.err(&line.hang(2).into());
    }

    /// What went wrong: in rustc's form on standard error, or as a JSON document.
    pub fn error(&self, error: &Error) {
        if self.options.json {
            let body = ErrorBody {
                code: error.code().id(),
                message: error.message(),
                help: self.help_of(error),
                exit: error.exit(),
            };
            // Nothing is left to do about an error while telling an error.
            let _ = self.document(&Failure { error: body });
            return;
        }
        let id = error.code().id();
        let label = format!("error[{id}]");
        let mut text = Text::from(Line::labelled(Tone::Bad, label, error.sentence()));
        text.foreign(error.foreign());
        // What `explain` could add to a usage error, the message says.
        let explain = (error.exit() != 2).then(|| format!("runnerup explain {id}"));
        for help in self.help_of(error).into_iter().chain(explain) {
            // Not folded: a command is copied whole.
            let line = Line::new().lead("  ").toned(Tone::Help, "help:").text(" ");
            text.line(line.text(help).fold(Fold::Never));
        }
        self.err(&text);
    }

    /// Text as a single row for a progress bar, which draws by itself.
    pub(super) fn row(&self, text: &str) -> String {
        one_row(&self.secrets.scrub(text)).into_owned()
    }

    /// Whether a dialogue, which is at standard error, is coloured.
    pub(super) fn colours_dialogue(&self) -> bool {
        self.color_err
    }

    /// Whether rows at standard error can be written anew.
    pub(super) fn moves_cursor(&self) -> bool {
        is_terminal(Stream::Error)
            && takes_escapes(true)
            && env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Shows the cursor again, which a menu hides.
    pub(super) fn show_cursor(&self) {
        if self.moves_cursor() {
            // A terminal that is gone shows none.
            let _ = Term::stderr().show_cursor();
        }
    }

    /// How many rows a text takes at standard error.
    pub(super) fn rows(&self, text: &Text) -> usize {
        text.rendered(&self.rendering(Some(self.width() - 1), false)).lines().count()
    }

    /// A part of a row at the terminal, as it is typed.
    pub(super) fn typed(&self, text: &str) -> io::Result<()> {
        put(Stream::Error, &one_row(text))
    }

    /// The end of a row that was typed.
    pub(super) fn typed_end(&self) -> io::Result<()> {
        put(Stream::Error, "\r\n")
    }

    fn rendering(&self, terminal: Option<usize>, is_coloured: bool) -> Rendering<'_> {
        let (secrets, found) = (&self.secrets, &self.found);
        Rendering { terminal, width: self.width(), is_coloured, secrets, found }
    }

    fn out(&self, text: &str) -> Result<()> {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        match put(Stream::Out, &format!("{text}{end}")) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::new(
                Code::HostUnfit,
                format!("standard output cannot be written: {error}"),
            )),
            _ => Ok(()),
        }
    }

    fn err(&self, text: &Text) {
        // The last column stays free, where terminals disagree on what comes next.
        let terminal = is_terminal(Stream::Error).then(|| self.width() - 1);
        // Standard error is the last resort; when it is gone there is nobody to tell.
        let _ = put(Stream::Error, &text.rendered(&self.rendering(terminal, self.color_err)));
    }
}

impl Json {
    /// For a file that the caller writes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Out => io::stdout().is_terminal(),
        Stream::Error => io::stderr().is_terminal(),
    }
}

/// The only place where bytes leave the program for a reader.
fn put(stream: Stream, text: &str) -> io::Result<()> {
    let mut to: Box<dyn Write> = match stream {
        Stream::Out => Box::new(io::stdout().lock()),
        Stream::Error => Box::new(io::stderr().lock()),
    };
    to.write_all(text.as_bytes())?;
    to.flush()
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
