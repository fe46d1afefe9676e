//! Questions to the runner API with a personal token. Only questions: a claim would take a job.

use super::{EndpointProbe, Shared, Way, dial::Names, http, proxy, tls, trust::Trusts};
use crate::{
    agent::Token,
    host::{Queue, Runner, Seen},
    text::url::is_loopback,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded::byte_serialize;

/// A resource class to ask for, and the personal token to ask with.
#[derive(Debug, Clone)]
pub struct QueueQuery {
    /// `NAMESPACE/NAME`.
    pub resource_class: String,
    /// The personal API token.
    pub token: Token,
}

/// Asks for a resource class, its runners and its work.
pub fn inquire(queue_query: &QueueQuery, way: &Way, timeout: Duration) -> Seen<Queue> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Seen::broken(error),
    };
    let seen = runtime.block_on(asked(queue_query, way, timeout));
    runtime.shutdown_background();
    seen
}

async fn asked(queue_query: &QueueQuery, way: &Way, timeout: Duration) -> Seen<Queue> {
    let way = way.ask();
    let class: String = byte_serialize(queue_query.resource_class.as_bytes()).collect();
    let namespace = queue_query.resource_class.split('/').next().unwrap_or_default();
    let namespace: String = byte_serialize(namespace.as_bytes()).collect();
    let begun = Instant::now();
    let shared = Arc::new(Shared {
        begun,
        names: Names::new(std::slice::from_ref(way)),
        trusts: Trusts::read(std::iter::once(way.authorities.as_ref())),
        deadline: begun + timeout,
    });
    let question = |path: String| {
        let ask = EndpointProbe { path, ..way.clone() };
        let (shared, token) = (Arc::clone(&shared), queue_query.token.clone());
        tokio::spawn(async move { answer(&ask, &token, &shared).await })
    };
    let [runners, unclaimed, running, classes] = [
        format!("/api/v3/runner?resource-class={class}"),
        format!("/api/v3/runner/tasks?resource-class={class}"),
        format!("/api/v3/runner/tasks/running?resource-class={class}"),
        format!("/api/v3/runner/resource?namespace={namespace}"),
    ]
    .map(question);
    let mut queue =
        Queue { resource_class: queue_query.resource_class.clone(), ..Queue::default() };
    let mut taken = |joined: Result<Result<Value, String>, tokio::task::JoinError>| match joined {
        Ok(Ok(value)) => Some(value),
        Ok(Err(why)) => {
            queue.failure.get_or_insert(why);
            None
        }
        Err(error) => {
            queue.failure.get_or_insert(error.to_string());
            None
        }
    };
    let (runners, unclaimed) = (taken(runners.await), taken(unclaimed.await));
    let (running, classes) = (taken(running.await), taken(classes.await));
    let items = |value: &Option<Value>| {
        let items = value.as_ref().and_then(|value| value.get("items")).and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    };
    queue.runners = items(&runners).iter().map(runner).collect();
    queue.unclaimed = unclaimed.and_then(|value| value.get("unclaimed_task_count")?.as_u64());
    queue.running = running.and_then(|value| value.get("running_runner_tasks")?.as_u64());
    queue.classes = items(&classes)
        .iter()
        .filter_map(|item| Some(item.get("resource_class")?.as_str()?.to_owned()))
        .collect();
    queue.exists = classes.map(|_| queue.classes.contains(&queue.resource_class));
    // What the namespace's other classes run counts against the same limit.
    let others = queue.classes.iter().filter(|class| **class != queue.resource_class);
    let others: Vec<_> = others
        .map(|class| {
            let class: String = byte_serialize(class.as_bytes()).collect();
            question(format!("/api/v3/runner/tasks/running?resource-class={class}"))
        })
        .collect();
    let mut elsewhere = 0;
    for other in others {
        let value = other.await.ok().and_then(Result::ok);
        elsewhere += value.and_then(|text| text.get("running_runner_tasks")?.as_u64()).unwrap_or(0);
    }
    queue.running_elsewhere = queue.exists.map(|_| elsewhere);
    Seen::Known(queue)
}

/// One answer, as JSON.
async fn answer(ask: &EndpointProbe, token: &Token, shared: &Shared) -> Result<Value, String> {
    let whole = async {
        let via = proxy::of(ask);
        let to = via.as_ref().map_or(&ask.url, |via| &via.url);
        let (host, port) = super::dial::place(to).ok_or("the URL names no host")?;
        let (attempt, addresses) = shared.names.resolve(&host, port, shared.deadline).await;
        attempt.outcome?;
        let mut stream = tokio::net::TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|error| error.to_string())?;
        if ask.url.scheme() == "http" {
            if !is_loopback(&ask.url) {
                return Err("the token is not sent without TLS".to_owned());
            }
            return http::json(stream, ask, token).await;
        }
        if let Some(via) = &via {
            let (host, port) = super::dial::place(&ask.url).ok_or("the URL names no host")?;
            proxy::connect(&mut stream, via, &host, port).await?;
        }
        let trust = shared.trusts.of(ask.authorities.as_ref());
        let (stream, tls) = tls::shake(stream, &ask.url, trust).await?;
        match tls.distrust {
            Some(why) => Err(why),
            None => http::json(stream, ask, token).await,
        }
    };
    match timeout_at(shared.deadline, whole).await {
        Ok(answer) => answer,
        Err(_) => Err("no answer in time".to_owned()),
    }
}

fn runner(item: &Value) -> Runner {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |name: &str| {
        let time: jiff::Timestamp = item.get(name)?.as_str()?.parse().ok()?;
        Some(time.as_second())
    };
    Runner {
        name: text("name"),
        hostname: text("hostname"),
        last_connected: time("last_connected"),
        last_used: time("last_used"),
        version: text("version"),
    }
}
