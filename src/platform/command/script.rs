//! A record of calls: each is asserted, whole and in order, and answered as a test says.

use super::{Answer, Call, Commands, quoted_posix};
use crate::{Code, Error, Result};
use std::{collections::VecDeque, path::PathBuf, sync::Mutex};

/// Calls to come, as a person would type them, each with its exit code and what it says. An
/// exit code of [`Script::HANGS`] is a program that does not end.
pub(crate) struct Script(Mutex<VecDeque<(String, i32, String)>>);

impl Script {
    /// The exit code of what has to be ended.
    pub(crate) const HANGS: i32 = i32::MIN;

    pub(crate) fn new(calls: &[(&str, i32, &str)]) -> Self {
        let recorded =
            |(call, code, output): &(&str, i32, &str)| ((*call).into(), *code, (*output).into());
        Self(Mutex::new(calls.iter().map(recorded).collect()))
    }

    /// That every call came.
    pub(crate) fn assert_done(&self) {
        let left = self.0.lock().unwrap();
        assert!(left.is_empty(), "these calls did not come: {left:?}");
    }
}

/// A call as it would be typed into a POSIX shell, whatever system the test runs on.
pub(crate) fn typed(call: &Call) -> String {
    let words = std::iter::once(call.program().to_owned());
    words.chain(call.args().iter().map(|arg| quoted_posix(arg))).collect::<Vec<_>>().join(" ")
}

impl Commands for Script {
    fn find(&self, program: &str) -> Option<PathBuf> {
        Some(program.into())
    }

    fn answer(&self, call: &Call) -> Result<Answer> {
        let next = self.0.lock().unwrap().pop_front();
        let (expected, code, output) = next.unwrap_or_else(|| panic!("`{call}` was not expected"));
        assert_eq!(typed(call), expected);
        if code == Self::HANGS {
            return Err(Error::new(
                Code::CommandTimeout,
                format!("`{call}` did not end within 30 s"),
            ));
        }
        let (stdout, stderr) =
            if code == 0 { (output, String::new()) } else { (String::new(), output) };
        Ok(Answer { code: Some(code), stdout, stderr })
    }
}

/// Keeps every call, and gives the same answer to each: for calls that are asserted in part.
pub(crate) struct Recorded {
    calls: Mutex<Vec<String>>,
    code: i32,
    output: String,
}

impl Default for Recorded {
    fn default() -> Self {
        Self::answering(0, "")
    }
}

impl Recorded {
    pub(crate) fn answering(code: i32, output: &str) -> Self {
        Self { calls: Mutex::default(), code, output: output.to_owned() }
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

impl Commands for Recorded {
    fn find(&self, program: &str) -> Option<PathBuf> {
        Some(program.into())
    }

    fn answer(&self, call: &Call) -> Result<Answer> {
        self.calls.lock().unwrap().push(typed(call));
        Script::new(&[(&typed(call), self.code, &self.output)]).answer(call)
    }
}
