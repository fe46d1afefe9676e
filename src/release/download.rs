//! One large download: attempts, resumed where they broke off, for as long as it moves.

use super::{
    Artifact, DownloadProgress, Fetched, Network,
    answers::{ContentRange, Stored, offers_ranges, strong_etag},
    attempt_error,
    decode::Encoding,
    parts::SMALLEST,
    pipeline::Pipeline,
    ranges::{self, Transfer},
    retry::AttemptError,
    stalls::{Stall, StallDetector},
    transport::{Resume, Transport},
    write::Written,
};
use crate::{Code, Error, Result, text::url::without_login};
use reqwest::{Response, StatusCode};
use std::{
    fs::File,
    future::Future,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use url::Url;

/// Attempts in a row without progress.
pub(super) const FRUITLESS: u32 = 4;

/// Attempts altogether: a server that breaks off again and again is no server.
pub(super) const ATTEMPTS: u32 = 50;

/// Less than this is no progress.
pub(super) const PROGRESS: u64 = 64 << 10;

/// An encoded file that is larger is no agent.
const ENCODED_LIMIT: u64 = 1 << 30;

/// How often the person's wish to stop, and the pace, are looked at.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// How long, and how much, is read of what comes with a refusal.
const REFUSAL: (Duration, usize) = (Duration::from_secs(1), 4 << 10);

/// A file that is larger comes over several connections, where one is slow.
const LARGE: u64 = 8 << 20;

/// Less than this is not worth further connections.
const REST: u64 = 2 * SMALLEST;

/// How long altogether the network is waited for before there are further connections. On a line
/// that is as fast as this host they would bring nothing.
const WAITED: Duration = Duration::from_millis(100);

/// What has arrived so far.
#[derive(Default)]
pub(super) struct Arrived {
    /// Bytes that the pipeline has, in order.
    pub(super) encoded: u64,
    /// A strong validator of what arrived; without one a broken transfer begins anew.
    etag: Option<String>,
    encoding: Option<Encoding>,
    /// Ranges were of no use: one connection has to do.
    pub(super) alone: bool,
    /// Requests for parts that failed.
    pub(super) failures: u32,
}

/// Why one stream is not read on.
enum Stopped {
    /// All came, or the pipeline has failed and will say why.
    Done,
    /// The network is slower than this host.
    Slow,
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
        let all = attempts + arrived.failures;
        let Some(pause) = pause.filter(|_| fruitless < FRUITLESS && all < ATTEMPTS) else {
            pipeline.abandon();
            return Err(attempt_error.after_attempts(all));
        };
        watch.retrying(attempt_error.error.message(), pause);
        if let Err(attempt_error) = watched(watch, sleep(pause)).await {
            pipeline.abandon();
            return Err(attempt_error.error);
        }
    }
    let Written { bytes, sha256 } = pipeline.finish()?;
    Ok(Fetched { bytes, sha256, attempts: attempts + arrived.failures })
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
    let resume =
        etag.as_deref().map(|etag| Resume { offset: arrived.encoded, end: None, etag, line: 0 });
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
    let stored = arrived.stored(&answer, total, transport);
    let first = Stream { transport, pipeline, watch, url: &url, may_be_slow: stored.is_none() };
    match (first.receive(arrived, &mut answer).await?, stored) {
        (Stopped::Slow, Some(stored)) => {
            let transfer = Transfer { transport, url: &url, stored: &stored, pipeline, watch };
            ranges::receive(&transfer, answer, arrived).await
        }
        _ => Ok(()),
    }
}

impl Arrived {
    /// The file that an answer is of, if the rest of it can come in parts.
    fn stored(&self, answer: &Response, total: Option<u64>, by: &Transport) -> Option<Stored> {
        let is_partial = answer.status() == StatusCode::PARTIAL_CONTENT;
        let may = !self.alone && by.network().connections.get() > 1;
        let total = total.filter(|total| may && *total > LARGE)?;
        let (etag, encoding) = (self.etag.clone()?, self.encoding?);
        (is_partial || offers_ranges(answer.headers())).then_some(Stored { etag, encoding, total })
    }
}

