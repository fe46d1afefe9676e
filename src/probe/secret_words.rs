//! What a secret looks like in a text: what stands behind a word such as `token`, a login in a
//! URL, the form of well-known tokens, and long words of mixed letters and digits.

use crate::text::REDACTED;

/// Letters and digits in a row, mixed, from this many on: a token, or something like one.
const LONG: usize = 32;

/// A shorter word behind `password: ` is an ordinary one.
const SHORT: usize = 3;

/// Ends of words behind which a secret stands.
const LEADS: [&str; 13] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "bearer",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
];

/// The same, of words that would be found in other ones.
const PARTS: [&str; 4] = ["key", "auth", "basic", "pat"];

/// Words between `Authorization:` and the secret.
const SCHEMES: [&str; 4] = ["basic", "bearer", "digest", "token"];

/// How tokens of well-known services begin.
const PREFIXES: [&str; 16] = [
    "AKIA",
    "ASIA",
    "CCIPAT_",
    "CCIPRJ_",
    "ccipat_",
    "dckr_pat_",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hvs.",
    "npm_",
    "sk_live_",
];

/// What is said of a secret, and is none.
const PLAIN: [&str; 8] = ["true", "false", "null", "nil", "none", "yes", "no", "***"];

/// Whether the next word is a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Ordinary,
    /// It is, if `=` or `:` stands before it: `invalid bearer token (401)` holds none.
    Named,
    /// It is, unless it is short.
    Led,
    /// The same, but what is said of a token is no secret.
    Bearer,
    /// It is: it stands behind `=`, or in quotes.
    SettingValue,
    /// What stands behind the `:` of it: `-u name:password`.
    Login,
}

/// The text with `***` in place of what looks like a secret.
pub(super) fn without(text: &str) -> String {
    let text = without_logins(text);
    let mut out = String::with_capacity(text.len());
    let mut next = Next::Ordinary;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (gap, after) = split(rest, rest.find(|c| !is_gap(c)));
        out.push_str(gap);
        next = next.behind(gap);
        let quote = gap.chars().next_back().filter(|c| "\"'".contains(*c));
        let end = match (next, quote) {
            (Next::SettingValue, Some(quote)) => after.find(quote),
            (Next::SettingValue, None) => {
                after.find(|c: char| c.is_whitespace() || "\"',;&".contains(c))
            }
            (Next::Login, _) => after.find(char::is_whitespace),
            _ => after.find(is_gap),
        };
        let (mut word, mut more) = split(after, end);
        let password = word.split_once(':').map(|(_, password)| password);
        if next == Next::Login && password.is_none_or(str::is_empty) {
            // It is no login.
            next = Next::Ordinary;
            (word, more) = split(after, after.find(is_gap));
        }
        rest = more;
        if !word.contains(char::is_alphanumeric) && next != Next::SettingValue {
            // Only punctuation: what stood before it still leads.
            out.push_str(word);
            continue;
        }
        // `Authorization: Bearer` goes on to lead.
        let leads_on = SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
        let is_secret = match next {
            Next::Led | Next::Bearer => {
                !leads_on && word.len() > SHORT && !word.starts_with('-') && !is_plain(word)
            }
            Next::SettingValue => !leads_on && !is_plain(word),
            _ => false,
        };
        match word.split_once(':') {
            Some((name, _)) if next == Next::Login => {
                out.extend([without(name).as_str(), ":", REDACTED]);
            }
            _ if is_secret || is_token(word) => out.push_str(REDACTED),
            _ => out.push_str(word),
        }
        next = match next {
            Next::Led | Next::SettingValue if leads_on => Next::Led,
            // What leads stands at the end of the password.
            Next::Login if word.ends_with(['=', ':']) && is_lead(word) => Next::Led,
            _ => Next::after(word),
        };
    }
    out
}

/// Whether the word behind this one is a secret: it is an option.
pub(super) fn is_leading_option(word: &str) -> bool {
    word.starts_with('-') && !word.contains('=') && is_lead(word)
}

