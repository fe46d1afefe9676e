//! A server on loopback that gives one answer to every question.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

/// Answers `status`, with these headers and this body, after a while. Its URL.
pub fn server(status: &str, headers: &str, body: &str, after: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                let _ = connection.read(&mut [0; 4096]);
                thread::sleep(after);
                let _ = connection.write_all(answer.as_bytes());
            });
        }
    });
    url
}
