//! Whole installs and uninstalls of Windows and macOS, done by the engine itself against a host
//! that only pretends: every command in its order, against what is written down in
//! `tests/calls/`, and what is left when any of them fails, hangs, or is the last one.
//!
//! `RUNNERUP_BLESS=1 cargo test --lib full_installs` writes them anew; the difference is to be read.

use crate::{
    Code, Result,
    agent::{Kind, Token},
    apply::{self, BinarySource, Host, StepReporter, Task},
    host::Facts,
    plan::{self, Plan, UninstallOptions},
    platform::{
        Os,
        command::{Call, FakeHost, FakeState, Fault},
        fs::Root,
        left_out::needs_root,
        privilege::is_privileged,
        system,
    },
    probe::{self},
    record::{Digest, Receipt, Step},
    release::Artifact,
    service::{Services, launchd::Launchd, task_scheduler::Tasks},
    settings::{HostDefaults, SettingValue, Settings, Source, Spec},
    values::{Manager, Sha256},
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

const TOKEN: &str =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const AGENT: &[u8] = b"the agent";

/// A host of `os` that has nothing of ours.
struct Stage {
    folder: tempfile::TempDir,
    root: Root,
    host: FakeHost,
    case: Case,
}

/// What is installed on which system.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    agent: Kind,
    os: Os,
    desktop: bool,
}

struct Agent;

impl BinarySource for Agent {
    fn fetch(&self, artifact: &Artifact, mut into: File) -> Result<Sha256> {
        into.write_all(AGENT).unwrap();
        Ok(artifact.sha256)
    }
}

struct Nobody;

impl StepReporter for Nobody {
    fn begins(&self, _: usize, _: usize, _: &Step) {}
    fn done(&self) {}
    fn waits(&self, _: &str) {}
    fn tells(&self, _: &str) {}
    fn leaves(&self, what: &str) {
        panic!("left: {what}");
    }
    fn undoes(&self, _: &str) {}
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl Stage {
    fn new(case: Case) -> Self {
        // Hundreds of runs, each of which waits for the disk again and again: where memory serves.
        let memory = Some(Path::new("/dev/shm")).filter(|folder| folder.is_dir());
        let folder = memory.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
        // A run that is killed before its first step knows of no folder above its own.
        fs::create_dir_all(folder.path().join("var/lib")).unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let passwd = folder.path().join("etc/passwd");
        fs::write(&passwd, "root:x:0:0::/root:/bin/sh\n").unwrap();
        let mut told = FakeState::default();
        // One value stands as another, one as another kind, and one key is not there.
        let delegation = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CredentialsDelegation";
        let terminal = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server";
        for (key, name, value) in [
            (delegation, "AllowSavedCredentialsWhenNTLMOnly", "REG_SZ|0"),
            (terminal, "fDenyTSConnections", "REG_DWORD|0x1"),
        ] {
            told.registry.insert(format!("{key}|{name}"), value.to_owned());
            told.keys.insert(key.to_owned());
        }
        let root = Root::open(folder.path()).unwrap();
        Self { root, host: FakeHost::new(passwd, told), folder, case }
    }

    fn services(&self) -> Box<dyn Services + '_> {
        match self.case.os {
            Os::Windows => Box::new(Tasks::new(&self.host)),
            _ => Box::new(Launchd::new(&self.host)),
        }
    }

    fn facts(&self) -> Facts {
        let facts = probe::of_host(&self.root, &self.host, "default").unwrap();
        Facts { is_host: true, privileged: is_privileged(), systemd_runs: false, ..facts }
    }

    fn install(&self) -> Plan {
        let (platform, manager) = match self.case.os {
            Os::Windows => ("windows/amd64", Manager::TaskScheduler),
            _ => ("darwin/arm64", Manager::Launchd),
        };
        let here = HostDefaults::new(platform.parse().unwrap(), manager);
        let mut settings = Settings::default();
        for (name, value) in [
            ("agent", self.case.agent.profile().name),
            ("url", "https://ci.example.com"),
            ("version", self.case.agent.profile().versions.example),
            ("name", "builder"),
            ("desktop-session", if self.case.desktop { "true" } else { "false" }),
        ] {
            settings.add(name, SettingValue::one(value, Source::Flag)).unwrap();
        }
        let token = TOKEN.parse::<Token>().unwrap();
        let spec = Spec::resolve(&settings, Some(token), here).unwrap();
        let mut facts = self.facts();
        let sum = Digest::of(AGENT, None).to_string().replace("sha256:", "");
        let artifact = Artifact::new(
            &spec.release_url,
            spec.agent,
            spec.agent.profile().versions.example.parse().unwrap(),
            here.platform,
            sum.parse().unwrap(),
        );
        facts.release = Some(artifact.unwrap());
        let queries = plan::queries(&spec, &facts);
        probe::examine_paths(
            &mut facts,
            &self.root,
            &self.host,
            Some(self.services().as_ref()),
            &queries,
        )
        .unwrap();
        plan::install(&spec, &settings, &facts).unwrap()
    }

