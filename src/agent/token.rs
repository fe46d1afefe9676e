//! The resource class token, which nobody but the agent may see.

use super::not_token::{NotToken, USUAL_CHARS};
use crate::{Code, Error, Result, platform::encoding::from_utf16, text::REDACTED};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, str::FromStr};

/// A resource class token. It is zeroed when dropped; `Debug` and `Serialize` print `***`.
///
/// As far as is known a token is 80 letters and digits. Placeholders are refused; another shape
/// is only remarked on ([`Token::shape_warning`]).
#[derive(Clone)]
pub struct Token(SecretString);

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
    ///
    /// # Errors
    /// What it is instead, without a character of it.
    pub fn check(&self) -> Result<()> {
        let Some(kind) = NotToken::of(self.expose()) else { return Ok(()) };
        let (code, what, help) = match kind {
            _ if kind.is_blanks() => (
                Code::ValueInvalid,
                "cannot be one",
                "a token is one line of letters and digits, and nothing else",
            ),
            _ => (
                Code::TokenPlaceholder,
                if kind.is_placeholder() { "is a placeholder" } else { "is not a token" },
                match kind {
                    NotToken::Quoted => "give it without the quotes",
                    NotToken::Assignment | NotToken::Header => {
                        "give only the token itself, which follows the name"
                    }
                    _ => "make one with `circleci runner token create NAMESPACE/CLASS NICKNAME`",
                },
            ),
        };
        Err(Error::new(code, format!("the token {what}: {kind}")).help(help))
    }

    /// What is unusual about the token's shape, without any of its characters.
    pub fn shape_warning(&self) -> Option<String> {
        let text = self.expose();
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
        let personal = Token::as_found(format!("CCIPAT_{}", "a1".repeat(40)));
        assert!(personal.check().unwrap_err().message().contains("API token"));
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
