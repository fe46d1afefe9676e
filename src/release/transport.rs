//! GET requests: proxies, trust, redirects, and the deadline of the answer.

use super::{attempt_error, network::Network, retry::AttemptError};
use crate::{
    Code, Error, Result,
    text::url::{is_loopback, without_login},
    values::Connections,
};
use reqwest::{Certificate, Proxy, Response, header, redirect};
use std::{collections::HashSet, future::Future, sync::OnceLock};
use tokio::{runtime::Runtime, time::timeout};
use url::Url;

/// Redirects followed for one request.
const REDIRECTS: usize = 10;

/// The way to the bucket. Nothing is set up before the first request.
#[derive(Debug)]
pub(super) struct Transport {
    network: Network,
    runtime: OnceLock<Runtime>,
    /// For plain http: loading the system's certificates would be for nothing.
    plain: [OnceLock<reqwest::Client>; Connections::MOST],
    tls: [OnceLock<reqwest::Client>; Connections::MOST],
}

/// Which bytes are asked for, and the version that they must be of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resume<'a> {
    pub(super) offset: u64,
    /// Behind its last byte; `None`: to the end of the file.
    pub(super) end: Option<u64>,
    pub(super) etag: &'a str,
    /// Each line has connections of its own. Of a common pool one line takes what another left, and
    /// what it had begun to open for itself is one more than is allowed.
    pub(super) line: usize,
}

impl Transport {
    pub(super) fn new(network: Network) -> Self {
        let (runtime, plain, tls) = Default::default();
        Self { network, runtime, plain, tls }
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// Runs a conversation to its end on this thread.
    pub(super) fn block_on<T>(&self, conversation: impl Future<Output = Result<T>>) -> Result<T> {
        if self.runtime.get().is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| {
                Error::new(Code::HostUnfit, format!("no network runtime: {error}"))
            })?;
            let _ = self.runtime.set(runtime);
        }
        match self.runtime.get() {
            Some(runtime) => runtime.block_on(conversation),
            None => Err(Error::new(Code::HostUnfit, "no network runtime")),
        }
    }

    /// Asks for a URL, following redirects; any status is an answer. `encoding` is what the
    /// server may encode the answer with.
    pub(super) async fn get(
        &self,
        url: &Url,
        encoding: &'static str,
        resume: Option<Resume<'_>>,
    ) -> Result<(Url, Response), AttemptError> {
        let mut url = url.clone();
        let mut seen = HashSet::from([url.clone()]);
        loop {
            // What the client cannot say of a proxy that it is not able to use.
            self.network.via(&url).map_err(AttemptError::lasting)?;
            let client = self
                .client(url.scheme(), resume.map_or(0, |resume| resume.line))
                .map_err(AttemptError::lasting)?;
            let mut request = client.get(url.clone()).header(header::ACCEPT_ENCODING, encoding);
            if let Some(Resume { offset, end, etag, .. }) = resume {
                let last = end.map(|end| end.saturating_sub(1).to_string()).unwrap_or_default();
                request = request
                    .header(header::RANGE, format!("bytes={offset}-{last}"))
                    .header(header::IF_RANGE, etag);
            }
            let answer = timeout(self.network.timeout, request.send()).await;
            let answer = answer
                .map_err(|_| {
                    attempt_error::timed_out(&url, "it did not answer", self.network.timeout)
                })?
                .map_err(|error| attempt_error::of_transfer(&error, &url, &self.network))?;
            let Some(next) = self.redirect(&url, &answer).map_err(AttemptError::lasting)? else {
                return Ok((url, answer));
            };
            let how = match seen.insert(next.clone()) {
                false => "in a circle",
                true if seen.len() > REDIRECTS + 1 => "again and again",
                true => {
                    url = next;
                    continue;
                }
            };
            let shown = without_login(&url);
            let error = Error::new(
                Code::Redirect,
                format!("{shown} redirects {how}, at last to {}", without_login(&next)),
            );
            return Err(AttemptError::lasting(error));
        }
    }

    fn redirect(&self, from: &Url, answer: &Response) -> Result<Option<Url>> {
        let has_location = answer.headers().get(header::LOCATION);
        let (true, Some(location)) = (answer.status().is_redirection(), has_location) else {
            return Ok(None);
        };
        let refused = |why: &str| {
            let from = without_login(from);
            Err(Error::new(Code::Redirect, format!("{from} redirects {why}")))
        };
        let Some(next) = location.to_str().ok().and_then(|text| from.join(text).ok()) else {
            return refused("to what is not a URL");
        };
        let base = &self.network.base;
        let may_be_plain = base.scheme() == "http" && is_loopback(base) && is_loopback(&next);
        match next.scheme() {
            "https" => Ok(Some(next)),
            "http" if may_be_plain => Ok(Some(next)),
            _ => refused(&format!("to {}, which is not https", without_login(&next))),
        }
    }

    fn client(&self, scheme: &str, line: usize) -> Result<&reqwest::Client> {
        let secure = scheme == "https";
        let none = || Error::new(Code::HostUnfit, "no HTTP client");
        let cells = if secure { &self.tls } else { &self.plain };
        let cell = cells.get(line).ok_or_else(none)?;
        if cell.get().is_none() {
            let _ = cell.set(self.build(secure)?);
        }
        cell.get().ok_or_else(none)
    }

    fn build(&self, secure: bool) -> Result<reqwest::Client> {
        // Another part of the program may have chosen the same one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let network = self.network.clone();
        let via = move |url: &Url| {
            let via = network.via(url).ok().flatten()?;
            Url::parse(via.proxy.expose()).ok()
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("runnerup/", env!("CARGO_PKG_VERSION")))
            // Sooner than the deadline of the answer, so that the two are told apart.
            .connect_timeout(self.network.timeout * 3 / 4)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .proxy(Proxy::custom(via))
            .http1_only();
        if !secure {
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = self.network.ca.as_deref() {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| {
                Error::new(Code::ValueInvalid, format!("--ca-file cannot be used: {error}"))
            })?;
            builder = builder.tls_certs_merge(certificates);
        }
        builder.build().map_err(|error| {
            let cause = attempt_error::chain(&error).pop().unwrap_or_else(|| error.to_string());
            Error::new(Code::HostUnfit, format!("the HTTP client cannot be set up: {cause}"))
                .help("where the system has no certificates: --ca-file PEM")
        })
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        // The system's resolver may still be waiting for an answer; nobody else does.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
