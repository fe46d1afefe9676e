//! Connections to the endpoints that an agent needs.

mod answers;
mod failure;
mod proxy;
mod reach;
mod tls;
mod winhttp;

use super::{Check, Command, Problem, Remedy};
use crate::{
    command::Server,
    host::{Endpoint, Install, Network, Survey, Unseen},
};

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[
    &reach::RESOLVER,
    &proxy::EXEMPTIONS,
    &winhttp::HEEDED,
    &reach::RESOLVE,
    &reach::REACHABLE,
    &reach::IPV6,
    &proxy::WORKS,
    &proxy::SAME,
    &tls::TRUSTED,
    &answers::API,
    &answers::RELEASES,
    &answers::STORAGE,
    &answers::VCS,
    &answers::CLOCK,
    &answers::LATENCY,
];

/// The endpoints of an agent, as its service reaches them.
///
/// # Errors
/// Why the network was not examined.
fn endpoints<'a>(survey: &'a Survey, install: &'a Install) -> Result<Vec<&'a Endpoint>, Unseen> {
    let network: &Network = survey.network.known()?;
    let endpoints: Vec<_> = network.of(&install.name).collect();
    match endpoints.is_empty() {
        true => Err(Unseen::not_examined("no endpoint of this agent was tested")),
        false => Ok(endpoints),
    }
}

/// A failure for an endpoint that is needed, a warning for any other.
fn by_need(endpoint: &Endpoint, summary: String) -> Problem {
    if endpoint.required { Problem::fail(summary) } else { Problem::warn(summary) }
}

/// `runner.circleci.com (claiming jobs)`.
fn named(endpoint: &Endpoint) -> String {
    format!("{} ({})", endpoint.host(), endpoint.purpose)
}

/// With the request that shows how an endpoint answers.
fn ask_network(text: &'static str, endpoint: &Endpoint) -> Remedy {
    Remedy::by_hand(text).inspect(
        Command::fixed("curl -sS --proto =http,https -o /dev/null -w '%{http_code}\\n'")
            .url(server(endpoint).as_ref()),
    )
}

/// The server that a command may name.
fn server(endpoint: &Endpoint) -> Option<Server> {
    Server::named(&endpoint.url, endpoint.named_by)
}
