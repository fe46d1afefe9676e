//! Characters that steer a terminal, hide, or change the order in which text is read: written out.

use crate::error::is_inkless;
use console::measure_text_width;
use std::borrow::Cow;

/// Most combining marks on one character: what any language writes. More of them cover the rows
/// above.
const MARKS: usize = 4;

/// The text with such characters written out as `\u{1b}`, other than line breaks and tabs.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    written_out(text, |c| steers(c) && c != '\n' && c != '\t')
}

/// The same as one row: line breaks and tabs are written out too.
pub(super) fn one_row(text: &str) -> Cow<'_, str> {
    written_out(text, steers)
}

/// Whether a character does something else than show itself.
pub(super) fn steers(c: char) -> bool {
    // C0, DEL and C1; direction marks, fillers and all else that shows nothing.
    c.is_control() || is_inkless(c)
}

/// Columns that a text takes. A sequence that some terminals draw as one sign counts as its parts.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(column_count).sum()
}

fn column_count(c: char) -> usize {
    if c.is_ascii() { 1 } else { measure_text_width(c.encode_utf8(&mut [0; 4])) }
}

fn written_out(text: &str, is_bad: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    // Characters without a column of their own that are drawn over the last one that has one.
    let mut marks = 0;
    for c in text.chars() {
        marks = if c.is_ascii() || column_count(c) > 0 { 0 } else { marks + 1 };
        match c {
            '\n' | '\t' if is_bad(c) => out.extend(c.escape_default()),
            c if is_bad(c) || marks > MARKS => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\nc"), "a\\u{1b}[2Jb\\u{d}\nc");
        assert_eq!(harmless("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(one_row("a\n\tb"), "a\\n\\tb");
    }

    #[test]
    fn each_kind_of_such_character_is_known() {
        let kinds = "\0\u{7}\u{1b}\u{7f}\u{80}\u{9b}\u{9d}\u{9f}\u{61c}\u{200b}\u{200e}\u{200f}\
                     \u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{e0001}\
                     \u{e0041}\u{e007f}\u{34f}\u{2800}\u{1d159}\u{1bca0}\u{13441}\u{16fe4}";
        for c in kinds.chars() {
            assert_eq!(one_row(&c.to_string()), c.escape_unicode().to_string());
        }
        for plain in ["a Z~", "wörd", "漢字", "é", "👍", "\u{a0}"] {
            assert_eq!(one_row(plain), plain);
        }
    }

    #[test]
    fn a_few_marks_stand_on_a_character() {
        assert_eq!(one_row("e\u{301}\u{323}x"), "e\u{301}\u{323}x");
        let shown = one_row(&format!("e{}", "\u{301}".repeat(6))).into_owned();
        assert_eq!(shown, format!("e{}\\u{{301}}\\u{{301}}", "\u{301}".repeat(4)));
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in any::<String>()) {
            prop_assert!(!one_row(&text).contains(steers));
        }
    }
}
