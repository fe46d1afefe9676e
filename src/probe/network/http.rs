//! One question over a connection that stands, and the part of the answer that tells something.

use super::{EndpointProbe, proxy};
use crate::{agent::Token, host::Answered};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{
        AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderName, HeaderValue, LOCATION,
        PROXY_AUTHORIZATION, SERVER, USER_AGENT,
    },
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    task::JoinSet,
};

/// Most bytes of an answer's body that are read, and most of its text that is kept.
const LIMIT: usize = 4096;
const KEPT: usize = 300;

/// Asks; any status is an answer. `proxy` is one that passes on a plain request.
pub(super) async fn get<S>(
    stream: S,
    ask: &EndpointProbe,
    token: Option<&Token>,
    proxy: Option<&proxy::Via>,
) -> Result<Answered, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (response, _connection) = sent(stream, request(ask, token, proxy)?).await?;
    Ok(answered(response, token.is_some()).await)
}

/// What drives a connection, which ends with it.
type Connection = JoinSet<hyper::Result<()>>;

/// Sends a request: the head of the response, whose body comes as long as the connection is kept.
async fn sent<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> Result<(Response<Incoming>, Connection), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let text = |error: hyper::Error| error.to_string();
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, driver) = handshake.await.map_err(text)?;
    let mut connection = JoinSet::new();
    connection.spawn(driver);
    Ok((sender.send_request(request).await.map_err(text)?, connection))
}

fn request(
    ask: &EndpointProbe,
    token: Option<&Token>,
    proxy: Option<&proxy::Via>,
) -> Result<Request<Empty<Bytes>>, String> {
    let host = ask.url.host_str().unwrap_or_default();
    let authority = ask.url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    let target = match proxy {
        Some(_) => format!("{}://{authority}{}", ask.url.scheme(), ask.path),
        None => ask.path.clone(),
    };
    let mut request = Request::builder()
        .uri(target)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("runnerup-doctor/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
    }
    if let Some(login) = proxy.and_then(proxy::Via::login) {
        request = request.header(PROXY_AUTHORIZATION, login);
    }
    // The text of an error could show the token.
    request.body(Empty::new()).map_err(|_| "the question cannot be put into HTTP".to_owned())
}

/// Most bytes of a document that are read.
const DOCUMENT: usize = 1 << 20;

/// A document, asked for with a personal token; 200 alone is an answer.
pub(super) async fn json<S>(stream: S, ask: &EndpointProbe, token: &Token) -> Result<Value, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut request = request(ask, None, None)?;
    let mut value = HeaderValue::from_str(token.expose())
        .map_err(|_| "the token cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    request.headers_mut().insert("Circle-Token", value);
    let (response, _connection) = sent(stream, request).await?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        bytes.extend(frame.data_ref().into_iter().flatten());
        if bytes.len() > DOCUMENT {
            return Err("the answer does not end".to_owned());
        }
    }
    match status {
        200 => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        // Both what does not exist and what the token may not see.
        404 => Err(format!("404 for {}: it does not exist, or the token may not see it", ask.path)),
        status => Err(format!("{status} for {}", ask.path)),
    }
}

async fn answered(response: Response<Incoming>, with_token: bool) -> Answered {
    let text = |name: HeaderName| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let mut answered = Answered {
        status: response.status().as_u16(),
        server: text(SERVER),
        content_type: text(CONTENT_TYPE),
        location: text(LOCATION),
        clock_ahead: text(DATE).and_then(|date| ahead(&date)),
        begins: String::new(),
        with_token,
    };
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend(frame.data_ref().into_iter().flatten());
        if bytes.len() >= LIMIT {
            break;
        }
    }
    answered.begins = String::from_utf8_lossy(&bytes).chars().take(KEPT).collect();
    answered
}

/// Seconds that a `Date` is ahead of this host's clock.
fn ahead(date: &str) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
    Some(theirs - jiff::Timestamp::now().as_second())
}

/// What an SSH server says first.
pub(super) async fn banner<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Answered, String> {
    let mut bytes = [0; 64];
    let count = stream.read(&mut bytes).await.map_err(|error| error.to_string())?;
    let begins = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
    match begins.starts_with("SSH-") {
        true => Ok(Answered { begins, ..Answered::default() }),
        false => Err("it does not speak SSH".to_owned()),
    }
}
