//! The text of shell scripts: statements, and words with what is filled in. It is read, never run:
//! what only a run could tell is not known.

use std::collections::BTreeMap;

/// Longest word that is filled in, in bytes, as it is written and as it becomes; and most variables
/// in one: a script may be an account's.
const LONGEST: usize = 8 << 10;
const VARIABLES: usize = 32;

/// A statement of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Statement {
    /// Its line, counted from 1.
    pub(super) line: usize,
    /// Its words as they are written, quotes included.
    pub(super) words: Vec<String>,
    /// What stands behind it: `;`, `&`, `|`, or a newline.
    pub(super) end: Option<char>,
}

/// A word with all that could be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether all of it is known.
    pub(super) is_known: bool,
}

/// What a script knows at some line.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Variables by name.
    pub(super) variables: BTreeMap<String, Word>,
    /// The arguments of the script.
    pub(super) arguments: Vec<String>,
    /// The script's own name, and its folder.
    pub(super) script: String,
}

/// Splits a script into statements. Texts that are given to programs (`<<EOF`) and what is
/// redirected are left out.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let mut reader = Reader { rest: text.chars().collect(), at: 0, line: 1, found: Vec::new() };
    reader.read();
    reader.found.retain(|statement| !statement.words.is_empty());
    reader.found
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Statement>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn read(&mut self) {
        let mut ends: Vec<String> = Vec::new();
        let mut word: Option<String> = None;
        let mut statement = Statement { line: 1, ..Statement::default() };
        while let Some(character) = self.next() {
            match character {
                '\\' if self.peek(0) == Some('\n') => {
                    self.next();
                }
                '\\' => {
                    let word = word.get_or_insert_default();
                    word.push('\\');
                    word.extend(self.next());
                }
                '\'' | '"' | '`' => self.quoted(character, word.get_or_insert_default()),
                '$' if matches!(self.peek(0), Some('(' | '{')) => {
                    self.nested(word.get_or_insert_default());
                }
                '#' if word.is_none() => {
                    while self.peek(0).is_some_and(|next| next != '\n') {
                        self.next();
                    }
                }
                '<' | '>' => {
                    // A number in front of it is a file's.
                    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
                    statement.words.extend(word.take().filter(|word| !is_number(word)));
                    ends.extend(self.redirected(character));
                }
                '&' if self.peek(0) == Some('>') => {
                    statement.words.extend(word.take());
                }
                ';' | '&' | '|' | '\n' | '(' | ')' => {
                    statement.words.extend(word.take());
                    let is_double = self.peek(0) == Some(character) && character != '\n';
                    let end = if is_double { ';' } else { character };
                    if is_double {
                        self.next();
                    }
                    statement.end = Some(end);
                    self.found.push(std::mem::take(&mut statement));
                    if character == '\n' {
                        ends.drain(..).for_each(|end| self.skip_to(&end));
                    }
                    statement.line = self.line;
                }
                blank if blank.is_whitespace() => {
                    statement.words.extend(word.take());
                }
                other => {
                    if word.is_none() && statement.words.is_empty() {
                        statement.line = self.line;
                    }
                    word.get_or_insert_default().push(other);
                }
            }
        }
        statement.words.extend(word);
        self.found.push(statement);
    }

    /// To the end of a quote, which is a part of the word.
    fn quoted(&mut self, quote: char, word: &mut String) {
        word.push(quote);
        while let Some(character) = self.next() {
            match character {
                '\\' if quote != '\'' => {
                    word.push('\\');
                    word.extend(self.next());
                    continue;
                }
                '$' if quote == '"' && matches!(self.peek(0), Some('(' | '{')) => {
                    self.nested(word);
                    continue;
                }
                other => word.push(other),
            }
            if character == quote {
                return;
            }
        }
    }

    /// `$(…)` or `${…}`, of which only the end matters here.
    fn nested(&mut self, word: &mut String) {
        word.push('$');
        let mut open = 0_usize;
        while let Some(character) = self.next() {
            match character {
                '\'' | '"' => {
                    self.plain_quoted(character, word);
                    continue;
                }
                '(' | '{' => open += 1,
                ')' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            word.push(character);
            if open == 0 {
                return;
            }
        }
    }

    fn plain_quoted(&mut self, quote: char, word: &mut String) {
        word.push(quote);
        while let Some(character) = self.next() {
            word.push(character);
            if character == quote {
                return;
            }
        }
    }

    /// A redirection; the end of the text that follows below, of `<<END`.
    fn redirected(&mut self, first: char) -> Option<String> {
        let mut operator = String::from(first);
        while let Some(next @ ('<' | '>' | '&' | '|' | '-')) = self.peek(0) {
            operator.push(next);
            self.next();
        }
        while self.peek(0).is_some_and(|next| next == ' ' || next == '\t') {
            self.next();
        }
        let mut target = String::new();
        while let Some(next) = self.peek(0) {
            if next.is_whitespace() || ";&|()<>".contains(next) {
                break;
            }
            self.next();
            match next {
                '\'' | '"' => self.quoted(next, &mut target),
                '$' if matches!(self.peek(0), Some('(' | '{')) => self.nested(&mut target),
                other => target.push(other),
            }
        }
        let is_text = operator == "<<" || operator == "<<-";
        is_text.then(|| target.replace(['\'', '"', '\\'], ""))
    }

    fn skip_to(&mut self, end: &str) {
        while self.at < self.rest.len() {
            let mut line = String::new();
            while let Some(character) = self.next() {
                if character == '\n' {
                    break;
                }
                line.push(character);
            }
            if line.trim_start_matches('\t') == end {
                return;
            }
        }
    }
}

