//! What an agent takes its jobs from: CircleCI cloud, or a CircleCI server.

use crate::{
    Code, Error, Result,
    text::url::{has_host, is_loopback, without_secrets},
    values::checked_url,
};
use url::Url;

/// Where CircleCI cloud answers runners, and agents ask that name no other place.
pub const CLOUD_URL: &str = "https://runner.circleci.com";

/// The host of [`CLOUD_URL`].
pub const CLOUD_HOST: &str = CLOUD_URL.split_at("https://".len()).1;

/// The bucket of released binaries (CircleCI's published install scripts).
pub const RELEASE_URL: &str = "https://circleci-binary-releases.s3.amazonaws.com";

/// The host of [`RELEASE_URL`].
pub const RELEASE_HOST: &str = RELEASE_URL.split_at("https://".len()).1;

/// CircleCI cloud, or a CircleCI server with its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircleCi<'a> {
    /// CircleCI's own.
    Cloud,
    /// A server, by the URL that names it.
    Server(&'a str),
}

impl<'a> CircleCi<'a> {
    /// By the URL of the runner API: the host alone decides. Without a URL it is the cloud.
    pub fn of(url: Option<&'a str>) -> Self {
        let Some(text) = url else { return Self::Cloud };
        let url = Url::parse(text.trim()).ok();
        match url.as_ref().and_then(Url::host_str) {
            Some(host) if host.trim_end_matches('.') == CLOUD_HOST => Self::Cloud,
            _ => Self::Server(text),
        }
    }

    /// Whether it is the cloud.
    pub fn is_cloud(self) -> bool {
        self == Self::Cloud
    }
}

/// What is wrong with a URL of the runner API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlFault {
    /// There is no host in it, or a character that no URL has.
    NotUrl,
    /// A host alone.
    NoScheme,
    /// Neither https nor http.
    Scheme,
    /// A host of CircleCI's where people work.
    WebApplication,
    /// Another host of CircleCI's.
    OtherHost,
    /// Plain http to another host.
    PlainHttp,
    /// The port of plain http, or one that the cloud does not answer on.
    Port,
    /// A user or a password.
    Login,
    /// The address of a page or of an API: agents add their own path.
    Path,
    /// What follows `?` or `#`.
    Query,
}

/// The domain of CircleCI cloud.
const CLOUD_DOMAIN: &str = "circleci.com";

impl UrlFault {
    /// What is wrong with the URL of the runner API; `None` for one that an agent can use.
    pub fn of(text: &str) -> Option<Self> {
        let is_strange = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if !text.contains("://") {
            let host = Url::parse(&format!("https://{text}")).ok().filter(has_host);
            let is_host = host.is_some() && !text.contains(is_strange);
            return Some(if is_host { Self::NoScheme } else { Self::NotUrl });
        }
        let url = match Url::parse(text) {
            Ok(url) if !text.contains(is_strange) => url,
            _ => return Some(Self::NotUrl),
        };
        if !matches!(url.scheme(), "https" | "http") {
            return Some(Self::Scheme);
        }
        if !has_host(&url) {
            return Some(Self::NotUrl);
        }
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let below = host.strip_suffix(CLOUD_DOMAIN);
        let is_cloud = host == CLOUD_HOST;
        Some(match below {
            Some("" | "www." | "app.") => Self::WebApplication,
            Some(below) if below.ends_with('.') && !is_cloud => Self::OtherHost,
            _ if url.scheme() == "http" && !is_loopback(&url) => Self::PlainHttp,
            _ if url.port() == Some(80) || is_cloud && url.port().is_some() => Self::Port,
            _ if !url.username().is_empty() || url.password().is_some() => Self::Login,
            _ if url.query().is_some() || url.fragment().is_some() => Self::Query,
            _ if !matches!(url.path(), "" | "/") => Self::Path,
            _ => return None,
        })
    }

    /// Whether it names no server, so that nothing is known of what is meant.
    pub fn hides_host(self) -> bool {
        matches!(
            self,
            Self::NotUrl | Self::NoScheme | Self::Scheme | Self::WebApplication | Self::OtherHost
        )
    }

