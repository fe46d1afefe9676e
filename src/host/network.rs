//! Endpoints as an agent's service reaches them, and as the person's own shell does.

use super::Provenance;
use serde::{Deserialize, Serialize};

/// All that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Seconds that each attempt was given.
    pub timeout: u64,
    /// One for each endpoint, each install and each side.
    pub endpoints: Vec<Endpoint>,
    /// The newest version of each agent that the release bucket names.
    pub newest: Option<String>,
}

/// One endpoint, as one side reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name, such as `api`, `releases`, `storage`, `github`.
    pub name: String,
    /// The install that it is for.
    pub install: String,
    /// Its URL, without login.
    pub url: String,
    /// Whether no job runs without it.
    pub required: bool,
    /// What it is needed for.
    pub purpose: String,
    /// Who could have named it, or what leads to it.
    #[serde(default)]
    pub named_by: Provenance,
    /// Who asks.
    pub side: Side,
    /// The proxy that applies.
    pub proxy: Option<Proxied>,
    /// Names to addresses: how many milliseconds, or what went wrong. Of the proxy where there
    /// is one.
    pub resolved: Attempt<Vec<String>>,
    /// IPv4, then IPv6, apart. `None`: no such address.
    pub v4: Option<Attempt<()>>,
    /// As `v4`.
    pub v6: Option<Attempt<()>>,
    /// What the proxy said to `CONNECT`.
    pub tunnel: Option<Attempt<u16>>,
    /// The TLS handshake, trust being judged apart.
    pub tls: Option<Attempt<Tls>>,
    /// What was answered.
    pub answer: Option<Attempt<Answered>>,
}

/// Whose environment a connection is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The service's.
    Service,
    /// That of whoever runs the doctor.
    Shell,
}

/// A proxy and the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxied {
    /// Its URL; the password as `***`.
    pub url: String,
    /// Where the setting stands, such as `HTTPS_PROXY in /etc/…/environment:1`.
    pub source: String,
    /// It has a user name.
    pub has_login: bool,
    /// Who could have named it.
    #[serde(default)]
    pub named_by: Provenance,
}

/// What came of an attempt, and after how many milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt<T> {
    /// Milliseconds.
    pub ms: u64,
    /// What came of it, or what went wrong in the system's words.
    pub outcome: Result<T, String>,
    /// Which way it went, where that may differ.
    pub route: Route,
}

/// How an attempt ended that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// It did not fail.
    #[default]
    Open,
    /// Nothing came back in time: a firewall drops it, or nobody is there.
    Silent,
    /// It was refused.
    Refused,
    /// There is no such name.
    NoName,
    /// Something else.
    Broken,
}

/// A TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// Why the certificate is not trusted by what the service trusts; `None`: it is.
    pub distrust: Option<String>,
    /// The kind of that: `expired`, `not-yet-valid`, `wrong-name`, `unknown-issuer`, `other`.
    pub distrust_kind: Option<String>,
    /// Whom the certificate is for.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Who issued the last one of the chain.
    pub root_issuer: String,
    /// Until when it is valid, in seconds since 1970.
    pub expires: Option<i64>,
    /// Where the trusted authorities came from.
    pub trust: String,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Answered {
    /// The status; 0 where the endpoint speaks SSH.
    pub status: u16,
    /// `Server`.
    pub server: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// How many seconds the server's clock is ahead of this host's.
    pub clock_ahead: Option<i64>,
    /// The start of a text that came with it, scrubbed.
    pub begins: String,
    /// The request carried the resource class token.
    pub with_token: bool,
    /// Where a redirect leads.
    pub location: Option<String>,
}

impl Network {
    /// The endpoints of an install, as its service reaches them.
    pub fn of<'a>(&'a self, install: &'a str) -> impl Iterator<Item = &'a Endpoint> {
        let is_it = move |endpoint: &&Endpoint| {
            endpoint.install == install && endpoint.side == Side::Service
        };
        self.endpoints.iter().filter(is_it)
    }
}

impl Endpoint {
    /// Whether a connection could be made on either protocol, to it or to its proxy.
    pub fn is_connected(&self) -> bool {
        [&self.v4, &self.v6].into_iter().flatten().any(|attempt| attempt.outcome.is_ok())
    }

    /// The host's name or address in the URL.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or(rest);
        authority.rsplit_once(':').map_or(authority, |(host, _)| host)
    }
}