impl Known {
    /// The words that a word as it is written becomes.
    pub(super) fn expanded(&self, written: &str) -> Vec<Word> {
        if matches!(written, "\"$@\"" | "$@" | "$*") {
            let word = |text: &String| Word { text: text.clone(), is_known: true };
            return self.arguments.iter().map(word).collect();
        }
        let whole = self.filled(written);
        let is_variable = written.starts_with('$') && !written.contains(['(', '"', '\'']);
        if is_variable && whole.is_known {
            let word = |text: &str| Word { text: text.to_owned(), is_known: true };
            return whole.text.split_whitespace().map(word).collect();
        }
        vec![whole]
    }

    /// A word as one, quotes taken off.
    pub(super) fn filled(&self, written: &str) -> Word {
        if written.len() > LONGEST || written.matches('$').count() > VARIABLES {
            return Word::default();
        }
        let mut word = Word { text: String::new(), is_known: true };
        let characters: Vec<char> = written.chars().collect();
        let mut at = 0;
        let mut quote = None;
        while let Some(character) = characters.get(at).copied() {
            at += 1;
            match (character, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('\'' | '"', None) => quote = Some(character),
                ('\\', None | Some('"')) => {
                    word.text.extend(characters.get(at));
                    at += 1;
                }
                ('`', None | Some('"')) => {
                    word.is_known = false;
                    let rest = characters.get(at..).unwrap_or_default();
                    at += rest.iter().position(|c| *c == '`').map_or(rest.len(), |end| end + 1);
                }
                ('$', None | Some('"')) => {
                    let rest: String = characters.get(at..).unwrap_or_default().iter().collect();
                    let (value, taken) = self.value(&rest);
                    at += taken;
                    match value {
                        Some(value) => {
                            word.text.push_str(&value.text);
                            word.is_known &= value.is_known;
                        }
                        None => word.is_known = false,
                    }
                }
                (c, _) => word.text.push(c),
            }
        }
        if word.text.len() > LONGEST { Word::default() } else { word }
    }

    /// What stands behind a `$`, and how many characters of the text that takes.
    fn value(&self, rest: &str) -> (Option<Word>, usize) {
        let known = |text: &str| Some(Word { text: text.to_owned(), is_known: true });
        let length = |text: &str| text.chars().count();
        if rest.starts_with('(') {
            let inner = closed(rest, '(', ')');
            let is_folder = inner.contains("dirname")
                && (inner.contains("$0") || inner.contains("BASH_SOURCE"));
            let folder = self.script.rsplit_once('/').map(|(folder, _)| folder);
            return (folder.filter(|_| is_folder).and_then(known), length(inner) + 2);
        }
        if rest.starts_with('{') {
            let inner = closed(rest, '{', '}');
            return (self.parameter(inner), length(inner) + 2);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = match rest.chars().next() {
            Some(c) if c.is_ascii_digit() => c.to_string(),
            _ => rest.chars().take_while(|c| is_name(*c)).collect(),
        };
        match name.as_str() {
            "" => match rest.chars().next() {
                Some('@' | '*' | '#' | '?' | '$' | '!' | '-') => (None, 1),
                _ => (known("$"), 0),
            },
            name => (self.named(name), length(name)),
        }
    }

    fn named(&self, name: &str) -> Option<Word> {
        if let Ok(number) = name.parse::<usize>() {
            let text = match number.checked_sub(1) {
                None => Some(&self.script),
                Some(at) => self.arguments.get(at),
            };
            let text = text.cloned().unwrap_or_default();
            return Some(Word { text, is_known: true });
        }
        self.variables.get(name).cloned()
    }

    /// The inside of `${…}`.
    fn parameter(&self, inner: &str) -> Option<Word> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        if name == "BASH_SOURCE" && rest.starts_with('[') {
            return self.named("0");
        }
        let value = self.named(name);
        let or = |default: &str| value.clone().or_else(|| Some(self.filled(default)));
        match rest {
            "" => value,
            "%/*" => value.map(|word| Word {
                text: word.text.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
                ..word
            }),
            rest if rest.starts_with(":-") || rest.starts_with(":=") => {
                let default = rest.get(2..).unwrap_or_default();
                match &value {
                    Some(word) if word.is_known && word.text.is_empty() => {
                        Some(self.filled(default))
                    }
                    _ => or(default),
                }
            }
            rest if rest.starts_with('-') || rest.starts_with('=') => {
                or(rest.get(1..).unwrap_or_default())
            }
            rest if rest.starts_with(":?") || rest.starts_with('?') => value,
            _ => None,
        }
    }
}

