//! Text for people: lines of spans, each with a tone. Only the exit (`output.rs`) turns it into
//! bytes, and makes every span harmless before it adds a style, so that no escape sequence in a
//! value ever reaches a terminal, and no value begins a line of its own.

use super::harmless::{columns, harmless, one_row};
use crate::{Foreign, text::Secrets};
use console::{Emoji, Style};
use std::{borrow::Cow, ops::Range};

/// Stands in front of each line that another program wrote.
pub const MARK: &str = "    | ";

/// Lines of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Vec<Line>);

/// A line: one row, or as many as it is folded to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<Span>,
    lead: &'static str,
    hang: usize,
    fold: Fold,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    tone: Tone,
    /// What is borrowed is a constant of this program, and holds no secret.
    text: Cow<'static, str>,
    /// Others wrote it: secrets that were found are searched for here alone, so that nobody blanks
    /// this program's own words by calling them a token.
    is_foreign: bool,
}

/// What a part of a line is to look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// As the terminal has it.
    #[default]
    Plain,
    /// A title.
    Strong,
    /// Something holds.
    Good,
    /// Something may do harm; a title of that.
    Warning,
    /// Why an answer cannot be taken.
    Refused,
    /// Something is wrong.
    Bad,
    /// Of no great interest.
    Dim,
    /// A title of something worth knowing.
    Note,
    /// A label of what helps.
    Help,
}

/// Where a line is folded at its blanks, and a word that is wider than a row within it. A terminal
/// would do the latter too, but begin the next row in its first column, as this program's own
/// lines do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fold {
    /// Nowhere: a command is copied whole. No value but a plain one may be in it.
    Never,
    /// At a terminal.
    #[default]
    AtTerminal,
    /// Wherever it goes.
    Always,
}

/// How lines are turned into rows.
pub(super) struct Rendering<'a> {
    /// Columns to fold to; `None`: only what is always folded is.
    pub(super) terminal: Option<usize>,
    /// Columns that a line is folded to that is folded anywhere.
    pub(super) width: usize,
    pub(super) is_coloured: bool,
    /// Searched for in every value.
    pub(super) secrets: &'a Secrets,
    /// Searched for in what others wrote.
    pub(super) found: &'a Secrets,
}

/// What stands before something that is done; the second where the terminal's text is not UTF-8.
pub(super) const TAKEN: Emoji<'_, '_> = Emoji("✓ ", "+ ");

impl Text {
    /// No lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl Into<Line>) {
        self.0.push(line.into());
    }

    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.0.push(Line::new());
    }

    /// Adds what another program wrote, marked as such.
    pub fn foreign(&mut self, said: &Foreign) {
        for line in said.lines() {
            self.0.push(Line::new().foreign(line).hang(2).lead(MARK));
        }
    }

    /// Adds the lines of another text.
    pub fn append(&mut self, other: impl Into<Self>) {
        self.0.append(&mut other.into().0);
    }

    /// The rows of it, each with its line break.
    pub(super) fn rendered(&self, how: &Rendering<'_>) -> String {
        let mut out = String::new();
        for line in &self.0 {
            line.render(how, &mut out);
        }
        out
    }
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// `label: text`.
    pub fn labelled(tone: Tone, label: impl Into<Cow<'static, str>>, text: &str) -> Self {
        Self::new().toned(tone, label).text(": ").text(text.to_owned()).hang(2)
    }

    /// Adds text. A `&'static str` is a constant of this program.
    #[must_use]
    pub fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.toned(Tone::Plain, text)
    }

    /// Adds text of a tone.
    #[must_use]
    pub fn toned(mut self, tone: Tone, text: impl Into<Cow<'static, str>>) -> Self {
        self.spans.push(Span { tone, text: text.into(), is_foreign: false });
        self
    }

    /// Adds text that others wrote.
    #[must_use]
    pub fn foreign(mut self, text: &str) -> Self {
        let text = Cow::Owned(text.to_owned());
        self.spans.push(Span { tone: Tone::Plain, text, is_foreign: true });
        self
    }

    /// What each of its rows begins with: blanks, or a mark.
    #[must_use]
    pub fn lead(mut self, lead: &'static str) -> Self {
        self.lead = lead;
        self
    }

    /// Columns that the second and further rows are indented by.
    #[must_use]
    pub fn hang(mut self, columns: usize) -> Self {
        self.hang = columns;
        self
    }

    /// Where it is folded.
    #[must_use]
    pub fn fold(mut self, fold: Fold) -> Self {
        self.fold = fold;
        self
    }

    fn render(&self, how: &Rendering<'_>, out: &mut String) {
        let shown = |span: &Span| match &span.text {
            Cow::Borrowed(own) => one_row(own).into_owned(),
            Cow::Owned(text) if span.is_foreign => {
                one_row(&how.secrets.scrub(&how.found.scrub(text))).into_owned()
            }
            Cow::Owned(text) => one_row(&how.secrets.scrub(text)).into_owned(),
        };
        let spans: Vec<(Tone, String)> =
            self.spans.iter().map(|span| (span.tone, shown(span))).collect();
        let whole: String = spans.iter().map(|(_, text)| text.as_str()).collect();
        let width = match self.fold {
            Fold::Never => None,
            Fold::AtTerminal => how.terminal,
            Fold::Always => Some(how.width),
        };
        let shape = Shape::new(&whole, width, self.lead.len(), self.hang);
        for (number, row) in rows(&whole, &shape).into_iter().enumerate() {
            out.push_str(self.lead);
            if number > 0 {
                out.extend(std::iter::repeat_n(' ', shape.indent + shape.hang));
            }
            styled(&spans, &row, how.is_coloured, out);
            out.push('\n');
        }
    }
}

