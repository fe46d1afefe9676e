//! Every known way in which a release bucket misbehaves, with the code and the words that it must be
//! told by.

use super::hostile::{self, Asked, Hostile, Reply, Then, VERSION, gzip, sha256};
use runnerup::{Code, platform::Platform};
use std::sync::LazyLock;

/// One way to misbehave.
pub struct Kind {
    pub name: &'static str,
    /// What is answered other than a good bucket would.
    pub script: fn(&Asked) -> Option<Reply>,
    pub code: Code,
    /// What the message must say, whatever else it does.
    pub words: &'static [&'static str],
}

/// The platform that the tests run on, and where its agent is in the bucket.
pub static PLATFORM: LazyLock<Platform> = LazyLock::new(|| Platform::of_this_host().unwrap());
pub static PATH: LazyLock<String> =
    LazyLock::new(|| format!("{}/circleci-launch-agent", *PLATFORM));
pub static BINARY: LazyLock<String> = LazyLock::new(|| format!("{VERSION}/{}", *PATH));

/// What is served when nothing is wrong.
pub static AGENT: LazyLock<Vec<u8>> = LazyLock::new(hostile::agent);
pub static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&AGENT));
pub static BOMB: LazyLock<Vec<u8>> =
    LazyLock::new(|| [gzip(&AGENT), gzip(&vec![0; 128 << 20])].concat());

pub const SUMS: &str = "1.1.9-abc/checksums.txt";

