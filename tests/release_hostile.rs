//! A release bucket that misbehaves in every way that is known. Each kind is told apart with its
//! own code and in words that name the cause, through the library and through the program, and
//! nothing of what it sent stays behind.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use runnerup::{
    Code, Error, Result,
    agent::Platform,
    release::{Client, Fetched, Network, Watch},
};
use std::{
    fs::{self, File},
    io::{Read, Seek},
    path::Path,
    process::Command,
    sync::{LazyLock, Mutex},
    thread,
    time::{Duration, Instant},
};
use support::hostile::{self, Asked, Hostile, Reply, Then, VERSION, gzip, sha256};

/// One way to misbehave.
struct Kind {
    name: &'static str,
    /// What is answered other than a good bucket would.
    script: fn(&Asked) -> Option<Reply>,
    code: Code,
    /// What the message must say, whatever else it does.
    words: &'static [&'static str],
}

/// The platform that the tests run on, and where its agent is in the bucket.
static PLATFORM: LazyLock<Platform> = LazyLock::new(|| Platform::of_this_host().unwrap());
static PATH: LazyLock<String> = LazyLock::new(|| format!("{}/circleci-launch-agent", *PLATFORM));
static BINARY: LazyLock<String> = LazyLock::new(|| format!("{VERSION}/{}", *PATH));

/// What is served when nothing is wrong.
static AGENT: LazyLock<Vec<u8>> = LazyLock::new(hostile::agent);
static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&AGENT));
static BOMB: LazyLock<Vec<u8>> =
    LazyLock::new(|| [gzip(&AGENT), gzip(&vec![0; 128 << 20])].concat());

const SUMS: &str = "1.1.9-abc/checksums.txt";

