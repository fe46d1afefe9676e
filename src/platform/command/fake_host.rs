//! A host that is none of this machine: it answers as the tools of Windows and macOS do, and
//! keeps what they are told. Every call that does something can be made to fail, to hang, or to
//! be the last one before the run is killed.

use super::{Answer, Call, Commands, Script, typed};
use crate::Result;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::Mutex,
};

/// What goes wrong, at the call of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Fails(usize),
    Hangs(usize),
    /// Once the call was done.
    Kills(usize),
}

/// What the tools were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FakeState {
    /// `KEY|NAME` to `KIND|DATA`.
    pub(crate) registry: BTreeMap<String, String>,
    pub(crate) keys: BTreeSet<String>,
    /// Tasks, or labels of launchd, and whether they run.
    pub(crate) services: BTreeMap<String, bool>,
    pub(crate) disabled: BTreeSet<String>,
    /// How many times a directory has to be told to forget before it knows a new account.
    pub(crate) forgets_late: usize,
    /// Accounts that it does not know yet.
    pub(crate) late: Vec<String>,
    /// How many times launchd refuses to load a definition.
    pub(crate) refusals: usize,
    /// Whether the account's own store holds its password.
    pub(crate) is_saved: bool,
}

pub(crate) struct FakeHost {
    /// The `passwd` that stands for the host's accounts.
    pub(crate) passwd: PathBuf,
    state: Mutex<FakeState>,
    calls: Mutex<Vec<Call>>,
    fault: Mutex<Option<Fault>>,
}

const TASKS: [&str; 4] = [
    "CircleCI Launch Agent session keeper",
    "CircleCI Launch Agent",
    "CircleCI Runner Agent session keeper",
    "CircleCI Runner Agent",
];

impl FakeHost {
    pub(crate) fn new(passwd: PathBuf, state: FakeState) -> Self {
        let (state, calls, fault) = (Mutex::new(state), Mutex::default(), Mutex::default());
        Self { passwd, state, calls, fault }
    }

    /// Has it answer late: what was changed is to be read again, or tried again.
    pub(crate) fn answer_late(&self, times: usize) {
        let mut state = self.state.lock().unwrap();
        (state.forgets_late, state.refusals) = (times, times);
    }

    pub(crate) fn state(&self) -> FakeState {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The calls since this was asked last.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// From the next call on, counted from 0.
    pub(crate) fn make(&self, fault: Fault) {
        self.calls();
        *self.fault.lock().unwrap() = Some(fault);
    }

    fn has(&self, account: &str) -> bool {
        let text = fs::read_to_string(&self.passwd).unwrap();
        text.lines().any(|line| line.starts_with(&format!("{account}:")))
    }

    /// Makes an account with these numbers, or removes it. Windows has none: its are empty.
    fn account(&self, name: &str, numbers: Option<&str>) {
        let text = fs::read_to_string(&self.passwd).unwrap();
        let mut lines: Vec<_> =
            text.lines().filter(|line| !line.starts_with(&format!("{name}:"))).collect();
        let line = numbers.map(|numbers| format!("{name}:x:{numbers}::/Users/{name}:/bin/zsh"));
        lines.extend(line.as_deref());
        fs::write(&self.passwd, lines.join("\n") + "\n").unwrap();
    }

    fn reg(&self, args: &[&str]) -> (i32, String) {
        let mut state = self.state.lock().unwrap();
        let whole = |key: &str| key.replacen("HKLM", "HKEY_LOCAL_MACHINE", 1);
        match args {
            ["query", key, "/v", name] => match state.registry.get(&format!("{key}|{name}")) {
                Some(value) => {
                    let (kind, data) = value.split_once('|').unwrap();
                    (0, format!("\r\n{}\r\n    {name}    {kind}    {data}\r\n\r\n", whole(key)))
                }
                None => (1, "ERROR: The system was unable to find it.".to_owned()),
            },
            ["query", key] => {
                let inside =
                    state.registry.keys().any(|other| other.starts_with(&format!("{key}|")));
                let below = state.keys.iter().find(|other| other.starts_with(&format!("{key}\\")));
                match state.keys.contains(*key) {
                    true if inside => (0, format!("{}\r\n    x    REG_SZ    x\r\n", whole(key))),
                    true => (0, below.map_or_else(String::new, |text| whole(text) + "\r\n")),
                    false => (1, "ERROR: The system was unable to find it.".to_owned()),
                }
            }
            ["add", key, "/v", name, "/t", kind, "/d", data, "/f"] => {
                state.registry.insert(format!("{key}|{name}"), format!("{kind}|{data}"));
                let mut key = *key;
                while state.keys.insert(key.to_owned()) {
                    key = key.rsplit_once('\\').unwrap().0;
                }
                (0, String::new())
            }
            ["delete", key, "/v", name, "/f"] => (
                i32::from(state.registry.remove(&format!("{key}|{name}")).is_none()),
                String::new(),
            ),
            ["delete", key, "/f"] => (i32::from(!state.keys.remove(*key)), String::new()),
            other => panic!("reg: {other:?}"),
        }
    }

    fn powershell(&self, script: &str) -> (i32, String) {
        let task = TASKS.iter().find(|task| script.contains(&format!("'{task}'")));
        let mut state = self.state.lock().unwrap();
        let task = task.map(|task| (*task).to_owned());
        let saves = script.contains("CredWriteW([ref]");
        match task {
            None if script.contains("$me.IsInRole(") => {
                return (0, "True S-1-5-32-544\r\n".to_owned());
            }
            None if script.contains("Win32_DeviceGuard") => return (0, "False\r\n".to_owned()),
            None if script.contains("New-LocalUser") => self.account("circleci", Some(":")),
            None if script.contains("Remove-LocalUser") => self.account("circleci", None),
            Some(task) if script.contains("ConvertTo-Json") => {
                return (
                    0,
                    match state.services.get(&task) {
                        None => "\r\n".to_owned(),
                        Some(true) => {
                            "{\"state\":\"Running\",\"result\":267009,\"pid\":7,\"stale\":false}"
                                .to_owned()
                        }
                        Some(false) => {
                            "{\"state\":\"Ready\",\"result\":0,\"pid\":null,\"stale\":false}"
                                .to_owned()
                        }
                    },
                );
            }
            Some(task) if script.contains("; Unregister-") || script.contains(" Unregister-") => {
                state.is_saved &= !script.contains("CredDeleteW(");
                state.services.remove(&task);
            }
            Some(task) if script.contains("Disable-ScheduledTask") => {
                state.services.insert(task, false);
            }
            Some(task) if script.contains("Register-ScheduledTask") => {
                state.is_saved |= saves;
                state.services.insert(task, script.contains("Start-ScheduledTask"));
            }
            other => panic!("powershell, {other:?}: {script}"),
        }
        (0, String::new())
    }

    fn launchctl(&self, args: &[&str]) -> (i32, String) {
        let mut state = self.state.lock().unwrap();
        let label = |target: &str| target.trim_start_matches("system/").to_owned();
        let of_file =
            |file: &str| file.rsplit_once('/').unwrap().1.trim_end_matches(".plist").to_owned();
        match args {
            ["print-disabled", "system"] => (
                0,
                state.disabled.iter().map(|other| format!("\t\"{other}\" => disabled\n")).collect(),
            ),
            ["print", target] => match state.services.contains_key(&label(target)) {
                true => (0, "x = {\n\tstate = running\n\tpid = 7\n\truns = 1\n}\n".to_owned()),
                false => (113, "Could not find service".to_owned()),
            },
            ["enable", target] => {
                (i32::from(false & state.disabled.remove(&label(target))), String::new())
            }
            ["disable", target] => {
                (i32::from(false & state.disabled.insert(label(target))), String::new())
            }
            ["bootstrap", "system", _] if state.refusals > 0 => {
                state.refusals -= 1;
                (5, "Bootstrap failed: 5: Input/output error".to_owned())
            }
            ["bootstrap", "system", file] => {
                state.services.insert(of_file(file), true);
                (0, String::new())
            }
            ["bootout", target] => {
                (if state.services.remove(&label(target)).is_some() { 0 } else { 3 }, String::new())
            }
            other => panic!("launchctl: {other:?}"),
        }
    }

    /// Makes the accounts that a directory knows by now.
    fn appear(&self) {
        let mut state = self.state.lock().unwrap();
        if state.forgets_late == 0 {
            let names = std::mem::take(&mut state.late);
            names.iter().for_each(|name| self.account(name, Some("499:499")));
        }
    }

    fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.forgets_late = state.forgets_late.saturating_sub(1);
        drop(state);
        self.appear();
    }