impl Next {
    fn after(word: &str) -> Self {
        match word {
            "-u" | "--user" | "--proxy-user" => Self::Login,
            _ if !is_lead(word) => Self::Ordinary,
            _ if word.starts_with('-') => Self::Led,
            _ if word.eq_ignore_ascii_case("bearer") => Self::Bearer,
            _ => Self::Named,
        }
    }

    fn behind(self, gap: &str) -> Self {
        let is_empty = gap.contains("\"\"") || gap.contains("''");
        match self {
            _ if is_empty => Self::Ordinary,
            Self::Named | Self::Led if gap.contains('=') => Self::SettingValue,
            Self::Named if gap.contains(':') && gap.ends_with(['"', '\'']) => Self::SettingValue,
            Self::Named | Self::Bearer if gap.contains(':') => Self::Led,
            Self::Led if gap.ends_with(['"', '\'']) => Self::SettingValue,
            Self::Login if !gap.trim().is_empty() && gap != "=" => Self::Ordinary,
            other => other,
        }
    }
}

fn split(text: &str, at: Option<usize>) -> (&str, &str) {
    text.split_at(at.unwrap_or(text.len()))
}

/// What stands between words.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || "=\"',;:&?{}[]<>|`\\".contains(c)
}

/// Whether what follows this word may be a secret.
fn is_lead(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let last = word.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or(word);
    // `apiKey` is two parts.
    let part = match last.rfind(|c: char| c.is_ascii_uppercase()) {
        Some(at) if last.contains(|c: char| c.is_ascii_lowercase()) => last.get(at..),
        _ => None,
    };
    let small = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_suffix('s').filter(|one| !one.ends_with('s')).unwrap_or(&text).to_owned()
    };
    let whole = last.to_ascii_lowercase();
    LEADS.iter().any(|lead| whole.ends_with(lead) || small(last).ends_with(lead))
        || PARTS
            .iter()
            .any(|other| small(last) == *other || part.is_some_and(|part| small(part) == *other))
}

fn is_plain(word: &str) -> bool {
    PLAIN.iter().any(|plain| word.eq_ignore_ascii_case(plain))
}

/// Whether a word is a token by its own form.
fn is_token(word: &str) -> bool {
    let is_known = |part: &str| {
        let begins = PREFIXES
            .iter()
            .any(|prefix| part.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 8));
        let is_slacks = part.starts_with("xox") || part.starts_with("xapp-");
        begins || is_slacks && part.contains('-') && part.len() >= 12
    };
    // Parts of a word count apart, so that a path or a digest's name stays readable.
    let is_long = |part: &str| {
        part.len() >= LONG
            && part.bytes().any(|b| b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_alphabetic())
    };
    word.split(['/', '@', '(', ')', '!', '%', '*', '#', '$', '~', '+']).any(is_known)
        || word.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(is_long)
}

