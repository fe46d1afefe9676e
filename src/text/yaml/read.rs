//! From bytes to a tree.

use super::{
    anchors::{Anchors, merge, merges},
    tags,
};
use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};
use std::{collections::BTreeSet, fmt};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// How deep collections may stand in each other.
pub(super) const MAX_DEPTH: usize = 16;

/// A key longer than this is not shown: it may be a token in the wrong place.
const MAX_SHOWN_KEY: usize = 48;

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it starts.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar of any kind, as it was written.
    Text {
        /// The text, with escapes undone.
        text: String,
        /// Not quoted, so that `true` and `5` are not strings to other readers.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the file's order, without repeated keys.
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Node,
}

/// A line and a column, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Why a file cannot be used, and where. Never holds a value of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub what: String,
}

/// A document, and what its aliases mean.
pub struct Document {
    /// The document.
    pub root: Node,
    /// Where a second one begins in the same file. Libraries that take one read nothing of it.
    pub second: Option<Place>,
    meant: BTreeSet<Place>,
}

impl Document {
    /// Whether a value is there for aliases to mean.
    pub fn is_meant(&self, node: &Node) -> bool {
        node.holds_one_of(&self.meant)
    }
}

/// Reads the only document of a file. A file without any is [`Value::Null`].
///
/// # Errors
/// When it is no YAML, or has a second one.
pub fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    let document = document(bytes)?;
    match document.second {
        None => Ok(document.root),
        Some(place) => Err(second(place)),
    }
}

/// That a file has a second document, as a fault.
pub fn second(place: Place) -> Fault {
    fault(place, "a second document starts here; only one is taken")
}

/// Reads the first document of a file, with what its aliases mean.
///
/// # Errors
/// When it is no YAML. What stands behind it is not read.
pub fn document(bytes: &[u8]) -> Result<Document, Fault> {
    let text = text_of(bytes)?;
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, depth: 0, anchors: Anchors::new() };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, place) => {
                let root = root.unwrap_or(Node { place, value: Value::Null });
                return Ok(Document { root, second: None, meant: reader.anchors.meant() });
            }
            (Event::DocumentStart(..), start) => {
                let (event, place) = reader.next()?;
                match root.take() {
                    None => root = Some(reader.node(event, place)?),
                    Some(first) if is_nothing(&event) => root = Some(first),
                    Some(root) => {
                        let meant = reader.anchors.meant();
                        return Ok(Document { root, second: Some(start), meant });
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether an event is the empty document that a last `---` begins; the parser gives it as `~`.
fn is_nothing(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&**text, "" | "~"))
}

impl Value {
    /// `a list`, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text { .. } => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// A fault that stands where this node does.
    pub fn fault(&self, what: impl Into<String>) -> Fault {
        fault(self.place, what)
    }
}

impl Entry {
    /// The key for messages.
    pub fn shown_key(&self) -> String {
        shown(&self.key)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Text { .. } => f.write_str("Text"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(entries) => f.debug_list().entries(entries).finish(),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.shown_key(), self.value)
    }
}

struct Reader<'input> {
    parser: Parser<'input, StrInput<'input>>,
    depth: usize,
    anchors: Anchors,
}

