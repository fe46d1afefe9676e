//! Which URLs are trusted with a token or a binary.

use crate::{
    Code, Error, Help, Result,
    text::url::{has_host, is_loopback, without_secrets},
};
use url::Url;

/// Reads the URL of a service, such as `api.url` or the release bucket.
///
/// Rule: `https` only; plain `http` to a loopback address (`127.0.0.0/8`, `::1`, `localhost`), or
/// anywhere when `allow_http_anywhere` (as when `--sha256` says what must arrive). No login, query
/// or fragment. `setting` names the setting in messages, such as `--url`.
pub fn checked_url(setting: &str, text: &str, allow_http_anywhere: bool) -> Result<Url> {
    let invalid = |why: &str| {
        Error::new(Code::ValueInvalid, format!("{setting}: {:?} {why}", without_secrets(text)))
    };
    if !text.contains("://") {
        return Err(invalid("is not a whole URL").help(Help::value(
            "use https://",
            without_secrets(text),
            "",
        )));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(invalid("has a character that URLs do not have"));
    }
    let url = Url::parse(text).map_err(|error| invalid(&format!("is not a URL: {error}")))?;
    // What is no host name may be a token that was pasted in the wrong place.
    if url.has_host() && !has_host(&url) {
        let what = format!("{setting}: the host in it is neither an address nor a host name");
        return Err(Error::new(Code::ValueInvalid, what)
            .help("a host name has letters, digits, dashes and dots"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("holds a login").help("leave out what stands in front of the @"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("goes on after the path").help("leave out what follows ? or #"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http_anywhere || is_loopback(&url) => Ok(url),
        "http" => Err(Error::new(
            Code::UrlInsecure,
            format!("{setting}: {text:?} is plain http, which can be changed on the way"),
        )
        .help(Help::value("use ", text.replacen("http", "https", 1), ""))),
        scheme => Err(Error::new(
            Code::UrlInsecure,
            format!("{setting}: {text:?} is {scheme}, not https"),
        )
        .help("the URL must start with https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Code {
        checked_url("--url", text, false).unwrap_err().code()
    }

    #[test]
    fn what_may_be_a_secret_in_a_url_is_not_told() {
        for text in [
            "https://h/?token=hunter2",
            "https://h/#hunter2",
            "https://u:hunter2@h/?a=hunter2",
            "u:hunter2@h",
            "https://h/?a=hunter2@h",
        ] {
            let error = checked_url("--url", text, false).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(!error.help_lines().concat().contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn https_anywhere_and_http_on_loopback() {
        for text in [
            "https://runner.circleci.com",
            "https://ci.example.com:8443/path",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:8080",
            "http://localhost:1",
            "http://LOCALHOST:1",
        ] {
            assert!(checked_url("--url", text, false).is_ok(), "{text}");
        }
    }

    #[test]
    fn plain_http_elsewhere_is_insecure_unless_allowed() {
        for text in [
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
            "http://[::ffff:10.0.0.1]",
            "ftp://example.com",
            "file:///etc/passwd",
        ] {
            assert_eq!(code(text), Code::UrlInsecure, "{text}");
        }
        assert!(checked_url("--release-url", "http://mirror/x", true).is_ok());
        assert!(checked_url("--release-url", "ftp://mirror/x", true).is_err());
    }

    #[test]
    fn a_missing_scheme_is_put_in_front() {
        let error = checked_url("--url", "ci.example.com:443/x", false).unwrap_err();
        assert_eq!(error.help_lines(), ["use https://ci.example.com:443/x"]);
    }

    #[test]
    fn a_login_is_refused_and_never_shown() {
        for text in ["https://me:s3cret@ci.example.com", "https://s3cret@a@b", "me:s3cret@host"] {
            let error = checked_url("--url", text, false).unwrap_err();
            assert_eq!(error.code(), Code::ValueInvalid);
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn what_is_no_base_is_refused() {
        for text in
            ["https://", "https://a?b", "https://a#b", "https://a b", "https://a\n", "https:\\\\a"]
        {
            assert_eq!(code(text), Code::ValueInvalid, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in "(https?://)?.{0,40}", anywhere: bool) {
            if let Ok(url) = checked_url("--url", &text, anywhere) {
                prop_assert_eq!(checked_url("--url", url.as_str(), anywhere).unwrap(), url);
            }
        }
    }
}
