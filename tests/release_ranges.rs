//! A large file over several connections, from servers that do ranges well, badly and not at all.
//! Whatever they do, the file is the right one, or there is an error.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use runnerup::{
    Code, Error, Result,
    agent::Kind,
    release::{Client, DownloadProgress, Fetched, Network},
    values::Connections,
};
use std::{
    fs,
    io::{Read, Seek},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use support::{
    bucket::Bucket,
    hostile::{self, Asked, Hostile, Reply, Then, VERSION, gzip, sha256},
    hostile_kinds::{BINARY, PATH, PLATFORM, SUMS},
};

/// Bytes each hundredth of a second of the first answer: slower than any host takes it in.
const PACE: usize = 20_000;

/// An agent that is large also when it is packed.
static AGENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = hostile::agent();
    let mut state = 7_u64;
    while bytes.len() < 11 << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend(&state.to_be_bytes()[..4]);
    }
    bytes
});
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&AGENT));

/// Watches, and counts the connections that are open.
#[derive(Default)]
struct Watch {
    port: u16,
    most: AtomicUsize,
    moved: AtomicUsize,
    /// Gives up after so many bytes.
    limit: Option<usize>,
}

impl DownloadProgress for Watch {
    fn started(&self, _total: Option<u64>) {}

    fn moved(&self, total: u64) {
        let total = usize::try_from(total).unwrap();
        let before = self.moved.swap(total, Relaxed);
        // Reading the table takes longer than receiving a piece.
        if before >> 18 == total >> 18 {
            return;
        }
        self.most.fetch_max(connections_to(self.port), Relaxed);
    }

    fn retrying(&self, _reason: &str, _pause: Duration) {}

    fn cancelled(&self) -> bool {
        self.limit.is_some_and(|limit| self.moved.load(Relaxed) > limit)
    }
}

/// Connections of this host's clients to a port that are established.
fn connections_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let to = format!(":{port:04X}");
    let is_one = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[2].ends_with(&to) && fields[3] == "01"
    };
    table.lines().skip(1).filter(is_one).count()
}

fn fetch(url: &str, connections: &str, limit: Option<usize>) -> (Result<Fetched>, Watch) {
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let watch = Watch { port, limit, ..Watch::default() };
    let network = Network {
        base: url.parse().unwrap(),
        proxy: None,
        no_proxy: None,
        ca: None,
        timeout: Duration::from_secs(4),
        connections: connections.parse().unwrap(),
    };
    let client = Client::new(Kind::LaunchAgent, network);
    let artifact = client.artifact(&client.newest(*PLATFORM).unwrap(), *PLATFORM, None).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let fetched = client.fetch(&artifact, file.try_clone().unwrap(), &watch);
    if fetched.is_ok() {
        let mut content = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut content).unwrap();
        assert!(content == *AGENT, "something else was verified");
    }
    (fetched, watch)
}

/// The whole, as a slow line brings it.
fn whole() -> Reply {
    tagged(Reply::ok(&*PACKED))
        .header("Accept-Ranges", "bytes")
        .then(Then::Paced { each: PACE, at_first: usize::MAX })
}

/// Long enough for ranges to be asked for.
fn slow_at_first() -> Then {
    Then::Paced { each: 5_000, at_first: 200_000 }
}

fn tagged(reply: Reply) -> Reply {
    reply.header("ETag", "\"good\"").header("Content-Encoding", "gzip")
}

fn part(from: usize, to: usize) -> Reply {
    said(from, to, PACKED.len(), &PACKED[from..to])
}

/// A body that is said to be such a part.
fn said(from: usize, to: usize, total: usize, body: &[u8]) -> Reply {
    let range = format!("bytes {from}-{}/{total}", to - 1);
    tagged(Reply::new("206 Partial Content", body)).header("Content-Range", &range)
}

/// What a good bucket answers.
fn good(asked: &Asked) -> Reply {
    match (asked.from, asked.if_range.as_deref()) {
        (Some(from), Some("\"good\"")) => part(from, asked.to.unwrap_or(PACKED.len())),
        _ => whole(),
    }
}

type Ranges = Arc<Mutex<Vec<(Option<usize>, Option<usize>)>>>;