/// Columns of the rows of a line.
struct Shape {
    /// Of a row, without the lead.
    room: usize,
    /// What each row is indented by: as the line is, unless that leaves no room.
    indent: usize,
    /// What the second and further rows are indented by besides.
    hang: usize,
}

impl Shape {
    fn new(line: &str, width: Option<usize>, lead: usize, hang: usize) -> Self {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let Some(width) = width else { return Self { room: usize::MAX, indent: blanks, hang } };
        let room = width.saturating_sub(lead);
        let indent = blanks.min(room / 2);
        Self { room, indent, hang: hang.min((room - indent) / 2) }
    }

    /// Columns that words have in the second and further rows.
    fn rest(&self) -> usize {
        self.room.saturating_sub(self.indent + self.hang)
    }
}

/// Where each row of a line begins and ends. No row is wider than the room for it, unless one
/// character is.
fn rows(line: &str, shape: &Shape) -> Vec<Range<usize>> {
    if columns(line) <= shape.room {
        return std::iter::once(0..line.len()).collect();
    }
    let mut rows = Vec::new();
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let mut row = blanks - shape.indent..blanks;
    let mut left = shape.room - shape.indent;
    // Whether the row holds nothing but its indentation.
    let mut is_empty = true;
    let mut at = 0;
    for word in line.split(char::is_whitespace) {
        let (from, to) = (at, at + word.len());
        at = to + line.get(to..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if word.is_empty() {
            continue;
        }
        let gap = columns(line.get(row.end..from).unwrap_or_default());
        let wide = columns(word);
        if !is_empty && gap + wide > left {
            rows.push(std::mem::replace(&mut row, from..from));
            left = shape.rest();
        } else {
            left = left.saturating_sub(gap);
        }
        is_empty = false;
        row.end = to;
        if wide <= left {
            left -= wide;
            continue;
        }
        for (at, c) in word.char_indices().map(|(at, c)| (from + at, c)) {
            let wide = columns(c.encode_utf8(&mut [0; 4]));
            if wide > left && at > from {
                rows.push(row.start..at);
                row.start = at;
                left = shape.rest();
            }
            left = left.saturating_sub(wide);
        }
    }
    rows.push(row);
    rows
}

/// Adds the part `row` of the spans.
fn styled(spans: &[(Tone, String)], row: &Range<usize>, is_coloured: bool, out: &mut String) {
    let mut from = 0;
    for (tone, text) in spans {
        let to = from + text.len();
        let part = row.start.max(from)..row.end.min(to);
        if part.start < part.end {
            let part = text.get(part.start - from..part.end - from).unwrap_or_default();
            match tone {
                Tone::Plain => out.push_str(part),
                tone => out.push_str(&tone.style(is_coloured).apply_to(part).to_string()),
            }
        }
        from = to;
    }
}

impl Tone {
    fn style(self, is_coloured: bool) -> Style {
        let style = Style::new().force_styling(is_coloured);
        match self {
            Self::Plain => style,
            Self::Strong => style.bold(),
            Self::Good => style.green(),
            Self::Warning => style.yellow().bold(),
            Self::Refused => style.yellow(),
            Self::Bad => style.red().bold(),
            Self::Dim => style.dim(),
            Self::Note => style.cyan().bold(),
            Self::Help => style.cyan(),
        }
    }
}

/// A page that was made of nothing but this program's own constants, line breaks and tabs kept.
pub(super) fn own_page(text: &str) -> String {
    let mut out = harmless(text).into_owned();
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// A constant of this program: its line breaks are its own.
impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(text.split('\n').map(Line::from).collect())
    }
}

/// One line, whatever is in it.
impl From<String> for Text {
    fn from(text: String) -> Self {
        Line::from(text).into()
    }
}

impl From<Line> for Text {
    fn from(line: Line) -> Self {
        Self(vec![line])
    }
}

impl From<&'static str> for Line {
    fn from(text: &'static str) -> Self {
        Self::new().text(text).hang(2)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new().text(text).hang(2)
    }
}

