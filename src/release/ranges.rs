//! One large file over several connections: who is far from the bucket gets a fraction of the line
//! by one of them. The first answer, which is of the whole file, goes on; further lines fetch what
//! comes behind by ranges, and the pipeline gets all of it in order.

use super::{
    DownloadProgress,
    answers::Stored,
    attempt_error,
    download::{
        ATTEMPTS, Arrived, FRUITLESS, LOOK, PROGRESS, broken, refusal, refuse_cancelled, stalled,
    },
    parts::Parts,
    pipeline::Pipeline,
    retry::AttemptError,
    stalls::StallDetector,
    transport::{Resume, Transport},
};
use bytes::Bytes;
use reqwest::{Response, StatusCode};
use std::{
    future::{Future, poll_fn},
    ops::Range,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Instant,
};
use tokio::{task::yield_now, time::timeout};
use url::Url;

/// What is handed to the pipeline before the lines are looked at again.
const SLICE: usize = 128 << 10;

/// Turns of the runtime in which it closes a connection that is of no use any more. A server that
/// allows so many connections must not see one more.
const TURNS: usize = 4;

/// Where the parts come from and where they go.
pub(super) struct Transfer<'a> {
    pub(super) transport: &'a Transport,
    /// What answered: a redirect was followed.
    pub(super) url: &'a Url,
    pub(super) stored: &'a Stored,
    pub(super) pipeline: &'a Pipeline,
    pub(super) watch: &'a dyn DownloadProgress,
}

/// Goes on with an answer of which `arrived` came already. `Ok` when all has arrived, or when the
/// pipeline has failed and will say why.
pub(super) async fn receive(
    transfer: &Transfer<'_>,
    first: Response,
    arrived: &mut Arrived,
) -> Result<(), AttemptError> {
    let Transfer { transport, stored, .. } = *transfer;
    let count = transport.network().connections.get();
    let mut parts = Parts::new(arrived.encoded, stored.total, count);
    parts.go_on(0, arrived.encoded, Instant::now());
    let mut lines: Vec<_> = std::iter::repeat_with(Line::default).take(count).collect();
    if let Some(line) = lines.first_mut() {
        let body = Body::new(first, arrived.encoded..stored.total, true, transport);
        line.state = State::Reading(body);
    }
    Ranges { transfer, arrived, parts, lines, turn: 0 }.run().await
}

struct Ranges<'a> {
    transfer: &'a Transfer<'a>,
    arrived: &'a mut Arrived,
    parts: Parts,
    lines: Vec<Line<'a>>,
    /// Which line is looked at first.
    turn: usize,
}

/// At most one connection.
#[derive(Default)]
struct Line<'a> {
    state: State<'a>,
    /// Failures in a row without progress.
    fruitless: u32,
    /// Whether a range ever came over it.
    has_served: bool,
    /// Bytes since it asked last.
    received: u64,
}

#[derive(Default)]
enum State<'a> {
    #[default]
    Idle,
    Asking(Pin<Box<dyn Future<Output = Result<Response, Failure>> + 'a>>, Range<u64>),
    Reading(Body),
    Resting(Instant),
    /// It is of no use any more. The library sees that nobody reads it, and closes its connection,
    /// only when more comes; until then no other connection may take its place.
    Closing(Body),
    /// The server does not want it.
    Ended,
}

struct Body {
    answer: Response,
    /// What it still brings.
    left: Range<u64>,
    /// It is of the whole file, and may go on behind its part.
    is_whole: bool,
    stalls: StallDetector,
}

enum Failure {
    /// The line broke, or came to nothing.
    Broken(AttemptError),
    /// The server refused this one request.
    Refused(AttemptError),
    /// What came is no such part of this file.
    Differs,
}

enum Event {
    Closed,
    Answered(Result<Response, Failure>),
    Chunk(reqwest::Result<Option<Bytes>>),
}

impl<'a> Ranges<'a> {
    async fn run(mut self) -> Result<(), AttemptError> {
        while !self.parts.are_done() {
            self.assign();
            if let Some((line, event)) = self.event().await {
                self.handle(line, event)?;
            }
            if !self.hand_over() {
                return Ok(());
            }
            self.transfer.watch.moved(self.parts.arrived());
            refuse_cancelled(self.transfer.watch)?;
            self.find_stalls()?;
        }
        Ok(())
    }