    fn uninstall(&self, purge: bool) -> Option<Plan> {
        let mut facts = self.facts();
        let queries = plan::uninstall_queries(&facts);
        probe::examine_paths(
            &mut facts,
            &self.root,
            &self.host,
            Some(self.services().as_ref()),
            &queries,
        )
        .unwrap();
        plan::uninstall(&facts, UninstallOptions { purge, force: false })
    }

    fn apply(&self, plan: &Plan) -> Result<Option<Receipt>> {
        let services = self.services();
        let system = system::of(self.case.os, &self.host, &self.root, true);
        let host = Host {
            root: &self.root,
            commands: &self.host,
            system: system.as_ref(),
            services: Some(services.as_ref()),
            source: Some(&Agent),
            report: &Nobody,
        };
        let receipt = plan.receipt.clone();
        apply::run(Task { command: "install", steps: &plan.steps, receipt }, &host)
    }

    fn remove_empty_state(&self) {
        let system = system::of(self.case.os, &self.host, &self.root, true);
        apply::remove_empty_state(&self.root, system.as_ref()).unwrap();
    }

    /// All that is below the root, and all that the tools were told.
    fn state(&self) -> (BTreeMap<String, Vec<u8>>, FakeState) {
        let mut files = BTreeMap::new();
        list(self.folder.path(), &mut files);
        (files, self.host.state())
    }

