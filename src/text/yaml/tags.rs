//! What a scalar holds: by YAML's own tags (`!!str`), and where true or false belongs.

use super::read::{Fault, Place, Value, fault, is_null};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use granit_parser::Tag;

/// The tags that are known, without `!!`.
const SCALARS: [&str; 7] = ["str", "bool", "int", "float", "null", "timestamp", "binary"];

/// Base64 as YAML has it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a scalar holds, by its tag.
pub(super) fn scalar(
    text: String,
    plain: bool,
    tag: Option<&Tag>,
    place: Place,
) -> Result<Value, Fault> {
    let Some(tag) = tag else {
        return Ok(match plain && is_null(&text) {
            true => Value::Null,
            false => Value::Text { text, plain },
        });
    };
    let name = SCALARS.into_iter().find(|name| is(tag, name)).ok_or_else(|| strange(place))?;
    let is_of = match name {
        "null" if is_null(&text) => return Ok(Value::Null),
        "null" => false,
        "binary" => {
            let signs: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let decoded = BASE64.decode(signs).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let text = decoded.ok_or_else(|| fault(place, "this !!binary holds no text"))?;
            return Ok(Value::Text { text, plain: false });
        }
        "str" => return Ok(Value::Text { text, plain: false }),
        "bool" => truth(&text).is_some(),
        "int" | "float" | "timestamp" => text.contains(|c: char| c.is_ascii_hexdigit()),
        _ => true,
    };
    match is_of {
        true => Ok(Value::Text { text, plain: true }),
        false => Err(fault(place, format!("this is no !!{name}"))),
    }
}

/// Refuses any other tag of a collection than its own.
pub(super) fn collection(tag: Option<&Tag>, own: &str, place: Place) -> Result<(), Fault> {
    match tag {
        Some(tag) if !is(tag, own) => Err(strange(place)),
        _ => Ok(()),
    }
}

/// What a text says where true or false belongs, by the words of YAML 1.1, which the libraries of Go
/// take there too.
pub fn truth(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| {
        words.iter().any(|word| {
            let capital = word.get(..1).map(str::to_ascii_uppercase).unwrap_or_default();
            text == *word
                || text == word.to_ascii_uppercase()
                || text.strip_prefix(&capital) == word.get(1..)
        })
    };
    match text {
        _ if is_one_of(["true", "yes", "on", "y"]) => Some(true),
        _ if is_one_of(["false", "no", "off", "n"]) => Some(false),
        _ => None,
    }
}

fn is(tag: &Tag, name: &str) -> bool {
    tag.is_yaml_core_schema_tag(name) || tag.original_handle() == "!!" && tag.suffix() == name
}

fn strange(place: Place) -> Fault {
    fault(place, "a tag (!name) stands here that no agent knows: leave it out")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Value, parse},
        truth,
    };

    fn value(text: &str) -> Option<(String, bool)> {
        match parse(format!("a: {text}\n").as_bytes()).ok()?.value {
            Value::Map(mut entries) => match entries.remove(0).value.value {
                Value::Text { text, plain } => Some((text, plain)),
                Value::Null => Some((String::new(), true)),
                other => Some((other.kind().to_owned(), false)),
            },
            _ => None,
        }
    }

    #[test]
    fn a_tag_of_yaml_is_taken_where_the_value_is_of_it() {
        for (text, held, plain) in [
            ("!!str true", "true", false),
            ("!!str", "", false),
            ("!!bool yes", "yes", true),
            ("!!int 5", "5", true),
            ("!!float .5", ".5", true),
            ("!!timestamp 2001-12-14", "2001-12-14", true),
            ("!!null ''", "", true),
            ("!!binary aGk=", "hi", false),
            ("!!seq [b]", "a list", false),
            ("!!map {b: c}", "a mapping", false),
        ] {
            assert_eq!(value(text), Some((held.to_owned(), plain)), "{text}");
        }
        for text in ["!!bool x", "!!int x", "!!null x", "!!binary //79", "!!seq {}", "!!map []"] {
            assert_eq!(value(text), None, "{text}");
        }
        // Ansible's and CloudFormation's own.
        for text in ["!vault x", "!Ref x", "!!python/object:os.system x"] {
            let fault = parse(format!("a: {text}\n").as_bytes()).unwrap_err();
            assert!(fault.what.contains("a tag (!name)"), "{text}");
        }
    }

    #[test]
    fn words_that_mean_true_or_false() {
        for (text, expected) in [
            ("true", Some(true)),
            ("Yes", Some(true)),
            ("ON", Some(true)),
            ("y", Some(true)),
            ("False", Some(false)),
            ("no", Some(false)),
            ("OFF", Some(false)),
            ("N", Some(false)),
            ("yEs", None),
            ("1", None),
            ("", None),
            ("enabled", None),
        ] {
            assert_eq!(truth(text), expected, "{text}");
        }
    }
}
