//! Words of a value, by the rules of `systemd.syntax(7)` as `extract_first_word` applies them: recorded
//! in tests/recorded_facts/systemd/.

/// Why systemd takes no more words from a value than it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A quote is not closed.
    OpenQuote,
    /// What stands behind a backslash is no escape.
    Escape,
}

/// The words of `Environment=` and its like, and why the rest was dropped: systemd refuses an escape
/// that it does not know.
pub(crate) fn strict(text: &str) -> (Vec<String>, Option<Flaw>) {
    let mut reader = Reader { signs: text.chars().collect(), at: 0, is_strict: true };
    let mut words = Vec::new();
    loop {
        match reader.word() {
            Ok(Some(word)) => words.push(word),
            Ok(None) => return (words, None),
            Err((_, flaw)) => return (words, Some(flaw)),
        }
    }
}

/// The words of a command, in which an escape that systemd does not know stays as it is written. A quote
/// that is not closed ends with the value.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut reader = Reader { signs: text.chars().collect(), at: 0, is_strict: false };
    let mut words = Vec::new();
    loop {
        match reader.word() {
            // A command of several has `\;` for a word that is a semicolon.
            Ok(Some(word)) if word == r"\;" => words.push(";".to_owned()),
            Ok(Some(word)) | Err((word, _)) => words.push(word),
            Ok(None) => return words,
        }
    }
}

struct Reader {
    signs: Vec<char>,
    at: usize,
    is_strict: bool,
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let sign = self.signs.get(self.at).copied();
        self.at += usize::from(sign.is_some());
        sign
    }

    /// The next word; `None` at the end. With a flaw what was read of the word.
    fn word(&mut self) -> Result<Option<String>, (String, Flaw)> {
        while self.signs.get(self.at).is_some_and(|sign| is_blank(*sign)) {
            self.at += 1;
        }
        if self.at >= self.signs.len() {
            return Ok(None);
        }
        let mut bytes: Vec<u8> = Vec::new();
        let mut quote = None;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        while let Some(sign) = self.next() {
            match (sign, quote) {
                ('\\', _) => {
                    if let Err(flaw) = self.escape(&mut bytes) {
                        return Err((text(&bytes), flaw));
                    }
                }
                (sign, Some(open)) if sign == open => quote = None,
                ('"' | '\'', None) => quote = Some(sign),
                (sign, None) if is_blank(sign) => return Ok(Some(text(&bytes))),
                (sign, _) => push(&mut bytes, sign),
            }
        }
        match quote {
            Some(_) => Err((text(&bytes), Flaw::OpenQuote)),
            None => Ok(Some(text(&bytes))),
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), Flaw> {
        let begin = self.at;
        let Some(sign) = self.next() else {
            return if self.is_strict { Err(Flaw::Escape) } else { Ok(()) };
        };
        let read = match sign {
            'a' => Some(Escaped::Byte(7)),
            'b' => Some(Escaped::Byte(8)),
            'f' => Some(Escaped::Byte(12)),
            'n' => Some(Escaped::Byte(b'\n')),
            'r' => Some(Escaped::Byte(b'\r')),
            't' => Some(Escaped::Byte(b'\t')),
            'v' => Some(Escaped::Byte(11)),
            's' => Some(Escaped::Byte(b' ')),
            '\\' | '"' | '\'' => Some(Escaped::Sign(sign)),
            'x' => self.number(2, 16).and_then(Escaped::byte),
            'u' => self.number(4, 16).and_then(Escaped::sign),
            'U' => self.number(8, 16).and_then(Escaped::sign),
            '0'..='7' => {
                self.at = begin;
                self.number(3, 8).and_then(Escaped::byte)
            }
            _ => None,
        };
        match read {
            Some(Escaped::Byte(byte)) => bytes.push(byte),
            Some(Escaped::Sign(sign)) => push(bytes, sign),
            None if self.is_strict => return Err(Flaw::Escape),
            None => {
                self.at = begin + 1;
                bytes.push(b'\\');
                push(bytes, sign);
            }
        }
        Ok(())
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize, base: u32) -> Option<u32> {
        let text: String = self.signs.get(self.at..self.at + digits)?.iter().collect();
        let is_number = text.chars().all(|sign| sign.is_digit(base));
        let number = u32::from_str_radix(&text, base).ok().filter(|_| is_number)?;
        self.at += digits;
        Some(number)
    }
}

enum Escaped {
    Byte(u8),
    Sign(char),
}

impl Escaped {
    /// A zero byte is none that a text can have.
    fn byte(number: u32) -> Option<Self> {
        u8::try_from(number).ok().filter(|byte| *byte != 0).map(Self::Byte)
    }

    fn sign(number: u32) -> Option<Self> {
        char::from_u32(number).filter(|sign| *sign != '\0').map(Self::Sign)
    }
}

fn push(bytes: &mut Vec<u8>, sign: char) {
    bytes.extend(sign.encode_utf8(&mut [0; 4]).bytes());
}

fn is_blank(sign: char) -> bool {
    matches!(sign, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_keeps_what_is_no_escape() {
        for (text, expected) in [
            ("/x 'a b' \"c\\\"d\" e\\x20f", vec!["/x", "a b", "c\"d", "e f"]),
            (r"/bin/echo a\qb e'f g'h i\ j", vec!["/bin/echo", r"a\qb", "ef gh", r"i\ j"]),
            (r"/bin/echo a \; b", vec!["/bin/echo", "a", ";", "b"]),
            ("/x \"open a", vec!["/x", "open a"]),
            ("", vec![]),
            ("''", vec![""]),
            (r"C:\dir\", vec![r"C:\dir"]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    /// Quotes a word as systemd's own documents do.
    fn quoted(word: &str) -> String {
        format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_one_word(words in proptest::collection::vec("[^\0]{1,12}", 0..5)) {
            let text = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" \t");
            prop_assert_eq!(strict(&text), (words.clone(), None));
            prop_assert_eq!(split(&text), words);
        }

        #[test]
        fn any_text_is_read(text in "[\\\\\"' a-fnrstuUvx0-9\n%=;]{0,60}") {
            split(&text);
            strict(&text);
        }
    }
}
