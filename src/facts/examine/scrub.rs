//! Takes secrets out of texts that come from elsewhere: logs, command lines, definitions.

use crate::agent::{REDACTED, Secrets};

/// Letters and digits in a row, mixed, from this many on: a token, or something like one.
const LONG: usize = 32;

/// Words behind which a secret stands.
const LEADS: [&str; 7] = ["token", "password", "passwd", "secret", "bearer", "api_key", "apikey"];

/// Knows this run's secrets, and what any secret looks like.
#[derive(Clone, Default)]
pub(super) struct Scrub(pub(super) Secrets);

impl Scrub {
    /// A text without secrets: the known ones, logins in URLs, what stands behind `token=`, and
    /// long words of mixed letters and digits.
    pub(super) fn text(&self, text: &str) -> String {
        let text = self.0.scrub(text);
        let text = without_logins(&text);
        let mut out = String::with_capacity(text.len());
        let mut is_led = false;
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || "=\"',;".contains(c)) {
            let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "=\"',;".contains(c));
            let rest = &piece[word.len()..];
            if !word.is_empty() && (is_led && word.len() > 3 && !is_lead(word) || is_long(word)) {
                out.push_str(REDACTED);
            } else {
                out.push_str(word);
            }
            out.push_str(rest);
            // A quote or a blank between the lead and its value leaves the lead standing.
            if !word.is_empty() {
                // `invalid bearer token (401)` is about a token, and holds none.
                let is_option = word.starts_with('-') || word.ends_with(':') || rest.contains('=');
                is_led = is_lead(word) && (is_option || word.eq_ignore_ascii_case("bearer"));
            }
        }
        out
    }

    /// The words of a command line without secrets.
    pub(super) fn words(&self, words: &[String]) -> Vec<String> {
        let mut is_led = false;
        let shown = words.iter().map(|word| {
            let shown = if is_led && !word.starts_with('-') {
                REDACTED.to_owned()
            } else {
                self.text(word)
            };
            is_led = word.starts_with('-') && !word.contains('=') && is_lead(word);
            shown
        });
        shown.collect()
    }
}

/// Whether what follows this word is a secret.
fn is_lead(word: &str) -> bool {
    let word = word.trim_end_matches([':', ')']).to_ascii_lowercase();
    LEADS.iter().any(|lead| word.ends_with(lead))
}

fn is_long(word: &str) -> bool {
    // Parts of a word count apart, so that a path or a digest's name stays readable.
    word.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|part| {
        part.len() >= LONG
            && part.bytes().any(|b| b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

/// `http://user:password@host` without user and password.
fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || "\"'<>".contains(c))
            .unwrap_or(after.len());
        let (authority, more) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((login, host)) => {
                let user = login.split(':').next().unwrap_or_default();
                let user = if login.contains(':') { user } else { REDACTED };
                out.push_str(&format!("{user}:{REDACTED}@{host}"));
            }
            None => out.push_str(authority),
        }
        rest = more;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str =
        "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

    fn scrubbed(text: &str) -> String {
        Scrub::default().text(text)
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        assert_eq!(scrubbed("--api.auth_token=hunter2 x"), "--api.auth_token=*** x");
        assert_eq!(scrubbed("auth_token: \"hunter2\""), "auth_token: \"***\"");
        assert_eq!(scrubbed("Authorization: Bearer hunter2"), "Authorization: Bearer ***");
        assert_eq!(scrubbed("via http://me:pw@proxy:1/x"), "via http://me:***@proxy:1/x");
        assert_eq!(
            scrubbed("error=\"invalid bearer token (401)\""),
            "error=\"invalid bearer token (401)\""
        );
        let plain = "06:00:08 a8093 22.942ms POST /api/v3/runner/claim app.loop_name=claim";
        assert_eq!(scrubbed(plain), plain);
    }

    #[test]
    fn a_word_after_a_token_option_is_a_secret() {
        let words = ["agent", "--api.auth_token", "hunter2", "--config", "/x"].map(str::to_owned);
        let shown = Scrub::default().words(&words);
        assert_eq!(shown, ["agent", "--api.auth_token", "***", "--config", "/x"]);
    }

    proptest! {
        #[test]
        fn a_token_is_never_left(before in ".{0,30}", after in "[^a-zA-Z0-9_].{0,30}") {
            let text = format!("{before} {TOKEN}{after}");
            prop_assert!(!scrubbed(&text).contains(TOKEN));
        }
    }
}
