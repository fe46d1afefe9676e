//! The service's environment file: proxy and certificates, as `systemd.exec(5)` reads it.

use crate::{agent::Layout, record::Content, settings::Spec, text::shown};
use secrecy::SecretString;

/// A variable of the service, with its value as it may be shown.
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) shown: String,
}

/// What the service's own environment holds: proxy and certificates.
pub(crate) fn variables(spec: &Spec, layout: &Layout) -> Vec<Variable> {
    let mut variables = Vec::new();
    let mut add = |name, value: &str, shown: &str| {
        variables.push(Variable { name, value: value.to_owned(), shown: shown.to_owned() });
    };
    if let Some(proxy) = spec.proxy.as_ref() {
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
            add(name, proxy.expose(), &proxy.to_string());
        }
    }
    if let Some(list) = spec.no_proxy.as_deref() {
        for name in ["NO_PROXY", "no_proxy"] {
            add(name, list, list);
        }
    }
    if spec.ca_file.is_some() {
        // Go reads this file and, beside it, the folders of the system's own certificates.
        let ca = shown(&layout.ca);
        add("SSL_CERT_FILE", &ca, &ca);
    }
    variables
}

/// The file's content; `None` when the service needs no environment of its own.
pub(crate) fn content(spec: &Spec, layout: &Layout) -> Option<Content> {
    let variables = variables(spec, layout);
    if variables.is_empty() {
        return None;
    }
    let head = "# Written by runnerup: what the service's own environment holds.\n";
    let (mut whole, mut shown) = (head.to_owned(), head.to_owned());
    for Variable { name, value, shown: redacted } in variables {
        whole += &format!("{name}={}\n", quoted(&value));
        shown += &format!("{name}={}\n", quoted(&redacted));
    }
    Some(Content::secret(SecretString::from(whole), shown))
}

/// A value in double quotes, where systemd reads only the backslash and the quote itself.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}

/// Reads back what [`quoted`] wrote; leaves a value without quotes as it is.
pub(crate) fn unquoted(value: &str) -> String {
    let value = value.trim();
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(value in "[^\\n\\r]*") {
            prop_assert_eq!(unquoted(&quoted(&value)), value);
        }
    }
}