    fn dscl(&self, args: &[&str]) -> (i32, String) {
        let user = |record: &str| record.strip_prefix("/Users/").map(str::to_owned);
        match args {
            [".", "-list", ..] => (0, "root   0\n".to_owned()),
            [".", "-create", record] => {
                if let Some(name) = user(record) {
                    self.state.lock().unwrap().late.push(name);
                    self.appear();
                }
                (0, String::new())
            }
            [".", "-create", ..] => (0, String::new()),
            [".", "-read", record, _] => match user(record) {
                Some(name) if !self.has(&name) => (56, "eDSRecordNotFound".to_owned()),
                _ => (0, String::new()),
            },
            [".", "-delete", record] => {
                if let Some(name) = user(record) {
                    self.account(&name, None);
                }
                (0, String::new())
            }
            other => panic!("dscl: {other:?}"),
        }
    }
}

impl Commands for FakeHost {
    fn find(&self, program: &str) -> Option<PathBuf> {
        Some(program.into())
    }

    fn answer(&self, call: &Call) -> Result<Answer> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call.clone());
            calls.len() - 1
        };
        let fault = *self.fault.lock().unwrap();
        let ends = |code| Script::new(&[(&typed(call), code, "it said no")]).answer(call);
        match fault {
            Some(Fault::Fails(at)) if at == number => return ends(9),
            Some(Fault::Hangs(at)) if at == number => return ends(Script::HANGS),
            _ => {}
        }
        let args: Vec<_> = call.args().iter().map(String::as_str).collect();
        let (code, output) = match call.program() {
            "reg" => self.reg(&args),
            "powershell" => self.powershell(args.last().unwrap()),
            "launchctl" => self.launchctl(&args),
            "dscl" => self.dscl(&args),
            "dscacheutil" => {
                self.forget();
                (0, String::new())
            }
            "spctl" => (0, "accepted\nsource=Notarized Developer ID".to_owned()),
            "icacls" | "createhomedir" | "xattr" | "ps" => (0, String::new()),
            other => panic!("{other} was not expected"),
        };
        if fault == Some(Fault::Kills(number)) {
            // Nothing is undone on the way, and nothing is printed.
            std::panic::resume_unwind(Box::new("killed here"));
        }
        let (stdout, stderr) =
            if code == 0 { (output, String::new()) } else { (String::new(), output) };
        Ok(Answer { code: Some(code), stdout, stderr })
    }
}
