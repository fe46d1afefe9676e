//! One large download: attempts, resumed where they broke off, for as long as it moves.

use super::{
    Artifact, DownloadProgress, Fetched, attempt_error,
    decode::Encoding,
    pipeline::Pipeline,
    retry::AttemptError,
    stalls::{Stall, StallDetector},
    transport::{Resume, Transport},
    write::Written,
};
use crate::{Code, Error, Result, text::url::without_login};
use reqwest::{Response, StatusCode, header};
use std::{
    fs::File,
    future::Future,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use url::Url;

/// Attempts in a row without progress.
const FRUITLESS: u32 = 4;

/// Attempts altogether: a server that breaks off again and again is no server.
const ATTEMPTS: u32 = 50;

/// Less than this is no progress.
const PROGRESS: u64 = 64 << 10;

/// An encoded file that is larger is no agent.
const ENCODED_LIMIT: u64 = 1 << 30;

/// How often the person's wish to stop, and the pace, are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long, and how much, is read of what comes with a refusal.
const REFUSAL: (Duration, usize) = (Duration::from_secs(1), 4 << 10);

/// What has arrived so far.
#[derive(Default)]
struct Arrived {
    encoded: u64,
    /// A strong validator of what arrived; without one a broken transfer begins anew.
    etag: Option<String>,
    encoding: Option<Encoding>,
}

pub(super) async fn run(
    transport: &Transport,
    artifact: &Artifact,
    into: File,
    watch: &dyn DownloadProgress,
) -> Result<Fetched> {
    let pipeline = Pipeline::start(into, artifact)?;
    let mut arrived = Arrived::default();
    let (mut attempts, mut fruitless) = (0, 0);
    loop {
        attempts += 1;
        let before = arrived.encoded;
        let Err(attempt_error) = attempt(transport, artifact, &pipeline, &mut arrived, watch).await
        else {
            break;
        };
        let progress = arrived.encoded.saturating_sub(before) >= PROGRESS;
        fruitless = if progress { 1 } else { fruitless + 1 };
        let pause = attempt_error.pause(fruitless + 1);
        let Some(pause) = pause.filter(|_| fruitless < FRUITLESS && attempts < ATTEMPTS) else {
            pipeline.abandon();
            return Err(attempt_error.after_attempts(attempts));
        };
        watch.retrying(attempt_error.error.message(), pause);
        if let Err(attempt_error) = watched(watch, sleep(pause)).await {
            pipeline.abandon();
            return Err(attempt_error.error);
        }
    }
    let Written { bytes, sha256 } = pipeline.finish()?;
    Ok(Fetched { bytes, sha256, attempts })
}

/// One request. `Ok` when all has arrived, or when the pipeline has failed and will say why.
async fn attempt(
    transport: &Transport,
    artifact: &Artifact,
    pipeline: &Pipeline,
    arrived: &mut Arrived,
    watch: &dyn DownloadProgress,
) -> Result<(), AttemptError> {
    let etag = arrived.etag.clone().filter(|_| arrived.encoded > 0);
    let resume = etag.as_deref().map(|etag| Resume { offset: arrived.encoded, etag });
    let accepted = artifact.accepted_encoding();
    let (url, mut answer) =
        watched(watch, transport.get(&artifact.url, accepted, resume)).await??;
    let headers = answer.headers().clone();
    // Whatever a server calls it: an archive is verified as it is stored.
    let encoding = || match artifact.member {
        Some(_) => Ok(Encoding::Identity),
        None => Encoding::of(&headers).map_err(AttemptError::lasting),
    };
    let encoding = match answer.status() {
        StatusCode::OK => {
            let encoding = encoding()?;
            arrived.encoded = 0;
            if !pipeline.begin(encoding) {
                return Ok(());
            }
            encoding
        }
        StatusCode::PARTIAL_CONTENT if resume.is_some_and(|resume| goes_on(&answer, resume)) => {
            let encoding = encoding()?;
            if arrived.encoding != Some(encoding) {
                arrived.etag = None;
                return Err(broken(&url, "changed its encoding in between"));
            }
            encoding
        }
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            // The next attempt asks for all of it.
            arrived.etag = None;
            return Err(broken(&url, "cannot be resumed where it broke off"));
        }
        status => {
            let body = refusal(&mut answer).await;
            return Err(attempt_error::of_status(
                status,
                &headers,
                &body,
                &url,
                transport.network(),
            ));
        }
    };
    arrived.encoding = Some(encoding);
    // A rest that bears no ETag is still one of the file that it was asked for.
    let earlier = etag.filter(|_| answer.status() == StatusCode::PARTIAL_CONTENT);
    arrived.etag = strong_etag(&headers).or(earlier);
    let total = answer.content_length().map(|length| length.saturating_add(arrived.encoded));
    if total.is_some_and(|total| total > ENCODED_LIMIT) {
        return Err(too_large(&url));
    }
    watch.started(total);
    receive(transport, pipeline, arrived, watch, &url, &mut answer).await
}