pub const KINDS: &[Kind] = &[
    // release.txt
    kind("release: a web page", E5003, &["release.txt", "a web page"], |a| {
        release(a, Reply::ok("<!DOCTYPE html><title>Log in</title>"))
    }),
    kind("release: empty", E5003, &["release.txt", "nothing"], |a| release(a, Reply::ok(""))),
    kind("release: malformed", E5003, &["\"1.1.9\""], |a| release(a, Reply::ok("1.1.9"))),
    kind("release: a path", E5003, &["../../evil"], |a| {
        release(a, Reply::ok("../../evil-1.1.1-a"))
    }),
    kind("release: not text", E5003, &["release.txt"], |a| {
        release(a, Reply::ok(b"\xff\xfe\0\x01"))
    }),
    kind("release: huge", E5003, &["longer than 4096 bytes"], |a| {
        release(a, Reply::ok(vec![b'1'; 5000]))
    }),
    kind("release: endless", E5003, &["longer than 4096 bytes"], |a| {
        release(a, Reply::ok("").then(Then::Repeat(vec![b'1'; 1000])))
    }),
    kind("release: encoded", E5005, &["release.txt", "encoded", "gzip"], |a| {
        release(a, Reply::ok(gzip(VERSION.as_bytes())).header("Content-Encoding", "gzip"))
    }),
    kind("release: missing", E4006, &["release.txt", "403"], |a| release(a, Reply::denied())),
    kind("release: not found", E4006, &["release.txt", "404"], |a| {
        release(a, Reply::new("404 Not Found", ""))
    }),
    kind("release: login wanted", E4005, &["401", "release.txt"], |a| {
        release(a, Reply::new("401 Unauthorized", ""))
    }),
    kind("release: forbidden by someone else", E4005, &["403", "release.txt"], |a| {
        release(a, Reply::new("403 Forbidden", "<html>blocked by policy</html>"))
    }),
    kind("release: broken server", E4005, &["500", "release.txt"], |a| {
        release(a, Reply::new("500 Internal Server Error", ""))
    }),
    kind("release: too many requests", E4005, &["429", "release.txt"], |a| {
        release(a, Reply::new("429 Too Many Requests", "").header("Retry-After", "86400"))
    }),
    kind("release: redirect to http", E4008, &["http://bucket.example.com/", "not https"], |a| {
        release(a, Reply::redirect("http://bucket.example.com/release.txt"))
    }),
    kind("release: redirect to a file", E4008, &["file:///etc/passwd"], |a| {
        release(a, Reply::redirect("file:///etc/passwd"))
    }),
    kind("release: redirect in a circle", E4008, &["in a circle"], |a| match a.key.as_str() {
        "there" => Some(Reply::redirect("release.txt")),
        _ => release(a, Reply::redirect("there")),
    }),
    kind("release: redirect without end", E4008, &["again and again"], |a| {
        let number = a.key.strip_prefix("hop").map_or(0, |number| number.parse().unwrap());
        Some(Reply::redirect(&format!("hop{}", number + 1)))
    }),
    kind("release: silent", E4004, &["release.txt", "did not answer"], |a| {
        release(a, Reply::Silence)
    }),
    kind("release: stalled", E4004, &["release.txt"], |a| {
        release(a, Reply::ok(VERSION).then(Then::Stall(3)))
    }),
    kind("release: dripping", E4004, &["release.txt"], |a| {
        release(a, Reply::ok(vec![b'1'; 4000]).then(Then::Drip))
    }),
    kind("release: cut", E4009, &["release.txt", "broke off"], |a| {
        release(a, Reply::ok(VERSION).then(Then::Cut(3)))
    }),
    kind("release: reset", E4009, &["release.txt", "broke off"], |a| {
        release(a, Reply::ok(VERSION).then(Then::Reset(3)))
    }),
    kind("release: not HTTP", E4009, &["does not speak HTTP"], |a| {
        release(a, Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()))
    }),
    kind("release: endless headers", E4009, &["release.txt"], |a| {
        let line = format!("X-More: {}\r\n", "x".repeat(60_000));
        release(a, Reply::Raw(format!("HTTP/1.1 200 OK\r\n{}", line.repeat(100)).into_bytes()))
    }),
    // checksums.txt
    kind("sums: a web page", E5002, &["checksums.txt", "a web page"], |a| {
        sums(a, "<html><body>Sign in</body></html>".to_owned())
    }),
    kind("sums: empty", E5002, &["checksums.txt", "empty"], |a| sums(a, String::new())),
    kind("sums: malformed", E5002, &["line 2"], |a| sums(a, line(GOOD, &PATH) + "abc *x/y\n")),
    kind("sums: not text", E5002, &["not text"], |a| file(a, SUMS, Reply::ok(b"\xff\xff *x"))),
    kind("sums: huge", E5002, &["longer than 1048576 bytes"], |a| {
        sums(a, line(GOOD, &PATH).repeat(20_000))
    }),
    kind("sums: endless", E5002, &["longer than 1048576 bytes"], |a| {
        let line = line(GOOD, &PATH).into_bytes();
        file(a, SUMS, Reply::ok("").then(Then::Repeat(line)))
    }),
    kind("sums: contradictory", E5002, &["contradicts itself", GOOD], |a| {
        sums(a, line(GOOD, &PATH) + &line(&"0".repeat(64), &PATH))
    }),
    kind("sums: a path that leaves", E5002, &["outside its folder", "line 1"], |a| {
        sums(a, line(GOOD, "../../evil/circleci-launch-agent") + &line(GOOD, &PATH))
    }),
    kind("sums: only inside a longer path", E4006, &["no line for"], |a| {
        sums(a, line(GOOD, &format!("evil/{}", *PATH)) + &line(GOOD, &format!("{}.sig", *PATH)))
    }),
    kind("sums: another platform's", E4006, &["no line for", "plan9/mips"], |a| {
        sums(a, line(GOOD, "plan9/mips/circleci-launch-agent"))
    }),
    kind("sums: missing", E4006, &["there is no version", VERSION, "1.1.73695-40bf772"], |a| {
        file(a, SUMS, Reply::denied())
    }),
    // the binary
    kind("binary: missing", E4006, &["circleci-launch-agent", "403"], |a| {
        binary(a, Reply::denied())
    }),
    kind("binary: a web page", E5004, &["a web page"], |a| {
        binary(a, Reply::ok("<html>".to_owned() + &"x".repeat(9000)))
    }),
    kind("binary: empty", E5004, &["nothing"], |a| binary(a, Reply::ok(""))),
    kind("binary: a script", E5004, &["a script"], |a| {
        let script = "#!/bin/sh\nrm -rf /\n";
        promised(a, script.as_bytes(), packed(script))
    }),
    kind("binary: of another platform", E5004, &["an executable of linux/", "not an"], |a| {
        let other = ["linux/amd64", "linux/arm64"].map(|name| name.parse::<Platform>().unwrap());
        let other = hostile::agent_of(other[usize::from(other[0] == *PLATFORM)]);
        promised(a, &other, packed(&other))
    }),
    kind("binary: encoded twice", E5004, &["a gzip file"], |a| binary(a, packed(gzip(&AGENT)))),
    kind("binary: an archive that is no agent", E5004, &["a gzip file"], |a| {
        promised(a, &PACKED, Reply::ok(&*PACKED))
    }),
    kind("binary: another content", E5001, &["hashes to", GOOD_START], |a| {
        let mut other = AGENT.clone();
        other[200_000] ^= 1;
        binary(a, packed(other))
    }),
    kind("binary: longer than promised", E5001, &["hashes to"], |a| {
        binary(a, packed([AGENT.as_slice(), b"more"].concat()))
    }),
    kind("binary: a byte is changed", E5005, &["gzip data is damaged"], |a| {
        let mut body = PACKED.clone();
        let last = body.len() - 6;
        body[last] ^= 0x10;
        binary(a, encoded(body))
    }),
    kind("binary: gzip data end early", E5005, &["gzip data ends too early"], |a| {
        binary(a, encoded(&PACKED[..PACKED.len() / 2]))
    }),
    kind("binary: gzip data are followed by others", E5005, &["followed by something else"], |a| {
        binary(a, encoded([PACKED.as_slice(), b"more"].concat()))
    }),
    kind("binary: said to be gzip and is not", E5005, &["gzip data is damaged"], |a| {
        binary(a, encoded(&*AGENT))
    }),
    kind("binary: an unknown encoding", E5005, &["encoded as", "br"], |a| {
        binary(a, Reply::ok(&*AGENT).header("Content-Encoding", "br"))
    }),
    kind("binary: a gzip bomb", E5006, &["expands more than 100-fold"], |a| {
        binary(a, encoded(&*BOMB))
    }),
    kind("binary: an endless gzip bomb", E5006, &["expands more than 100-fold"], |a| {
        let zeros = gzip(&vec![0; 1 << 20]);
        binary(a, encoded(&*PACKED).then(Then::Repeat(zeros)))
    }),
    kind("binary: announced as larger than any", E5006, &["larger than 1024 MiB"], |a| {
        binary(a, encoded(&*PACKED).header("Content-Length", "10737418240"))
    }),
    kind("binary: cut, again and again", E4009, &["broke off", "circleci-launch-agent"], |a| {
        binary(a, encoded(&*PACKED).then(Then::Cut(PACKED.len() - 1)))
    }),
    kind("binary: reset, again and again", E4009, &["circleci-launch-agent", "broke off"], |a| {
        // Without an ETag nothing can be resumed.
        binary(a, encoded(&*PACKED).then(Then::Reset(9000 + 7000 * a.before)))
    }),
    kind("binary: a byte for each attempt", E4009, &["broke off"], |a| {
        let from = a.from.unwrap_or(0);
        let body = &PACKED[from..];
        let range = format!("bytes {from}-{}/{}", PACKED.len() - 1, PACKED.len());
        let reply = match a.from {
            Some(_) => Reply::new("206 Partial Content", body).header("Content-Range", &range),
            None => Reply::ok(body),
        };
        let reply = reply.header("ETag", "\"1\"").header("Content-Encoding", "gzip");
        binary(a, reply.then(Then::Cut(1)))
    }),
    kind("binary: silent", E4004, &["did not answer"], |a| binary(a, Reply::Silence)),
    kind("binary: stalled", E4004, &["after 5000 bytes, nothing more came"], |a| {
        binary(a, encoded(&*PACKED).then(Then::Stall(5000)))
    }),
    kind("binary: dripping", E4004, &["after ", "only ", "more came"], |a| {
        binary(a, encoded(&*PACKED).then(Then::Drip))
    }),
    kind("binary: broken server", E4005, &["503", "circleci-launch-agent"], |a| {
        binary(a, Reply::new("503 Slow Down", ""))
    }),
    kind("binary: a redirect to http", E4008, &["not https"], |a| {
        binary(a, Reply::redirect("http://mirror.example.com/agent"))
    }),
    kind("binary: the rest is of another file", E5001, &["hashes to", GOOD_START], |a| {
        // What broke off was the right file; then another one stands there, with its own ETag.
        let mut other = AGENT.clone();
        other[399_000] ^= 1;
        match a.before {
            0 => binary(a, tagged("\"1\"").then(Then::Cut(90_000))),
            _ => binary(a, packed(other).header("ETag", "\"2\"")),
        }
    }),
    kind("binary: the rest in spite of another ETag", E4009, &["cannot be resumed"], |a| {
        match a.from {
            None => binary(a, tagged("\"1\"").then(Then::Cut(9000))),
            Some(from) => binary(a, rest(from, from, "\"2\"")),
        }
    }),
    kind("binary: another rest than was asked for", E4009, &["cannot be resumed"], |a| {
        match a.from {
            None => binary(a, tagged("\"1\"").then(Then::Cut(9000))),
            Some(from) => binary(a, rest(from - 1, from - 1, "\"1\"")),
        }
    }),
    kind("binary: another rest than it is said to be", E5005, &["gzip data"], |a| match a.from {
        None => binary(a, tagged("\"1\"").then(Then::Cut(90_000))),
        Some(from) => binary(a, rest(from - 8, from, "\"1\"")),
    }),
];

