//! What the real agent shows to the outside, and nothing more: it reads the same config file,
//! claims at the same address, reports `Healthy` or `Unhealthy` through the service manager,
//! logs in the same form, and drains on TERM.
//!
//! A test tells it what to do through a file, `stand-in.control` beside its config file, or the
//! file that `STAND_IN_CONTROL` names. It is read again all the time; one order a line:
//!
//! | order | what it does |
//! | --- | --- |
//! | `exit CODE` | ends at once |
//! | `crash SECONDS` | ends with code 2 once it has run so long |
//! | `unhealthy` | is never healthy, and claims nothing |
//! | `job SECONDS` | runs one job so long; another each time the file's text changes |

// Its output is its log, as that of the real agent.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use url::Url;

use crate::{form::Form, job::Job};

/// How often it claims, and looks at its control file. The real agent claims every few seconds.
const POLL: Duration = Duration::from_millis(200);
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// How often the service manager asked it to stop.
static TERMS: AtomicUsize = AtomicUsize::new(0);

/// Runs with the agent's own arguments until told to stop: `--config FILE` or `-c FILE`, and flags
/// that count before variables and file.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let count = || {
        TERMS.fetch_add(1, Ordering::SeqCst);
    };
    match ctrlc::set_handler(count).map_err(io::Error::other).and_then(|()| Agent::new(arguments)) {
        Ok(mut agent) => ExitCode::from(agent.work()),
        Err(error) => {
            let _ = writeln!(io::stderr(), "FATA[0000] cannot start    error=\"{error}\"");
            ExitCode::FAILURE
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    api: Api,
    runner: Runner,
    logging: Logging,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Api {
    auth_token: String,
    url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) command_prefix: Vec<String>,
    pub(crate) working_directory: String,
    pub(crate) cleanup_working_directory: bool,
    mode: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Logging {
    file: Option<PathBuf>,
}

struct Agent {
    form: Form,
    config: Config,
    /// Where it may claim: nowhere, when the config names more than loopback.
    claims_at: Option<Url>,
    control: PathBuf,
    last_control: String,
    healthy: Option<bool>,
    /// Machine runner 3 ends when its token is refused.
    is_refused: bool,
    begin: Instant,
}

/// How a claim was answered.
enum Claim {
    Nothing,
    Job,
    Refused(String),
}

/// The flags of a command line, without their dashes.
fn flags(arguments: impl Iterator<Item = String>) -> io::Result<BTreeMap<String, String>> {
    let mut flags = BTreeMap::new();
    let mut arguments = arguments.peekable();
    while let Some(word) = arguments.next() {
        let Some(name) = word.strip_prefix('-') else {
            return Err(io::Error::other(format!("unexpected argument {word}")));
        };
        let name = name.trim_start_matches('-');
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (name, arguments.next_if(|next| !next.starts_with('-')).unwrap_or_default()),
        };
        flags.insert(name.to_owned(), value);
    }
    Ok(flags)
}

impl Agent {
    fn new(mut arguments: impl Iterator<Item = String>) -> io::Result<Agent> {
        let form = Form::of_program();
        if form == Form::MachineRunner && arguments.next().as_deref() != Some("machine") {
            return Err(io::Error::other("usage: circleci-runner machine --config FILE"));
        }
        let flags = flags(arguments)?;
        let flag = |name: &str| flags.get(name).cloned();
        let named = flag("config").or_else(|| flag("c")).map(PathBuf::from);
        let file = named.clone().unwrap_or_else(|| PathBuf::from("launch-agent-config.yaml"));
        let mut config = match fs::read_to_string(&file) {
            Ok(text) => serde_saphyr::from_str(&text).map_err(io::Error::other)?,
            // The one that it looks for need not be there.
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Config::default()
            }
            Err(error) => return Err(error),
        };
        let given = |key: &str| flag(key).or_else(|| form.variable(key));
        if let Some(token) = given("api.auth_token") {
            config.api.auth_token = token;
        }
        if let Some(name) = given("runner.name") {
            config.runner.name = name;
        }
        if config.api.auth_token.is_empty() || config.runner.name.is_empty() {
            return Err(io::Error::other("api.auth_token and runner.name are required"));
        }
        let url = given("api.url").or_else(|| config.api.url.clone());
        let beside = file.parent().unwrap_or(Path::new("/")).join("stand-in.control");
        Ok(Agent {
            form,
            claims_at: url.and_then(|url| Url::parse(&url).ok()).filter(is_loopback),
            control: std::env::var_os("STAND_IN_CONTROL").map_or(beside, PathBuf::from),
            last_control: String::new(),
            healthy: None,
            is_refused: false,
            begin: Instant::now(),
            config,
        })
    }

    fn work(&mut self) -> u8 {
        self.log("INFO", "starting agent", "name", &self.config.runner.name.clone());
        while TERMS.load(Ordering::SeqCst) == 0 {
            let control = fs::read_to_string(&self.control).unwrap_or_default();
            let order = |name: &str| {
                let words = |line: &str| {
                    let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
                    (word == name).then(|| rest.trim().parse::<u64>().unwrap_or(0))
                };
                control.lines().find_map(words)
            };
            if let Some(code) = order("exit") {
                return u8::try_from(code).unwrap_or(u8::MAX);
            }
            if self.form == Form::MachineRunner && self.is_refused {
                return 1;
            }
            if order("crash").is_some_and(|after| self.begin.elapsed().as_secs() >= after) {
                self.log("FATA", "crashed", "by", "order");
                return 2;
            }
            let ordered = order("job").filter(|_| control != self.last_control);
            let claimed = if order("unhealthy").is_some() {
                self.report(false);
                None
            } else {
                self.claim_once()
            };
            self.last_control = control;
            match ordered.or(claimed) {
                Some(seconds) => {
                    self.run_job(seconds);
                    if self.config.runner.mode == "single-task" {
                        break;
                    }
                }
                None => thread::sleep(POLL),
            }
        }
        self.log("INFO", "agent stopped", "name", &self.config.runner.name.clone());
        0
    }

    /// One claim, told to the log and the service manager; the seconds of the job it brought.
    fn claim_once(&mut self) -> Option<u64> {
        let answer = match &self.claims_at {
            Some(url) => claim(self.form, url, &self.config.api.auth_token),
            None => Ok(Claim::Nothing),
        };
        let error = match answer {
            Ok(Claim::Nothing) => {
                self.report(true);
                return None;
            }
            Ok(Claim::Job) => {
                self.report(true);
                return Some(1);
            }
            Ok(Claim::Refused(detail)) => detail,
            Err(error) => error.to_string(),
        };
        if self.healthy != Some(false) {
            let error = format!("unexpected error claiming task: {error}");
            self.log("ERRO", "error running task", "error", &error);
            self.is_refused = error.contains("401");
        }
        self.report(false);
        None
    }

    /// TERM lets the job end, a second one kills it.
    fn run_job(&mut self, seconds: u64) {
        let mut job = match Job::start(&self.config.runner, seconds) {
            Ok(job) => job,
            Err(error) => {
                return self.log("ERRO", "error running task", "error", &error.to_string());
            }
        };
        self.log("INFO", "job started", "pid", &job.id().to_string());
        let mut draining = false;
        let result = loop {
            if let Some(result) = job.ended() {
                break result;
            }
            let terms = TERMS.load(Ordering::SeqCst);
            if terms > 0 && !draining {
                draining = true;
                self.log("INFO", "draining", "jobs", "1");
            }
            if terms > 1 {
                job.kill();
            }
            thread::sleep(Duration::from_millis(20));
        };
        self.log("INFO", "job finished", "result", &result);
    }

    /// Tells the service manager, as the status text of the unit, when it is news.
    fn report(&mut self, healthy: bool) {
        let is_news = self.healthy.replace(healthy) != Some(healthy);
        if !self.form.notifies() {
            if is_news && healthy {
                self.log("INFO", "status", "", "");
            }
            return;
        }
        if is_news {
            let text = if healthy { "Healthy" } else { "Unhealthy" };
            #[cfg(target_os = "linux")]
            if let Err(error) = notify(&format!("STATUS={text}")) {
                self.log("WARN", "cannot notify", "error", &error.to_string());
            }
            self.log("INFO", "status", "status", text);
        }
    }

    fn log(&self, level: &str, message: &str, key: &str, value: &str) {
        let line = self.form.line(self.begin.elapsed(), (level, message), (key, value));
        let _ = io::stderr().write_all(line.as_bytes());
        if let Some(file) = self.config.logging.file.as_ref().filter(|file| *file != Path::new("-"))
        {
            let file = OpenOptions::new().append(true).create(true).open(file);
            let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "http" && matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn claim(form: Form, url: &Url, token: &str) -> io::Result<Claim> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = (host, url.port_or_known_default().unwrap_or(80)).to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::other("no such host"))?;
    let mut stream = TcpStream::connect_timeout(&address, CALL_LIMIT)?;
    stream.set_read_timeout(Some(CALL_LIMIT))?;
    write!(
        stream,
        "POST {}{} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        url.path().trim_end_matches('/'),
        form.claims_at()
    )?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    match answer.split_whitespace().nth(1).unwrap_or_default() {
        "204" => Ok(Claim::Nothing),
        "200" => Ok(Claim::Job),
        "401" => Ok(Claim::Refused(
            "server supplied detail: invalid bearer token (401-Unauthorized)".to_owned(),
        )),
        status => Ok(Claim::Refused(format!("unexpected status {status}"))),
    }
}

/// The protocol of `sd_notify(3)`; without a service manager there is nobody to tell.
#[cfg(target_os = "linux")]
fn notify(state: &str) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let Some(socket) = std::env::var("NOTIFY_SOCKET").ok().filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}
