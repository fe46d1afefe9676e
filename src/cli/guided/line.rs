//! A line editor of the few keys that answers need: it can hide what is typed and knows Esc; no
//! row is wider than the terminal.

use super::ask::Prompt;
use crate::cli::{Output, harmless::one_row, interrupt};
use console::{Key, Term, measure_text_width};
use secrecy::zeroize::Zeroizing;
use std::io;

/// Longest answer in bytes; the rest is not taken.
const LONGEST: usize = 4096;

/// A line that is being typed.
pub(super) struct Editor<'a> {
    pub(super) out: &'a Output,
    pub(super) term: &'a Term,
    /// What stands before the answer.
    pub(super) head: &'a str,
    /// What each row begins with.
    pub(super) indent: &'static str,
    /// Columns for head and answer.
    pub(super) room: usize,
}

impl Editor<'_> {
    /// Reads a line; `None`: Esc.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(super) fn read(&self, prompt: &Prompt) -> io::Result<Option<Zeroizing<String>>> {
        let hides = |line: &str| prompt.hides(line);
        let mut line = Zeroizing::new(String::with_capacity(LONGEST));
        self.draw(&line)?;
        loop {
            let was_hidden = hides(&line);
            let key = match self.term.read_key() {
                // Ctrl-C, which the console library makes a signal to ourselves.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    interrupt::give_way();
                    continue;
                }
                key => key?,
            };
            match key {
                Key::Enter => break,
                Key::Escape => {
                    self.end(&line, was_hidden)?;
                    return Ok(None);
                }
                Key::Backspace => drop(line.pop()),
                // Ctrl-U, Ctrl-W; Ctrl-D on an empty line is Esc to those who know shells.
                Key::Char('\u{15}') => line.clear(),
                Key::Char('\u{17}') => {
                    let kept = line.trim_end().rfind(' ').map_or(0, |blank| blank + 1);
                    line.truncate(kept);
                }
                Key::Char('\u{4}') if line.is_empty() => {
                    self.end(&line, was_hidden)?;
                    return Ok(None);
                }
                Key::Char(c) if !c.is_control() && line.len() + c.len_utf8() <= LONGEST => {
                    line.push(c);
                    let fits = |line: &str| {
                        let shown = format!("{}{}", self.head, one_row(line));
                        measure_text_width(&shown) <= self.room
                    };
                    if !hides(&line) && fits(&line) {
                        self.out.typed(c.encode_utf8(&mut [0; 4]))?;
                        continue;
                    }
                }
                _ => continue,
            }
            match hides(&line) {
                true if prompt.is_hidden => {}
                true => self.draw(&count(&line))?,
                false => self.draw(&line)?,
            }
        }
        self.end(&line, hides(&line))?;
        Ok(Some(line))
    }

    /// The head and as much of the line's end as fits.
    fn draw(&self, line: &str) -> io::Result<()> {
        let line = &*one_row(line);
        let mut left = self.room.saturating_sub(measure_text_width(self.head));
        let mut fits = |c: char| {
            let wide = measure_text_width(c.encode_utf8(&mut [0; 4]));
            let fits = wide <= left;
            left = if fits { left - wide } else { 0 };
            fits
        };
        let shown: usize = line.chars().rev().take_while(|c| fits(*c)).map(char::len_utf8).sum();
        let shown = line.get(line.len() - shown..).unwrap_or_default();
        // By the console's own calls where it knows no escape sequences.
        self.term.clear_line()?;
        self.out.typed(&format!("{}{}{shown}", self.indent, self.head))
    }

    fn end(&self, line: &str, is_hidden: bool) -> io::Result<()> {
        if is_hidden {
            // That something arrived can be told without telling what.
            self.draw(&count(line))?;
        }
        self.out.typed_end()
    }
}

/// What is shown in place of a secret.
pub(super) fn count(line: &str) -> String {
    match line.chars().count() {
        0 => String::new(),
        1 => "(1 character)".to_owned(),
        count => format!("({count} characters)"),
    }
}
