//! Reaches endpoints as an agent's service would, and notes what each part of the way came to.

mod api;
mod dial;
mod http;
mod proxy;
mod tls;
mod trust;
mod way;

use crate::{
    agent::{Token, Version},
    host::{Answered, Attempt, Endpoint, Network, Provenance, Route, Side},
    text::url::{is_loopback, without_login},
};
pub use api::{QueueQuery, inquire};
use dial::{Names, connect};
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use trust::Trusts;
use url::Url;
pub use way::Way;

/// An endpoint to reach, and with whose settings.
#[derive(Debug, Clone)]
pub struct EndpointProbe {
    /// The install that it is for.
    pub install: String,
    /// Whose settings these are.
    pub side: Side,
    /// Its name, such as `api`.
    pub endpoint: String,
    /// Where it is: `https`, `http`, or `ssh` for a port that speaks SSH.
    pub url: Url,
    /// Whether no job runs without it.
    pub required: bool,
    /// What it is needed for.
    pub purpose: String,
    /// Variables about proxies: value and source.
    pub variables: BTreeMap<String, (String, String)>,
    /// Authorities that are trusted beside the system's, in PEM form, and where they stand.
    pub authorities: Option<(String, String)>,
    /// Who could have named the server, the proxy or the authorities.
    pub named_by: Provenance,
    /// The resource class token; sent only over a connection that is trusted.
    pub bearer: Option<Token>,
    /// The path and query to ask for.
    pub path: String,
}

/// What all attempts of one examination share.
struct Shared {
    names: Names,
    trusts: Trusts,
    begun: Instant,
    deadline: Instant,
}

/// Reaches all endpoints at once. Each has `timeout` for all of its way; so has the whole.
pub fn examine(asks: Vec<EndpointProbe>, timeout: Duration) -> Network {
    let mut network = Network { timeout: timeout.as_secs(), ..Network::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return network };
    let trusts = Trusts::read(asks.iter().map(|ask| ask.authorities.as_ref()));
    runtime.block_on(async {
        let names = Names::new(&asks);
        let begun = Instant::now();
        let shared = Arc::new(Shared { names, trusts, begun, deadline: begun + timeout });
        let running: Vec<_> = asks
            .into_iter()
            .map(|ask| {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { reached(&ask, &shared).await })
            })
            .collect();
        for endpoint in running {
            // A task that panicked is one endpoint less, and no reason to lose the others.
            network.endpoints.extend(endpoint.await.ok());
        }
    });
    // The system's resolver may still wait for an answer that nobody needs any more.
    runtime.shutdown_background();
    network.newest = newest(&network);
    network
}

async fn reached(ask: &EndpointProbe, shared: &Shared) -> Endpoint {
    let proxy = proxy::of(ask);
    let mut endpoint = Endpoint {
        name: ask.endpoint.clone(),
        install: ask.install.clone(),
        url: without_login(&ask.url).trim_end_matches('/').to_owned(),
        required: ask.required,
        purpose: ask.purpose.clone(),
        side: ask.side,
        named_by: ask.named_by,
        proxy: proxy.as_ref().map(|via| {
            let is_own = ask.side == Side::Shell;
            via.shown(if is_own { Provenance::Root } else { ask.named_by })
        }),
        resolved: Attempt { ms: 0, outcome: Ok(Vec::new()), route: Route::Open },
        v4: None,
        v6: None,
        tunnel: None,
        tls: None,
        answer: None,
    };
    let Some((host, port)) = dial::place(proxy.as_ref().map_or(&ask.url, |via| &via.url)) else {
        endpoint.resolved = failed(0, "the URL names no host", Route::Broken);
        return endpoint;
    };
    let addresses;
    (endpoint.resolved, addresses) = shared.names.resolve(&host, port, shared.deadline).await;
    let first = |is_v4: bool| addresses.iter().copied().find(|address| address.is_ipv4() == is_v4);
    let (v4, v6) = (first(true), first(false));
    // Where there is another protocol to go by, one that swallows everything must leave it time.
    let limit = match v6 {
        Some(_) => shared.begun + (shared.deadline - shared.begun) * 3 / 5,
        None => shared.deadline,
    };
    let over_v4 = async {
        let (attempt, stream) = connect(v4, limit).await;
        endpoint.v4 = attempt;
        let Some(stream) = stream else { return false };
        talk(ask, proxy.as_ref(), stream, &mut endpoint, shared).await;
        true
    };
    let (is_told, (attempt, stream)) = tokio::join!(over_v4, connect(v6, shared.deadline));
    endpoint.v6 = attempt;
    if let Some(stream) = stream.filter(|_| !is_told) {
        talk(ask, proxy.as_ref(), stream, &mut endpoint, shared).await;
    }
    endpoint
}

