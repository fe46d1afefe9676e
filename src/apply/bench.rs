//! A folder to do steps in, with an account that is only a line of its `passwd`.

use super::{Host, StepReporter, Task};
use crate::{
    Result,
    host::ServiceState,
    platform::{
        Os,
        command::{Answer, Call, Commands},
        fs::Root,
        system,
    },
    record::{Receipt, Step},
    service::{Hints, Services},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// A root with the folder `replaceable_by`, which belongs to the account with the number 4242.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    pub(super) root: Root,
}

struct NoCommands;

pub(super) struct Silent;

/// Services that do something of the test's own when one is to be enabled.
pub(super) struct OnEnable<'a>(pub(super) &'a dyn Fn() -> Result<()>);

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["etc", "ground", "home", "var"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let passwd = "root:x:0:0::/root:/bin/sh\ncircleci:x:4242:4242::/home/circleci:/bin/sh\n";
        fs::write(folder.path().join("etc/passwd"), passwd).unwrap();
        #[cfg(unix)]
        if crate::platform::privilege::is_privileged() {
            let replaceable_by = folder.path().join("ground");
            std::os::unix::fs::chown(replaceable_by, Some(4242), Some(4242)).unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        Self { folder, root }
    }

    /// Where a path of the root is.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

pub(super) fn run(bench: &Bench, steps: &[Step], receipt: Receipt) -> Result<Option<Receipt>> {
    run_with(bench, None, steps, receipt)
}

pub(super) fn run_with(
    bench: &Bench,
    services: Option<&dyn Services>,
    steps: &[Step],
    receipt: Receipt,
) -> Result<Option<Receipt>> {
    let system = system::of(Os::Linux, &NoCommands, &bench.root, false);
    let host = Host {
        root: &bench.root,
        commands: &NoCommands,
        system: system.as_ref(),
        services,
        source: None,
        report: &Silent,
    };
    super::run(Task { command: "install", steps, receipt }, &host)
}

impl Commands for NoCommands {
    fn find(&self, _: &str) -> Option<PathBuf> {
        None
    }

    fn answer(&self, call: &Call) -> Result<Answer> {
        panic!("{call} was not expected");
    }
}

impl StepReporter for Silent {
    fn begins(&self, _: usize, _: usize, _: &Step) {}
    fn done(&self) {}
    fn waits(&self, _: &str) {}
    fn tells(&self, _: &str) {}
    fn leaves(&self, _: &str) {}
    fn undoes(&self, _: &str) {}
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl Services for OnEnable<'_> {
    fn reload(&self) -> Result<()> {
        Ok(())
    }
    fn enable(&self, _: &str) -> Result<()> {
        (self.0)()
    }
    fn disable(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn start(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn stop(&self, _: &str, _: Duration) -> Result<()> {
        Ok(())
    }
    fn state(&self, _: &str) -> Result<ServiceState> {
        Ok(ServiceState::default())
    }
    fn last_lines(&self, _: &str, _: usize) -> Result<String> {
        Ok(String::new())
    }
    fn is_running(&self) -> bool {
        true
    }
    fn hints(&self, _: &str) -> Hints {
        Hints { inspect: String::new(), follow: String::new() }
    }
}

/// The content of a file of the root, if there is one.
pub(super) fn content(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// What the steps work with, in the middle of a run.
#[cfg(target_os = "linux")]
pub(super) fn tools<T>(bench: &Bench, work: impl FnOnce(&super::act::Tools<'_>) -> T) -> T {
    tools_with(bench, None, work)
}

/// The same with a service manager.
#[cfg(target_os = "linux")]
pub(super) fn tools_with<T>(
    bench: &Bench,
    services: Option<&dyn Services>,
    work: impl FnOnce(&super::act::Tools<'_>) -> T,
) -> T {
    let system = system::of(Os::Linux, &NoCommands, &bench.root, false);
    let host = Host {
        root: &bench.root,
        commands: &NoCommands,
        system: system.as_ref(),
        services,
        source: None,
        report: &Silent,
    };
    let state = super::state::StateFolder::lock(&bench.root, system.as_ref()).unwrap();
    let tools = super::act::Tools {
        host: &host,
        state: &state,
        run: "r",
        key: b"",
        cures: false,
        undoes: false,
        lost: std::cell::RefCell::default(),
    };
    work(&tools)
}
