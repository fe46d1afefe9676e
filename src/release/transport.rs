//! GET requests: proxies, trust, redirects, and the deadline of the answer.

use super::{network::Network, retry::Trouble, trouble};
use crate::{Code, Error, Result};
use reqwest::{Certificate, NoProxy, Proxy, Response, header, redirect};
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
    plain: OnceLock<reqwest::Client>,
    tls: OnceLock<reqwest::Client>,
}

/// From where on a transfer is resumed, and the version that it must still be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resume<'a> {
    pub(super) offset: u64,
    pub(super) etag: &'a str,
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

    /// Asks for a URL, following redirects; any status is an answer.
    pub(super) async fn get(
        &self,
        url: &Url,
        resume: Option<Resume<'_>>,
    ) -> Result<(Url, Response), Trouble> {
        let mut url = url.clone();
        let mut seen = HashSet::from([url.clone()]);
        loop {
            let client = self.client(url.scheme()).map_err(Trouble::lasting)?;
            let mut request = client.get(url.clone()).header(header::ACCEPT_ENCODING, "gzip");
            if let Some(Resume { offset, etag }) = resume {
                request = request
                    .header(header::RANGE, format!("bytes={offset}-"))
                    .header(header::IF_RANGE, etag);
            }
            let answer = timeout(self.network.timeout, request.send()).await;
            let answer = answer
                .map_err(|_| trouble::timed_out(&url, "it did not answer", self.network.timeout))?
                .map_err(|error| trouble::of_transfer(&error, &url, &self.network))?;
            let Some(next) = self.redirect(&url, &answer).map_err(Trouble::lasting)? else {
                return Ok((url, answer));
            };
            if seen.len() > REDIRECTS || !seen.insert(next.clone()) {
                let shown = trouble::without_login(&next);
                let how = if seen.contains(&next) { "in a circle" } else { "too many times" };
                let error = Error::new(Code::Redirect, format!("{shown} redirects {how}"));
                return Err(Trouble::lasting(error));
            }
            url = next;
        }
    }

    fn redirect(&self, from: &Url, answer: &Response) -> Result<Option<Url>> {
        let has_location = answer.headers().get(header::LOCATION);
        let (true, Some(location)) = (answer.status().is_redirection(), has_location) else {
            return Ok(None);
        };
        let refused = |why: &str| {
            let from = trouble::without_login(from);
            Err(Error::new(Code::Redirect, format!("{from} redirects {why}")))
        };
        let Some(next) = location.to_str().ok().and_then(|text| from.join(text).ok()) else {
            return refused("to what is not a URL");
        };
        let may_be_plain = is_loopback(&self.network.base) && is_loopback(&next);
        match next.scheme() {
            "https" => Ok(Some(next)),
            "http" if may_be_plain && self.network.base.scheme() == "http" => Ok(Some(next)),
            _ => refused(&format!("to {}, which is not https", trouble::without_login(&next))),
        }
    }

    fn client(&self, scheme: &str) -> Result<&reqwest::Client> {
        let secure = scheme == "https";
        let cell = if secure { &self.tls } else { &self.plain };
        if cell.get().is_none() {
            let _ = cell.set(self.build(secure)?);
        }
        cell.get().ok_or_else(|| Error::new(Code::HostUnfit, "no HTTP client"))
    }

    fn build(&self, secure: bool) -> Result<reqwest::Client> {
        // Another part of the program may have chosen the same one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("runnerup/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.network.timeout)
            .redirect(redirect::Policy::none())
            .http1_only();
        builder = match (secure, self.network.ca.as_deref()) {
            (false, _) => builder.tls_certs_only([]),
            (true, None) => builder,
            (true, Some(pem)) => {
                let certificates =
                    Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| {
                        Error::new(Code::ValueInvalid, format!("--ca-file cannot be used: {error}"))
                    })?;
                builder.tls_certs_merge(certificates)
            }
        };
        if let Some(proxy) = self.network.proxy.as_ref() {
            let list = self.network.no_proxy.as_deref().and_then(NoProxy::from_string);
            let proxy = Proxy::all(proxy.expose()).map_err(|_| {
                Error::new(Code::ValueInvalid, format!("--proxy {proxy} cannot be used"))
            })?;
            builder = builder.proxy(proxy.no_proxy(list));
        }
        builder.build().map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string);
            Error::new(Code::HostUnfit, format!("the HTTP client cannot be set up: {cause}"))
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
