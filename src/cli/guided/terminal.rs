//! Questions at a terminal: a menu where there are choices, else a line. A question that was
//! answered gives way to one row, so that the answers stay in sight as a list.

use super::{
    ask::{Ask, Prompt, Reply},
    line::{Editor, count},
    menu::Menu,
};
use crate::{
    Code, Error, Result,
    cli::{
        Output,
        harmless::one_row,
        text::{Line, TAKEN, Text, Tone},
    },
    platform::terminal::Terminal,
};
use console::{Term, measure_text_width};

/// Columns that text is indented by.
const INDENT: &str = "  ";

/// Columns that an answer needs to be typed in.
const ANSWER: usize = 12;

/// A person at standard input and standard error.
pub(crate) struct Person<'a> {
    out: &'a Output,
    term: Term,
    /// Rows that the question takes that is being put.
    rows: usize,
    /// Rows of each answer that stays in sight.
    answers: Vec<usize>,
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
        Self { out, term, rows: 0, answers: Vec::new(), _hush: Hush::new() }
    }

    /// Columns for text; the last one stays free, where terminals disagree on what comes next.
    fn room(&self) -> usize {
        self.out.width().saturating_sub(INDENT.len() + 1)
    }

    /// Shows a part of the question that is being put.
    fn line(&mut self, text: Text) {
        self.rows += self.out.rows(&text);
        self.out.line(text);
    }

    fn show(&mut self, prompt: &Prompt, menu: Option<&Menu>) {
        let mut text = Text::new();
        text.blank();
        text.line(Line::new().toned(Tone::Strong, prompt.title.clone()));
        for paragraph in &prompt.meaning {
            text.append(indented(paragraph, Tone::Plain));
        }
        let menu_tells = menu.is_some_and(|menu| menu.has_meanings);
        let is_told_here = |(_, meaning): &&(&str, String)| !meaning.is_empty() && !menu_tells;
        for (choice, meaning) in prompt.choices.iter().filter(is_told_here) {
            text.append(indented(&format!("{choice}  {meaning}"), Tone::Plain));
        }
        self.line(text);
    }

    /// A terminal that moves its cursor shows a menu; at any other a choice is typed.
    fn menu(&self, prompt: &Prompt) -> Option<Menu> {
        let has_menu = !prompt.choices.is_empty() && self.out.moves_cursor();
        has_menu.then(|| Menu::new(prompt, self.room()))
    }

    /// What stands before the cursor: the default, or the letters to choose from.
    fn head(&self, prompt: &Prompt) -> String {
        let default = prompt.default.as_deref().unwrap_or_default();
        let shown = |choice: &str| match choice == default {
            true => choice.to_uppercase(),
            false => choice.to_owned(),
        };
        let choices: Vec<_> = prompt.choices.iter().map(|(choice, _)| shown(choice)).collect();
        let head = match default {
            _ if choices.iter().any(|choice| choice.len() == 1) => {
                format!("[{}] > ", choices.join("/"))
            }
            "" => "> ".to_owned(),
            default => format!("[{}] > ", one_row(default)),
        };
        match measure_text_width(&head) + ANSWER > self.room() {
            true => "> ".to_owned(),
            false => head,
        }
    }

    fn typed(&mut self, prompt: &Prompt) -> std::io::Result<Reply> {
        let (head, room) = (self.head(prompt), self.room());
        let editor = Editor { out: self.out, term: &self.term, head: &head, indent: INDENT, room };
        let line = editor.read(prompt)?;
        self.rows += 1;
        Ok(match line.as_deref().map(|line| line.trim()) {
            None | Some("q") => Reply::Quit,
            Some("<") => Reply::Back,
            Some("") => Reply::Answer(prompt.default.clone().unwrap_or_default()),
            Some(text) => Reply::Answer(text.to_owned()),
        })
    }

    /// Takes rows that were shown last from the screen.
    fn clear(&self, rows: usize) {
        if self.out.moves_cursor() {
            // A terminal that cannot be written any more says so when it is read next.
            let _ = self.term.clear_last_lines(rows);
        }
    }
}

impl Ask for Person<'_> {
    fn say(&mut self, text: &str) {
        self.out.line(indented(text, Tone::Plain));
    }

    fn refuse(&mut self, text: &str) {
        self.line(indented(text, Tone::Refused));
    }

    fn ask(&mut self, prompt: &Prompt, is_again: bool) -> Result<Reply> {
        let menu = self.menu(prompt);
        if !is_again {
            self.rows = 0;
            self.show(prompt, menu.as_ref());
        }
        let reply = match menu {
            Some(menu) => menu.choose(self.out, &self.term),
            None => self.typed(prompt),
        };
        reply.map_err(|error| {
            Error::new(
                Code::Interrupted,
                format!("the terminal cannot be read any more: {error}; nothing was changed"),
            )
        })
    }

    fn taken(&mut self, prompt: &Prompt, answer: &str) {
        let answer = match prompt.choices.is_empty() {
            _ if prompt.is_hidden => count(answer),
            true => answer.to_owned(),
            false => Prompt::label(prompt.chosen(answer).unwrap_or(answer)).to_owned(),
        };
        let row = Line::new().toned(Tone::Good, TAKEN.to_string()).text(prompt.title.clone());
        let row = Text::from(row.text("  ").toned(Tone::Strong, answer).hang(2));
        if self.out.moves_cursor() {
            self.clear(self.rows);
            self.answers.push(self.out.rows(&row));
            self.out.line(row);
        }
        self.rows = 0;
    }

    fn back(&mut self) {
        let answer = self.answers.pop().unwrap_or_default();
        self.clear(self.rows + answer);
        self.rows = 0;
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
