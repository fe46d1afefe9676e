//! The stand-in's only kind of job: a `sleep`, started as the agent starts a task-agent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::UNIX_EPOCH;

use crate::agent::Runner;

/// A job that runs.
pub(crate) struct Job {
    child: Child,
    folder: PathBuf,
    cleanup: bool,
}

impl Job {
    /// Makes the work folder and starts the job in it, behind `runner.command_prefix`.
    pub(crate) fn start(runner: &Runner, seconds: u64) -> io::Result<Job> {
        let since_1970 = UNIX_EPOCH.elapsed().map_or(0, |time| time.as_micros());
        let unique = format!("{since_1970:x}");
        let folder = PathBuf::from(runner.working_directory.replace("%s", &unique));
        fs::create_dir_all(&folder)?;
        let seconds = seconds.to_string();
        let sleep = ["sleep".to_owned(), seconds];
        let mut words = runner.command_prefix.iter().chain(&sleep);
        let program = words.next().map_or("sleep", String::as_str);
        let child =
            Command::new(program).args(words).current_dir(&folder).stdin(Stdio::null()).spawn()?;
        Ok(Job { child, folder, cleanup: runner.cleanup_working_directory })
    }

    /// The process that was started.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, once it has; its folder is then empty where that was asked for.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        if self.cleanup {
            empty(&self.folder);
        }
        Some(if status.success() { "success".to_owned() } else { status.to_string() })
    }

    /// Ends it now.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}
