//! The resource class token, which nobody but the agent may see.

use crate::{Code, Error, Result, platform::encoding::from_utf16, text::REDACTED};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, str::FromStr};

/// A resource class token. It is zeroed when dropped; `Debug` and `Serialize` print `***`.
///
/// As far as is known a token is 80 letters and digits. Placeholders are refused; another shape
/// is only remarked on ([`Token::shape_warning`]).
#[derive(Clone)]
pub struct Token(SecretString);

/// The usual length of a token.
const USUAL_CHARS: usize = 80;

/// Words that stand where the token goes, in documentation and templates: small letters, `_`
/// between words.
const PLACEHOLDERS: [&str; 20] = [
    "auth_token",
    "runner_auth_token",
    "launch_agent_api_auth_token",
    "circleci_runner_api_auth_token",
    "resource_class_token",
    "runner_token",
    "api_token",
    "token",
    "your_token",
    "your_token_here",
    "your_auth_token",
    "my_token",
    "token_here",
    "changeme",
    "change_me",
    "replaceme",
    "replace_me",
    "placeholder",
    "example",
    "todo",
];

impl Token {
    /// Reads a token from bytes, as a file or standard input has them: white space around it and
    /// a byte order mark do not count.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let wide = from_utf16(bytes);
        let bytes = wide.as_deref().map_or(bytes, Vec::as_slice);
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::new(Code::ValueInvalid, "the token is not text"))?;
        text.parse()
    }

    /// Takes what an existing config holds as it stands, for judging it later with
    /// [`Token::check`].
    pub fn as_found(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The token itself. For the config file and the one header that carries it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether this can be a token at all.
    pub fn check(&self) -> Result<()> {
        let text = self.expose();
        if let Some(why) = placeholder(text) {
            return Err(Error::new(
                Code::TokenPlaceholder,
                format!("the token is a placeholder: {why}"),
            )
            .help("make one with `circleci runner token create NAMESPACE/CLASS NICKNAME`"));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let lines = text.lines().count();
            let what = if lines > 1 { format!("{lines} lines") } else { "blanks in it".to_owned() };
            return Err(Error::new(Code::ValueInvalid, format!("the token has {what}"))
                .help("a token is one line of letters and digits, and nothing else"));
        }
        Ok(())
    }

    /// What is unusual about the token's shape, without any of its characters.
    pub fn shape_warning(&self) -> Option<String> {
        let text = self.expose();
        if text.starts_with("CCIPAT_") || text.starts_with("CCIPRJ_") {
            return Some(
                "the token looks like a personal or project API token; the agent needs the token of its resource class".to_owned(),
            );
        }
        let chars = text.chars().count();
        if chars == USUAL_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        Some(format!(
            "this token has {chars} characters, and a token usually has {USUAL_CHARS} letters and digits; check that all of it was copied"
        ))
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        let token = Self::as_found(text);
        token.check()?;
        Ok(token)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl serde::Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// Reads recorded facts back, where the token is `***` already.
impl<'de> serde::Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::as_found)
    }
}

/// Why `text` is a placeholder. Says nothing of the text but what is in this file.
fn placeholder(text: &str) -> Option<String> {
    let text = text.trim();
    let Some(first) = text.chars().next() else { return Some("it is empty".to_owned()) };
    for (open, close) in [("<", ">"), ("[", "]"), ("{{", "}}")] {
        if text.starts_with(open) && text.ends_with(close) {
            return Some(format!("it stands between {open} and {close}"));
        }
    }
    if is_variable(text) {
        return Some("it is the name of a variable that nothing replaced".to_owned());
    }
    let words = text.to_lowercase().replace(['-', ' '], "_");
    if let Some(word) = PLACEHOLDERS.into_iter().find(|word| *word == words) {
        return Some(format!("it is the word {word}"));
    }
    (text.chars().all(|c| c == first)).then(|| "it is one character over and over".to_owned())
}

/// `$NAME`, `${NAME…}`, `$(…)` or `%NAME%`.
fn is_variable(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let between = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    text.strip_prefix('$').is_some_and(is_name)
        || between("${", "}").is_some()
        || between("$(", ")").is_some()
        || between("%", "%").is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Code {
        text.parse::<Token>().unwrap_err().code()
    }

    #[test]
    fn placeholders_are_refused() {
        for text in [
            "",
            " \n",
            "AUTH_TOKEN",
            "auth-token",
            "<< AUTH_TOKEN >>",
            "<token>",
            "[[RESOURCE_CLASS_TOKEN]]",
            "{{ token }}",
            "$RUNNER_AUTH_TOKEN",
            "${RUNNER_AUTH_TOKEN}",
            "${TOKEN:-none}",
            "$(cat token)",
            "%TOKEN%",
            "your-token",
            "Your Token Here",
            "changeme",
            "xxxxxxxx",
            "***",
        ] {
            assert_eq!(code(text), Code::TokenPlaceholder, "{text:?}");
        }
    }

    #[test]
    fn blanks_lines_and_other_bytes_are_refused() {
        for text in ["abc def", "abc\ndef", "abc\tdef", "abc\0def", "abc\u{a0}def"] {
            assert_eq!(code(text), Code::ValueInvalid, "{text:?}");
        }
        for bytes in [&b"\xff\xfea"[..], b"a\xff"] {
            assert_eq!(Token::from_bytes(bytes).unwrap_err().code(), Code::ValueInvalid);
        }
    }

    #[test]
    fn what_stands_around_a_token_does_not_count() {
        // The last is what `echo abc123 > token` leaves in PowerShell.
        let wide = b"\xff\xfea\0b\0c\x001\x002\x003\0\r\0\n\0";
        for bytes in [&b"abc123\r\n"[..], b"  abc123 ", b"\xef\xbb\xbfabc123\n", wide] {
            assert_eq!(Token::from_bytes(bytes).unwrap().expose(), "abc123");
        }
    }

    #[test]
    fn only_the_usual_shape_goes_without_a_remark() {
        let warning = |text: &str| text.parse::<Token>().unwrap().shape_warning();
        assert_eq!(warning(&"a1".repeat(40)), None);
        assert!(warning(&"a1".repeat(39)).unwrap().contains("78 characters"));
        assert!(warning(&"a-".repeat(40)).is_some());
        assert!(warning(&format!("CCIPAT_{}", "a1".repeat(40))).unwrap().contains("API token"));
    }

    proptest! {
        #[test]
        fn no_token_is_ever_shown(text in "[a-zA-Z0-9$%<>{}_ -]{24,80}") {
            let token = Token::as_found(text.clone());
            let shown = format!(
                "{token:?} {} {:?} {:?}",
                serde_json::to_string(&token).unwrap(),
                token.check(),
                token.shape_warning(),
            );
            prop_assert!(!shown.contains(text.trim()));
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(token) = Token::from_bytes(&bytes) {
                prop_assert_eq!(token.expose().parse::<Token>().unwrap(), token.clone());
                prop_assert!(!token.expose().contains(char::is_whitespace));
            }
        }
    }
}