/// What stands between the bracket at the beginning and the one that closes it.
fn closed(text: &str, open: char, close: char) -> &str {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth -= 1;
            if depth == 0 {
                return text.get(1..at).unwrap_or_default();
            }
        }
    }
    text.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> Vec<(usize, String)> {
        let shown = |own: Statement| (own.line, own.words.join(" "));
        statements(text).into_iter().map(shown).collect()
    }

    #[test]
    fn statements_are_split_as_a_shell_does() {
        let text = "#!/bin/sh\n# no; agent\nset -eu\nA='x;y' B=\"$(cat \"/a b\" | head)\"\nif [ -f /x ]; then\n  . /x\nfi\ncat <<'EOF' >/y 2>&1\nagent\nEOF\nexec /a \\\n  --config \"$C\" >>/log 2>&1 & wait\n";
        let expected = [
            (3, "set -eu"),
            (4, "A='x;y' B=\"$(cat \"/a b\" | head)\""),
            (5, "if [ -f /x ]"),
            (5, "then"),
            (6, ". /x"),
            (7, "fi"),
            (8, "cat"),
            (11, "exec /a --config \"$C\""),
            (12, "wait"),
        ];
        let expected: Vec<_> = expected.map(|(at, text)| (at, text.to_owned())).to_vec();
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn words_are_filled_with_what_is_known() {
        let mut known = Known {
            script: "/opt/ci/start.sh".into(),
            arguments: vec!["a b".into()],
            ..Known::default()
        };
        let word = |text: &str, is_known| Word { text: text.to_owned(), is_known };
        known.variables.insert("C".to_owned(), word("/etc/c.yaml", true));
        known.variables.insert("T".to_owned(), word("", false));
        for (written, expected) in [
            ("\"$C\"", word("/etc/c.yaml", true)),
            ("${C}", word("/etc/c.yaml", true)),
            ("'$C'", word("$C", true)),
            ("\"x\\\"$C\"y", word("x\"/etc/c.yamly", true)),
            ("${D:-/d}", word("/d", true)),
            ("${C:-/d}", word("/etc/c.yaml", true)),
            ("${D:=$C}", word("/etc/c.yaml", true)),
            ("$T", word("", false)),
            ("$(op read x)", word("", false)),
            ("`date`/x", word("/x", false)),
            ("\"$(cd \"$(dirname \"$0\")\" && pwd)/x\"", word("/opt/ci/x", true)),
            ("${0%/*}/x", word("/opt/ci/x", true)),
            ("$(dirname \"${BASH_SOURCE[0]}\")/x", word("/opt/ci/x", true)),
            ("\"$1\"", word("a b", true)),
            ("5$", word("5$", true)),
            ("${C##*/}", word("", false)),
        ] {
            assert_eq!(known.filled(written), expected, "{written}");
        }
        assert_eq!(known.expanded("\"$@\""), [word("a b", true)]);
        assert_eq!(known.expanded("$1"), [word("a", true), word("b", true)]);
    }

    #[test]
    fn no_word_grows_without_end() {
        let mut known = Known::default();
        let begin = Word { text: "x".repeat(1000), is_known: true };
        known.variables.insert("A".to_owned(), begin);
        for _ in 0..100 {
            let next = known.filled("$A$A$A");
            known.variables.insert("A".to_owned(), next);
        }
        assert_eq!(known.filled("$A"), Word::default());
        let deep = "${A:-".repeat(10_000);
        assert!(!known.filled(&deep).is_known);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([$(){}\"'`\\\\<>&|;#\n a-zé=]{0,120})") {
            for statement in statements(&text) {
                for word in statement.words {
                    Known::default().expanded(&word);
                }
            }
        }
    }
}
