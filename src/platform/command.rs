//! The one way to run a program of the system: fixed folders, clean environment, a deadline,
//! captured output, and a trait so that tests see each call.

#[cfg(test)]
#[cfg(unix)]
mod fake_host;
mod programs;
#[cfg(test)]
mod script;

#[cfg(test)]
#[cfg(unix)]
pub(crate) use fake_host::{FakeHost, FakeState, Fault};
pub use programs::FOLDERS;
pub(crate) use programs::{looked_in, search_path};
#[cfg(test)]
pub(crate) use script::{Recorded, Script, typed};

use super::fs::Root;
use crate::{Code, Error, Foreign, Help, Result};
use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Most bytes of output kept, each of standard output and error; the rest is read and dropped.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// Lines that an error shows of what a program said.
const LINES: usize = 5;

/// A program and its arguments. Arguments are visible to every user: never a secret among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    program: &'static str,
    args: Vec<String>,
    timeout: Duration,
    folder: Option<Folder>,
}

/// Where a program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Folder {
    /// As the program's process reaches it.
    handle: PathBuf,
    /// As a person names it.
    name: PathBuf,
}

/// What a program answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The exit code; `None` when a signal ended the program.
    pub code: Option<i32>,
    /// Standard output, lossily as text.
    pub stdout: String,
    /// Standard error, lossily as text.
    pub stderr: String,
}

/// Who runs programs: the host, or a test's record.
pub trait Commands: Sync {
    /// Where the program stands, if it is there.
    fn find(&self, program: &str) -> Option<PathBuf>;

    /// Runs the program to its end; an exit code other than 0 is an answer, not an error.
    fn answer(&self, call: &Call) -> Result<Answer>;

    /// Runs the program and makes an error of any exit code other than 0.
    fn run(&self, call: &Call) -> Result<Answer> {
        let answer = self.answer(call)?;
        if answer.code == Some(0) { Ok(answer) } else { Err(answer.failure(call)) }
    }
}

/// Runs programs on this host.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostCommands;

impl Call {
    /// A call with a deadline of 30 seconds.
    pub fn new<A: Into<String>>(program: &'static str, args: impl IntoIterator<Item = A>) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self { program, args, timeout: Duration::from_secs(30), folder: None }
    }

    /// Another deadline.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Started in the folder of a root; else it is one that everyone may be in.
    #[must_use]
    pub fn inside(mut self, root: &Root) -> Self {
        self.folder = Some(Folder { handle: root.handle_path(), name: root.base().to_owned() });
        self
    }

    /// The program's name.
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// The arguments.
    pub fn args(&self) -> &[String] {
        &self.args
    }
}

impl fmt::Display for Call {
    /// As a person would type it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            write!(f, "cd {} && ", quoted(&folder.name.display().to_string()))?;
        }
        f.write_str(self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

impl Answer {
    /// Whether the program may have said more than was kept.
    pub(crate) fn is_cut(&self) -> bool {
        [&self.stdout, &self.stderr].iter().any(|text| text.len() as u64 >= OUTPUT_LIMIT)
    }

    /// The error for a program that did not do what it was asked.
    pub fn failure(&self, call: &Call) -> Error {
        let how =
            self.code.map_or("was ended by a signal".to_owned(), |code| format!("exit {code}"));
        let output = [&self.stderr, &self.stdout].map(|text| Foreign::new(text).last(LINES));
        match output.into_iter().find(|other| !other.is_empty()) {
            Some(output) => {
                Error::new(Code::StepFailed, format!("`{call}` failed ({how}); it said:"))
                    .output(output)
            }
            None => {
                Error::new(Code::StepFailed, format!("`{call}` failed ({how}); it said nothing"))
            }
        }
    }
}

impl Commands for HostCommands {
    fn find(&self, program: &str) -> Option<PathBuf> {
        programs::find(program)
    }

    fn answer(&self, call: &Call) -> Result<Answer> {
        let path = self.find(call.program).ok_or_else(|| {
            Error::new(Code::ToolMissing, format!("the program {:?} is not there", call.program))
                .help(Help::words(looked_in()))
        })?;
        tracing::debug!(%call, "run");
        let anywhere = Path::new(if cfg!(windows) { FOLDERS[0] } else { "/" });
        let mut command = Command::new(path);
        command
            .args(&call.args)
            .env_clear()
            .envs(environment())
            .current_dir(call.folder.as_ref().map_or(anywhere, |folder| &folder.handle))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        own_group(&mut command);
        let mut child = command.spawn().map_err(|error| {
            Error::new(Code::StepFailed, format!("`{call}` could not be started: {error}"))
        })?;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let code = wait(&mut child, call)?;
        let text = |reader: thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
        };
        let answer = Answer { code, stdout: text(stdout), stderr: text(stderr) };
        tracing::debug!(%call, ?code, "done");
        Ok(answer)
    }
}