    /// The calls, each with this run's own names left out.
    fn shown(&self, calls: &[Call]) -> String {
        let base = format!("{}/", self.folder.path().display());
        let mut text = String::new();
        for call in calls {
            let args = call.args().join(" ");
            let mut line = format!("{} {args}", call.program());
            if call.program() == "powershell" {
                line = line.replace("; ", ";\n    ");
            }
            line = line.replace(&base, if self.case.os == Os::Windows { "" } else { "/" });
            while let Some(at) = line.find(".runnerup-") {
                line.replace_range(at..at + ".runnerup-".len() + 16, ".RUN");
            }
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

fn list(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.insert(path.display().to_string(), Vec::new());
            list(&path, files);
        } else {
            files.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
}

fn compare(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls").join(name);
    assert!(!text.contains(TOKEN), "{name} holds the token");
    if std::env::var_os("RUNNERUP_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert!(known == text, "{} differs; the calls are now:\n{text}", file.display());
}

/// Without root nothing of macOS is given to its owner, and Windows is left out: the folders that
/// its account may only read are closed to whoever makes them here.
fn cases() -> Vec<Case> {
    let case = |name, agent, os| Case { name, agent, os, desktop: false };
    let mut all = vec![MAC, case("darwin-runner", Kind::MachineRunner, Os::Darwin)];
    if !needs_root("whole runs on Windows, and the owners of what those on macOS make") {
        let windows = case("windows", Kind::LaunchAgent, Os::Windows);
        all.extend([
            windows,
            Case { name: "windows-desktop", desktop: true, ..windows },
            case("windows-runner", Kind::MachineRunner, Os::Windows),
        ]);
    }
    all
}

const MAC: Case = Case { name: "darwin", agent: Kind::LaunchAgent, os: Os::Darwin, desktop: false };

#[test]
fn every_command_comes_as_it_is_written_down() {
    for case in cases() {
        let (name, stage) = (case.name, Stage::new(case));
        let before = stage.state();
        let plan = stage.install();
        stage.host.calls();
        stage.apply(&plan).unwrap();
        compare(&format!("{name}-install.txt"), &stage.shown(&stage.host.calls()));
        let again = stage.install();
        assert!(again.is_satisfied(), "{name}: {:?}", again.steps);
        compare(&format!("{name}-look.txt"), &stage.shown(&stage.host.calls()));
        let plan = stage.uninstall(false).unwrap();
        stage.host.calls();
        stage.apply(&plan).unwrap();
        compare(&format!("{name}-uninstall.txt"), &stage.shown(&stage.host.calls()));
        let plan = stage.uninstall(true).unwrap();
        stage.host.calls();
        stage.apply(&plan).unwrap();
        compare(&format!("{name}-purge.txt"), &stage.shown(&stage.host.calls()));
        assert_same(&stage.state(), &before, name);
    }
}

/// The directory goes on saying that there is no account, and launchd that a label is in use.
#[test]
fn a_mac_that_knows_of_changes_late_is_waited_for() {
    if needs_root("an install on a Mac that answers late") {
        return;
    }
    let stage = Stage::new(MAC);
    let plan = stage.install();
    stage.host.answer_late(2);
    stage.apply(&plan).unwrap();
    assert!(stage.install().is_satisfied());
    let calls = stage.shown(&stage.host.calls());
    for (call, times) in [("dscacheutil -flushcache", 2), ("launchctl bootstrap", 3)] {
        assert_eq!(calls.matches(call).count(), times, "{calls}");
    }
}

/// What sets a list replaces the rights of those alone whom it names.
#[test]
fn a_folder_that_was_there_loses_what_its_list_gave_to_others() {
    for case in cases().into_iter().filter(|case| case.name == "windows") {
        let stage = Stage::new(case);
        fs::create_dir_all(stage.folder.path().join("Program Files/CircleCI")).unwrap();
        let plan = stage.install();
        stage.host.calls();
        stage.apply(&plan).unwrap();
        let calls = stage.shown(&stage.host.calls());
        let at = |what: &str| {
            let call = format!("icacls C:/Program Files/CircleCI {what}");
            calls.find(&call).unwrap_or_else(|| panic!("{what}: {calls}"))
        };
        assert!(at("/reset") < at("/inheritance:r"));
    }
}

#[test]
fn a_command_that_fails_or_hangs_is_told_and_all_before_it_undone() {
    for case in cases() {
        let name = case.name;
        for number in 0..calls_of_an_install(case) {
            for fault in [Fault::Fails(number), Fault::Hangs(number)] {
                let stage = Stage::new(case);
                let before = stage.state();
                let plan = stage.install();
                stage.host.make(fault);
                let done = stage.apply(&plan);
                let when = format!("{name}, {fault:?}, {}", stage.shown(&stage.host.calls()));
                let Err(error) = done else {
                    // What Gatekeeper says, and what is there already: asked, and not needed.
                    assert!(stage.install().is_satisfied(), "{when}");
                    continue;
                };
                let is_code = match (error.code(), &fault) {
                    (Code::StepFailed, _) | (Code::CommandTimeout, Fault::Hangs(_)) => true,
                    (_, _) => false,
                };
                assert!(is_code, "{when}: {error}");
                let words = error.message();
                let is_told = words.contains("it said no") || words.contains("did not end within");
                assert!(is_told, "{when}: {error}");
                assert_same(&stage.state(), &before, &when);
            }
        }
    }
}

#[test]
fn a_run_that_is_killed_at_any_command_is_finished_or_taken_away() {
    for case in cases() {
        let name = case.name;
        for number in 0..calls_of_an_install(case) {
            for finishes in [false, true] {
                let stage = Stage::new(case);
                let before = stage.state();
                let plan = stage.install();
                stage.host.make(Fault::Kills(number));
                let killed = catch_unwind(AssertUnwindSafe(|| stage.apply(&plan))).is_err();
                let when = format!("{name}, {}", stage.shown(&stage.host.calls()));
                assert!(killed, "{when}");
                stage.host.make(Fault::Kills(usize::MAX));
                if finishes {
                    stage.apply(&stage.install()).unwrap();
                    let again = stage.install();
                    assert!(again.is_satisfied(), "{when}: {:?}", again.steps);
                }
                // Killed before its first step, it has left nothing to uninstall.
                if let Some(plan) = stage.uninstall(true) {
                    stage.apply(&plan).unwrap();
                }
                stage.remove_empty_state();
                assert_same(&stage.state(), &before, &when);
            }
        }
    }
}

#[test]
fn an_uninstall_that_does_not_end_is_ended_by_the_next() {
    for case in cases() {
        let name = case.name;
        let mut number = 0;
        let mut is_over = false;
        while !is_over {
            for fault in [Fault::Fails(number), Fault::Hangs(number), Fault::Kills(number)] {
                let stage = Stage::new(case);
                let before = stage.state();
                stage.apply(&stage.install()).unwrap();
                let plan = stage.uninstall(true).unwrap();
                stage.host.make(fault);
                let done = catch_unwind(AssertUnwindSafe(|| stage.apply(&plan)));
                let calls = stage.host.calls();
                is_over = calls.len() <= number;
                let when = format!("{name}, {fault:?}, {}", stage.shown(&calls));
                if let (Fault::Fails(_) | Fault::Hangs(_), Ok(Err(error))) = (fault, &done) {
                    let words = error.message();
                    let is_told = words.contains("it said no") || words.contains("did not end");
                    assert!(is_told, "{when}: {error}");
                }
                stage.host.make(Fault::Kills(usize::MAX));
                if let Some(plan) = stage.uninstall(true) {
                    stage.apply(&plan).unwrap();
                }
                stage.remove_empty_state();
                assert_same(&stage.state(), &before, &when);
            }
            number += 1;
        }
        assert!(number > 5, "{name}: {number} calls");
    }
}

fn calls_of_an_install(case: Case) -> usize {
    let stage = Stage::new(case);
    let plan = stage.install();
    stage.host.calls();
    stage.apply(&plan).unwrap();
    stage.host.calls().len()
}

fn assert_same(
    now: &(BTreeMap<String, Vec<u8>>, FakeState),
    before: &(BTreeMap<String, Vec<u8>>, FakeState),
    when: &str,
) {
    assert_eq!(now.1, before.1, "{when}");
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&now.0), names(&before.0), "{when}");
    assert!(now.0 == before.0, "{when}: a file has another content");
}
