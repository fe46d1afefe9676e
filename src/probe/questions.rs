//! What is asked over the network for the agents of a host.

use super::{
    LOCAL_LIMIT, ProbeContext, Request,
    candidate::Candidate,
    deadline::{Probe, known_or_default},
    endpoints::{self, Endpoints},
    network::{self, EndpointProbe},
    personal,
};
use crate::host::{Network, ProbeName, Queue, Seen};
use std::sync::Arc;

/// Asks what an agent asks, as far as that was asked for.
pub(super) fn network_probe(
    context: &ProbeContext,
    request: &Request,
    candidates: &[Candidate],
) -> Option<Probe<Network>> {
    let endpoint_probes = endpoint_probes(context, request.endpoints.as_ref()?, candidates);
    let (timeout, scrub) = (request.timeout, context.scrub.clone());
    // Each attempt has a deadline of its own; this one guards against a hang.
    Some(context.begin(ProbeName::Network, timeout + LOCAL_LIMIT, move || {
        let mut network = network::examine(endpoint_probes, timeout);
        network.endpoints.iter_mut().for_each(|endpoint| scrub.endpoint(endpoint));
        network
    }))
}

/// What is to be asked over the network, for each agent. What an account has named may never answer
/// and keeps the questions of no other agent back.
fn endpoint_probes(
    context: &ProbeContext,
    endpoints: &Endpoints,
    candidates: &[Candidate],
) -> Vec<EndpointProbe> {
    let begin = |candidate: &Candidate| {
        let (endpoints, candidate) = (endpoints.clone(), candidate.clone());
        context.start(ProbeName::Connections, move |context| {
            endpoints::of(&endpoints, &candidate, &context.root)
        })
    };
    let begun: Vec<_> = candidates.iter().map(begin).collect();
    begun.into_iter().flat_map(|probe| known_or_default(probe.seen())).collect()
}

/// Asks for the resource class.
pub(super) fn queue_probe(
    context: &ProbeContext,
    request: &Request,
    candidates: &[Candidate],
) -> Option<Probe<Seen<Queue>>> {
    let queue_query = request.queue_query.clone()?;
    let (endpoints, candidates) = (request.endpoints.clone(), candidates.to_vec());
    let (timeout, root) = (request.timeout, Arc::clone(&context.root));
    let limit = timeout * 2 + LOCAL_LIMIT;
    let way = move || match &endpoints {
        Some(endpoints) => personal::way(endpoints, &candidates, &root),
        None => Err(personal::Refusal::NotAsked("not examined, because --offline was given")),
    };
    Some(context.begin(ProbeName::RunnerApi, limit, move || match way() {
        Ok(way) => network::inquire(&queue_query, &way, timeout),
        Err(personal::Refusal::NotAsked(why)) => Seen::not(why),
        Err(personal::Refusal::Withheld(host)) => {
            Seen::Known(Queue::withheld(queue_query.resource_class, host))
        }
    }))
}
