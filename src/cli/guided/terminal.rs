//! Questions at a terminal: a line editor of the few keys that answers need, which can hide what
//! is typed and knows Esc; no line is wider than the terminal.

use super::ask::{Ask, Prompt, Reply};
use crate::{
    Code, Error, Result,
    cli::{
        Output,
        harmless::one_row,
        interrupt,
        text::{Line, Text, Tone},
    },
    platform::terminal::Terminal,
    text::may_be_secret,
};
use console::{Key, Term, measure_text_width};
use secrecy::zeroize::Zeroizing;
use std::io;

/// Columns that text is indented by.
const INDENT: &str = "  ";

/// Columns that an answer needs to be typed in.
const ANSWER: usize = 12;

/// Longest answer in bytes; the rest is not taken.
const LONGEST: usize = 4096;

/// A person at standard input and standard error.
pub(crate) struct Person<'a> {
    out: &'a Output,
    term: Term,
    _hush: Hush,
}

/// Keys go to the program unseen while this lives: between two questions too, for a token that
/// was pasted too early.
struct Hush(Option<Terminal>);

impl<'a> Person<'a> {
    /// Asks on this terminal.
    pub(crate) fn new(out: &'a Output) -> Self {
        // To read keys and to clear a row; what is shown goes through the exit.
        #[expect(clippy::disallowed_methods)]
        let term = Term::stderr();
        Self { out, term, _hush: Hush::new() }
    }

    /// Columns for text; the last one stays free, where terminals disagree on what comes next.
    fn room(&self) -> usize {
        self.out.width().saturating_sub(INDENT.len() + 1)
    }

    fn show(&self, prompt: &Prompt) {
        let mut text = Text::new();
        text.blank();
        text.line(Line::new().toned(Tone::Strong, prompt.title.clone()));
        for paragraph in &prompt.meaning {
            text.append(indented(paragraph, Tone::Plain));
        }
        for (choice, meaning) in prompt.choices.iter().filter(|(_, meaning)| !meaning.is_empty()) {
            text.append(indented(&format!("{choice}  {meaning}"), Tone::Plain));
        }
        self.out.line(text);
    }

    /// What stands before the cursor: the default, or the letters to choose from.
    fn head(prompt: &Prompt) -> String {
        let default = prompt.default.as_deref().unwrap_or_default();
        let shown = |choice: &str| match choice == default {
            true => choice.to_uppercase(),
            false => choice.to_owned(),
        };
        let choices: Vec<_> = prompt.choices.iter().map(|(choice, _)| shown(choice)).collect();
        match default {
            _ if choices.iter().any(|choice| choice.len() == 1) => {
                format!("[{}] > ", choices.join("/"))
            }
            "" => "> ".to_owned(),
            default => format!("[{}] > ", one_row(default)),
        }
    }

    /// Reads a line; `None`: Esc.
    fn line(&self, head: &str, prompt: &Prompt) -> io::Result<Option<Zeroizing<String>>> {
        let hides = |line: &str| prompt.is_hidden || prompt.is_guarded && may_be_secret(line);
        let mut line = Zeroizing::new(String::with_capacity(LONGEST));
        self.draw(head, &line)?;
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
                    self.end_line(head, &line, was_hidden)?;
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
                    self.end_line(head, &line, was_hidden)?;
                    return Ok(None);
                }
                Key::Char(c) if !c.is_control() && line.len() + c.len_utf8() <= LONGEST => {
                    line.push(c);
                    let fits = |line: &str| {
                        let shown = format!("{head}{}", one_row(line));
                        measure_text_width(&shown) <= self.room()
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
                true => self.draw(head, &count(&line))?,
                false => self.draw(head, &line)?,
            }
        }
        self.end_line(head, &line, hides(&line))?;
        Ok(Some(line))
    }

    /// The head and as much of the line's end as fits.
    fn draw(&self, head: &str, line: &str) -> io::Result<()> {
        let line = &*one_row(line);
        let mut left = self.room().saturating_sub(measure_text_width(head));
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
        self.out.typed(&format!("{INDENT}{head}{shown}"))
    }

    fn end_line(&self, head: &str, line: &str, is_hidden: bool) -> io::Result<()> {
        if is_hidden {
            // That something arrived can be told without telling what.
            self.draw(head, &count(line))?;
        }
        self.out.typed_end()
    }
}

/// What is shown in place of a secret.
fn count(line: &str) -> String {
    match line.chars().count() {
        0 => String::new(),
        1 => "(1 character)".to_owned(),
        count => format!("({count} characters)"),
    }
}

impl Ask for Person<'_> {
    fn say(&mut self, text: &str) {
        self.out.line(indented(text, Tone::Plain));
    }

    fn refuse(&mut self, text: &str) {
        self.out.line(indented(text, Tone::Refused));
    }

    fn ask(&mut self, prompt: &Prompt, is_again: bool) -> Result<Reply> {
        if !is_again {
            self.show(prompt);
        }
        let mut head = Self::head(prompt);
        if measure_text_width(&head) + ANSWER > self.room() {
            "> ".clone_into(&mut head);
        }
        let line = self.line(&head, prompt).map_err(|error| {
            Error::new(
                Code::Interrupted,
                format!("the terminal cannot be read any more: {error}; nothing was changed"),
            )
        })?;
        Ok(match line.as_deref().map(|line| line.trim()) {
            None | Some("q") => Reply::Quit,
            Some("<") => Reply::Back,
            Some("") => Reply::Answer(prompt.default.clone().unwrap_or_default()),
            Some(text) => Reply::Answer(text.to_owned()),
        })
    }
}

fn indented(text: &str, tone: Tone) -> Text {
    text.lines().map(|line| Line::new().lead(INDENT).toned(tone, line.to_owned())).collect()
}

impl Hush {
    fn new() -> Self {
        let terminal = Terminal::found();
        if let Some(terminal) = &terminal {
            terminal.hush();
        }
        Self(terminal)
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if let Some(terminal) = &self.0 {
            terminal.restore();
        }
    }
}
