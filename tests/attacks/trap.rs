//! A server that only writes down what it is asked for.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// See the module.
pub struct Trap {
    address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Trap {
    /// Takes connections until the process ends.
    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writing = Arc::clone(&lines);
        thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let _ = connection.set_read_timeout(Some(Duration::from_secs(2)));
                let mut line = String::new();
                let _ = BufReader::new(&connection).read_line(&mut line);
                writing.lock().unwrap().push(line.trim_end().to_owned());
                let _ =
                    connection.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            }
        });
        Self { address, lines }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first line of each request since this was asked last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}