/// What is said once a connection stands.
async fn talk(
    ask: &EndpointProbe,
    proxy: Option<&proxy::Via>,
    mut stream: tokio::net::TcpStream,
    endpoint: &mut Endpoint,
    shared: &Shared,
) {
    let deadline = shared.deadline;
    if ask.url.scheme() == "ssh" {
        endpoint.answer = Some(attempt(deadline, http::banner(&mut stream)).await);
        return;
    }
    let is_secure = ask.url.scheme() == "https";
    if let (Some(via), true) = (proxy, is_secure) {
        let Some((host, port)) = dial::place(&ask.url) else { return };
        let tunnel = attempt(deadline, proxy::connect(&mut stream, via, &host, port)).await;
        let is_open = tunnel.outcome.as_ref().is_ok_and(|status| (200..300).contains(status));
        endpoint.tunnel = Some(tunnel);
        if !is_open {
            return;
        }
    }
    let is_plain_here = is_loopback(&ask.url);
    if !is_secure {
        let token = ask.bearer.as_ref().filter(|_| is_plain_here && proxy.is_none());
        endpoint.answer = Some(attempt(deadline, http::get(stream, ask, token, proxy)).await);
        return;
    }
    let trust = shared.trusts.of(ask.authorities.as_ref());
    let begun = Instant::now();
    let stream = match timeout_at(deadline, tls::shake(stream, &ask.url, trust)).await {
        Err(_) => {
            endpoint.tls = Some(failed(since(begun), "no answer in time", Route::Silent));
            return;
        }
        Ok(Err(why)) => {
            endpoint.tls = Some(failed(since(begun), &why, Route::Broken));
            return;
        }
        Ok(Ok((stream, tls))) => {
            endpoint.tls = Some(Attempt { ms: since(begun), outcome: Ok(tls), route: Route::Open });
            stream
        }
    };
    let is_trusted = endpoint
        .tls
        .as_ref()
        .is_some_and(|tls| tls.outcome.as_ref().is_ok_and(|tls| tls.distrust.is_none()));
    // Who is in between must not get the token.
    let token = ask.bearer.as_ref().filter(|_| is_trusted);
    endpoint.answer = Some(attempt(deadline, http::get(stream, ask, token, None)).await);
}

/// Tries something until the deadline.
async fn attempt<T>(
    deadline: Instant,
    trying: impl Future<Output = Result<T, String>>,
) -> Attempt<T> {
    let begun = Instant::now();
    match timeout_at(deadline, trying).await {
        Ok(Ok(done)) => Attempt { ms: since(begun), outcome: Ok(done), route: Route::Open },
        Ok(Err(why)) => failed(since(begun), &why, Route::Broken),
        Err(_) => failed(since(begun), "no answer in time", Route::Silent),
    }
}

fn failed<T>(ms: u64, why: &str, route: Route) -> Attempt<T> {
    Attempt { ms, outcome: Err(why.to_owned()), route }
}

fn since(begun: Instant) -> u64 {
    begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
}

/// The version that the release bucket names.
fn newest(network: &Network) -> Option<String> {
    let releases = network.endpoints.iter().filter(|endpoint| endpoint.name == "releases");
    let answers = releases.filter_map(|endpoint| endpoint.answer.as_ref()?.outcome.as_ref().ok());
    let is_one = |answer: &&Answered| answer.status == 200;
    answers.filter(is_one).find_map(|answer| {
        let version: Version = answer.begins.trim().parse().ok()?;
        Some(version.to_string())
    })
}
