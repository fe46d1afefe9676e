//! The last look at everything that is printed: a known secret becomes `***`.
//!
//! The types that hold secrets do not print them; this is for the day when one is carried past
//! them, as in another program's words or a server's page. Who can write a configuration must not
//! be able to blank words of this program by it: see [`Secrets::add_found`].

mod index;

use super::REDACTED;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use index::Index;
use secrecy::{ExposeSecret, SecretString};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// Shorter texts would be found in ordinary words, and blanking those helps nobody.
const SHORTEST: usize = 6;

/// Letters and digits in a row that a token has at least.
const RUN: usize = 16;

/// Changes between letter and digit in such a row: names and paths have one or two.
const CHANGES: usize = 4;

/// Different characters in such a row.
const DIFFERENT: usize = 6;

/// Longest text, in bytes, that is taken on as a secret that was found.
const LONGEST_FOUND: usize = 1024;

/// Most secrets that are taken on as found in one place. A token of the place comes first; the
/// others were read from where they stand and are printed from nowhere.
const MOST_FOUND: usize = 64;

/// The secrets of this run in every form they could be printed in. Clones share them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<Index>>);

/// What was found in one place that an account could have written.
#[derive(Debug, Default)]
pub struct Found(Vec<SecretString>);

impl Secrets {
    #[cfg(test)]
    pub(crate) fn of(secret: &str) -> Self {
        let secrets = Self::default();
        secrets.add(secret);
        secrets
    }

    /// Takes on a secret that the administrator gave: it is searched for whatever it looks like.
    pub fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.extend(forms(secret).into_iter().map(SecretString::from));
        }
    }

    /// Takes on a secret that was found where an account could have written it. One that is no
    /// possible token is not searched for: `auth_token: status` must not blank that word wherever
    /// it stands. It was read, and so it is dropped where it stands.
    pub fn add_found(&self, text: &str) {
        let mut found = Found::default();
        found.token(text);
        self.add_all(&found);
    }

    /// Takes on everything that was found in one place.
    pub fn add_all(&self, found: &Found) {
        let forms = found.0.iter().flat_map(|secret| forms(secret.expose_secret()));
        self.extend(forms.map(SecretString::from));
    }

    fn extend(&self, forms: impl Iterator<Item = SecretString>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(forms);
    }

    /// Takes on all that others know.
    pub fn take(&self, others: &Self) {
        let others = others.0.read().unwrap_or_else(PoisonError::into_inner).forms().to_vec();
        self.extend(others.into_iter());
    }

    /// Takes on the password in a URL, as it stands there and decoded.
    pub fn add_login(&self, url: &str) {
        passwords(url).iter().for_each(|password| self.add(password));
    }

    /// The text without any known secret.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.without(text, REDACTED)
    }
}

impl Found {
    /// A secret, if it is a possible token.
    pub fn token(&mut self, text: &str) {
        if self.0.len() < MOST_FOUND && text.len() <= LONGEST_FOUND && is_possible_token(text) {
            self.0.push(SecretString::from(text));
        }
    }

    /// The password in a URL.
    pub fn login(&mut self, url: &str) {
        passwords(url).iter().for_each(|password| self.token(password));
    }
}

/// Whether a text can be a token: somewhere it has a long row of letters and digits, well mixed.
/// Words, paths, host names and versions have none.
fn is_possible_token(text: &str) -> bool {
    let is_mixed = |run: &str| {
        let bytes = run.as_bytes();
        let changes = bytes.windows(2).filter(|two| match two {
            [one, other] => one.is_ascii_digit() != other.is_ascii_digit(),
            _ => false,
        });
        let different: BTreeSet<&u8> = bytes.iter().collect();
        bytes.len() >= RUN && changes.count() >= CHANGES && different.len() >= DIFFERENT
    };
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_mixed)
}

/// Letters and digits in a row that neither a host name nor a word has: a label of DNS ends before.
const LONGEST_LABEL: usize = 63;

/// What CircleCI's personal and project tokens begin with.
const PREFIXES: [&str; 2] = ["CCIPAT_", "CCIPRJ_"];

/// Whether what a person types where no secret is wanted may be one all the same: a possible token,
/// one by its first letters, or a row that is too long for anything else.
pub(crate) fn may_be_secret(typed: &str) -> bool {
    let mut rows = typed.split(|c: char| !c.is_ascii_alphanumeric());
    is_possible_token(typed)
        || PREFIXES.iter().any(|prefix| typed.contains(prefix))
        || rows.any(|row| row.len() > LONGEST_LABEL)
}

