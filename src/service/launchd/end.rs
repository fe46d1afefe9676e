//! How a job of launchd ended, as `launchctl print` says it.

use crate::host::ServiceState;

/// The word of [`result`](crate::host::ServiceState::result) for a job that launchd could not start.
pub(super) const SPAWN_FAILED: &str = "spawn failed";

/// The last end of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// It has not ended since it was loaded, or launchd does not say.
    Never,
    /// By itself, with this status.
    Status(i32),
    /// By a signal.
    Signal(Option<i32>),
    /// For a reason of the kernel's, such as `OS_REASON_CODESIGNING` or `JETSAM_REASON_MEMORY_HIGHWATER`,
    /// or in a way that launchd has a word for, such as `abandoned`.
    Reason(&'a str),
}

impl<'a> End<'a> {
    /// Reads it from the lines of the job itself. launchd prints one of three: `last exit code` (`1`,
    /// `78: EX_CONFIG`, `(never exited)`, `(abandoned)`, `(failed reap)`, `(extension watchdogged)`),
    /// `last terminating signal` (`Killed: 9`), `last exit reason` (`OS_REASON_EXEC`).
    pub(super) fn of(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        if let Some(reason) = value("last exit reason").filter(|reason| !reason.is_empty()) {
            return Self::Reason(reason);
        }
        if let Some(signal) = value("last terminating signal") {
            return Self::Signal(signal.rsplit(": ").next().and_then(|text| text.parse().ok()));
        }
        let Some(code) = value("last exit code") else { return Self::Never };
        match code.split(':').next().unwrap_or_default().parse() {
            Ok(status) => Self::Status(status),
            Err(_) => match code.strip_prefix('(').and_then(|word| word.strip_suffix(')')) {
                None | Some("never exited") => Self::Never,
                Some(word) => Self::Reason(word),
            },
        }
    }

    /// In the words of all managers; `success` also for one that has not ended.
    pub(super) fn result(&self) -> &'a str {
        match self {
            Self::Never | Self::Status(0) => "success",
            Self::Status(_) => "exit-code",
            Self::Signal(_) => "signal",
            Self::Reason(reason) => reason,
        }
    }

    /// The status, or the number of the signal.
    pub(super) fn status(&self) -> Option<i32> {
        match self {
            Self::Status(status) => Some(*status).filter(|status| *status != 0),
            Self::Signal(number) => *number,
            Self::Never | Self::Reason(_) => None,
        }
    }
}

/// Whether a job ended because of what its binary is.
pub(crate) fn is_binarys(state: &ServiceState) -> bool {
    let reason = state.result.strip_prefix("OS_REASON_");
    matches!(reason, Some("CODESIGNING" | "EXEC" | "DYLD" | "ROSETTA"))
}

/// What the words of an end mean, where they do not say so: reasons of the kernel (`sys/reason.h` of
/// XNU), launchd's own words and exit statuses, and the signals of macOS's policies.
pub(super) fn meaning(result: &str, status: Option<i32>) -> Option<&'static str> {
    let reason = result.strip_prefix("OS_REASON_").unwrap_or(result);
    if reason.starts_with("JETSAM") {
        return Some("macOS ended it because memory ran out, or because it used too much");
    }
    Some(match (reason, status) {
        ("CODESIGNING", _) => {
            "macOS killed it because the signature of the binary is missing or invalid, or because the \
             binary was changed in place"
        }
        ("EXEC", _) => {
            "macOS cannot execute the binary: it is for another processor or system, is damaged, or is \
             kept in quarantine"
        }
        ("DYLD", _) => "a library that the binary needs is missing or does not fit",
        ("TCC", _) => "macOS ended it because it used what Privacy & Security does not allow it",
        ("SANDBOX" | "SECURITY", _) => "a security policy of macOS ended it",
        ("ENDPOINTSECURITY", _) => "a security product on this Mac does not allow the binary",
        ("ROSETTA", _) => "Rosetta could not run the binary, which is for Intel processors",
        ("GUARD", _) => "the kernel ended it because it misused a file or port that is guarded",
        ("abandoned", _) => "launchd gave up on a process that did not end",
        (SPAWN_FAILED, _) => {
            "launchd could not start it: the program, the working folder, the account or the output \
             file cannot be used"
        }
        ("signal", Some(9)) => {
            "macOS killed it, as it does for an invalid signature or a quarantine attribute"
        }
        (_, Some(78)) => {
            "launchd could not start it: the program, the working folder, the account or the output \
             file cannot be used"
        }
        (_, Some(126)) => "the binary cannot be executed",
        (_, Some(127)) => "the binary or its interpreter does not exist",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_three_lines_is_read() {
        let read = |line: &'static str| {
            let (key, text) = line.split_once(" = ").unwrap();
            let end = End::of(|name| (name == key).then_some(text));
            (end.result(), end.status())
        };
        for (line, expected) in [
            ("last exit code = (never exited)", ("success", None)),
            ("last exit code = 0", ("success", None)),
            ("last exit code = 78: EX_CONFIG", ("exit-code", Some(78))),
            ("last exit code = (abandoned)", ("abandoned", None)),
            ("last exit code = (failed reap)", ("failed reap", None)),
            ("last exit code = (extension watchdogged)", ("extension watchdogged", None)),
            ("last terminating signal = Killed: 9", ("signal", Some(9))),
            ("last terminating signal = Segmentation fault: 11", ("signal", Some(11))),
            ("last exit reason = OS_REASON_CODESIGNING", ("OS_REASON_CODESIGNING", None)),
            (
                "last exit reason = JETSAM_REASON_MEMORY_PERPROCESSLIMIT",
                ("JETSAM_REASON_MEMORY_PERPROCESSLIMIT", None),
            ),
            ("runs = 3", ("success", None)),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn reasons_of_macos_have_a_meaning() {
        for (result, status, part) in [
            ("OS_REASON_CODESIGNING", None, "signature"),
            ("OS_REASON_EXEC", None, "cannot execute"),
            ("OS_REASON_DYLD", None, "library"),
            ("OS_REASON_TCC", None, "Privacy"),
            ("OS_REASON_JETSAM", None, "memory"),
            ("JETSAM_REASON_MEMORY_HIGHWATER", None, "memory"),
            ("abandoned", None, "gave up"),
            (SPAWN_FAILED, None, "could not start"),
            ("signal", Some(9), "killed"),
            ("exit-code", Some(78), "could not start"),
        ] {
            assert!(meaning(result, status).is_some_and(|text| text.contains(part)), "{result}");
        }
        assert_eq!(meaning("exit-code", Some(1)), None);
        assert_eq!(meaning("success", None), None);
    }
}
