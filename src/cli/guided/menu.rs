//! Choices at a terminal, by arrow keys: dialoguer's `Select` under a theme of our own.
//!
//! Texts and the token keep a line editor of our own (`line.rs`): dialoguer's `Input` and `Password`
//! know no Esc, show what was pasted before the question, and do not hide a token that was pasted
//! at the wrong one.

use super::ask::{Exit, Prompt, Reply};
use crate::cli::{Output, interrupt};
use console::{Style, Term, measure_text_width};
use dialoguer::{Select, theme::Theme};
use std::{fmt, io};

/// What stands before an entry: the chosen one, and the others.
const MARKS: [&str; 2] = ["  > ", "    "];

/// No entry is chosen at first: Enter alone does nothing.
const NONE: usize = usize::MAX;

/// A question's choices, then the ways out of it.
pub(super) struct Menu {
    entries: Vec<Entry>,
    rows: Vec<String>,
    /// The entry that is chosen at first.
    default: usize,
    /// Whether each row says what its entry means. Where one would be wider than the terminal there
    /// are labels alone, and whoever shows the menu tells the meanings above it: a row that is folded
    /// breaks its redrawing.
    pub(super) has_meanings: bool,
}

/// One entry of a menu.
struct Entry {
    label: String,
    meaning: String,
    reply: Reply,
}

struct Arrows {
    is_coloured: bool,
}

impl Theme for Arrows {
    fn format_select_prompt_item(
        &self,
        f: &mut dyn fmt::Write,
        text: &str,
        active: bool,
    ) -> fmt::Result {
        let style = Style::new().force_styling(self.is_coloured);
        match active {
            true => write!(f, "{}", style.cyan().bold().apply_to(format!("{}{text}", MARKS[0]))),
            false => write!(f, "{}{text}", MARKS[1]),
        }
    }
}

impl Menu {
    /// The menu of a question, in so many columns.
    pub(super) fn new(prompt: &Prompt, room: usize) -> Self {
        let entries = entries(prompt);
        let labels = || entries.iter().map(|entry| entry.label.clone()).collect();
        let rows = rows(&entries, room);
        let is_default = |(key, _): &(&str, String)| Some(*key) == prompt.default.as_deref();
        Self {
            has_meanings: rows.is_some(),
            rows: rows.unwrap_or_else(labels),
            default: prompt.choices.iter().position(is_default).unwrap_or(NONE),
            entries,
        }
    }

    /// Has one entry chosen; Esc and `q` quit.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(super) fn choose(self, out: &Output, term: &Term) -> io::Result<Reply> {
        let theme = Arrows { is_coloured: out.colours_dialogue() };
        let menu = Select::with_theme(&theme)
            .items(self.rows.iter().map(|row| out.row(row)))
            .default(self.default);
        let chosen = menu.interact_on_opt(term);
        // A menu that breaks off leaves it hidden.
        out.show_cursor();
        match chosen {
            Ok(Some(index)) => {
                Ok(self.entries.into_iter().nth(index).map_or(Reply::Quit, |entry| entry.reply))
            }
            Ok(None) => Ok(Reply::Quit),
            Err(dialoguer::Error::IO(error)) => {
                if error.kind() == io::ErrorKind::Interrupted {
                    // Ctrl-C, which the console library makes a signal to ourselves.
                    interrupt::give_way();
                }
                Err(error)
            }
        }
    }
}

/// The choices of a question, then the ways out of it.
fn entries(prompt: &Prompt) -> Vec<Entry> {
    let choices = prompt.choices.iter().map(|(key, meaning)| Entry {
        label: Prompt::label(key).to_owned(),
        meaning: meaning.clone(),
        reply: Reply::Answer((*key).to_owned()),
    });
    let exits = prompt.exits.iter().map(|exit| match exit {
        Exit::Back => Entry {
            label: "Back".to_owned(),
            meaning: "to the question before".to_owned(),
            reply: Reply::Back,
        },
        Exit::Quit => Entry {
            label: "Quit".to_owned(),
            meaning: "and change nothing".to_owned(),
            reply: Reply::Quit,
        },
    });
    choices.chain(exits).collect()
}

/// Each entry with its meaning; `None` where one would be wider than `room`.
fn rows(entries: &[Entry], room: usize) -> Option<Vec<String>> {
    let widest = entries.iter().map(|entry| measure_text_width(&entry.label)).max()?;
    let row = |entry: &Entry| {
        let gap = " ".repeat(widest - measure_text_width(&entry.label) + 2);
        format!("{}{gap}{}", entry.label, entry.meaning).trim_end().to_owned()
    };
    let rows: Vec<String> = entries.iter().map(row).collect();
    let fits = |row: &String| MARKS[0].len() + measure_text_width(row) <= room;
    rows.iter().all(fits).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> Prompt {
        Prompt::new("Where?")
            .choice("server", "a server of your own")
            .choice("cloud", "circleci.com")
            .exits(&[Exit::Back, Exit::Quit])
    }

    #[test]
    fn a_row_says_what_its_entry_means() {
        assert_eq!(
            Menu::new(&prompt(), 40).rows,
            [
                "server  a server of your own",
                "cloud   circleci.com",
                "Back    to the question before",
                "Quit    and change nothing"
            ]
        );
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        assert!(Menu::new(&prompt(), 34).has_meanings);
        let narrow = Menu::new(&prompt(), 33);
        assert!(!narrow.has_meanings);
        assert_eq!(narrow.rows, ["server", "cloud", "Back", "Quit"]);
    }

    #[test]
    fn the_chosen_row_is_marked_without_colour_too() {
        for is_coloured in [false, true] {
            let row = |active| {
                let mut text = String::new();
                Arrows { is_coloured }.format_select_prompt_item(&mut text, "x", active).unwrap();
                text
            };
            assert_eq!(console::strip_ansi_codes(&row(true)), "  > x");
            assert_eq!(row(false), "    x");
            assert_eq!(row(true).contains('\u{1b}'), is_coloured);
        }
    }
}