const KINDS: &[Kind] = &[
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
    kind("binary: another content", E5001, &["hash to", GOOD_START], |a| {
        let mut other = AGENT.clone();
        other[200_000] ^= 1;
        binary(a, packed(other))
    }),
    kind("binary: longer than promised", E5001, &["hash to"], |a| {
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
    kind("binary: the rest is of another file", E5001, &["hash to", GOOD_START], |a| {
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
const GOOD: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
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

fn release(asked: &Asked, reply: Reply) -> Option<Reply> {
    file(asked, "release.txt", reply)
}

fn sums(asked: &Asked, text: String) -> Option<Reply> {
    file(asked, SUMS, Reply::ok(text))
}

fn binary(asked: &Asked, reply: Reply) -> Option<Reply> {
    file(asked, &BINARY, reply)
}

/// A binary that `checksums.txt` promises as well.
fn promised(asked: &Asked, content: &[u8], reply: Reply) -> Option<Reply> {
    sums(asked, line(&sha256(content), &PATH)).or_else(|| binary(asked, reply))
}

fn line(sum: &str, path: &str) -> String {
    format!("{sum} *{path}\n")
}

fn encoded(body: impl AsRef<[u8]>) -> Reply {
    Reply::ok(body).header("Content-Encoding", "gzip")
}

fn packed(content: impl AsRef<[u8]>) -> Reply {
    encoded(gzip(content.as_ref()))
}

fn tagged(etag: &str) -> Reply {
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
fn good(asked: &Asked) -> Reply {
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

fn bucket(script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Hostile {
    Hostile::start(move |asked| script(asked).unwrap_or_else(|| good(asked)))
}

/// Watches without a word; gives up when told to.
#[derive(Default)]
struct Silent {
    seen: Mutex<Vec<String>>,
    gives_up: bool,
}

impl Watch for Silent {
    fn started(&self, total: Option<u64>) {
        self.seen.lock().unwrap().push(format!("started {total:?}"));
    }

    fn moved(&self, _total: u64) {}

    fn retrying(&self, reason: &str, _pause: Duration) {
        self.seen.lock().unwrap().push(format!("again: {reason}"));
    }

    fn cancelled(&self) -> bool {
        self.gives_up
    }
}

fn client(hostile: &Hostile) -> Client {
    Client::new(Network {
        base: hostile.url().parse().unwrap(),
        proxy: None,
        no_proxy: None,
        ca: None,
        timeout: Duration::from_secs(1),
    })
}

/// All three questions through the library; what the file holds afterwards is checked.
fn fetch(hostile: &Hostile, watch: &Silent) -> Result<Fetched> {
    let client = client(hostile);
    let version = client.newest()?;
    let artifact = client.artifact(&version, *PLATFORM, None)?;
    let mut file = tempfile::tempfile().unwrap();
    let fetched = client.fetch(&artifact, file.try_clone().unwrap(), watch)?;
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    assert!(content == *AGENT, "something else was verified");
    assert_eq!(fetched.bytes, AGENT.len() as u64);
    Ok(fetched)
}

/// Runs a check for every kind, several at a time, and lists what went wrong with which.
fn for_every_kind(check: impl Fn(&Kind) -> Result<(), String> + Sync) {
    let next = Mutex::new(KINDS.iter());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(kind) = { next.lock().unwrap().next() } {
                    if let Err(why) = check(kind) {
                        failures.lock().unwrap().push(format!("{}: {why}", kind.name));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn told(kind: &Kind, code: &str, text: &str) -> Result<(), String> {
    let missing = kind.words.iter().find(|words| !text.contains(**words));
    match missing {
        _ if code != kind.code.id() => Err(format!("{code} for {}: {text}", kind.code.id())),
        Some(words) => Err(format!("no {words:?} in {text}")),
        None => Ok(()),
    }
}

#[test]
fn every_kind_is_told_by_the_library() {
    assert!(KINDS.len() >= 25);
    LazyLock::force(&BOMB);
    for_every_kind(|kind| {
        let hostile = bucket(kind.script);
        let begun = Instant::now();
        let Err(error) = fetch(&hostile, &Silent::default()) else {
            return Err("went well".to_owned());
        };
        if begun.elapsed() > Duration::from_secs(25) {
            return Err(format!("took {:?}", begun.elapsed()));
        }
        told(kind, error.code().id(), &whole(&error))
    });
}

fn whole(error: &Error) -> String {
    format!("{}\n{}", error.message(), error.help_lines().join("\n"))
}

#[test]
fn every_kind_is_told_by_the_program_and_leaves_nothing_behind() {
    for_every_kind(|kind| {
        let hostile = bucket(kind.script);
        let folder = tempfile::tempdir().unwrap();
        let output = install(&hostile, folder.path());
        let text = String::from_utf8(output.stdout).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
            format!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr))
        })?;
        let error = &document["error"];
        if output.status.code() != Some(i32::from(kind.code.exit())) {
            return Err(format!("ended with {}: {text}", output.status));
        }
        let lines = error["help"].as_array().unwrap().iter().filter_map(|line| line.as_str());
        let help: Vec<_> = lines.collect();
        let words = format!("{}\n{}", error["message"].as_str().unwrap(), help.join("\n"));
        told(kind, error["code"].as_str().unwrap(), &words)?;
        match files(&folder.path().join("root")).as_slice() {
            [] => Ok(()),
            left => Err(format!("left behind: {left:?}")),
        }
    });
}

fn install(hostile: &Hostile, folder: &Path) -> std::process::Output {
    use std::os::unix::fs::PermissionsExt;
    let (token, root) = (folder.join("token"), folder.join("root"));
    fs::write(&token, "0123456789".repeat(8)).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(&root).unwrap();
    Command::new(env!("CARGO_BIN_EXE_runnerup"))
        .env_clear()
        .args(["install", "--yes", "--json", "--name", "n", "--service", "none", "--timeout", "2"])
        .args(["--release-url", &hostile.url()])
        .arg("--root")
        .arg(&root)
        .arg("--token-file")
        .arg(&token)
        .output()
        .unwrap()
}

/// Every file below a folder but the lock and the journal, which say what was tried.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else if !path.parent().unwrap().ends_with("var/lib/runnerup") {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_good_bucket_is_asked_once_for_each_file() {
    let hostile = bucket(|_| None);
    let watch = Silent::default();
    assert_eq!(fetch(&hostile, &watch).unwrap().attempts, 1);
    for key in ["release.txt", SUMS, &BINARY] {
        assert_eq!(hostile.asked_for(key), 1, "{key}");
    }
    assert_eq!(*watch.seen.lock().unwrap(), [format!("started Some({})", PACKED.len())]);
}

/// What is only a passing trouble: the file arrives all the same, after so many attempts.
#[test]
fn what_passes_is_survived() {
    type Script = fn(&Asked) -> Option<Reply>;
    let cases: [(&str, Script, u32); 12] = [
        ("as plain bytes", |a| binary(a, Reply::ok(&*AGENT)), 1),
        (
            "of no announced length",
            |a| binary(a, encoded(b"").header("Transfer-Encoding", "chunked").then(chunked())),
            1,
        ),
        (
            "in two gzip members",
            |a| binary(a, encoded([gzip(&AGENT[..1000]), gzip(&AGENT[1000..])].concat())),
            1,
        ),
        ("after two resets", |a| (a.before < 2).then(|| resuming(a, 70_000)).flatten(), 3),
        (
            // Three in a row without progress would be the end of it, and these are more.
            "after five breaks, since it moves on each time",
            |a| if a.before < 2 { resuming(a, 66_000) } else { None },
            3,
        ),
        (
            "after a break, from a server without ranges",
            |a| binary(a, cut_once(a, encoded(&*PACKED).header("ETag", "\"1\""))),
            2,
        ),
        (
            "after a break, without an ETag to guard the rest",
            |a| binary(a, cut_once(a, encoded(&*PACKED))),
            2,
        ),
        ("after a break, with a weak ETag", |a| binary(a, cut_once(a, tagged("W/\"1\""))), 2),
        (
            "after a break, when the range is refused",
            |a| match (a.before, a.from) {
                (0, _) => binary(a, tagged("\"1\"").then(Then::Cut(9000))),
                (_, Some(_)) => binary(a, Reply::new("416 Range Not Satisfiable", "")),
                _ => None,
            },
            3,
        ),
        (
            "when another file was there before",
            |a| match a.before {
                0 => binary(a, encoded(gzip(&[1; 99])).header("ETag", "\"1\"").then(Then::Cut(20))),
                _ => None,
            },
            2,
        ),
        (
            "when another file was there before, and only If-Range can tell",
            |a| match (a.before, a.from, a.if_range.as_deref()) {
                (0, ..) => binary(a, packed(b"old").header("ETag", "\"1\"").then(Then::Cut(20))),
                (_, _, Some("\"1\"")) | (_, None, _) => None,
                (_, Some(from), _) => binary(a, untagged_rest(from)),
            },
            2,
        ),
        (
            "after a refusal that asks for a second",
            |a| {
                let reply = Reply::new("429 Too Many Requests", "").header("Retry-After", "1");
                (a.before == 0).then(|| binary(a, reply)).flatten()
            },
            2,
        ),
    ];
    for (name, script, attempts) in cases {
        let hostile = bucket(script);
        let watch = Silent::default();
        let fetched = fetch(&hostile, &watch);
        let fetched = fetched.unwrap_or_else(|error| panic!("{name}: {}", whole(&error)));
        assert_eq!(fetched.attempts, attempts, "{name}: {:?}", watch.seen.lock().unwrap());
    }
}

fn untagged_rest(from: usize) -> Reply {
    let range = format!("bytes {from}-{}/{}", PACKED.len() - 1, PACKED.len());
    Reply::new("206 Partial Content", &PACKED[from..])
        .header("Content-Range", &range)
        .header("Content-Encoding", "gzip")
}

/// All of the agent as one chunk, and the end.
fn chunked() -> Then {
    Then::Once([format!("{:x}\r\n", PACKED.len()).as_bytes(), &PACKED, b"\r\n0\r\n\r\n"].concat())
}

fn cut_once(asked: &Asked, reply: Reply) -> Reply {
    reply.then(if asked.before == 0 { Then::Cut(80_000) } else { Then::End })
}

/// A good answer that is reset after so many bytes.
fn resuming(asked: &Asked, bytes: usize) -> Option<Reply> {
    binary(asked, good(asked).then(Then::Reset(bytes)))
}

/// With ranges three breaks in a row never are too many, wherever they come.
#[test]
fn resets_at_random_offsets_are_survived() {
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut random = [0; 6];
                getrandom::fill(&mut random).unwrap();
                let length = |pair: &[u8]| usize::from(u16::from_le_bytes([pair[0], pair[1]])) * 2;
                let offsets: Vec<_> = random.chunks(2).map(length).collect();
                let breaks = offsets.clone();
                let hostile = bucket(move |a| {
                    let left = PACKED.len() - a.from.unwrap_or(0);
                    resuming(a, (*breaks.get(a.before)?).min(left - 1))
                });
                let fetched = fetch(&hostile, &Silent::default());
                fetched.unwrap_or_else(|error| panic!("{offsets:?}: {}", whole(&error)));
            });
        }
    });
}

#[test]
fn a_body_without_end_is_stopped_at_the_limit() {
    let hostile = bucket(|a| {
        let noise = AGENT.clone();
        binary(a, Reply::ok(&*AGENT).then(Then::Repeat(noise)))
    });
    let error = fetch(&hostile, &Silent::default()).unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
    assert!(error.message().contains("larger than 1024 MiB"), "{error}");
}

#[test]
fn versions_that_could_be_meant_are_told_the_nearest_first() {
    let hostile = bucket(|_| None);
    let wrong = "1.1.73189-8792752".parse().unwrap();
    let error = client(&hostile).artifact(&wrong, *PLATFORM, None).unwrap_err();
    let help = error.help_lines().join("\n");
    assert!(help.contains("meant: 1.1.73189-8792751, ") && help.contains(VERSION), "{help}");
}

/// What would only make the message better is not waited for.
#[test]
fn a_bucket_that_tells_no_newest_version_does_not_delay_the_error() {
    let hostile = bucket(|a| release(a, Reply::Silence));
    let wrong = "1.1.73189-8792752".parse().unwrap();
    let error = client(&hostile).artifact(&wrong, *PLATFORM, None).unwrap_err();
    assert_eq!(error.code(), Code::NoSuchVersion);
    assert!(error.help_lines().join("\n").contains("1.1.73189-8792751"), "{error:?}");
    assert_eq!(hostile.asked_for("release.txt"), 1);
}

#[test]
fn a_small_file_is_asked_for_four_times_and_a_refusal_once() {
    for (status, times) in [("500 Internal Server Error", 4), ("400 Bad Request", 1)] {
        let hostile = bucket(move |a| release(a, Reply::new(status, "")));
        client(&hostile).newest().unwrap_err();
        assert_eq!(hostile.asked_for("release.txt"), times, "{status}");
    }
}

#[test]
fn a_minute_of_waiting_is_not_begun() {
    let hostile =
        bucket(|a| release(a, Reply::new("503 Slow Down", "").header("Retry-After", "3600")));
    // The tests' own patience: the limit itself is a minute.
    let begun = Instant::now();
    client(&hostile).newest().unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(61), "{:?}", begun.elapsed());
}

