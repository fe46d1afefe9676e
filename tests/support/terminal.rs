//! The program at a real terminal, driven by what a test types and reads.

use pty_process::{Size, blocking};
use rustix::termios::{Termios, tcgetattr};
use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Longest wait for anything; a slow machine under load needs some of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest wait for what was said last, once the program has ended.
const LATE: Duration = Duration::from_secs(2);

/// The program and its terminal.
pub struct Terminal {
    pty: Arc<blocking::Pty>,
    child: Child,
    heard: Arc<Mutex<Vec<u8>>>,
    /// Hears until nothing has the terminal open any more.
    listener: JoinHandle<()>,
    read_to: usize,
    before: Settings,
    columns: u16,
}

/// What of a terminal's settings a program could leave wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Settings(String);

impl Terminal {
    /// Starts the program with these arguments, and nothing of this process's environment, in a
    /// window of so many columns.
    pub fn start(args: &[&str], folder: &Path, columns: u16) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_runnerup"));
        program.args(args).env_clear().current_dir(folder);
        Self::run(program, columns)
    }

    /// Runs a command at a terminal of its own.
    pub fn run(mut command: Command, columns: u16) -> Self {
        if command.get_envs().all(|(name, _)| name != "TERM") {
            command.env("TERM", "xterm");
        }
        let (pty, pts) = blocking::open().unwrap();
        pty.resize(Size::new(50, columns)).unwrap();
        let before = Settings::of(&pty);
        let child = blocking::Command::from(command).spawn(pts).unwrap();
        let (pty, heard) = (Arc::new(pty), Arc::<Mutex<Vec<u8>>>::default());
        let (reader, listener) = (Arc::clone(&pty), Arc::clone(&heard));
        let hearing = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a terminal is an error to Linux, and the end to others.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes) {
                listener.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Self { pty, child, heard, listener: hearing, read_to: 0, before, columns }
    }

    /// Waits until `text` is shown, after whatever was waited for before.
    pub fn expect(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            let shown = self.shown();
            let rest = shown.get(self.read_to..).unwrap_or_default();
            if let Some(at) = rest.find(text) {
                self.read_to += at + text.len();
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no {text:?} in\n{shown}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types the text.
    pub fn keys(&self, text: &str) {
        (&*self.pty).write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a question, then answers it.
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.expect(question);
        self.expect("> ");
        self.keys(&format!("{answer}\r"));
    }

    /// Waits for a question, then chooses from its menu by arrow keys.
    pub fn choose(&mut self, question: &str, entry: &str) {
        self.expect(question);
        let begun = Instant::now();
        let mut moves = 0;
        loop {
            let shown = self.shown();
            let menu = shown.get(self.read_to..).unwrap_or_default();
            let marked: Vec<&str> =
                menu.split(['\n', '\r']).filter_map(|row| row.strip_prefix("  > ")).collect();
            if marked.last().is_some_and(|row| row.starts_with(entry)) {
                self.read_to = shown.len();
                return self.keys("\r");
            }
            // Each press is seen before the next; the menu begins with an entry marked, or none.
            if menu.contains(&format!("    {entry}")) && marked.len() >= moves {
                self.keys("\u{1b}[B");
                moves = marked.len() + 1;
            }
            assert!(begun.elapsed() < PATIENCE, "no entry {entry:?} in\n{shown}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the program ends; its exit code.
    pub fn end(&mut self) -> i32 {
        let begun = Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it did not end:\n{}", self.shown());
            }
            thread::sleep(Duration::from_millis(5));
        };
        // What it said last may still be on its way. A process that it left has the terminal on.
        let ended = Instant::now();
        while !self.listener.is_finished() && ended.elapsed() < LATE {
            thread::sleep(Duration::from_millis(5));
        }
        status.code().unwrap_or(-1)
    }

    /// The program's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything shown so far, without colours and cursor moves.
    pub fn shown(&self) -> String {
        console::strip_ansi_codes(&self.raw()).into_owned()
    }

    /// Everything shown so far, as the terminal got it.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    /// That the terminal is as the program found it, its cursor shown.
    pub fn assert_restored(&self) {
        assert_eq!(Settings::of(&self.pty), self.before, "{}", self.shown());
        let raw = self.raw();
        let (hidden, shown) = (raw.rfind("\u{1b}[?25l"), raw.rfind("\u{1b}[?25h"));
        assert!(hidden.is_none() || hidden < shown, "the cursor stays hidden");
    }

    /// That no line is wider than the window, but for one that is a single word: a checksum must
    /// stay whole to be copied.
    pub fn assert_fits(&self) {
        for line in self.shown().split(['\n', '\r']) {
            if !line.trim().contains(' ') {
                continue;
            }
            let wide = console::measure_text_width(line);
            assert!(wide <= self.columns.into(), "{wide} columns: {line}\n{}", self.shown());
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Settings {
    fn of(pty: &blocking::Pty) -> Self {
        let Termios {
            input_modes, output_modes, control_modes, local_modes, special_codes, ..
        } = tcgetattr(pty).unwrap();
        Self(format!(
            "{input_modes:?} {output_modes:?} {control_modes:?} {local_modes:?} {special_codes:?}"
        ))
    }
}