impl<'input> Reader<'input> {
    fn next(&mut self) -> Result<(Event<'input>, Place), Fault> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, start(&span))),
            // These texts are fixed ones of the parser; they hold a single character at most.
            Some(Err(error)) => Err(fault(place(error.marker()), error.info())),
            None => Err(fault(Place { line: 1, column: 1 }, "the file ends too early")),
        }
    }

    fn node(&mut self, event: Event<'input>, place: Place) -> Result<Node, Fault> {
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (anchor, tags::scalar(text.into_owned(), plain, tag.as_deref(), place)?)
            }
            Event::SequenceStart(_, anchor, tag) => {
                tags::collection(tag.as_deref(), "seq", place)?;
                (anchor, self.nested(place, Self::list)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                tags::collection(tag.as_deref(), "map", place)?;
                (anchor, self.nested(place, Self::map)?)
            }
            Event::Alias(anchor) => return self.anchors.node(anchor, place, self.depth),
            _ => return Err(fault(place, "a value was expected here")),
        };
        let node = Node { place, value };
        self.anchors.keep(anchor, &node, place)?;
        Ok(node)
    }

    fn nested(
        &mut self,
        place: Place,
        read: impl FnOnce(&mut Self) -> Result<Value, Fault>,
    ) -> Result<Value, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(fault(place, "collections stand too deep in each other"));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, place) => items.push(self.node(event, place)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Option<Node> = None;
        loop {
            let (event, place) = self.next()?;
            if event == Event::MappingEnd {
                // What the mapping has itself counts, wherever it stands.
                merged.into_iter().try_for_each(|from| merge(&mut entries, from))?;
                return Ok(Value::Map(entries));
            }
            let is_merge = matches!(
                &event,
                Event::Scalar(key, ScalarStyle::Plain, _, None) if merges(key)
            );
            let Value::Text { text: key, .. } = self.key(event, place)?.value else {
                return Err(fault(place, "a key must be a text"));
            };
            let first = entries.iter().find(|entry| entry.key == key).map(|entry| entry.place);
            let first = first.or(merged.as_ref().filter(|_| is_merge).map(|from| from.place));
            if let Some(first) = first {
                let (key, line) = (shown(&key), first.line);
                return Err(fault(
                    place,
                    format!("{key} stands a second time; first in line {line}"),
                ));
            }
            let (event, value_place) = self.next()?;
            let value = self.node(event, value_place)?;
            match is_merge {
                true => merged = Some(value),
                false => entries.push(Entry { key, place, value }),
            }
        }
    }

    /// A key: a text, whatever other readers would take it for.
    fn key(&mut self, event: Event<'input>, place: Place) -> Result<Node, Fault> {
        match event {
            Event::Scalar(text, _, anchor, tag) => {
                let node = Node {
                    place,
                    value: tags::scalar(text.into_owned(), false, tag.as_deref(), place)?,
                };
                self.anchors.keep(anchor, &node, place)?;
                Ok(node)
            }
            Event::Alias(_) => self.node(event, place),
            _ => Err(fault(place, "a key must be a text")),
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, Fault> {
    let top = Place { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        return Err(fault(top, format!("the file is larger than {} KiB", MAX_BYTES / 1024)));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(fault(
            top,
            "the file is UTF-16, as PowerShell's > writes it: save it as UTF-8",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(before.get(line_start..).unwrap_or_default());
        fault(Place { line, column: column.chars().count() + 1 }, "the file is not UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A key for messages, where it looks like the name of a setting. Any other one may be a line of a
/// file that is no YAML at all, such as a list of passwords.
pub fn shown(key: &str) -> String {
    let is_sign = |byte: u8| byte.is_ascii_lowercase() || b"_-.".contains(&byte);
    let is_name =
        key.starts_with(|first: char| first.is_ascii_lowercase()) && key.bytes().all(is_sign);
    match key.chars().count() {
        chars if is_name && chars <= MAX_SHOWN_KEY => format!("{key:?}"),
        chars => format!("a key of {chars} characters"),
    }
}

fn start(span: &Span) -> Place {
    place(&span.start)
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

pub(super) fn fault(place: Place, what: impl Into<String>) -> Fault {
    Fault { place, what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixtures::{fault_of, map},
        *,
    };
    use proptest::prelude::*;

    #[test]
    fn scalars_keep_their_text_and_place() {
        let entries = map("a: 007\nb: '1.10'\n\"c\": |\n  x\n\nd:\n");
        let texts: Vec<_> = entries.iter().map(|entry| entry.value.value.clone()).collect();
        let text = |text: &str, plain| Value::Text { text: text.to_owned(), plain };
        assert_eq!(
            texts,
            [text("007", true), text("1.10", false), text("x\n", false), Value::Null]
        );
        assert_eq!(entries[1].place, Place { line: 2, column: 1 });
        assert_eq!(entries[1].value.place, Place { line: 2, column: 4 });
    }

    #[test]
    fn what_editors_add_does_not_matter() {
        assert_eq!(map("\u{feff}a: b\r\n").len(), 1);
        assert_eq!(map("--- # hello\na: b\n...\n").len(), 1);
        assert_eq!(map("a: b\n---\n").len(), 1);
        assert_eq!(map("%YAML 1.1\n---\na: b\n").len(), 1);
        for text in ["", "\n\n", "# only a comment\n", "---\n"] {
            assert_eq!(parse(text.as_bytes()).unwrap().value, Value::Null, "{text:?}");
        }
    }

    #[test]
    fn what_could_surprise_is_refused_with_its_place() {
        assert_eq!(
            fault_of("a: 1\nb:\n  c: 1\n  c: 2\n"),
            "line 4, column 3: \"c\" stands a second time; first in line 3"
        );
        assert!(fault_of("a: !other aGk=\n").starts_with("line 1, column 11: a tag"));
        assert!(fault_of("a: 1\n---\nb: 1\n").starts_with("line 2, column 1: a second document"));
        assert!(fault_of("? [a]\n: 1\n").contains("a key must be a text"));
        assert!(fault_of("a: \"b\n").starts_with("line "));
        assert!(fault_of(&"[".repeat(100)).contains("recursion limit"));
        assert!(fault_of(&format!("{}x", "- ".repeat(100))).contains("recursion limit"));
        assert!(fault_of(&" ".repeat(MAX_BYTES + 1)).contains("larger than 64 KiB"));
    }

    #[test]
    fn what_goes_over_several_lines_is_joined_as_its_sign_says() {
        for (text, expected) in [
            ("|\n  a\n  b\n\n", "a\nb\n"),
            ("|-\n  a\n  b\n", "a\nb"),
            ("|+\n  a\n", "a\n\n"),
            (">-\n  a\n  b\n", "a b"),
            ("|2-\n    a\n", "  a"),
            ("a\n  b", "a b"),
            ("\"a\\\n  b\"", "ab"),
            ("'it''s'", "it's"),
            ("\"\\x41\\u00e9\\t\"", "A\u{e9}\t"),
            ("a # a comment", "a"),
            ("\ta", "a"),
        ] {
            let entries = map(&format!("k: {text}\n"));
            let Value::Text { text: read, .. } = &entries[0].value.value else { panic!("{text}") };
            assert_eq!(read, expected, "{text:?}");
        }
        let entries = map("k: {a: b,\n  c: [d, 'e']}\nf: g\n");
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn other_encodings_are_named() {
        let fault = parse(b"a: b\nc: \xe4\n").unwrap_err();
        assert_eq!(fault.to_string(), "line 2, column 4: the file is not UTF-8");
        assert!(parse(b"\xff\xfea\0").unwrap_err().what.contains("UTF-16"));
    }

    #[test]
    fn values_are_never_shown() {
        let token = "s3cr3t".repeat(13);
        for text in [
            format!("a: {token}: b"),
            format!("a: '{token}"),
            format!("a: *{token}"),
            format!("a: !{token} b"),
            format!("{token}: 1\n{token}: 2"),
            format!("{token}: 1"),
            format!("a: [{token}"),
            format!("a: \"\\{token}\""),
            format!("\ta: {token}"),
            "a:!*:s3cr3t:::\nb:*:1::\n".to_owned(),
            "s3cr3t: 1\ns3cr3t: 2".to_owned(),
        ] {
            let shown = format!("{:?}", parse(text.as_bytes()));
            assert!(!shown.contains("s3cr3t"), "{shown}");
        }
        assert!(!format!("{:?}", parse(format!("a: {token}").as_bytes())).contains("s3cr3t"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_yaml_like_text_is_judged_without_panic(text in r#"[a-b0:,?!&*#|>'"%@{}\[\] \n\t\r~-]{0,60}"#) {
            let _ = parse(text.as_bytes());
        }
    }
}