/// The promised checksum, as far as the tables can know it without computing.
pub const GOOD: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const GOOD_START: &str = "and not to ";

use Code::{
    Broken as E4009, ChecksumMismatch as E5001, ChecksumsInvalid as E5002, EncodingBroken as E5005,
    HttpStatus as E4005, NoSuchVersion as E4006, NotExecutable as E5004, Redirect as E4008,
    ReleaseInvalid as E5003, Timeout as E4004, TooLarge as E5006,
};

const fn kind(
    name: &'static str,
    code: Code,
    words: &'static [&'static str],
    script: fn(&Asked) -> Option<Reply>,
) -> Kind {
    Kind { name, script, code, words }
}

fn file(asked: &Asked, key: &str, reply: Reply) -> Option<Reply> {
    (asked.key == key).then_some(reply)
}

pub fn release(asked: &Asked, reply: Reply) -> Option<Reply> {
    file(asked, "release.txt", reply)
}

fn sums(asked: &Asked, text: String) -> Option<Reply> {
    file(asked, SUMS, Reply::ok(text))
}

pub fn binary(asked: &Asked, reply: Reply) -> Option<Reply> {
    file(asked, &BINARY, reply)
}

/// A binary that `checksums.txt` promises as well.
fn promised(asked: &Asked, content: &[u8], reply: Reply) -> Option<Reply> {
    sums(asked, line(&sha256(content), &PATH)).or_else(|| binary(asked, reply))
}

