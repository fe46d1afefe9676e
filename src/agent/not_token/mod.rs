//! What people put where a token belongs, and what is none. As far as is known a token is a row of
//! letters and digits, so that these forms are no token's.

mod words;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::fmt;
use words::{ASKING, BLANKS, ENCRYPTED, NOTHING, OTHERS, REFERENCES, WORDS};

/// What stands in place of a token. No variant holds anything of the text but a word of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotToken {
    /// Nothing.
    Empty,
    /// A blank of a template.
    Between(&'static str, &'static str),
    /// `$NAME`, `${NAME}`, `$(…)` or `%NAME%`.
    Unreplaced,
    /// A word of documentation.
    Word(&'static str),
    /// `REPLACE_WITH_TOKEN` and its kin.
    TemplateWords,
    /// `RUNNER_TOKEN`: the name in place of the value.
    VariableName,
    /// What a program writes where it has nothing.
    Nothing(&'static str),
    /// `xxxx`, `***`.
    OneCharacter,
    /// A document that may hold a token.
    Json,
    /// A text that a tool has to decrypt.
    Encrypted(&'static str),
    /// The name of a secret in a store.
    Reference(&'static str),
    /// A path of a file.
    Path,
    /// A URL.
    Url,
    /// A private key or a certificate.
    Pem,
    /// A token of a person or a project.
    Personal,
    /// A token of another service.
    Other(&'static str),
    /// In quotes, or with one.
    Quoted,
    /// `NAME=value`, `name: value`.
    Assignment,
    /// `Bearer …`: what stands in a header.
    Header,
    /// The base64 of a token, as Kubernetes keeps one.
    Base64,
    /// A line break or a blank at an end.
    OuterBlank,
    /// More lines than one.
    Lines(usize),
    /// Blanks, or what is not printed.
    Blanks,
}

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The usual length of a token.
pub(super) const USUAL_CHARS: usize = 80;

impl NotToken {
    /// What a text is that stands in place of a token; `None` where it may be one.
    pub fn of(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        Self::of_form(inner)
            .or_else(|| Self::of_words(inner))
            .or_else(|| Self::of_signs(inner))
            .or_else(|| (inner.len() != text.len()).then_some(Self::OuterBlank))
    }

    /// Whether it is nothing, or stands there until somebody writes the token.
    pub fn is_placeholder(self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::Between(..)
                | Self::Unreplaced
                | Self::Word(_)
                | Self::TemplateWords
                | Self::OneCharacter
        )
    }

    /// Whether only blanks and line breaks are wrong with it.
    pub fn is_blanks(self) -> bool {
        matches!(self, Self::OuterBlank | Self::Lines(_) | Self::Blanks)
    }

    /// By how it begins and ends.
    fn of_form(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Empty);
        }
        let small = text.to_lowercase();
        let begins = |table: &[(&'static str, &'static str)]| {
            let is_it = |(start, _): &&(&str, &str)| small.starts_with(&start.to_lowercase());
            table.iter().find(is_it).map(|(_, what)| *what)
        };
        if let Some(word) = NOTHING.into_iter().find(|word| *word == small) {
            return Some(Self::Nothing(word));
        }
        if let Some(how) = begins(&ENCRYPTED) {
            return Some(Self::Encrypted(how));
        }
        if is_json(text) {
            return Some(Self::Json);
        }
        if let Some((open, close)) = BLANKS.into_iter().find(|(open, close)| {
            text.len() > open.len() + close.len() && text.starts_with(open) && text.ends_with(close)
        }) {
            return Some(Self::Between(open, close));
        }
        if text.starts_with("-----BEGIN ") || text.starts_with("ssh-") {
            return Some(Self::Pem);
        }
        if small.starts_with("ccipat_") || small.starts_with("cciprj_") {
            return Some(Self::Personal);
        }
        if let Some(service) = begins(&OTHERS) {
            return Some(Self::Other(service));
        }
        if let Some(store) = begins(&REFERENCES) {
            return Some(Self::Reference(store));
        }
        if is_variable(text) {
            return Some(Self::Unreplaced);
        }
        let header = ["bearer ", "token ", "basic ", "circle-token:", "authorization:"];
        if header.iter().any(|header| small.starts_with(header)) {
            return Some(Self::Header);
        }
        if text.contains("://") {
            return Some(Self::Url);
        }
        let is_path = ["/", "./", "../", "~/", "\\\\", "@/", "file:"];
        let drive = text.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/");
        if drive || is_path.iter().any(|start| small.starts_with(start)) {
            return Some(Self::Path);
        }
        None
    }

    /// By its words.
    fn of_words(text: &str) -> Option<Self> {
        let words = text.to_lowercase().replace(['-', ' ', '.'], "_");
        if let Some(word) = WORDS.into_iter().find(|word| *word == words) {
            return Some(Self::Word(word));
        }
        let parts: Vec<&str> = words.split('_').filter(|part| !part.is_empty()).collect();
        let is_words = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase()));
        let asks = parts.first().is_some_and(|first| ASKING.contains(first))
            || parts
                .iter()
                .any(|part| matches!(*part, "here" | "replace" | "changeme" | "placeholder"));
        if is_words && parts.len() > 1 && asks {
            return Some(Self::TemplateWords);
        }
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let is_variables = text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(is_name)
            && text.contains('_');
        if is_variables || is_words && parts.len() > 1 && parts.contains(&"token") {
            return Some(Self::VariableName);
        }
        let first = text.chars().next();
        text.chars().all(|c| Some(c) == first).then_some(Self::OneCharacter)
    }

    /// By single characters in it.
    fn of_signs(text: &str) -> Option<Self> {
        const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
        if is_assignment(text) {
            return Some(Self::Assignment);
        }
        if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
            return Some(Self::Quoted);
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let lines = text.lines().count();
            return Some(if lines > 1 { Self::Lines(lines) } else { Self::Blanks });
        }
        if text.ends_with("\\n") || text.ends_with("\\r") {
            return Some(Self::OuterBlank);
        }
        // The base64 of a token, with or without the line break that `echo` adds.
        let is_long = (104..=116).contains(&text.len());
        let decoded = is_long.then(|| BASE64.decode(text).ok()).flatten()?;
        let decoded = decoded.trim_ascii();
        (decoded.len() == USUAL_CHARS && decoded.iter().all(u8::is_ascii_alphanumeric))
            .then_some(Self::Base64)
    }
}