impl<L: Into<Line>> FromIterator<L> for Text {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Self {
        Self(lines.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A token that is called so where an account could have written it.
    const FOUND: &str = "9f86d081884c7d659a2feaa0c55ad015";

    fn rendered(text: &Text, width: usize, is_coloured: bool) -> String {
        let secrets = Secrets::default();
        secrets.add("hush-hush");
        let found = Secrets::default();
        found.add_found(FOUND);
        let how = Rendering {
            terminal: Some(width),
            width,
            is_coloured,
            secrets: &secrets,
            found: &found,
        };
        text.rendered(&how)
    }

    fn folded(text: &str, width: usize, hang: usize) -> String {
        let lines = text.lines().map(|line| Line::from(line.to_owned()).hang(hang));
        rendered(&lines.collect(), width, false).trim_end_matches('\n').to_owned()
    }

    #[test]
    fn lines_are_folded_at_blanks() {
        assert_eq!(folded("one two three", 8, 2), "one two\n  three");
        assert_eq!(folded("a-word-too-wide x", 5, 0), "a-wor\nd-too\n-wide\nx");
        assert_eq!(folded("of a/path/too/wide x", 8, 2), "of\n  a/path\n  /too/w\n  ide x");
        assert_eq!(folded("漢漢漢", 5, 0), "漢漢\n漢");
        assert_eq!(folded(&format!("{}x y", " ".repeat(9)), 6, 0), "   x y");
        assert_eq!(folded("a\n  - b c", 5, 0), "a\n  - b\n  c");
        assert_eq!(folded("", 5, 0), "");
    }

    #[test]
    fn a_style_is_added_to_what_is_harmless_already() {
        let line = Line::new().toned(Tone::Bad, "a\u{1b}[2J".to_owned()).text("\u{9b}b".to_owned());
        assert_eq!(rendered(&line.clone().into(), 80, false), "a\\u{1b}[2J\\u{9b}b\n");
        let coloured = rendered(&line.into(), 80, true);
        assert_eq!(console::strip_ansi_codes(&coloured), "a\\u{1b}[2J\\u{9b}b\n");
        assert_eq!(coloured.matches('\u{1b}').count(), 3, "bold, red and the end: {coloured:?}");
    }

    #[test]
    fn a_value_begins_no_line() {
        let text = Text::from("x\nhelp: run this\r\nerror[E1]: y".to_owned());
        assert_eq!(rendered(&text, 80, false).lines().count(), 1);
        let mut text = Text::from("it said:");
        text.foreign(&Foreign::new("no\nhelp: run this and that and more of it"));
        assert_eq!(
            rendered(&text, 24, false),
            "it said:\n    | no\n    | help: run this and\n    |   that and more of\n    |   it\n"
        );
    }

    #[test]
    fn a_secret_goes_from_values_and_not_from_constants() {
        let line = Line::new().text("hush-hush ").text("of hush-hush".to_owned());
        assert_eq!(rendered(&line.into(), 80, false), "hush-hush of ***\n");
    }

    #[test]
    fn a_token_that_was_found_goes_from_what_others_wrote_alone() {
        let own = Line::new().text(format!("SHA-256 {FOUND}"));
        assert_eq!(rendered(&own.into(), 80, false), format!("SHA-256 {FOUND}\n"));
        let mut text = Text::new();
        text.foreign(&Foreign::new(&format!("token {FOUND}")));
        text.line(Line::new().text("it says ").foreign(FOUND));
        assert_eq!(rendered(&text, 80, false), "    | token ***\nit says ***\n");
    }

    proptest! {
        #[test]
        fn folding_keeps_every_character_but_blanks(
            text in "[a-zä漢 \n]{0,200}", width in 12usize..40, hang in 0usize..12,
        ) {
            let folded = folded(&text, width, hang);
            let ink = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(ink(&text), ink(&folded));
        }

        #[test]
        fn no_value_fills_a_row_or_begins_in_the_first_column(
            text in "[ -~ä漢\u{2800}\u{301}\u{a0}\u{3000}👍\u{202e}]{0,300}", width in 24usize..100,
            said in any::<String>(),
        ) {
            let mut lines = Text::from(Line::new().text("own: ").text(text).hang(2));
            lines.foreign(&Foreign::new(&said));
            let shown = rendered(&lines, width, false);
            for (number, row) in shown.lines().enumerate() {
                prop_assert!(columns(row) <= width, "{:?}", row);
                prop_assert!(number == 0 || row.starts_with("  "), "{:?}", row);
            }
        }

        #[test]
        fn any_value_is_one_row_without_escapes(text in any::<String>()) {
            let shown = rendered(&Text::from(text), usize::MAX, true);
            prop_assert_eq!(shown.matches('\n').count(), 1);
            prop_assert!(!shown.trim_end_matches('\n').contains(super::super::harmless::steers));
        }
    }
}