    /// What is wrong, behind the name of the setting.
    pub fn what(self) -> &'static str {
        match self {
            Self::NotUrl => "is not a URL",
            Self::NoScheme => "is not a URL with a scheme",
            Self::Scheme => "is a URL of neither https nor http",
            Self::WebApplication => "is the web application, which answers no agent",
            Self::OtherHost => "is another host of CircleCI than the runner API",
            Self::PlainHttp => "is not https: others on the network could read the token",
            Self::Port => "has a port that does not answer https",
            Self::Login => "has a login, which agents do not send",
            Self::Path => "has a path, and agents add their own",
            Self::Query => "goes on after the path",
        }
    }

    /// What is right.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotUrl | Self::NoScheme | Self::Scheme => "Write the URL as https://HOST.",
            Self::WebApplication | Self::OtherHost => {
                "For CircleCI cloud leave the URL out, or write https://runner.circleci.com; for a \
                 CircleCI server write its own https://HOST."
            }
            Self::PlainHttp => "Write the URL with https://.",
            Self::Port => "Leave the port out: https is port 443.",
            Self::Login => "Leave out what stands in front of the @.",
            Self::Path => "Leave the path out: write https://HOST.",
            Self::Query => "Leave out what follows ? or #.",
        }
    }
}

/// Reads the URL of the runner API that a person gives: as [`checked_url`], and one that an agent can
/// use.
///
/// # Errors
/// What is wrong with it, and what is right.
pub fn api_url(setting: &str, text: &str) -> Result<Url> {
    let url = checked_url(setting, text, false)?;
    match UrlFault::of(text) {
        None => Ok(url),
        Some(fault) => {
            let shown = without_secrets(text);
            let message = format!("{setting}: {shown:?} {}", fault.what());
            Err(Error::new(Code::ValueInvalid, message).help(fault.advice()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_cannot_use_is_named() {
        use UrlFault::*;
        for (text, expected) in [
            ("https://runner.circleci.com", None),
            ("https://runner.circleci.com:443/", None),
            ("https://ci.example.com", None),
            ("https://ci.example.com:8443", None),
            ("https://app.example.com/", None),
            ("https://circleci.com.example.com", None),
            ("https://mycircleci.com", None),
            ("http://127.0.0.1:1234", None),
            ("https://app.circleci.com", Some(WebApplication)),
            ("https://app.circleci.com/pipelines/github/x", Some(WebApplication)),
            ("https://circleci.com", Some(WebApplication)),
            ("http://www.circleci.com", Some(WebApplication)),
            ("https://CircleCI.com./api/v2", Some(WebApplication)),
            ("https://api.circleci.com", Some(OtherHost)),
            ("http://runner.circleci.com", Some(PlainHttp)),
            ("http://ci.example.com:443", Some(PlainHttp)),
            ("https://ci.example.com:80", Some(Port)),
            ("https://runner.circleci.com:80", Some(Port)),
            ("https://runner.circleci.com:8443", Some(Port)),
            ("https://runner.circleci.com/api/v3/runner", Some(Path)),
            ("https://ci.example.com/api/v2/", Some(Path)),
            ("https://ci.example.com//", Some(Path)),
            ("https://me@ci.example.com", Some(Login)),
            ("https://ci.example.com/?a=b", Some(Query)),
            ("ci.example.com", Some(NoScheme)),
            ("runner.circleci.com:443", Some(NoScheme)),
            ("https://", Some(NotUrl)),
            ("https:// ci.example.com", Some(NotUrl)),
            ("\"https://ci.example.com\"", Some(NotUrl)),
            ("", Some(NotUrl)),
            ("ssh://ci.example.com", Some(Scheme)),
        ] {
            assert_eq!(UrlFault::of(text), expected, "{text:?}");
            assert_eq!(api_url("--url", text).is_ok(), expected.is_none(), "{text:?}");
        }
        let error = api_url("--url", "https://app.circleci.com").unwrap_err();
        assert!(error.help_lines().concat().contains("https://runner.circleci.com"), "{error:?}");
    }

    #[test]
    fn the_host_alone_makes_it_the_cloud() {
        assert_eq!(CLOUD_URL, format!("https://{CLOUD_HOST}"));
        assert!(CircleCi::of(None).is_cloud());
        for rest in ["", "/", ":443", ":8443/x", "./a?b"] {
            assert!(CircleCi::of(Some(&format!("{CLOUD_URL}{rest}"))).is_cloud(), "{rest}");
        }
        for server in [
            format!("{CLOUD_URL}.example.com"),
            format!("https://my-{CLOUD_HOST}"),
            format!("https://ci.example.com/{CLOUD_HOST}"),
            format!("https://{CLOUD_HOST}@ci.example.com"),
            CLOUD_HOST.to_owned(),
            String::new(),
        ] {
            assert_eq!(CircleCi::of(Some(&server)), CircleCi::Server(&server));
        }
    }
}
