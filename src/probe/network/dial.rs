//! From a name to a connection, IPv4 and IPv6 apart.

use super::{EndpointProbe, failed, proxy, since};
use crate::host::{Attempt, Route};
use std::{collections::BTreeMap, io::ErrorKind, net::SocketAddr};
use tokio::{
    net::{TcpStream, lookup_host},
    sync::OnceCell,
    time::{Instant, timeout_at},
};
use url::{Host, Url};

type Resolved = (Attempt<Vec<String>>, Vec<SocketAddr>);

/// Every name that is asked for, each resolved once.
pub(super) struct Names(BTreeMap<(String, u16), OnceCell<Resolved>>);

impl Names {
    pub(super) fn new(asks: &[EndpointProbe]) -> Self {
        let places = asks.iter().filter_map(|ask| {
            let via = proxy::of(ask);
            place(via.as_ref().map_or(&ask.url, |via| &via.url))
        });
        Self(places.map(|place| (place, OnceCell::new())).collect())
    }

    /// The addresses of a name.
    pub(super) async fn resolve(&self, host: &str, port: u16, deadline: Instant) -> Resolved {
        let look = || look_up(host.to_owned(), port, deadline);
        match self.0.get(&(host.to_owned(), port)) {
            Some(cell) => cell.get_or_init(look).await.clone(),
            None => look().await,
        }
    }
}

async fn look_up(host: String, port: u16, deadline: Instant) -> Resolved {
    let begun = Instant::now();
    match timeout_at(deadline, lookup_host((host.as_str(), port))).await {
        Ok(Ok(found)) => {
            let addresses: Vec<SocketAddr> = found.collect();
            let names = addresses.iter().map(|address| address.ip().to_string()).collect();
            (Attempt { ms: since(begun), outcome: Ok(names), route: Route::Open }, addresses)
        }
        Ok(Err(error)) => (failed(since(begun), &error.to_string(), Route::NoName), Vec::new()),
        Err(_) => {
            (failed(since(begun), "the resolver did not answer in time", Route::Silent), Vec::new())
        }
    }
}

/// Connects to an address; what came of it, and the connection if there is one.
pub(super) async fn connect(
    address: Option<SocketAddr>,
    deadline: Instant,
) -> (Option<Attempt<()>>, Option<TcpStream>) {
    let Some(address) = address else { return (None, None) };
    let begun = Instant::now();
    let attempt = match timeout_at(deadline, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            let attempt = Attempt { ms: since(begun), outcome: Ok(()), route: Route::Open };
            return (Some(attempt), Some(stream));
        }
        Ok(Err(error)) => {
            let route = match error.kind() {
                ErrorKind::ConnectionRefused => Route::Refused,
                ErrorKind::TimedOut => Route::Silent,
                _ => Route::Broken,
            };
            failed(since(begun), &format!("{address}: {error}"), route)
        }
        Err(_) => failed(since(begun), &format!("{address}: no answer in time"), Route::Silent),
    };
    (Some(attempt), None)
}

/// Host and port of a URL.
pub(super) fn place(url: &Url) -> Option<(String, u16)> {
    let port = url.port_or_known_default().or_else(|| (url.scheme() == "ssh").then_some(22))?;
    let host = match Host::parse(url.host_str()?).ok()? {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    };
    Some((host, port))
}
