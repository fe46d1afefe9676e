//! A release bucket that misbehaves: raw HTTP/1.1 on loopback, so that nothing keeps it from
//! breaking any rule.

use flate2::{Compression, write::GzEncoder};
use runnerup::platform::{Arch, Platform};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// The newest version of every bucket here.
pub const VERSION: &str = "1.1.9-abc";

/// What a request asks for.
pub struct Asked {
    /// Below the agent's folder, such as `release.txt`.
    pub key: String,
    /// How many times the key was asked for before.
    pub before: usize,
    /// From which byte on.
    pub from: Option<usize>,
    /// Behind the last byte of the range, where it has an end.
    pub to: Option<usize>,
    /// The ETag that the rest must belong to.
    pub if_range: Option<String>,
}

/// How a request is answered. One answer a connection.
pub enum Reply {
    /// Status and headers, then a body; the length is announced unless a header does.
    Http { status: String, headers: Vec<String>, body: Vec<u8>, then: Then },
    /// Bytes that need not be HTTP.
    Raw(Vec<u8>),
    /// Nothing at all, on a connection that stays open.
    Silence,
}

/// How a body ends.
pub enum Then {
    /// As it should.
    End,
    /// Closed in an orderly way after so many bytes of it.
    Cut(usize),
    /// Reset after so many bytes of it.
    Reset(usize),
    /// Silent after so many bytes of it.
    Stall(usize),
    /// A byte every now and then.
    Drip,
    /// As it should; at first, for so many bytes, with as many each hundredth of a second.
    Paced { each: usize, at_first: usize },
    /// So many bytes of it at this pace, and then a reset.
    PacedReset(usize, usize),
    /// These bytes, of no announced length.
    Once(Vec<u8>),
    /// These bytes again and again, of no announced length.
    Repeat(Vec<u8>),
}

impl Reply {
    pub fn new(status: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        Self::Http { status: status.to_owned(), headers: Vec::new(), body, then: Then::End }
    }

    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new("200 OK", body)
    }

    /// What S3 says of a key that is not there.
    pub fn denied() -> Self {
        Self::new(
            "403 Forbidden",
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
        )
    }

    pub fn redirect(to: &str) -> Self {
        Self::new("302 Found", "").header("Location", to)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push(format!("{name}: {value}\r\n"));
        }
        self
    }

    pub fn then(mut self, end: Then) -> Self {
        if let Self::Http { then, .. } = &mut self {
            *then = end;
        }
        self
    }
}

/// A bucket that runs until the process ends.
pub struct Hostile {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Hostile {
    /// Answers by this script.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Box::new(script), asked: Mutex::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A client that leaves is none of our business.
                thread::spawn(move || drop(shared.serve(connection)));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests there were for a key.
    pub fn asked_for(&self, key: &str) -> usize {
        self.shared.asked.lock().unwrap().get(key).copied().unwrap_or(0)
    }
}

impl Shared {
    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut request = Vec::new();
        // The last byte stays unread: what is closed with something unread is reset.
        while !request.ends_with(b"\r\n\r") {
            let mut byte = [0];
            connection.read_exact(&mut byte)?;
            request.extend(byte);
        }
        let asked = self.note(&String::from_utf8_lossy(&request));
        match (self.script)(&asked) {
            Reply::Silence => wait_for_leaving(&mut connection),
            Reply::Raw(bytes) => {
                connection.write_all(&bytes)?;
                close(connection)
            }
            Reply::Http { status, headers, body, then } => {
                let announces = |name| headers.iter().any(|header| header.starts_with(name));
                let mut head =
                    format!("HTTP/1.1 {status}\r\n{}Connection: close\r\n", headers.concat());
                if !matches!(then, Then::Once(_) | Then::Repeat(_)) && !announces("Content-Length")
                {
                    let _ = write!(head, "Content-Length: {}\r\n", body.len());
                }
                connection.write_all(format!("{head}\r\n").as_bytes())?;
                send(connection, &body, then)
            }
        }
    }

    fn note(&self, request: &str) -> Asked {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let key = path.strip_prefix("/circleci-launch-agent/").unwrap_or(path).to_owned();
        let header = |name: &str| {
            request.lines().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let range = header("Range");
        let range =
            range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let from = range.and_then(|(first, _)| first.parse().ok());
        let to = range.and_then(|(_, last)| Some(last.parse::<usize>().ok()? + 1));
        let mut counts = self.asked.lock().unwrap();
        let count = counts.entry(key.clone()).or_default();
        *count += 1;
        Asked { key, before: *count - 1, from, to, if_range: header("If-Range") }
    }
}

fn send(mut connection: TcpStream, body: &[u8], then: Then) -> io::Result<()> {
    match then {
        Then::End => connection.write_all(body)?,
        Then::Cut(at) => connection.write_all(&body[..at])?,
        Then::Reset(at) => {
            connection.write_all(&body[..at])?;
            // A reset also takes what the other side has not read yet.
            thread::sleep(Duration::from_millis(50));
            return Ok(());
        }
        Then::Stall(at) => {
            connection.write_all(&body[..at])?;
            return wait_for_leaving(&mut connection);
        }
        Then::Drip => {
            for byte in body {
                connection.write_all(&[*byte])?;
                thread::sleep(Duration::from_millis(50));
            }
        }
        Then::Paced { each, at_first } => {
            let (first, rest) = body.split_at(at_first.min(body.len()));
            pace(&mut connection, first, each)?;
            connection.write_all(rest)?;
        }
        Then::PacedReset(each, at) => {
            pace(&mut connection, &body[..at.min(body.len())], each)?;
            thread::sleep(Duration::from_millis(50));
            return Ok(());
        }
        Then::Once(bytes) => {
            connection.write_all(body)?;
            connection.write_all(&bytes)?;
        }
        Then::Repeat(bytes) => {
            connection.write_all(body)?;
            loop {
                connection.write_all(&bytes)?;
            }
        }
    }
    close(connection)
}

fn pace(connection: &mut TcpStream, body: &[u8], each: usize) -> io::Result<()> {
    body.chunks(each).try_for_each(|piece| {
        thread::sleep(Duration::from_millis(10));
        connection.write_all(piece)
    })
}

fn close(mut connection: TcpStream) -> io::Result<()> {
    connection.read_exact(&mut [0])
}

fn wait_for_leaving(connection: &mut TcpStream) -> io::Result<()> {
    io::copy(connection, &mut io::sink()).map(drop)
}

/// An agent of this host's platform that is no agent, of about 400 KB, and half of that gzipped.
pub fn agent() -> Vec<u8> {
    agent_of(Platform::of_this_host().unwrap())
}

/// The same for another platform of Linux.
pub fn agent_of(platform: Platform) -> Vec<u8> {
    let machine = match platform.arch() {
        Arch::Amd64 => 62,
        Arch::Arm64 => 183,
        Arch::Ppc64le => 21,
        Arch::S390x => panic!("no test needs the other byte order"),
    };
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    bytes.extend([machine, 0, 1, 0, 0, 0]);
    let mut state = 1_u32;
    bytes.resize_with(400_000, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 28) as u8
    });
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(4));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
