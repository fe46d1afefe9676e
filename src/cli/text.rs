//! Text for a terminal: folded to its width, and with nothing in it that steers it.

use console::measure_text_width;
use std::borrow::Cow;

/// Folds at blanks, so that no line is wider than `width` columns unless one word is. Line breaks
/// of the text stay; what a line goes on with is indented as the line is, and by `hang` more.
pub fn folded(text: &str, width: usize, hang: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if measure_text_width(line) <= width {
            out.push_str(line);
            continue;
        }
        let own = line.len() - line.trim_start().len();
        let indent = own + hang;
        let mut column = own;
        out.push_str(&line[..own]);
        for (at, word) in line.split_whitespace().enumerate() {
            let wide = measure_text_width(word);
            if at > 0 && column + 1 + wide > width {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            } else if at > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += wide;
        }
    }
    out
}

/// The text with control characters written out, other than line breaks and tabs: what a server,
/// a file or another program said must not steer the terminal.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_folded_at_blanks() {
        assert_eq!(folded("one two three", 8, 2), "one two\n  three");
        assert_eq!(folded("a-word-too-wide x", 5, 0), "a-word-too-wide\nx");
        assert_eq!(folded("a\n  - b c", 5, 0), "a\n  - b\n  c");
        assert_eq!(folded("", 5, 0), "");
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\nc"), "a\\u{1b}[2Jb\\u{d}\nc");
        assert_eq!(harmless("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
    }

    proptest! {
        #[test]
        fn folding_keeps_every_word_and_the_width(text in "[a-zä漢 \n]{0,200}", width in 12usize..40) {
            let folded = folded(&text, width, 0);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&text), words(&folded));
            for line in folded.lines().filter(|line| line.trim().contains(' ')) {
                prop_assert!(measure_text_width(line.trim_start()) <= width, "{:?}", line);
            }
        }
    }
}
