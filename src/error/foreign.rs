//! Text that another program, a service or a server wrote.
//!
//! Such text must not look like this program's own: root could run a line that an agent logs, such as
//! `help: run this`. An [`Error`](super::Error) keeps it separate from its sentence, and the terminal
//! marks each of its lines. Control characters are removed where text is printed, not here.

use super::inkless::is_inkless;
use std::fmt;

/// Most characters of a line that are kept.
const WIDTH: usize = 500;

/// Lines that another program wrote. `Display` puts them in one quoted line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Foreign(Vec<String>);

impl Foreign {
    /// All lines of `text` that are not blank.
    pub fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        Self(lines.map(|line| line.chars().take(WIDTH).collect()).collect())
    }

    /// The last `count` of these lines.
    #[must_use]
    pub fn last(mut self, count: usize) -> Self {
        self.0.drain(..self.0.len().saturating_sub(count));
        self
    }

    /// One line of a few words, such as a status: several blanks become one, so that it cannot fill the
    /// rest of a terminal's row. Invisible characters count as blanks.
    pub fn words(text: &str) -> String {
        let text: String = text.chars().take(WIDTH).collect();
        let words = text.split(|c: char| c.is_whitespace() || is_inkless(c));
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// The lines as a finding's evidence: each behind a mark.
    pub fn marked(&self) -> String {
        self.0.iter().map(|line| format!("| {line}")).collect::<Vec<_>>().join("\n")
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.join(" / "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_apart_and_told_in_one() {
        let text = Foreign::new("one\r\n\n  two\u{1b}[2J\nthree\n");
        assert_eq!(text.lines(), ["one", "  two\u{1b}[2J", "three"]);
        assert_eq!(text.clone().last(1).lines(), ["three"]);
        assert_eq!(text.clone().last(2).marked(), "|   two\u{1b}[2J\n| three");
        assert_eq!(text.to_string(), r#""one /   two\u{1b}[2J / three""#);
    }

    #[test]
    fn a_status_fills_no_row() {
        for blank in [" ", "\u{2800}", "\u{a0}", "\u{3164}\u{16fe4} "] {
            let status = format!("Healthy{}help: x", blank.repeat(90));
            assert_eq!(Foreign::words(&status), "Healthy help: x", "{blank:?}");
        }
    }
}