/// One answer, read as it comes.
struct Stream<'a> {
    transport: &'a Transport,
    pipeline: &'a Pipeline,
    watch: &'a dyn DownloadProgress,
    url: &'a Url,
    /// It is read to its end, however slow it is.
    may_be_slow: bool,
}

impl Stream<'_> {
    async fn receive(
        &self,
        arrived: &mut Arrived,
        answer: &mut Response,
    ) -> Result<Stopped, AttemptError> {
        let Self { transport, pipeline, watch, url, .. } = *self;
        let mut stalls = StallDetector::new(transport.network().timeout, Instant::now());
        let (mut waited, mut worked) = (Duration::ZERO, Duration::ZERO);
        let left = answer.content_length().unwrap_or(0);
        let enough = arrived.encoded.saturating_add(left.saturating_sub(REST));
        loop {
            let asked = Instant::now();
            let came = timeout(LOOK, answer.chunk()).await;
            let now = Instant::now();
            waited += now.saturating_duration_since(asked);
            match came {
                Ok(Ok(None)) => return Ok(Stopped::Done),
                Ok(Ok(Some(chunk))) => {
                    arrived.encoded += chunk.len() as u64;
                    if arrived.encoded > ENCODED_LIMIT {
                        return Err(too_large(url));
                    }
                    if !pipeline.send(&chunk) {
                        return Ok(Stopped::Done);
                    }
                    let sent = Instant::now();
                    worked += sent.saturating_duration_since(now);
                    stalls.moved(chunk.len() as u64, now, sent);
                    watch.moved(arrived.encoded);
                }
                Ok(Err(error)) => {
                    return Err(attempt_error::of_transfer(&error, url, transport.network()));
                }
                Err(_) => {}
            }
            refuse_cancelled(watch)?;
            if let Some(stall) = stalls.stall(Instant::now()) {
                return Err(stalled(url, arrived.encoded, &stall, transport.network()));
            }
            let is_slow = waited >= WAITED && waited > worked && arrived.encoded < enough;
            if is_slow && !self.may_be_slow {
                return Ok(Stopped::Slow);
            }
        }
    }
}

/// The error of a transfer that does not move any more, after so many bytes.
pub(super) fn stalled(url: &Url, after: u64, stall: &Stall, network: &Network) -> AttemptError {
    let more = match stall {
        Stall::Silent => "nothing".to_owned(),
        Stall::Slow(bytes) => format!("only {bytes} bytes"),
    };
    attempt_error::timed_out(
        url,
        &format!("after {after} bytes, {more} more came"),
        network.timeout,
    )
}

/// The start of what comes with an answer that is no success.
pub(super) async fn refusal(answer: &mut Response) -> Vec<u8> {
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

pub(super) fn refuse_cancelled(watch: &dyn DownloadProgress) -> Result<(), AttemptError> {
    match watch.cancelled() {
        true => Err(AttemptError::lasting(Error::new(Code::Interrupted, "interrupted"))),
        false => Ok(()),
    }
}

fn goes_on(answer: &Response, resume: Resume<'_>) -> bool {
    let same = strong_etag(answer.headers()).is_none_or(|etag| etag == resume.etag);
    let said = ContentRange::of(answer.headers());
    same && said.is_some_and(|said| said.range.start == resume.offset)
}

pub(super) fn broken(url: &Url, how: &str) -> AttemptError {
    let shown = without_login(url);
    AttemptError::passing(Error::new(Code::Broken, format!("the transfer of {shown} {how}")))
}

fn too_large(url: &Url) -> AttemptError {
    let shown = without_login(url);
    let limit = ENCODED_LIMIT >> 20;
    AttemptError::lasting(Error::new(Code::TooLarge, format!("{shown} is larger than {limit} MiB")))
}
