//! A release bucket on a real nginx that answers as S3 does, a real squid to reach it through,
//! and a line between them that breaks.

use super::{
    certs::{Authority, Identity},
    process::Server,
};
use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

/// What S3 answers for a key that is not there, where listing is not allowed.
const DENIED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code>\
    <Message>Access Denied</Message></Error>";

/// nginx as S3: what is stored gzipped is served with that encoding whatever was asked for, with
/// ranges and ETag; what is missing is forbidden.
pub struct Bucket {
    // Ends before its folder goes.
    _server: Server,
    folder: tempfile::TempDir,
    port: u16,
    scheme: &'static str,
}

impl Bucket {
    /// `None`, having said so, where there is no nginx.
    pub fn start(what: &str, identity: Option<&Identity>) -> Option<Self> {
        Self::with(what, identity, "")
    }

    /// With directives of nginx that hold for the agents.
    pub fn limited(what: &str, directives: &str) -> Option<Self> {
        Self::with(what, None, directives)
    }

    fn with(what: &str, identity: Option<&Identity>, directives: &str) -> Option<Self> {
        let nginx = super::tool("nginx", what)?;
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let port = free_port();
        let user = if is_root() { "user root;" } else { "" };
        let (tls, scheme) = match identity {
            None => (String::new(), "http"),
            Some(Identity { certificate, key }) => (
                format!(
                    "ssl_certificate {}; ssl_certificate_key {};",
                    certificate.display(),
                    key.display()
                ),
                "https",
            ),
        };
        let listen = if identity.is_some() { "ssl" } else { "" };
        let mut config = format!(
            "daemon off; {user} pid {at}/pid; error_log stderr crit; events {{}}\nhttp {{\n\
             log_format short '$status $request_uri'; access_log {at}/log short;\n\
             default_type binary/octet-stream;\n"
        );
        for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            let _ = writeln!(config, "{name}_temp_path {at}/temporary-{name};");
        }
        let _ = write!(
            config,
            "server {{ listen 127.0.0.1:{port} {listen}; {tls} root {at}/objects;\n\
             location / {{ error_page 404 403 =403 @denied; }}\n\
             location ~ /circleci-launch-agent$ {{\n\
             {directives} add_header Content-Encoding gzip; error_page 404 =403 @denied; }}\n\
             location @denied {{ default_type application/xml; return 403 '{DENIED}'; }}\n\
             }}\n}}\n"
        );
        fs::create_dir(folder.path().join("objects")).unwrap();
        fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let server = Server::start(
            Command::new(nginx).arg("-p").arg(folder.path()).args(["-c", "nginx.conf"]),
        );
        wait_for(port);
        Some(Self { folder, port, scheme, _server: server })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// By this name of the server.
    pub fn url(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.scheme, self.port)
    }

    /// Puts an object below the agent's folder, in one moment, as S3 does.
    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join("objects/circleci-launch-agent").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let new = self.folder.path().join("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, path).unwrap();
    }

    /// Status and path of every request so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// squid with a login, which alone knows where `bucket.test` is.
pub struct Proxy {
    _server: Server,
    folder: tempfile::TempDir,
    port: u16,
}

impl Proxy {
    /// For one user; `None`, having said so, where there is no squid.
    pub fn start(what: &str, authority: &Authority, user: &str, password: &str) -> Option<Self> {
        let squid = super::tool("squid", what)?;
        let helper = ["/usr/lib/squid/basic_ncsa_auth", "/usr/lib64/squid/basic_ncsa_auth"];
        let Some(helper) = helper.into_iter().find(|path| Path::new(path).exists()) else {
            super::leave_out(what, "needs squid's basic_ncsa_auth");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // squid leaves root behind.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let at = folder.path().display();
        let port = free_port();
        let config = format!(
            "http_port 127.0.0.1:{port}\npid_filename {at}/pid\ncache_log {at}/cache.log\n\
             access_log stdio:{at}/log\ncoredump_dir {at}\ncache deny all\nshutdown_lifetime 0\n\
             hosts_file {at}/hosts\nvisible_hostname tests\npinger_enable off\n\
             dns_nameservers 127.0.0.1\ndns_timeout 1 second\n\
             auth_param basic program {helper} {at}/passwords\nauth_param basic realm tests\n\
             acl known proxy_auth REQUIRED\nacl forbidden dstdomain forbidden.test\n\
             http_access deny forbidden\nhttp_access allow known\nhttp_access deny all\n"
        );
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("squid.conf", &config);
        write("hosts", "127.0.0.1 bucket.test forbidden.test\n");
        write("passwords", &authority.password_line(user, password));
        let server = Server::start(
            // By a name of its own: squids of one name share memory, also with the host's own.
            Command::new(squid)
                .args(["-N", "-n", &format!("tests{port}"), "-f"])
                .arg(folder.path().join("squid.conf")),
        );
        wait_for(port);
        Some(Self { folder, port, _server: server })
    }

    /// With this login, if any.
    pub fn url(&self, login: &str) -> String {
        let at = if login.is_empty() { "" } else { "@" };
        format!("http://{login}{at}127.0.0.1:{}", self.port)
    }

    /// What was asked, by whom, and how it ended.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// A line that breaks: passes on to `port`, and cuts each connection that came before the
/// `breaks`-th after so many bytes of its answer.
pub fn breaking_line(port: u16, breaks: usize, after: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, asked) in listener.incoming().flatten().enumerate() {
            let limit = if number < breaks { after } else { u64::MAX };
            thread::spawn(move || pass_on(&asked, port, limit));
        }
    });
    format!("http://{address}")
}

fn pass_on(asked: &TcpStream, port: u16, limit: u64) {
    let answers = TcpStream::connect(("127.0.0.1", port)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::copy(&mut &*asked, &mut &answers);
            let _ = answers.shutdown(Shutdown::Write);
        });
        let mut buffer = vec![0; 16 << 10];
        let (mut from, mut passed) = ((&answers).take(limit), &*asked);
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if passed.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = (asked.shutdown(Shutdown::Both), answers.shutdown(Shutdown::Both));
    });
}

/// A port that nobody listens on; another process may take it, which a test then shows.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something listens.
///
/// # Panics
/// When nothing does for 10 s.
pub fn wait_for(port: u16) {
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing listens on port {port}");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Somewhere to install to, with a token.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.root()).unwrap();
        fs::write(place.token(), "0123456789".repeat(8)).unwrap();
        fs::set_permissions(place.token(), fs::Permissions::from_mode(0o600)).unwrap();
        place
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn token(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// The program, about to install here from this bucket, with nothing of our environment.
    pub fn install(&self, url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        command
            .env_clear()
            .args(["install", "--yes", "--json", "--name", "n", "--service", "none"])
            .args(["--agent", "launch-agent"])
            .args(["--timeout", "1", "--release-url", url, "--root"])
            .arg(self.root())
            .arg("--token-file")
            .arg(self.token());
        command
    }

    /// The binary that was installed, if any.
    pub fn binary(&self) -> Option<Vec<u8>> {
        fs::read(self.root().join("opt/circleci/circleci-launch-agent")).ok()
    }
}