/// The password of a URL's login, as it stands there and decoded.
fn passwords(url: &str) -> Vec<String> {
    let password = || {
        let (_, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let (login, _) = authority.rsplit_once('@')?;
        login.split_once(':').map(|(_, password)| password)
    };
    let Some(password) = password() else { return Vec::new() };
    let query = format!("p={}", password.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(query.as_bytes()).map(|(_, text)| text.into_owned());
    std::iter::once(password.to_owned()).chain(decoded).collect()
}

/// Plain, URL-encoded both ways, as in JSON, and in base64 at each of the three places where it
/// can stand in a longer text (`user:password`).
fn forms(secret: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![
        secret.to_owned(),
        encoded.replace('+', "%20"),
        lower_escapes(&encoded),
        encoded,
        secret.escape_debug().to_string(),
        secret.escape_default().to_string(),
    ];
    for lead in 0..3 {
        let base64 = STANDARD_NO_PAD.encode([&[0; 2][..lead], secret.as_bytes()].concat());
        // The characters at both ends hold bits of what stands beside the secret.
        let from = (lead * 8).div_ceil(6);
        let to = (lead + secret.len()) * 8 / 6;
        if let Some(own) = base64.get(from..to).filter(|base64| base64.len() >= SHORTEST) {
            forms.push(own.replace('+', "-").replace('/', "_"));
            forms.push(own.to_owned());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn lower_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (hex, rest) = part.split_at(part.len().min(2));
        format!("{text}%{}{rest}", hex.to_ascii_lowercase())
    })
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    #[test]
    fn each_form_becomes_stars() {
        let secrets = Secrets::of("p/ss wörd?1");
        for form in [
            "p/ss wörd?1",
            "p%2Fss+w%C3%B6rd%3F1",
            "p%2fss%20w%c3%b6rd%3f1".replace("%20", "+").as_str(),
        ] {
            assert_eq!(secrets.scrub(&format!("a {form} b")), "a *** b");
        }
        assert_eq!(secrets.scrub("nothing here"), "nothing here");
        assert_eq!(format!("{secrets:?}"), "***");
    }

    #[test]
    fn a_secret_too_short_to_tell_is_left() {
        assert_eq!(Secrets::of("a").scrub("a banana"), "a banana");
    }

    #[test]
    fn what_is_no_possible_token_is_not_searched_for() {
        for (text, is_token) in [
            ("status", false),
            ("\"fail\"", false),
            ("permissions/binary-executable", false),
            ("/etc/opt/circleci-1/launch-agent-config.yaml", false),
            ("ip-10-0-12-34.eu-west-1.compute.internal", false),
            ("1.1.73189-8792751", false),
            ("11111111111111111111111111111111", false),
            ("launchagentconfiguration2", false),
            ("7c1a09be42d85f63e0b7149ad3c85f26", true),
            ("ccipat_b81f0e27d94c6a53_1f0e27d94c6a53b8", true),
        ] {
            assert_eq!(is_possible_token(text), is_token, "{text}");
            let secrets = Secrets::default();
            secrets.add_found(text);
            assert_eq!(secrets.scrub(text) == "***", is_token, "{text}");
            secrets.add(text);
            assert_eq!(secrets.scrub(text), "***", "{text} was given");
        }
    }

    #[test]
    fn no_place_has_more_searched_for_than_is_taken_on() {
        let secrets = Secrets::default();
        let mut found = Found::default();
        let token = |number: usize| format!("a1b2c3d4e5f6a7b8{number:04}");
        found.token(&format!("{}{}", token(0), "x".repeat(LONGEST_FOUND)));
        (0..5000).for_each(|number| found.token(&token(number)));
        secrets.add_all(&found);
        assert_eq!(secrets.scrub(&token(0)), "***");
        assert_eq!(secrets.scrub(&token(MOST_FOUND)), token(MOST_FOUND));
        let forms = secrets.0.read().unwrap().forms().len();
        assert!(forms <= MOST_FOUND * 12, "{forms} forms");
    }

    proptest! {
        #[test]
        fn no_secret_is_found_in_base64(before in "[a-z:]{0,5}", secret in "[!-~]{12,40}", after in ".{0,5}") {
            let secrets = Secrets::of(&secret);
            let text = format!("{before}{secret}{after}");
            for form in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                prop_assert!(secrets.scrub(&form).contains("***"), "{}", form);
            }
            prop_assert!(!secrets.scrub(&text).contains(&secret));
        }
    }
}
