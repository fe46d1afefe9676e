//! A property list as what the doctor knows of a service.

use crate::host::Directive;
use plist::Value;
use std::{io::Cursor, path::Path};

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
        let directive = |section: &str, key: &str, value: &Value| Directive {
            file: file.to_owned(),
            line: 1,
            section: section.to_owned(),
            key: key.to_owned(),
            value: scalar(value),
        };
        let (mut directives, mut variables) = (Vec::new(), Vec::new());
        for (key, value) in &keys {
            match value.as_dictionary() {
                None => directives.push(directive("", key, value)),
                Some(inner) if key == "EnvironmentVariables" => {
                    variables.extend(inner.iter().map(|(name, own)| (name.clone(), scalar(own))));
                }
                Some(inner) => {
                    directives.extend(inner.iter().map(|(name, own)| directive(key, name, own)));
                }
            }
        }
        Ok(Self { label: text("Label"), command, directives, variables })
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