/// URLs without password and query: `http://user:***@host/path?***`.
fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let is_end = |c: char| c.is_whitespace() || "\"'<>".contains(c);
        let (url, more) = split(after, after.find(is_end));
        rest = more;
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        // A password may hold a slash by mistake: a port is a number.
        let is_cut = authority.rsplit_once(':').is_some_and(|(_, port)| {
            !port.bytes().all(|byte| byte.is_ascii_digit()) && !authority.ends_with(']')
        });
        let login = if is_cut { url.rsplit_once('@') } else { authority.rsplit_once('@') };
        let place = match login {
            Some((login, _)) => {
                let user = login.split_once(':').map_or(REDACTED, |(user, _)| user);
                out.extend([user, ":", REDACTED, "@"]);
                url.get(login.len() + 1..).unwrap_or_default()
            }
            None => url,
        };
        match place.split_once('?') {
            Some((place, query)) if !query.is_empty() => out.extend([place, "?", REDACTED]),
            _ => out.push_str(place),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "hunter2pass";

    /// As jobs, people and programs write them, with `@` in the secret's place.
    const FORMS: [&str; 47] = [
        "api_token=@",
        "auth_token: \"@\"",
        "auth_token : @",
        "--api.auth_token @",
        "--password @ -x",
        "--password=@",
        "--passphrase @",
        "--pass @",
        "--pwd @",
        "--pat @",
        "--auth @",
        "--key=@",
        "--api-key @",
        "--private-key @",
        "--credential @",
        "--credentials=@",
        "curl -u me:@ x",
        "curl --user me:@ x",
        "curl --user=me:@ x",
        "AWS_SECRET_ACCESS_KEY=@",
        "PGPASS=@",
        "MYSQL_PWD=@",
        "GITHUB_TOKEN=@",
        "NPM_AUTH='@ with blanks @'",
        "Authorization: Bearer @",
        "Authorization: Basic @",
        "authorization: token @",
        "proxy-authorization=Basic @",
        "-H \"Authorization: Basic @\"",
        "X-Api-Key: @",
        "{\"auth\":\"@\",\"password\":\"@\",\"token\":\"@\"}",
        "{\"password\" : \"@\"}",
        "{\\\"password\\\":\\\"@\\\"}",
        "{'secret': '@ @'}",
        "{apiKey: @}",
        "accessKey=@;x",
        "dbPassword=\"@\"",
        "credentials=@",
        "https://u:@@h.example/x",
        "https://@@h.example/x",
        "https://u:a/@@h.example/x",
        "https://h.example/?token=@",
        "https://h.example?a=b&c=@",
        "https://h.example/x?@",
        "url=https://h.example/x?@ y",
        "password=a@b;x",
        "token: (@)",
    ];

    #[test]
    fn no_form_of_a_secret_is_left() {
        for form in FORMS {
            // Two of them: the secret, and the sign before a host.
            let form = form.replace("@@", "@\0").replace('@', SECRET).replace('\0', "@");
            assert!(form.contains(SECRET));
            let shown = without(&form);
            assert!(!shown.contains("hunter2") && shown.contains(REDACTED), "{form}: {shown}");
        }
    }

    #[test]
    fn tokens_of_services_go_without_a_word_before_them() {
        for token in [
            "ghp_abcdefghij",
            "github_pat_11AAAAAAA",
            "glpat-abcdefghij",
            "xoxb-1234-abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "ccipat_b81f0e27d94c6a53",
        ] {
            assert_eq!(without(&format!("x {token} y")), "x *** y");
            assert_eq!(without(&format!("git clone x/{token}")), "git clone ***");
        }
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        assert_eq!(without("--api.auth_token=hunter2 x"), "--api.auth_token=*** x");
        assert_eq!(without("auth_token: \"hunter2\""), "auth_token: \"***\"");
        assert_eq!(without("Authorization: Bearer hunter2"), "Authorization: Bearer ***");
        assert_eq!(without("via http://me:pw@proxy:1/x"), "via http://me:***@proxy:1/x");
    }

    #[test]
    fn a_short_secret_in_quotes_goes() {
        assert_eq!(without("{\"password\":\"x\"}"), "{\"password\":\"***\"}");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "06:00:08 a8093 22.942ms POST /api/v3/runner/claim app.loop_name=claim",
            "error=\"invalid bearer token (401)\"",
            "sudo: a password is required",
            "has_token=true password=\"\" next=x",
            "x509: certificate has expired or is not yet valid: key usage",
            "sudo -niHu circleci -- /usr/bin/env",
            "monkey=banana path=/x patience=1 keyboard: qwertz",
            "dial tcp 10.0.0.1:443: connect: connection refused",
            "C:\\Users\\x\\basic.exe",
            "https://runner.circleci.com:8443/api/v2",
            "http://[::1]:8080/x",
            "https://example.org/x@v1",
        ] {
            assert_eq!(without(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "([ -~äß漢\\u{a0}]|token[=:]|\"|://){0,80}") {
            prop_assert!(without(&text).len() <= text.len() * 4 + 8);
        }

        #[test]
        fn a_secret_behind_a_lead_is_never_left(
            before in "[ -~]{0,30}", lead in "(token|password|API_KEY)(=|: |\": \")",
            secret in "[a-zA-Z0-9]{12,20}",
        ) {
            let text = format!("{before} {lead}{secret}");
            prop_assert!(!without(&text).contains(&secret), "{}", without(&text));
        }
    }
}
