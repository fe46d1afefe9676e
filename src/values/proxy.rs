//! Proxies, whose addresses may hold a password.

use crate::{
    Code, Error, Help, Result,
    text::url::{without_password, without_secrets},
};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, str::FromStr};
use url::Url;

/// The address of a proxy: `http`, `https`, `socks5` or `socks5h`, with or without a login.
///
/// `Debug`, `Display` and `Serialize` show `***` for the password; [`ProxyUrl::expose`] has all.
#[derive(Clone)]
pub struct ProxyUrl {
    whole: SecretString,
    shown: String,
}

impl ProxyUrl {
    /// The whole address, password included, for the one who connects.
    pub fn expose(&self) -> &str {
        self.whole.expose_secret()
    }
}

impl FromStr for ProxyUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |why: &str| {
            Error::new(Code::ValueInvalid, format!("the proxy {:?} {why}", without_secrets(text)))
        };
        if !text.contains("://") {
            return Err(invalid("has no scheme").help(Help::value(
                "use http://",
                without_secrets(text),
                "",
            )));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(invalid("has a character that URLs do not have")
                .help("in a password, write % and two hex digits for it, such as %20"));
        }
        let url = Url::parse(text).map_err(|error| invalid(&format!("is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(invalid("has a scheme that proxies do not have")
                .help("proxies: http, https, socks5, socks5h"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("names no host"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("goes on after host and port")
                .help("in a password, write %2F for /, %3F for ? and %23 for #"));
        }
        Ok(Self { shown: without_password(&url), whole: SecretString::from(text) })
    }
}

impl PartialEq for ProxyUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for ProxyUrl {}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({})", self.shown)
    }
}

impl serde::Serialize for ProxyUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_password_is_shown_to_the_connection_only() {
        let proxy: ProxyUrl = "http://me:s3cret@proxy.example.com:3128".parse().unwrap();
        assert_eq!(proxy.expose(), "http://me:s3cret@proxy.example.com:3128");
        assert_eq!(proxy.to_string(), "http://me:***@proxy.example.com:3128");
        let shown = format!("{proxy:?} {}", serde_json::to_string(&proxy).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn proxies_of_each_kind_pass() {
        for text in ["http://p:3128", "https://p", "socks5://u:p@[::1]:1080", "socks5h://p:1080/"] {
            assert!(text.parse::<ProxyUrl>().is_ok(), "{text}");
        }
    }

    #[test]
    fn errors_help_and_keep_the_password() {
        for text in [
            "me:s3cret@proxy:3128",
            "ftp://me:s3cret@proxy",
            "http://me:s3/cret@proxy",
            "http://me:s3cret@proxy/path",
            "http://me:s3cret@proxy:99999",
            "http://me:s3cret @proxy",
            "http://me:s3cret@",
            "socks5://me:s3cret@",
        ] {
            let error = text.parse::<ProxyUrl>().unwrap_err();
            assert!(!format!("{error:?}").contains("cret"), "{error:?}");
        }
        let error = "proxy:3128".parse::<ProxyUrl>().unwrap_err();
        assert_eq!(error.help_lines(), ["use http://proxy:3128"]);
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(password in "[a-zA-Z0-9!$&*+,;=~_.-]{12,20}", rest in "[a-z:@/?# ]{0,12}") {
            let text = format!("http://me:{password}@{rest}");
            let shown = match text.parse::<ProxyUrl>() {
                Ok(proxy) => format!("{proxy} {proxy:?}"),
                Err(error) => format!("{error:?}"),
            };
            prop_assert!(!shown.contains(&password), "{}", shown);
        }

        #[test]
        fn any_text_is_judged_without_panic(text in "(http|socks5)?(://)?.{0,40}") {
            let _ = text.parse::<ProxyUrl>();
        }
    }
}
