//! Characters that steer a terminal, hide, or change the order in which text is read: written out.

use std::borrow::Cow;

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
    // C0, DEL and C1.
    c.is_control()
        || matches!(c,
            // Soft hyphen, letter mark, fillers and separators that show nothing.
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            // Zero width, direction marks; line and paragraph separators, embeddings, overrides;
            // joiners, isolates and deprecated format characters.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Variation selectors and interlinear marks; tags and more selectors.
            | '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn written_out(text: &str, is_bad: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\t' if is_bad(c) => out.extend(c.escape_default()),
            c if is_bad(c) => out.extend(c.escape_unicode()),
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
                     \u{e0041}\u{e007f}";
        for c in kinds.chars() {
            assert_eq!(one_row(&c.to_string()), c.escape_unicode().to_string());
        }
        for plain in ["a Z~", "wörd", "漢字", "é", "👍", "\u{a0}"] {
            assert_eq!(one_row(plain), plain);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(text in any::<String>()) {
            prop_assert!(!one_row(&text).contains(steers));
        }
    }
}