impl fmt::Display for NotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Between(open, close) => {
                return write!(f, "it stands between {open} and {close}, as a template's blank does");
            }
            Self::Unreplaced => "it is the name of a variable that nothing replaced",
            Self::Word(word) => return write!(f, "it is the word {word}"),
            Self::TemplateWords => "it is words that a template left",
            Self::VariableName => "it is the name of a secret or a variable, not its value",
            Self::Nothing(word) => {
                return write!(f, "it is {word}, which a program wrote where it had no value");
            }
            Self::OneCharacter => "it is one character over and over",
            Self::Json => "it is JSON, and the token is one value in it at most",
            Self::Encrypted(how) => return write!(f, "it is {how}, and nothing decrypted it"),
            Self::Reference(store) => {
                return write!(f, "it is a reference to a secret store ({store}), and nothing resolved it");
            }
            Self::Path => "it is the path of a file, not what the file holds",
            Self::Url => "it is a URL",
            Self::Pem => "it is a key or a certificate",
            Self::Personal => {
                "it is a personal or project API token; the agent needs the token of its resource class"
            }
            Self::Other(service) => return write!(f, "it is a token of {service}"),
            Self::Quoted => "it has quotes, which are no part of a token",
            Self::Assignment => "it has its name in front: only the value is the token",
            Self::Header => "it has the name of a header in front: only the value is the token",
            Self::Base64 => "it is a token in base64: decode it",
            Self::OuterBlank => "it begins or ends with a blank or a line break",
            Self::Lines(lines) => return write!(f, "it has {lines} lines"),
            Self::Blanks => "it has blanks in it",
        })
    }
}

fn is_json(text: &str) -> bool {
    let rest = text.strip_prefix('{').or_else(|| text.strip_prefix('[')).map(str::trim_start);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '}', '\\']))
        || text.starts_with("{'")
}

/// `NAME=value` and `name: value`, with `export` in front or not.
fn is_assignment(text: &str) -> bool {
    let text = text.strip_prefix("export ").unwrap_or(text);
    let is_name = |name: &str| {
        let name = name.trim_end().trim_start_matches("--");
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(is_sign)
    };
    let by_equals = text.split_once('=').is_some_and(|(name, value)| {
        is_name(name) && !value.is_empty() && !value.chars().all(|c| c == '=')
    });
    let by_colon = text.split_once(':').is_some_and(|(name, value)| {
        is_name(name) && (value.starts_with(char::is_whitespace) || name.contains("token"))
    });
    by_equals || by_colon
}

