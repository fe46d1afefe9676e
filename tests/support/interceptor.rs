//! mitmproxy: a proxy that opens TLS with a certificate of an authority of its own.

use super::{
    bucket::{free_port, wait_for},
    process::Server,
};
use std::process::{Command, Stdio};

pub struct Interceptor {
    port: u16,
    _folder: tempfile::TempDir,
    _server: Server,
}

impl Interceptor {
    /// `None`, having said so, where there is no mitmproxy.
    pub fn start(what: &str) -> Option<Self> {
        let program = super::tool("mitmdump", what)?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new(program);
        command
            .args(["--listen-host", "127.0.0.1", "--listen-port", &port.to_string()])
            // It opens what it is asked for at once; behind it nothing is reached.
            .args(["--quiet", "--set", "connection_strategy=lazy", "--set"])
            .arg(format!("confdir={}", folder.path().display()))
            .env("HOME", folder.path())
            .stdout(Stdio::null());
        let server = Server::start(&mut command);
        wait_for(port);
        Some(Self { port, _folder: folder, _server: server })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