fn line(sum: &str, path: &str) -> String {
    format!("{sum} *{path}\n")
}

pub fn encoded(body: impl AsRef<[u8]>) -> Reply {
    Reply::ok(body).header("Content-Encoding", "gzip")
}

pub fn packed(content: impl AsRef<[u8]>) -> Reply {
    encoded(gzip(content.as_ref()))
}

pub fn tagged(etag: &str) -> Reply {
    encoded(&*PACKED).header("ETag", etag)
}

/// What a good bucket sends from `from` on, said to be from `said` on.
fn rest(from: usize, said: usize, etag: &str) -> Reply {
    let range = format!("bytes {said}-{}/{}", PACKED.len() - 1, PACKED.len());
    Reply::new("206 Partial Content", &PACKED[from..])
        .header("Content-Range", &range)
        .header("Content-Encoding", "gzip")
        .header("ETag", etag)
}

/// What a good bucket answers, as S3 does: ranges are guarded by the ETag.
pub fn good(asked: &Asked) -> Reply {
    match asked.key.as_str() {
        "release.txt" => Reply::ok(format!("{VERSION}\n")),
        SUMS => Reply::ok(line(&sha256(&AGENT), &PATH)),
        key if key == *BINARY => match (asked.from, asked.if_range.as_deref()) {
            (Some(from), Some("\"good\"")) => rest(from, from, "\"good\""),
            _ => tagged("\"good\""),
        },
        _ => Reply::denied(),
    }
}

pub fn bucket(script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Hostile {
    Hostile::start(move |asked| script(asked).unwrap_or_else(|| good(asked)))
}
