//! Processes that a test starts: with a limit, and none of them left behind.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A server that runs beside a test, and ends with it.
pub struct Server(Child);

impl Server {
    /// Starts it without input; what it prints goes where the test's own output goes.
    pub fn start(command: &mut Command) -> Server {
        Server(command.stdin(Stdio::null()).spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // TERM first: a master process takes its workers along.
        signal(self.0.id(), Signal::TERM);
        for _ in 0..100 {
            if let Ok(Some(_)) | Err(_) = self.0.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        signal(self.0.id(), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// The output of a command, or `None` when it took longer than `limit` and was killed.
/// Standard input and output must be pipes.
pub fn finish(command: &mut Command, stdin: &[u8], limit: Duration) -> Option<Output> {
    let mut child = command.spawn().unwrap();
    let pid = child.id();
    let mut input = child.stdin.take().unwrap();
    let (done, waiting) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A command may end without having read it all.
            let _ = input.write_all(stdin);
        });
        scope.spawn(move || done.send(child.wait_with_output().unwrap()));
        let output = waiting.recv_timeout(limit).ok();
        if output.is_none() {
            children(pid).into_iter().chain([pid]).for_each(|pid| signal(pid, Signal::KILL));
        }
        output
    })
}

/// The processes that a process started and has not yet buried.
pub fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Gone, or waiting only to be asked how it ended.
pub fn has_ended(pid: u32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    status.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Does nothing when the process is gone.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}