/// What programs of Windows get of an environment, besides `PATH`: no script may read anything else.
/// Without the first most programs of the system do not start.
pub(crate) const OF_WINDOWS: [(&str, &str); 6] = [
    ("SystemRoot", r"C:\Windows"),
    ("SystemDrive", "C:"),
    ("ComSpec", r"C:\Windows\System32\cmd.exe"),
    ("PATHEXT", ".COM;.EXE;.BAT;.CMD"),
    ("TEMP", r"C:\Windows\Temp"),
    ("TMP", r"C:\Windows\Temp"),
];

/// All that a program gets of an environment.
fn environment() -> Vec<(&'static str, String)> {
    if cfg!(windows) {
        let mut all: Vec<_> = OF_WINDOWS.map(|(name, value)| (name, value.to_owned())).to_vec();
        all.push(("PATH", search_path()));
        return all;
    }
    vec![("PATH", search_path()), ("LC_ALL", "C".to_owned())]
}

/// Quotes an argument as a person would have to type it: for a POSIX shell, or by the rules of
/// Windows programs.
pub fn quoted(arg: &str) -> String {
    if cfg!(windows) { quoted_windows(arg) } else { quoted_posix(arg) }
}

/// By the rules that the C library of Windows reads a command line by: a quote is escaped, and
/// so are the backslashes in front of it.
fn quoted_windows(arg: &str) -> String {
    if !arg.is_empty() && !arg.contains([' ', '\t', '"']) {
        return arg.to_owned();
    }
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for c in arg.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                text.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        text.push(c);
    }
    text.extend(std::iter::repeat_n('\\', backslashes));
    text.push('"');
    text
}

fn quoted_posix(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        return arg.to_owned();
    }
    format!("'{}'", arg.replace('\'', r"'\''"))
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(OUTPUT_LIMIT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        kept
    })
}

fn wait(child: &mut Child, call: &Call) -> Result<Option<i32>> {
    let deadline = Instant::now() + call.timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.code()),
            Ok(None) if Instant::now() < deadline => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            Ok(None) => {
                end_group(child);
                let _ = child.wait();
                let seconds = call.timeout.as_secs();
                return Err(Error::new(
                    Code::CommandTimeout,
                    format!("`{call}` did not end within {seconds} s and was ended"),
                ));
            }
            Err(error) => {
                return Err(Error::new(Code::StepFailed, format!("`{call}` was lost: {error}")));
            }
        }
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// A console of its own that nobody sees: Ctrl-C at the person's does not end a program amid its work,
/// and what a program sets of its console, such as its code page, is not left behind at the person's.
#[cfg(windows)]
fn own_group(command: &mut Command) {
    /// Of `CreateProcess`.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NO_WINDOW);
}

#[cfg(unix)]
fn end_group(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if group.is_none_or(|group| kill_process_group(group, Signal::KILL).is_err()) {
        let _ = child.kill();
    }
}

#[cfg(not(unix))]
fn end_group(child: &mut Child) {
    let _ = child.kill();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script of the system's own shell.
    fn shell(posix: &str, windows: &str) -> Call {
        if cfg!(windows) {
            Call::new("cmd", ["/c", windows])
        } else {
            Call::new("sh", ["-c", posix])
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_program_runs_with_a_clean_environment() {
        let answer = HostCommands.run(&Call::new("env", [] as [&str; 0])).unwrap();
        let mut names: Vec<_> =
            answer.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let call = shell("sleep 60 & sleep 60", "ping -n 60 127.0.0.1");
        let error = HostCommands.answer(&call.within(Duration::from_millis(50))).unwrap_err();
        assert_eq!(error.code(), Code::CommandTimeout);
        assert!(error.message().contains("did not end within"), "{error}");
    }

    #[test]
    fn a_failure_says_what_was_run_and_what_it_said() {
        let call = shell("echo it is broken >&2; exit 3", "echo it is broken>&2& exit 3");
        let error = HostCommands.run(&call).unwrap_err();
        assert!(error.message().contains("exit 3") && error.message().contains("it is broken"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = HostCommands.run(&Call::new("no-such-tool", ["x"])).unwrap_err();
        assert_eq!(error.code(), Code::ToolMissing);
    }

    #[test]
    fn quotes_are_those_of_the_system() {
        assert_eq!(quoted_posix("it's"), r"'it'\''s'");
        for (plain, quoted) in [
            ("plain", "plain"),
            ("", "\"\""),
            (r"C:\Program Files\x", "\"C:\\Program Files\\x\""),
            (r"C:\with blank\", "\"C:\\with blank\\\\\""),
            (r#"say "hi""#, r#""say \"hi\"""#),
            (r#"\" x"#, r#""\\\" x""#),
        ] {
            assert_eq!(quoted_windows(plain), quoted);
        }
    }
}
