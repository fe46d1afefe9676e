//! Which processes are jobs.

use super::{Install, Process};

/// What Windows itself starts below a program: the host of its console, which every program of the
/// console has whose parent has none, and the report of a crash. (Microsoft: a console in a new window
/// "will have a child process of conhost.exe"; records of event 4688 name the program as its parent.)
const OF_WINDOWS: [&str; 3] = ["conhost.exe", "openconsole.exe", "werfault.exe"];

impl Install {
    /// What the agent has started that has not ended: its jobs. `None` where that is not known, or no
    /// agent runs.
    pub fn jobs(&self) -> Option<impl Iterator<Item = &Process>> {
        let processes = self.processes.ok()?;
        let main = processes.first()?.pid;
        Some(processes.iter().filter(move |process| {
            process.parent == main && process.state != 'Z' && !is_of_windows(&process.name)
        }))
    }
}

fn is_of_windows(name: &str) -> bool {
    OF_WINDOWS.iter().any(|known| name.eq_ignore_ascii_case(known))
}
