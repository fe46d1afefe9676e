//! A stand-in for the release bucket and for the runner API, on loopback: well-behaved, as the
//! facts describe them. What hostile servers do is the business of other tests.

use runnerup::agent::RELEASE_URL;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The newest version that the bucket offers.
pub const NEWEST: &str = "1.1.73695-40bf772";

/// The newest version of machine runner 3.
pub const NEWEST_RUNNER: &str = "3.1.11";

/// The one before it.
pub const OLDER: &str = "1.1.73189-8792751";

/// A server that runs until the process ends.
pub struct Loopback {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    platform: String,
    agents: Vec<(&'static str, Agent)>,
    runner: Agent,
    token: String,
    requests: Mutex<Vec<String>>,
}

struct Agent {
    sha256: String,
    gzipped: Vec<u8>,
}

impl Loopback {
    /// Serves `agent` as both versions (the older one with a byte more at its end), and takes
    /// `token` for good.
    pub fn start(agent: &[u8], token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        Self::on(listener, agent, token)
    }

    /// The same, on a listener that was made elsewhere.
    pub fn on(listener: TcpListener, agent: &[u8], token: &str) -> Self {
        let older = [agent, b"\n"].concat();
        let shared = Arc::new(Shared {
            platform: platform(),
            agents: vec![(NEWEST, Agent::new(agent)), (OLDER, Agent::new(&older))],
            runner: Agent::archive(agent),
            token: token.to_owned(),
            requests: Mutex::default(),
        });
        let address = listener.local_addr().expect("a bound listener has an address");
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(connection));
            }
        });
        Self { address, shared }
    }

    /// Such as `http://127.0.0.1:4711`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `METHOD PATH` of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("no thread panicked here").clone()
    }
}

impl Shared {
    fn serve(&self, connection: TcpStream) {
        let Ok(mut answers) = connection.try_clone() else { return };
        let mut asked = BufReader::new(connection);
        while let Some((line, headers)) = request(&mut asked) {
            let mut words = line.split(' ');
            let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            self.requests.lock().expect("no thread panicked here").push(format!("{method} {path}"));
            let length = header(&headers, "content-length").and_then(|text| text.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            if asked.read_exact(&mut body).is_err() {
                return;
            }
            let (status, extra, body) = self.answer(method, path, &headers);
            let head =
                format!("HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\n\r\n", body.len());
            if answers.write_all(head.as_bytes()).and_then(|()| answers.write_all(&body)).is_err() {
                return;
            }
            if header(&headers, "connection").is_some_and(|word| word.eq_ignore_ascii_case("close"))
            {
                return;
            }
        }
    }

    fn answer(&self, method: &str, path: &str, headers: &[String]) -> (String, String, Vec<u8>) {
        let plain = |status: &str, body: &str| (status.to_owned(), String::new(), body.into());
        if path.starts_with("/api/") {
            let bearer = format!("Bearer {}", self.token);
            return match header(headers, "authorization") {
                Some(given) if given == bearer && path.starts_with("/api/v2/tasks/download") => {
                    plain("200 OK", "{}")
                }
                Some(given) if given == bearer && method == "POST" => plain("204 No Content", ""),
                _ => plain("401 Unauthorized", r#"{"message":"invalid bearer token"}"#),
            };
        }
        if path == "/circleci-runner/manifest.json" {
            return plain("200 OK", &self.manifest());
        }
        if let Some(key) = path.strip_prefix("/circleci-runner/") {
            if key != self.archive(NEWEST_RUNNER) {
                return plain("403 Forbidden", DENIED);
            }
            let extra = format!("ETag: \"{}\"\r\n", &self.runner.sha256[..32]);
            return ("200 OK".to_owned(), extra, self.runner.gzipped.clone());
        }
        let Some(key) = path.strip_prefix("/circleci-launch-agent/") else {
            return plain("403 Forbidden", DENIED);
        };
        if key == "release.txt" {
            return plain("200 OK", &format!("{NEWEST}\n"));
        }
        let Some((version, file)) = key.split_once('/') else {
            return plain("403 Forbidden", DENIED);
        };
        let Some((_, agent)) = self.agents.iter().find(|(known, _)| *known == version) else {
            return plain("403 Forbidden", DENIED);
        };
        let name =
            format!("{}/circleci-launch-agent{}", self.platform, std::env::consts::EXE_SUFFIX);
        if file == "checksums.txt" {
            return plain("200 OK", &format!("{} *{name}\n", agent.sha256));
        }
        if file != name {
            return plain("403 Forbidden", DENIED);
        }
        let etag = &agent.sha256[..32];
        let extra = format!("Content-Encoding: gzip\r\nETag: \"{etag}\"\r\n");
        ("200 OK".to_owned(), extra, agent.gzipped.clone())
    }
}

impl Shared {
    /// Below the folder of machine runner 3.
    fn archive(&self, version: &str) -> String {
        format!("{version}/circleci-runner_{}.tar.gz", self.platform.replace('/', "_"))
    }

    fn manifest(&self) -> String {
        let (os, arch) = self.platform.split_once('/').expect("a platform is os/arch");
        let entry = |version: &str| {
            let url = format!("{RELEASE_URL}/circleci-runner/{}", self.archive(version));
            let sha256 = self.runner.sha256.to_uppercase();
            serde_json::json!({ os: { arch: { "url": url, "sha256": sha256 } } })
        };
        let releases = serde_json::json!({
            NEWEST_RUNNER: entry(NEWEST_RUNNER),
            "current": entry(NEWEST_RUNNER),
        });
        serde_json::json!({ "releases": releases }).to_string()
    }
}

/// What S3 answers for a key that is not there, where listing is not allowed.
const DENIED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

impl Agent {
    fn new(bytes: &[u8]) -> Self {
        Self { sha256: sha256(bytes), gzipped: gzipped(bytes) }
    }

    /// As the `.tar.gz` of machine runner 3, whose checksum is its own.
    fn archive(bytes: &[u8]) -> Self {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        let name = format!("circleci-runner{}", std::env::consts::EXE_SUFFIX);
        builder.append_data(&mut header, name, bytes).expect("memory takes all bytes");
        let gzipped = gzipped(&builder.into_inner().expect("memory takes all bytes"));
        Self { sha256: sha256(&gzipped), gzipped }
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn request(from: &mut impl BufRead) -> Option<(String, Vec<String>)> {
    let mut lines = from.by_ref().lines().map_while(Result::ok);
    let first = lines.next().filter(|line| !line.is_empty())?;
    Some((first, lines.take_while(|line| !line.is_empty()).collect()))
}

fn header<'a>(headers: &'a [String], name: &str) -> Option<&'a str> {
    headers.iter().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn platform() -> String {
    let platform = runnerup::platform::Platform::of_this_host();
    platform.expect("these tests run where an agent runs").to_string()
}
