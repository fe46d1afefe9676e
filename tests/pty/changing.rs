//! What is shown while the host is changed, and before a fix of it.

use crate::{stage::Stage, terminal::Terminal};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

#[test]
fn ctrl_c_while_the_host_is_changed_undoes_what_was_done() {
    let stage = Stage::new();
    let root = stage.root().join("root");
    fs::create_dir(&root).unwrap();
    let mut person = stage.install_from(&stalling_bucket(), &root);
    person.expect("4 B/1.00 MB");
    person.keys("\u{3}");
    person.expect("Stopping at the next safe place");
    person.expect("undoing");
    person.expect("error[E130001]");
    assert_eq!(person.end(), 130);
    person.assert_restored();
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "{}", person.shown());
}

#[test]
fn progress_is_shown_in_a_narrow_window() {
    let stage = Stage::new();
    let root = stage.root().join("root");
    fs::create_dir(&root).unwrap();
    let mut person = stage.install_from(&stage.bucket.url(), &root);
    person.expect("+ Downloaded and verified");
    person.expect("Installed");
    assert_eq!(person.end(), 0);
    person.assert_restored();
    person.assert_fits();
}

/// What is wrong stands before the question, and Enter alone changes nothing.
#[test]
fn a_fix_is_asked_for_after_what_is_wrong() {
    let stage = Stage::new();
    let root = stage.root().join("root");
    fs::create_dir(&root).unwrap();
    assert_eq!(stage.install_from(&stage.bucket.url(), &root).end(), 0);
    let binary = root.join("opt/circleci/circleci-launch-agent");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(&binary, mode(0o644)).unwrap();
    let root_text = root.display().to_string();
    let args = ["doctor", "--root", &root_text, "--fix"];
    let mut person = Terminal::start(&args, stage.root(), 80);
    person.expect("permissions/binary-executable");
    person.expect("evidence: ");
    person.expect("Do this?");
    person.expect("  > No");
    person.keys("\r");
    person.expect("+ Do this?  No");
    person.expect("Nothing was changed.");
    assert_eq!(person.end(), 1, "{}", person.shown());
    assert_eq!(fs::metadata(&binary).unwrap().permissions(), mode(0o100_644));
    person.assert_restored();
}

/// A bucket that begins to send the binary and then says nothing more.
fn stalling_bucket() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || stall(connection));
        }
    });
    format!("http://{address}")
}

fn stall(mut connection: TcpStream) {
    let asked = BufReader::new(connection.try_clone().unwrap());
    let mut lines = asked.lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        lines.by_ref().find(String::is_empty);
        let platform = runnerup::platform::Platform::of_this_host().unwrap();
        let body = match request {
            path if path.contains("release.txt") => "1.1.73695-40bf772\n".to_owned(),
            path if path.contains("checksums.txt") => {
                format!("{} *{platform}/circleci-launch-agent\n", "0".repeat(64))
            }
            _ => {
                let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n\x7fELF";
                connection.write_all(head).unwrap();
                return thread::sleep(Duration::from_secs(60));
            }
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body.as_bytes()).unwrap();
    }
}
