//! The definition of a scheduled task as directives: each element that holds a text is one, and
//! the elements around it are its section, as in `Settings/RestartOnFailure`.

use crate::host::{Directive, ValueKind};
use quick_xml::{Reader, events::Event};
use std::path::Path;

/// Deeper than any element of the published schema.
const DEPTH: usize = 32;

/// A file's text: UTF-16 as the scheduler writes it, or UTF-8.
pub(crate) fn decoded(bytes: &[u8]) -> String {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        // Without a mark: what begins with `<` tells by where its zero is.
        [b'<', 0, ..] => wide(bytes, u16::from_le_bytes),
        [0, b'<', ..] => wide(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// An element whose end has not come yet.
struct Open {
    name: String,
    line: usize,
    text: String,
    has_elements: bool,
    /// How many directives there were before it.
    before: usize,
}

/// The directives of a definition.
///
/// # Errors
/// Why it is none: no XML, or another document.
pub(crate) fn directives(text: &str, file: &Path) -> Result<Vec<Directive<String>>, String> {
    let mut reader = Reader::from_str(text);
    let mut reading = Reading { file, directives: Vec::new(), open: Vec::new(), is_task: false };
    let mut lines = Lines { text, at: 0, line: 1 };
    loop {
        // Where an event begins is where the one before it ended.
        let line = lines.of(reader.buffer_position());
        match reader.read_event().map_err(|error| format!("no XML: {error}"))? {
            Event::Start(start) => reading.begin(start.local_name().as_ref(), line)?,
            Event::Empty(start) => {
                reading.begin(start.local_name().as_ref(), line)?;
                reading.end();
            }
            Event::End(_) => reading.end(),
            Event::Text(text) => reading.text(&text.xml10_content()),
            Event::CData(text) => reading.text(&text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(c)) => reading.text(c.encode_utf8(&mut [0; 4])),
                _ => reading.text(entity(&name.xml10_content())),
            },
            Event::Eof => break,
            _ => {}
        }
    }
    match (reading.is_task, reading.open.pop()) {
        (true, None) => Ok(reading.directives),
        (true, Some(open)) => Err(format!("no XML: <{}> has no end", open.name)),
        (false, _) => Err("the service is not a scheduled task".to_owned()),
    }
}

struct Reading<'a> {
    file: &'a Path,
    directives: Vec<Directive<String>>,
    open: Vec<Open>,
    is_task: bool,
}

impl Reading<'_> {
    fn begin(&mut self, name: &str, line: usize) -> Result<(), String> {
        match self.open.last_mut() {
            Some(above) => above.has_elements = true,
            None => self.is_task |= name == "Task",
        }
        if self.open.len() == DEPTH {
            return Err("its elements are nested too deep".to_owned());
        }
        let (name, text) = (name.to_owned(), String::new());
        let before = self.directives.len();
        self.open.push(Open { name, line, text, has_elements: false, before });
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        // The document's own element is no section.
        let names: Vec<&str> = self.open.iter().skip(1).map(|open| open.name.as_str()).collect();
        let section = names.join("/");
        let value = if section == "Triggers" {
            // A trigger counts without any element in it.
            let inner = self.directives.iter().skip(element.before);
            let is_off = |line: &Directive<String>| line.key == "Enabled" && line.value == "false";
            if inner.clone().any(is_off) { "disabled" } else { "enabled" }.to_owned()
        } else if element.has_elements || self.open.is_empty() {
            return;
        } else {
            element.text.trim().to_owned()
        };
        let (file, line) = (self.file.to_owned(), element.line);
        let kind = ValueKind::Unknown;
        self.directives.push(Directive { file, line, section, key: element.name, value, kind });
    }
}

fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

/// Counts lines as far as was read.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, position: u64) -> usize {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = position;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TASK: &str = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\" \
        xmlns=\"x\">\r\n<Triggers>\r\n<BootTrigger/>\r\n<LogonTrigger><Enabled>false</Enabled>\
        </LogonTrigger></Triggers>\r\n<Actions><Exec><Arguments>a &amp; &quot;b&quot; &#x41;\
        </Arguments></Exec></Actions></Task>";

    fn lines_of(text: &str) -> Vec<String> {
        let lines = directives(text, Path::new("/t")).unwrap();
        let lines = lines
            .iter()
            .map(|line| format!("{} {} {}={}", line.line, line.section, line.key, line.value));
        lines.collect()
    }

    #[test]
    fn elements_become_directives_with_their_places() {
        assert_eq!(
            lines_of(TASK),
            [
                "4 Triggers BootTrigger=enabled",
                "5 Triggers/LogonTrigger Enabled=false",
                "5 Triggers LogonTrigger=disabled",
                "6 Actions/Exec Arguments=a & \"b\" A"
            ]
        );
    }

    #[test]
    fn every_encoding_of_a_definition_is_read() {
        let le: Vec<u8> = TASK.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = TASK.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            [&[0xff, 0xfe], le.as_slice()].concat(),
            [&[0xfe, 0xff], be.as_slice()].concat(),
            [&[0xef, 0xbb, 0xbf], TASK.as_bytes()].concat(),
            TASK.as_bytes().to_vec(),
            le,
            be,
        ] {
            assert_eq!(decoded(&bytes), TASK);
        }
        assert_eq!(decoded(&[0xff, 0xfe, 0x00, 0xd8, 0x41]), "\u{fffd}");
    }

    #[test]
    fn what_is_no_task_is_said() {
        for (text, why) in [
            ("<plist><dict/></plist>", "not a scheduled task"),
            ("<Task><Actions>", "has no end"),
            ("<Task></Actions>", "no XML"),
            ("?", "not a scheduled task"),
        ] {
            let error = directives(text, Path::new("/t")).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let deep = format!("<Task>{}", "<a>".repeat(100));
        assert!(directives(&deep, Path::new("/t")).unwrap_err().contains("too deep"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "(<Task>|</Task>|<a>|</a>|<a/>|&amp;|&#65;|x|\n){0,40}") {
            for text in [decoded(&bytes), text] {
                if let Ok(lines) = directives(&text, Path::new("/t")) {
                    prop_assert!(lines.iter().all(|line| line.line <= text.lines().count().max(1)));
                }
            }
        }
    }
}