    /// Gives each line that has nothing to do a part.
    fn assign(&mut self) {
        let now = Instant::now();
        for (number, line) in self.lines.iter_mut().enumerate() {
            let is_free = match line.state {
                State::Idle => true,
                State::Resting(until) => until <= now,
                State::Asking(..) | State::Reading(_) => false,
                State::Closing(_) | State::Ended => false,
            };
            if let Some(range) = is_free.then(|| self.parts.ask(number, now)).flatten() {
                line.received = 0;
                let asked = Box::pin(ask(self.transfer, number, range.clone()));
                line.state = State::Asking(asked, range);
            }
        }
    }

    /// What happens next on any line; nothing when there is something to hand over meanwhile.
    async fn event(&mut self) -> Option<(usize, Event)> {
        // The connections are served by tasks, which run when this one does not.
        yield_now().await;
        if self.parts.ready(SLICE).is_empty() {
            return timeout(LOOK, poll_fn(|context| self.poll(context))).await.ok();
        }
        match poll_fn(|context| Poll::Ready(self.poll(context))).await {
            Poll::Ready(event) => Some(event),
            Poll::Pending => None,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(usize, Event)> {
        let count = self.lines.len();
        self.turn = (self.turn + 1) % count.max(1);
        for number in (self.turn..count).chain(0..self.turn) {
            let Some(line) = self.lines.get_mut(number) else { continue };
            let event = match &mut line.state {
                State::Asking(asked, _) => asked.as_mut().poll(context).map(Event::Answered),
                State::Reading(body) => pin!(body.answer.chunk()).poll(context).map(Event::Chunk),
                State::Closing(body) => {
                    pin!(body.answer.chunk()).poll(context).map(|_| Event::Closed)
                }
                State::Idle | State::Resting(_) | State::Ended => Poll::Pending,
            };
            if let Poll::Ready(event) = event {
                return Poll::Ready((number, event));
            }
        }
        Poll::Pending
    }

    fn handle(&mut self, number: usize, event: Event) -> Result<(), AttemptError> {
        let Some(line) = self.lines.get_mut(number) else { return Ok(()) };
        match (event, &mut line.state) {
            (Event::Answered(Ok(answer)), State::Asking(_, range)) => {
                let body = Body::new(answer, range.clone(), false, self.transfer.transport);
                line.state = State::Reading(body);
                Ok(())
            }
            (Event::Answered(Err(failure)), _) => self.fail(number, failure),
            (Event::Chunk(Ok(Some(chunk))), _) => self.take(number, &chunk),
            (Event::Chunk(Ok(None)), State::Reading(body)) if body.left.is_empty() => {
                line.state = State::Idle;
                Ok(())
            }
            (Event::Chunk(Ok(None)), _) => {
                let error = broken(self.transfer.url, "ended too early");
                self.fail(number, Failure::Broken(error))
            }
            (Event::Chunk(Err(error)), _) => {
                let Transfer { transport, url, .. } = self.transfer;
                let error = attempt_error::of_transfer(&error, url, transport.network());
                self.fail(number, Failure::Broken(error))
            }
            (Event::Closed, _) => {
                line.state = State::Idle;
                Ok(())
            }
            (Event::Answered(Ok(_)), _) => Ok(()),
        }
    }

    fn take(&mut self, number: usize, chunk: &[u8]) -> Result<(), AttemptError> {
        let now = Instant::now();
        let Some(line) = self.lines.get_mut(number) else { return Ok(()) };
        let State::Reading(body) = &mut line.state else { return Ok(()) };
        body.stalls.moved(chunk.len() as u64, now, now);
        line.received += chunk.len() as u64;
        line.has_served |= !body.is_whole;
        let mut rest = chunk;
        loop {
            let taken = self.parts.take(number, rest, now);
            rest = rest.get(taken..).unwrap_or_default();
            body.left.start += taken as u64;
            if self.parts.is_held_by(number) {
                break;
            }
            if !(body.is_whole && self.parts.go_on(number, body.left.start, now)) {
                break;
            }
        }
        if !rest.is_empty() && !body.is_whole {
            return self.fail(number, Failure::Differs);
        }
        self.cut_off(number);
        Ok(())
    }

    /// Ends what brings nothing more that is not there: another line was faster. What came to its
    /// own end stays, so that its connection is used again.
    fn cut_off(&mut self, receiving: usize) {
        for (number, line) in self.lines.iter_mut().enumerate() {
            if self.parts.is_held_by(number) {
                continue;
            }
            line.state = match std::mem::take(&mut line.state) {
                State::Reading(body) if !body.left.is_empty() => match number == receiving {
                    true => State::Idle,
                    false => State::Closing(body),
                },
                State::Asking(..) => State::Idle,
                other => other,
            };
        }
    }

    /// One line failed. The others go on without it; the error is returned when there are none.
    fn fail(&mut self, number: usize, failure: Failure) -> Result<(), AttemptError> {
        self.parts.release(number);
        let Some(line) = self.lines.get_mut(number) else { return Ok(()) };
        let (error, is_refused) = match failure {
            Failure::Broken(error) => (error, false),
            Failure::Refused(error) => (error, true),
            Failure::Differs => {
                line.state = State::Ended;
                return self.stay_with_the_first();
            }
        };
        let progress = line.received >= PROGRESS;
        line.fruitless = if progress { 1 } else { line.fruitless + 1 };
        self.arrived.failures += 1;
        let pause = error
            .pause(line.fruitless + 1)
            .filter(|_| line.fruitless < FRUITLESS && (line.has_served || !is_refused));
        tracing::debug!(line = number, ?pause, error = %error.error, "a connection failed");
        line.state = match (std::mem::take(&mut line.state), pause) {
            (State::Closing(body), _) => State::Closing(body),
            (_, Some(pause)) => State::Resting(Instant::now() + pause),
            (_, None) => State::Ended,
        };
        let is_over = |line: &Line<'_>| matches!(line.state, State::Closing(_) | State::Ended);
        let is_over = self.lines.iter().all(is_over);
        if is_over || self.arrived.failures >= ATTEMPTS {
            // A server that refuses every range may still give the whole.
            self.arrived.alone |= is_refused;
            return Err(AttemptError { again: true, ..error });
        }
        Ok(())
    }

    /// What the server sends by ranges is of no use. The first answer is of the whole file, if it
    /// is still there; else another attempt asks for the rest of it.
    fn stay_with_the_first(&mut self) -> Result<(), AttemptError> {
        self.arrived.alone = true;
        let is_first =
            |line: &Line<'_>| matches!(&line.state, State::Reading(body) if body.is_whole);
        let Some(first) = self.lines.iter().position(is_first) else {
            return Err(broken(self.transfer.url, "cannot be had in parts"));
        };
        tracing::debug!("the server sends no ranges of this file: one stream goes on");
        self.parts.leave_to(first);
        self.lines.truncate(first + 1);
        Ok(())
    }

    /// The next slice to the pipeline, in order; `false` when that has failed.
    fn hand_over(&mut self) -> bool {
        let begun = Instant::now();
        let slice = self.parts.ready(SLICE);
        let count = slice.len();
        if count == 0 {
            return true;
        }
        if !self.transfer.pipeline.send(slice) {
            return false;
        }
        self.parts.gave(count);
        self.arrived.encoded += count as u64;
        let now = Instant::now();
        for line in &mut self.lines {
            if let State::Reading(body) = &mut line.state {
                body.stalls.kept_waiting(begun, now);
            }
        }
        true
    }

    fn find_stalls(&mut self) -> Result<(), AttemptError> {
        let now = Instant::now();
        for number in 0..self.lines.len() {
            let Some(line) = self.lines.get_mut(number) else { continue };
            let State::Reading(body) = &mut line.state else { continue };
            let Some(stall) = body.stalls.stall(now) else { continue };
            let Transfer { transport, url, .. } = self.transfer;
            let error = stalled(url, self.arrived.encoded, &stall, transport.network());
            if let State::Reading(body) = std::mem::take(&mut line.state) {
                line.state = State::Closing(body);
            }
            self.fail(number, Failure::Broken(error))?;
        }
        Ok(())
    }
}

impl Body {
    fn new(answer: Response, left: Range<u64>, is_whole: bool, transport: &Transport) -> Self {
        let stalls = StallDetector::new(transport.network().timeout, Instant::now());
        Self { answer, left, is_whole, stalls }
    }
}

async fn ask(transfer: &Transfer<'_>, line: usize, range: Range<u64>) -> Result<Response, Failure> {
    for _ in 0..TURNS {
        yield_now().await;
    }
    let Transfer { transport, url, stored, .. } = *transfer;
    let resume = Resume { offset: range.start, end: Some(range.end), etag: &stored.etag, line };
    let asked = transport.get(url, stored.encoding.accepted(), Some(resume)).await;
    let (url, mut answer) = asked.map_err(Failure::Broken)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    if stored.is_brought(&range, status, &headers) {
        return Ok(answer);
    }
    if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Err(Failure::Differs);
    }
    let body = refusal(&mut answer).await;
    let error = attempt_error::of_status(status, &headers, &body, &url, transport.network());
    Err(Failure::Refused(error))
}
