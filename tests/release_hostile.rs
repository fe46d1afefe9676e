//! A release bucket that misbehaves in every way that is known. Each kind is told apart with its
//! own code and in words that name the cause, through the library and through the program, and
//! nothing of what it sent stays behind.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use runnerup::{
    Code, Error, Result,
    release::{Client, DownloadProgress, Fetched, Network},
    values::Connections,
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
use support::{
    hostile::{Asked, Hostile, Reply, Then, VERSION, gzip, sha256},
    hostile_kinds::{
        AGENT, BINARY, BOMB, GOOD, KINDS, Kind, PACKED, PLATFORM, SUMS, binary, bucket, encoded,
        good, packed, release, tagged,
    },
};

/// Watches without a word; gives up when told to.
#[derive(Default)]
struct Silent {
    seen: Mutex<Vec<String>>,
    gives_up: bool,
}

impl DownloadProgress for Silent {
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
    Client::new(
        runnerup::agent::Kind::LaunchAgent,
        Network {
            base: hostile.url().parse().unwrap(),
            proxy: None,
            no_proxy: None,
            ca: None,
            timeout: Duration::from_secs(1),
            connections: Connections::default(),
        },
    )
}

/// All three questions through the library; what the file holds afterwards is checked.
fn fetch(hostile: &Hostile, watch: &Silent) -> Result<Fetched> {
    let client = client(hostile);
    let version = client.newest(*PLATFORM)?;
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
        .args(["--agent", "launch-agent", "--release-url", &hostile.url()])
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
        client(&hostile).newest(*PLATFORM).unwrap_err();
        assert_eq!(hostile.asked_for("release.txt"), times, "{status}");
    }
}

#[test]
fn a_minute_of_waiting_is_not_begun() {
    let hostile =
        bucket(|a| release(a, Reply::new("503 Slow Down", "").header("Retry-After", "3600")));
    // The tests' own patience: the limit itself is a minute.
    let begun = Instant::now();
    client(&hostile).newest(*PLATFORM).unwrap_err();
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
