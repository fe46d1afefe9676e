//! The texts of a document, one by one, to be replaced.

use serde_json::Value;
use std::collections::BTreeSet;

/// The place of a text in a document: keys, and positions in lists.
pub type Place = Vec<Step>;

#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    At(usize),
}

/// Every text of a document. Of things in a list that look alike the first stands for all.
pub fn places(document: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    walk(document, &mut Vec::new(), &mut found);
    let mut seen = BTreeSet::new();
    found.retain(|place| seen.insert(name(place)));
    found
}

fn walk(value: &Value, place: &mut Place, found: &mut Vec<Place>) {
    match value {
        Value::String(_) => found.push(place.clone()),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                place.push(Step::At(at));
                walk(item, place, found);
                place.pop();
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                place.push(Step::Key(key.clone()));
                walk(item, place, found);
                place.pop();
            }
        }
        _ => {}
    }
}

/// Such as `records[].target.file`.
pub fn name(place: &Place) -> String {
    let mut name = String::new();
    for step in place {
        match step {
            Step::Key(key) if name.is_empty() => name.push_str(key),
            Step::Key(key) => {
                name.push('.');
                name.push_str(key);
            }
            Step::At(_) => name.push_str("[]"),
        }
    }
    name
}

fn with(document: &Value, place: &Place, text: &str) -> Value {
    let mut document = document.clone();
    let mut value = &mut document;
    for step in place {
        value = match step {
            Step::Key(key) => &mut value[key.as_str()],
            Step::At(at) => &mut value[*at],
        };
    }
    *value = Value::from(text);
    document
}

/// All texts of a kind at once: whatever is changed with it goes along.
pub fn with_all(document: &Value, of: &str, text: &str) -> Value {
    let mut all = Vec::new();
    walk(document, &mut Vec::new(), &mut all);
    let same = all.iter().filter(|place| name(place) == of);
    same.fold(document.clone(), |document, place| with(&document, place, text))
}