#[test]
fn a_pin_that_checksums_txt_contradicts_is_told_with_both() {
    let client = client(&bucket(|_| None));
    let version = VERSION.parse().unwrap();
    let pin = GOOD.parse().unwrap();
    let error = client.artifact(&version, *PLATFORM, Some(pin)).unwrap_err();
    assert_eq!(error.code(), Code::ChecksumMismatch);
    assert!(error.message().contains(GOOD) && error.message().contains(&sha256(&AGENT)), "{error}");
    assert!(client.artifact(&version, *PLATFORM, Some(sha256(&AGENT).parse().unwrap())).is_ok());
}

#[test]
fn who_wants_to_stop_need_not_wait() {
    let hostile = bucket(|a| binary(a, encoded(&*PACKED).then(Then::Stall(5000))));
    let watch = Silent { gives_up: true, ..Silent::default() };
    let begun = Instant::now();
    assert_eq!(fetch(&hostile, &watch).unwrap_err().code(), Code::Interrupted);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn a_full_disk_is_told_as_one() {
    let client = client(&bucket(|_| None));
    let artifact = client.artifact(&VERSION.parse().unwrap(), *PLATFORM, None).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let error = client.fetch(&artifact, full, &Silent::default()).unwrap_err();
    assert_eq!(error.code(), Code::HostUnfit);
}
