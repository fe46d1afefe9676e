//! The launchd definition, from its template, and back.

use crate::{
    Code, Error, Result,
    agent::Layout,
    record::Content,
    service::{drain, environment},
    settings::Spec,
    text::shown,
};
use plist::{Dictionary, Value};
use secrecy::SecretString;
use std::path::Path;

const PLIST: &str = include_str!("../../../templates/agent.plist");

/// The property list's content; secret where the service's environment is.
///
/// # Errors
/// Never, as long as the template is a property list; a test keeps it one.
pub(crate) fn content(spec: &Spec, layout: &Layout) -> Result<Content> {
    let variables = environment::variables(spec, layout);
    let whole = text(
        spec,
        layout,
        variables.iter().map(|variable| (variable.name, variable.value.as_str())),
    )?;
    if variables.iter().all(|variable| variable.value == variable.shown) {
        return Ok(Content::public(whole));
    }
    let shown = text(
        spec,
        layout,
        variables.iter().map(|variable| (variable.name, variable.shown.as_str())),
    )?;
    Ok(Content::secret(SecretString::from(whole), shown))
}

/// The environment of a definition that is there already.
pub(crate) fn variables(bytes: &[u8]) -> Vec<(String, String)> {
    let Ok(Value::Dictionary(plist)) = Value::from_reader(std::io::Cursor::new(bytes)) else {
        return Vec::new();
    };
    let variables = plist.get("EnvironmentVariables").and_then(Value::as_dictionary);
    let text =
        |(name, value): (&String, &Value)| Some((name.clone(), value.as_string()?.to_owned()));
    variables.into_iter().flatten().filter_map(text).collect()
}

fn text<'a>(
    spec: &Spec,
    layout: &Layout,
    variables: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<String> {
    let broken = |error: plist::Error| {
        Error::new(Code::StepFailed, format!("the property list cannot be written: {error}"))
    };
    let path = |path: &Path| shown(path);
    let start_log = layout.start_log.as_deref().map(path).unwrap_or_default();
    let blanks = [
        ("{{label}}", layout.service.clone()),
        ("{{binary}}", path(&layout.binary)),
        ("{{start_log}}", start_log),
    ];
    let mut plist = Value::from_reader_xml(PLIST.as_bytes()).map_err(broken)?;
    fill(&mut plist, &blanks);
    if let Some(keys) = plist.as_dictionary_mut() {
        let profile = spec.agent.profile();
        let config = path(&layout.config);
        let words = [profile.program].into_iter().chain(profile.arguments(&config));
        let words = words.map(Value::from).collect();
        keys.insert("ProgramArguments".to_owned(), Value::Array(words));
        keys.insert("ExitTimeOut".to_owned(), Value::from(drain(spec).as_secs()));
        let variables: Dictionary =
            variables.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        keys.insert("EnvironmentVariables".to_owned(), Value::Dictionary(variables));
        // The order stays the template's, as people read it.
        let is_filled =
            |value: &Value| value.as_dictionary().is_none_or(|dictionary| !dictionary.is_empty());
        *keys = std::mem::take(keys).into_iter().filter(|(_, value)| is_filled(value)).collect();
    }
    let mut bytes = Vec::new();
    plist.to_writer_xml(&mut bytes).map_err(broken)?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Fills blanks in every text of the value; the writer escapes what it has to.
fn fill(value: &mut Value, blanks: &[(&str, String)]) {
    match value {
        Value::String(text) => {
            if let Some((_, filled)) = blanks.iter().find(|(blank, _)| text == blank) {
                text.clone_from(filled);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, blanks)),
        Value::Dictionary(keys) => keys.values_mut().for_each(|value| fill(value, blanks)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_xml_knows_is_read_back_as_it_was() {
        let text = "<plist version=\"1.0\"><dict><key>EnvironmentVariables</key><dict>\
                    <key>HTTPS_PROXY</key><string>http://a&amp;b@p:1</string></dict></dict></plist>";
        assert_eq!(
            variables(text.as_bytes()),
            [("HTTPS_PROXY".to_owned(), "http://a&b@p:1".to_owned())]
        );
        assert_eq!(variables(b"no plist"), []);
    }
}
