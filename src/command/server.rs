//! A server as a command names it: the scheme is one of two, and nothing follows the port.

use crate::{
    agent::{CLOUD_HOST, RELEASE_HOST},
    platform::fs::Provenance,
};
use url::{Host, Url};

/// Hosts that the documentation names.
const DOCUMENTED: [&str; 6] = [
    CLOUD_HOST,
    RELEASE_HOST,
    "circleci-tasks-prod.s3.us-east-1.amazonaws.com",
    "github.com",
    "bitbucket.org",
    "gitlab.com",
];

/// Host and port of a URL of http or https, without login, path and query: what is asked of a
/// server says only whether it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl Server {
    /// Of a URL that this run itself uses.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let scheme = ["https", "http"].into_iter().find(|scheme| *scheme == url.scheme())?;
        let host = match url.host()? {
            Host::Domain(name) => Some(name.to_owned()).filter(|name| is_name(name))?,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => format!("[{address}]"),
        };
        Some(Self { scheme, host, port: url.port_or_known_default()? })
    }

    /// Of a URL in a survey: one that this host's own settings name, or the documentation.
    pub(crate) fn named(url: &str, by: Provenance) -> Option<Self> {
        let server = Self::of(&Url::parse(url).ok()?)?;
        let is_documented = DOCUMENTED.contains(&server.host.as_str()) && server.port == 443;
        (by != Provenance::Anybody || is_documented).then_some(server)
    }

    /// `https://HOST:PORT/`.
    pub(super) fn url(&self) -> String {
        format!("{}://{}:{}/", self.scheme, self.host, self.port)
    }

    /// The name, or the address.
    pub(super) fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// `HOST:PORT`.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn is_name(name: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.len() <= 253 && !name.starts_with(['-', '.']) && name.chars().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: Provenance = Provenance::Account(990);

    #[test]
    fn no_scheme_login_or_path_of_an_account_is_asked_for() {
        let url = |text: &str| Server::named(text, CI).map(|server| server.url());
        assert_eq!(url("https://u:p@h.example/a?b").unwrap(), "https://h.example:443/");
        assert_eq!(url("http://127.0.0.1:9444").unwrap(), "http://127.0.0.1:9444/");
        assert_eq!(url("https://[::1]:8").unwrap(), "https://[::1]:8/");
        for odd in [
            "dict://127.0.0.1:11211/config:set:dir:/etc/cron.d",
            "file:///etc/shadow",
            "smb://h/x",
            "scp://h/x",
            "@/etc/x",
            "ssh://github.com",
            "https://$(id).example",
            "https://-x.example",
        ] {
            assert_eq!(url(odd), None, "{odd}");
        }
    }

    #[test]
    fn of_a_document_only_what_is_documented_is_asked() {
        let is_named = |text| Server::named(text, Provenance::Anybody).is_some();
        assert!(is_named("https://runner.circleci.com"));
        for odd in ["https://evil.example", "http://127.0.0.1:80", "https://github.com:22"] {
            assert!(!is_named(odd), "{odd}");
        }
    }
}