async fn receive(
    transport: &Transport,
    pipeline: &Pipeline,
    arrived: &mut Arrived,
    watch: &dyn DownloadProgress,
    url: &Url,
    answer: &mut Response,
) -> Result<(), AttemptError> {
    let limit = transport.network().timeout;
    let mut stalls = StallDetector::new(limit, Instant::now());
    loop {
        match timeout(LOOK, answer.chunk()).await {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(chunk))) => {
                let came = Instant::now();
                arrived.encoded += chunk.len() as u64;
                if arrived.encoded > ENCODED_LIMIT {
                    return Err(too_large(url));
                }
                if !pipeline.send(&chunk) {
                    return Ok(());
                }
                stalls.moved(chunk.len() as u64, came, Instant::now());
                watch.moved(arrived.encoded);
            }
            Ok(Err(error)) => {
                return Err(attempt_error::of_transfer(&error, url, transport.network()));
            }
            Err(_) => {}
        }
        refuse_cancelled(watch)?;
        if let Some(stall) = stalls.stall(Instant::now()) {
            let more = match stall {
                Stall::Silent => "nothing".to_owned(),
                Stall::Slow(bytes) => format!("only {bytes} bytes"),
            };
            let how = format!("after {} bytes, {more} more came", arrived.encoded);
            return Err(attempt_error::timed_out(url, &how, limit));
        }
    }
}

/// The start of what comes with an answer that is no success.
async fn refusal(answer: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend(chunk.iter().take(REFUSAL.1 - body.len()));
            if body.len() >= REFUSAL.1 {
                break;
            }
        }
    };
    // What came until then will do.
    let _ = timeout(REFUSAL.0, read).await;
    body
}

/// Waits for `work`, unless the person wants to stop.
async fn watched<T>(
    watch: &dyn DownloadProgress,
    work: impl Future<Output = T>,
) -> Result<T, AttemptError> {
    tokio::pin!(work);
    loop {
        if let Ok(done) = timeout(LOOK, &mut work).await {
            return Ok(done);
        }
        refuse_cancelled(watch)?;
    }
}

fn refuse_cancelled(watch: &dyn DownloadProgress) -> Result<(), AttemptError> {
    match watch.cancelled() {
        true => Err(AttemptError::lasting(Error::new(Code::Interrupted, "interrupted"))),
        false => Ok(()),
    }
}

fn goes_on(answer: &Response, resume: Resume<'_>) -> bool {
    let same = strong_etag(answer.headers()).is_none_or(|etag| etag == resume.etag);
    let range = answer.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let starts =
        range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    same && starts == Some(resume.offset)
}

fn strong_etag(headers: &header::HeaderMap) -> Option<String> {
    let etag = headers.get(header::ETAG)?.to_str().ok()?;
    etag.starts_with('"').then(|| etag.to_owned())
}

fn broken(url: &Url, how: &str) -> AttemptError {
    let shown = without_login(url);
    AttemptError::passing(Error::new(Code::Broken, format!("the transfer of {shown} {how}")))
}

fn too_large(url: &Url) -> AttemptError {
    let shown = without_login(url);
    let limit = ENCODED_LIMIT >> 20;
    AttemptError::lasting(Error::new(Code::TooLarge, format!("{shown} is larger than {limit} MiB")))
}