/// `$NAME`, `${NAME…}`, `$(…)` or `%NAME%`.
fn is_variable(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte))
    };
    let between = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    text.strip_prefix('$').is_some_and(is_name)
        || between("${", "}").is_some()
        || between("$(", ")").is_some()
        || between("`", "`").is_some_and(|inner| inner.contains(' '))
        || between("%", "%").is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str =
        "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

    /// From set-up scripts, secret stores and templates in public.
    #[test]
    fn what_is_put_in_place_of_a_token_is_named() {
        use NotToken::*;
        let base64 = BASE64.encode(format!("{TOKEN}\n"));
        for (text, expected) in [
            ("", Empty),
            (" \n", Empty),
            ("{\"token\":\"abc\"}", Json),
            ("{ \"token\": \"abc\" }", Json),
            ("{'token': 'abc'}", Json),
            ("[\"abc\"]", Json),
            ("{", Json),
            ("None", Nothing("none")),
            ("null", Nothing("null")),
            ("undefined", Nothing("undefined")),
            ("<no value>", Nothing("<no value>")),
            ("[object Object]", Nothing("[object object]")),
            ("CIRCLECI_API_TOKEN", VariableName),
            ("RUNNER_TOKEN_2", VariableName),
            ("runner-gpu-token", VariableName),
            ("REPLACE_WITH_TOKEN", TemplateWords),
            ("YOUR_TOKEN_GOES_HERE", TemplateWords),
            ("paste-the-token-here", TemplateWords),
            ("changeme", Word("changeme")),
            ("AUTH_TOKEN", Word("auth_token")),
            ("***", OneCharacter),
            ("ENC[AES256_GCM,data:abc,type:str]", Encrypted("encrypted by SOPS or eyaml")),
            ("$ANSIBLE_VAULT;1.1;AES256", Encrypted("encrypted by Ansible Vault")),
            (
                "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf",
                Encrypted("encrypted by Vault"),
            ),
            ("vault:secret/data/ci#token", Reference("Vault")),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:ci", Reference("of AWS")),
            ("ssm:/ci/runner/token", Reference("of AWS Systems Manager")),
            ("op://ci/runner/token", Reference("1Password")),
            ("projects/p/secrets/s/versions/latest", Reference("Google Secret Manager")),
            ("@Microsoft.KeyVault(SecretUri=https://x)", Reference("Azure Key Vault")),
            ("ref+awssecrets://ci/token", Reference("of vals")),
            ("{{ token }}", Between("{{", "}}")),
            ("{{resolve:secretsmanager:ci}}", Between("{{", "}}")),
            ("((runner-token))", Between("((", "))")),
            ("<token>", Between("<", ">")),
            ("__TOKEN__", Between("__", "__")),
            ("@TOKEN@", Between("@", "@")),
            ("{token}", Between("{", "}")),
            ("${TOKEN:-}", Unreplaced),
            ("$env:TOKEN", Unreplaced),
            ("$(cat /run/secrets/token)", Unreplaced),
            ("%TOKEN%", Unreplaced),
            ("/run/secrets/token", Path),
            ("~/token", Path),
            ("C:\\token.txt", Path),
            ("file:/etc/token", Path),
            ("https://vault.example.com/v1/secret", Url),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc", Pem),
            ("CCIPAT_abc_def", Personal),
            ("ghp_0123456789abcdef0123456789abcdef0123", Other("GitHub")),
            ("Bearer abc", Header),
            ("Circle-Token: abc", Header),
            ("LAUNCH_AGENT_API_AUTH_TOKEN=abc", Assignment),
            ("export TOKEN=abc", Assignment),
            ("auth_token: abc", Assignment),
            ("\"abc\"", Quoted),
            ("'abc", Quoted),
            ("\u{201c}abc\u{201d}", Quoted),
            (&base64, Base64),
            ("abc\n", OuterBlank),
            (" abc", OuterBlank),
            ("abc\\n", OuterBlank),
            ("abc\ndef", Lines(2)),
            ("abc def", Blanks),
            ("abc\0def", Blanks),
        ] {
            assert_eq!(NotToken::of(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_may_be_a_token_is_left_to_the_server() {
        let upper = TOKEN.to_uppercase();
        let dashes = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        for text in [TOKEN, &upper, dashes, "abc123", "a1-b2_c3", "abc==", "hunter2", "a+b/c"] {
            assert_eq!(NotToken::of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_row_of_letters_and_digits_of_its_length_is_refused(text in "[a-z0-9]{40}[A-Z0-9]{40}") {
            prop_assert_eq!(NotToken::of(&text), None);
        }

        #[test]
        fn nothing_of_a_text_is_repeated(secret in "[a-z0-9]{24}", lead in r#"(|/|vault:|arn:|"|'|A=|\{"|ENC\[|Bearer |ccipat_|https://)"#, end in "(|\\}|\n| |')") {
            if let Some(kind) = NotToken::of(&format!("{lead}{secret}{end}")) {
                let shown = format!("{kind} {kind:?}");
                prop_assert!(!shown.contains(&secret));
            }
        }
    }
}
