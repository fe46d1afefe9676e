//! A property list as what the doctor knows of a service.

use super::keys;
use crate::host::{Directive, ValueKind};
use plist::{Dictionary, Value};
use std::{io::Cursor, path::Path};

/// The dictionary whose values are not told: they may be secrets.
pub(crate) const VARIABLES: &str = "EnvironmentVariables";

/// How deep dictionaries are followed: `KeepAlive` has one more in it.
const DEPTH: usize = 2;

/// What a definition says.
#[derive(Debug)]
pub(crate) struct Plist {
    /// Its label.
    pub(crate) label: Option<String>,
    /// What it runs, word by word.
    pub(crate) command: Vec<String>,
    /// Its keys; those of a dictionary have its key for their section.
    pub(crate) directives: Vec<Directive<String>>,
    /// The environment that it sets.
    pub(crate) variables: Vec<(String, String)>,
}

impl Plist {
    /// Reads the content of `file`.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn read(bytes: &[u8], file: &Path) -> Result<Self, String> {
        let plist = Value::from_reader(Cursor::new(bytes));
        let plist = plist.map_err(|error| format!("no plist: {error}"))?;
        let keys = plist.into_dictionary().ok_or("it is no dictionary")?;
        // launchd does not tell small letters from capitals.
        let written = |key: String| keys::written(&key).map_or(key, |(name, _)| name.to_owned());
        let keys: Dictionary = keys.into_iter().map(|(key, value)| (written(key), value)).collect();
        let text = |key: &str| keys.get(key).and_then(Value::as_string).map(str::to_owned);
        let words = keys.get("ProgramArguments").and_then(Value::as_array);
        let words = words.into_iter().flatten();
        let mut command: Vec<String> =
            words.filter_map(|word| Some(word.as_string()?.to_owned())).collect();
        if let Some(program) = text("Program") {
            // The first argument is only what the program is told that it is called.
            match command.first_mut() {
                Some(first) => *first = program,
                None => command.push(program),
            }
        }
        let (mut directives, mut variables) = (Vec::new(), Vec::new());
        for (key, value) in &keys {
            match value.as_dictionary() {
                Some(inner) if key == VARIABLES => {
                    let (texts, others): (Vec<_>, Vec<_>) =
                        inner.iter().partition(|(_, value)| value.as_string().is_some());
                    variables
                        .extend(texts.into_iter().map(|(name, own)| (name.clone(), scalar(own))));
                    let untold = |(name, own): (&String, &Value)| Directive {
                        value: String::new(),
                        ..directive(file, VARIABLES, name, own)
                    };
                    directives.extend(others.into_iter().map(untold));
                }
                Some(inner) => into_lines(file, key, inner, &mut directives, DEPTH),
                None => directives.push(directive(file, "", key, value)),
            }
        }
        Ok(Self { label: text("Label"), command, directives, variables })
    }
}

/// The keys of a dictionary, and of those in it; one that is empty stands for itself.
fn into_lines(
    file: &Path,
    section: &str,
    keys: &Dictionary,
    lines: &mut Vec<Directive<String>>,
    depth: usize,
) {
    if keys.is_empty() && !section.contains('/') {
        lines.push(directive(file, "", section, &Value::Dictionary(Dictionary::new())));
    }
    for (key, value) in keys {
        match value.as_dictionary().filter(|_| depth > 1) {
            Some(inner) => into_lines(file, &format!("{section}/{key}"), inner, lines, depth - 1),
            None => lines.push(directive(file, section, key, value)),
        }
    }
}

fn directive(file: &Path, section: &str, key: &str, value: &Value) -> Directive<String> {
    Directive {
        file: file.to_owned(),
        line: 1,
        section: section.to_owned(),
        key: key.to_owned(),
        value: scalar(value),
        kind: kind(value),
    }
}

fn kind(value: &Value) -> ValueKind {
    match value {
        Value::Boolean(_) => ValueKind::Truth,
        Value::Integer(_) => ValueKind::Number,
        Value::String(_) => ValueKind::Text,
        Value::Array(values) if values.iter().all(|value| value.as_string().is_some()) => {
            ValueKind::Texts
        }
        Value::Array(_) => ValueKind::List,
        Value::Dictionary(_) => ValueKind::Dictionary,
        _ => ValueKind::Rest,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Array(values) => values.iter().map(scalar).collect::<Vec<_>>().join(" "),
        _ => "(a value of another kind)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &str) -> Plist {
        let text = format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>");
        Plist::read(text.as_bytes(), Path::new("/a.plist")).unwrap()
    }

    #[test]
    fn each_value_keeps_its_type_and_each_dictionary_its_keys() {
        let plist = read(
            "<key>KeepAlive</key><dict><key>Crashed</key><true/><key>PathState</key><dict>\
             <key>/etc/on</key><true/></dict></dict><key>RunAtLoad</key><string>true</string>\
             <key>Nice</key><integer>5</integer><key>ProgramArguments</key><array><string>a</string>\
             <integer>1</integer></array><key>Sockets</key><dict/>",
        );
        let lines: Vec<_> = plist
            .directives
            .iter()
            .map(|line| (line.section.as_str(), line.key.as_str(), line.value.as_str(), line.kind))
            .collect();
        assert_eq!(
            lines,
            [
                ("KeepAlive", "Crashed", "true", ValueKind::Truth),
                ("KeepAlive/PathState", "/etc/on", "true", ValueKind::Truth),
                ("", "RunAtLoad", "true", ValueKind::Text),
                ("", "Nice", "5", ValueKind::Number),
                ("", "ProgramArguments", "a 1", ValueKind::List),
                ("", "Sockets", "(a value of another kind)", ValueKind::Dictionary),
            ]
        );
    }

    #[test]
    fn a_variable_that_is_no_text_is_none_and_its_value_is_not_told() {
        let plist = read(
            "<key>EnvironmentVariables</key><dict><key>A</key><string>b</string>\
             <key>PIN</key><integer>4711</integer></dict>",
        );
        assert_eq!(plist.variables, [("A".to_owned(), "b".to_owned())]);
        let line = &plist.directives[0];
        assert_eq!((line.section.as_str(), line.key.as_str()), (VARIABLES, "PIN"));
        assert_eq!((line.value.as_str(), line.kind), ("", ValueKind::Number));
    }
}