/// Answers for the binary by the script, which is told how many ranges were asked for before.
fn bucket(script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> (Hostile, Ranges) {
    let ranges = Ranges::default();
    let seen = Arc::clone(&ranges);
    let hostile = Hostile::start(move |asked| match asked.key.as_str() {
        "release.txt" => Reply::ok(format!("{VERSION}\n")),
        SUMS => Reply::ok(format!("{} *{}\n", sha256(&AGENT), *PATH)),
        key if key == *BINARY => {
            let before = {
                let mut seen = seen.lock().unwrap();
                seen.push((asked.from, asked.to));
                seen.iter().filter(|(from, _)| from.is_some()).count()
            };
            script(asked, before.saturating_sub(1))
        }
        _ => Reply::denied(),
    });
    (hostile, ranges)
}

fn words(error: &Error) -> String {
    format!("{} {}", error.code().id(), error.message())
}

#[test]
fn a_slow_line_is_made_up_for_by_three_more() {
    let (hostile, ranges) = bucket(|asked, _| good(asked));
    let (fetched, watch) = fetch(&hostile.url(), "4", None);
    assert_eq!(fetched.unwrap().attempts, 1);
    assert_eq!(watch.most.load(Relaxed), 4);
    assert_eq!(watch.moved.load(Relaxed), PACKED.len());
    let ranges = ranges.lock().unwrap();
    assert_eq!(ranges[0], (None, None));
    assert!(ranges.len() >= 4 && ranges[1..].iter().all(|(_, to)| to.is_some()), "{ranges:?}");
}

#[test]
fn no_ranges_are_asked_for_where_they_cannot_be_guarded_or_are_not_wanted() {
    fn plain() -> Reply {
        let reply = Reply::ok(&*PACKED).header("Content-Encoding", "gzip");
        reply.then(slow_at_first())
    }
    type Case = (&'static str, &'static str, fn() -> Reply);
    let cases: [Case; 5] = [
        ("one connection", "1", || whole().then(slow_at_first())),
        ("none offered", "4", || plain().header("ETag", "\"good\"")),
        ("no ETag", "4", || plain().header("Accept-Ranges", "bytes")),
        ("a weak ETag", "4", || {
            plain().header("Accept-Ranges", "bytes").header("ETag", "W/\"good\"")
        }),
        ("no length", "4", || {
            let chunk = format!("{:x}\r\n", PACKED.len());
            let body = [chunk.as_bytes(), &PACKED, b"\r\n0\r\n\r\n"].concat();
            let reply = tagged(Reply::ok("")).header("Accept-Ranges", "bytes");
            reply.header("Transfer-Encoding", "chunked").then(Then::Once(body))
        }),
    ];
    for (name, connections, reply) in cases {
        let (hostile, ranges) = bucket(move |_, _| reply());
        let (fetched, _) = fetch(&hostile.url(), connections, None);
        fetched.unwrap_or_else(|error| panic!("{name}: {}", words(&error)));
        assert_eq!(*ranges.lock().unwrap(), [(None, None)], "{name}");
    }
}

/// A server that does ranges wrong: the first answer goes on, and no further range is asked for.
#[test]
fn wrong_ranges_are_not_taken_and_one_stream_goes_on() {
    type Script = fn(usize, usize) -> Reply;
    let cases: [(&str, Script); 10] = [
        ("ignored", |_, _| whole()),
        ("another start", |from, to| {
            said(from - 1, to - 1, PACKED.len(), &PACKED[from - 1..to - 1])
        }),
        ("another total", |from, to| said(from, to, PACKED.len() + 1, &PACKED[from..to])),
        ("too short", |from, to| part(from, to - 1)),
        ("too long", |from, to| part(from, (to + 1).min(PACKED.len() - 1))),
        ("longer than it is said to be", |from, to| {
            let chunk = format!("{:x}\r\n", to - from + 9);
            let body = [chunk.as_bytes(), &PACKED[from..to], b"more more\r\n0\r\n\r\n"].concat();
            said(from, to, PACKED.len(), b"")
                .header("Transfer-Encoding", "chunked")
                .then(Then::Once(body))
        }),
        ("of another ETag", |from, to| {
            let range = format!("bytes {from}-{}/{}", to - 1, PACKED.len());
            Reply::new("206 Partial Content", vec![7; to - from])
                .header("Content-Range", &range)
                .header("Content-Encoding", "gzip")
                .header("ETag", "\"new\"")
        }),
        ("in another encoding", |from, to| {
            let range = format!("bytes {from}-{}/{}", to - 1, PACKED.len());
            Reply::new("206 Partial Content", vec![7; to - from])
                .header("Content-Range", &range)
                .header("ETag", "\"good\"")
        }),
        ("not to be satisfied", |_, _| Reply::new("416 Range Not Satisfiable", "")),
        // A server that allows one connection.
        ("refused", |_, _| Reply::new("503 Slow Down", "")),
    ];
    for (name, script) in cases {
        let (hostile, ranges) = bucket(move |asked, _| match (asked.from, asked.to) {
            (Some(from), Some(to)) => script(from, to),
            _ => whole().then(slow_at_first()),
        });
        let (fetched, _) = fetch(&hostile.url(), "4", None);
        fetched.unwrap_or_else(|error| panic!("{name}: {}", words(&error)));
        let ranges = ranges.lock().unwrap();
        // One for each line, until the first answer: then the rest at most, where the first line
        // had come to the end of its part already.
        let parts = ranges.iter().filter(|(_, to)| to.is_some()).count();
        assert!((1..=4).contains(&parts), "{name}: {ranges:?}");
        assert!(ranges.len() - parts <= 2, "{name}: {ranges:?}");
    }
}

#[test]
fn bytes_of_another_file_under_right_headers_are_an_error() {
    let (hostile, _) = bucket(|asked, _| match (asked.from, asked.to) {
        (Some(from), Some(to)) => said(from, to, PACKED.len(), &vec![7; to - from]),
        _ => whole(),
    });
    let (fetched, _) = fetch(&hostile.url(), "4", None);
    let code = fetched.unwrap_err().code();
    assert!(matches!(code, Code::EncodingBroken | Code::ChecksumMismatch), "{code:?}");
}

/// The object is another one from the first range on, and the first answer breaks: all anew.
#[test]
fn an_object_that_changes_between_ranges_is_fetched_anew() {
    let old = gzip(&vec![1; 400_000]);
    let (hostile, ranges) = bucket(move |asked, before| match (asked.before, asked.from, before) {
        (0, ..) => {
            // Of the length and with the ETag of the older object.
            let body = [&PACKED[..3_000_000], &old[..], &vec![3; 9_000_000]].concat();
            Reply::ok(body)
                .header("Content-Encoding", "gzip")
                .header("ETag", "\"old\"")
                .header("Accept-Ranges", "bytes")
                .then(Then::PacedReset(PACE, 2_000_000))
        }
        // `If-Range` names the old one.
        _ => good(asked),
    });
    let (fetched, _) = fetch(&hostile.url(), "4", None);
    assert!(fetched.unwrap().attempts >= 2);
    let wholes = ranges.lock().unwrap().iter().filter(|(from, _)| from.is_none()).count();
    assert_eq!(wholes, 1, "the rest was asked for by If-Range, which brought the whole");
}

/// The first range comes byte by byte, or comes to nothing: another line fetches it once more.
#[test]
fn one_slow_connection_of_four_does_not_hold_up_the_rest() {
    let ends: [fn() -> Then; 2] = [|| Then::Drip, || Then::Stall(70_000)];
    for end in ends {
        let (hostile, ranges) = bucket(move |asked, before| match (asked.from, before) {
            (Some(_), 0) => good(asked).then(end()),
            _ => good(asked),
        });
        let (fetched, watch) = fetch(&hostile.url(), "4", None);
        // Nobody waited until it counted as stalled.
        assert_eq!(fetched.unwrap().attempts, 1);
        assert!(watch.most.load(Relaxed) <= 4);
        let ranges = ranges.lock().unwrap();
        let first = ranges.iter().find(|(from, _)| from.is_some()).unwrap();
        assert!(ranges.iter().filter(|(_, to)| *to == first.1).count() >= 2, "{ranges:?}");
    }
}

#[test]
fn connections_that_are_reset_cost_the_rest_of_their_part() {
    for (resets, at) in [(1, 500_000), (3, 200_000), (6, 90_000), (3, 0)] {
        let (hostile, ranges) = bucket(move |asked, before| match asked.from {
            Some(_) if before < resets => good(asked).then(Then::Reset(at)),
            _ => good(asked),
        });
        let (fetched, watch) = fetch(&hostile.url(), "4", None);
        let fetched = fetched.unwrap_or_else(|error| panic!("{resets}: {}", words(&error)));
        assert!(fetched.attempts as usize > resets, "{fetched:?}");
        assert!(watch.most.load(Relaxed) <= 4);
        let ranges = ranges.lock().unwrap();
        // No byte that came is asked for again; what lay in a buffer at the reset is lost.
        let asked: usize =
            ranges.iter().filter_map(|(from, to)| Some(to.as_ref()? - from.as_ref()?)).sum();
        assert!(asked < 2 * PACKED.len(), "{ranges:?}");
    }
}

/// The first answer breaks while ranges go on.
#[test]
fn the_first_connection_may_break_too() {
    let (hostile, _) = bucket(|asked, _| match asked.from {
        None => whole().then(Then::PacedReset(PACE, 400_000)),
        Some(_) => good(asked),
    });
    let (fetched, _) = fetch(&hostile.url(), "4", None);
    assert_eq!(fetched.unwrap().attempts, 2);
}

/// A server of two connections: whoever is refused leaves the rest to those that are served.
#[test]
fn a_refused_connection_is_done_without() {
    let (hostile, ranges) = bucket(|asked, before| match (asked.from, before) {
        (Some(_), 1 | 2) => Reply::new("503 Slow Down", ""),
        _ => good(asked),
    });
    let (fetched, watch) = fetch(&hostile.url(), "4", None);
    assert_eq!(fetched.unwrap().attempts, 3);
    assert!(watch.most.load(Relaxed) <= 4);
    assert!(ranges.lock().unwrap().len() > 4);
}

#[test]
fn a_server_that_breaks_for_good_is_told_as_one() {
    let (hostile, _) = bucket(|asked, _| match asked.from {
        None => whole().then(Then::PacedReset(PACE, 400_000)),
        Some(_) => good(asked).then(Then::Reset(0)),
    });
    let (fetched, _) = fetch(&hostile.url(), "4", None);
    let error = fetched.unwrap_err();
    assert_eq!(error.code(), Code::Broken, "{}", words(&error));
    assert!(error.help_lines().join(" ").contains("attempts were made"), "{error:?}");
}

#[test]
fn who_wants_to_stop_need_not_wait_for_any_part() {
    let (hostile, _) = bucket(|asked, _| match asked.from {
        None => whole(),
        Some(_) => good(asked).then(Then::Stall(1_000_000)),
    });
    let (fetched, watch) = fetch(&hostile.url(), "4", Some(2_000_000));
    assert_eq!(fetched.unwrap_err().code(), Code::Interrupted);
    assert!(watch.moved.load(Relaxed) < PACKED.len());
}

/// Connections are used again, and never is there one more than allowed.
#[test]
fn nginx_sees_as_many_connections_as_are_allowed() {
    // nginx gives the first second's worth at once, and then waits.
    let Some(bucket) = Bucket::limited("parts from nginx", "limit_rate 2m;") else { return };
    bucket.put("release.txt", format!("{VERSION}\n"));
    bucket.put(SUMS, format!("{} *{}\n", sha256(&AGENT), *PATH));
    bucket.put(&BINARY, &*PACKED);
    for (connections, ranges) in [("4", true), ("2", true), ("1", false)] {
        let before = bucket.log().matches("206 ").count();
        let (fetched, watch) = fetch(&bucket.url("127.0.0.1"), connections, None);
        assert_eq!(fetched.unwrap().attempts, 1);
        let most = watch.most.load(Relaxed);
        assert!(most <= connections.parse::<Connections>().unwrap().get(), "{most}");
        assert_eq!(bucket.log().matches("206 ").count() > before, ranges, "{}", bucket.log());
    }
}
