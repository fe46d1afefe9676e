//! Reads what `systemctl show` prints: a block of `Key=value` for each unit. Versions 247 to 257 write
//! it alike; what one of them lacks is unknown.

use super::{sandbox, time_span::time_span};
use crate::host::{Assigned, Effective, EnvironmentFile, Exec, Limit, SliceLimits};
use std::{collections::BTreeMap, path::PathBuf};

/// The properties that [`effective`] reads; of a slice those that it has.
pub(super) const PROPERTIES: &str = "FragmentPath,SourcePath,DropInPaths,Environment,\
     EnvironmentFiles,PassEnvironment,UnsetEnvironment,User,Group,SupplementaryGroups,\
     WorkingDirectory,ExecStartPre,ExecStart,ExecStartPost,ExecStop,ExecStopPost,TimeoutStartUSec,\
     TimeoutStopUSec,RuntimeMaxUSec,KillMode,KillSignal,SendSIGKILL,Restart,RestartUSec,\
     StartLimitIntervalUSec,StartLimitBurst,TasksMax,MemoryMax,MemoryHigh,LimitNOFILESoft,\
     LimitNPROCSoft,LimitASSoft,LimitFSIZESoft,LimitCPUSoft,OOMPolicy,NoNewPrivileges,Type,\
     NotifyAccess,Nice,CPUSchedulingPolicy,IOSchedulingClass,StandardOutput,StandardError,Slice,\
     WantedBy,RequiredBy,Requires,Wants,BindsTo,PartOf,After,ConditionResult,AssertResult,\
     ConditionTimestampMonotonic,AssertTimestampMonotonic";

/// The properties of one unit. Some, such as `ExecStart`, stand there more than once.
pub(super) struct Block<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Block<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            values.entry(key).or_default().push(value);
        }
        Self(values)
    }

    /// The last value; empty where there is none.
    pub(super) fn value(&self, key: &str) -> &'a str {
        self.all(key).last().copied().unwrap_or_default()
    }

    fn all(&self, key: &str) -> &[&'a str] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    fn text(&self, key: &str) -> String {
        set(self.value(key)).unwrap_or_default().to_owned()
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        set(self.value(key)).map(PathBuf::from)
    }

    fn list(&self, key: &str) -> Vec<String> {
        self.all(key).iter().flat_map(|value| words(value)).collect()
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key) {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    fn number(&self, key: &str) -> Option<i32> {
        self.value(key).parse().ok()
    }

    fn size(&self, key: &str) -> Limit {
        limit(self.value(key), |text| text.parse().ok())
    }

    fn time(&self, key: &str) -> Limit {
        limit(self.value(key), |text| u64::try_from(time_span(text)?.as_micros()).ok())
    }

    /// A result that counts only once it was tried.
    fn tried(&self, result: &str, when: &str) -> Option<bool> {
        self.flag(result).filter(|_| !matches!(self.value(when), "" | "0"))
    }

    fn commands(&self, key: &str) -> Vec<Exec<String>> {
        self.all(key).iter().filter_map(|value| command(value)).collect()
    }
}

/// A value; versions write in several ways that there is none.
fn set(text: &str) -> Option<&str> {
    Some(text).filter(|text| !matches!(*text, "" | "[not set]" | "n/a" | "[no data]" | "(null)"))
}

/// A limit; one that is not there is the greatest number, or is said in a word.
fn limit(text: &str, read: impl Fn(&str) -> Option<u64>) -> Limit {
    match text {
        "infinity" | "18446744073709551615" => Limit::Infinity,
        text => set(text).and_then(read).map_or(Limit::Unknown, Limit::Of),
    }
}

/// `{ path=/x ; argv[]=/x a b ; ignore_errors=no ; … }`; the words may hold a semicolon themselves.
fn command(text: &str) -> Option<Exec<String>> {
    let (path, rest) = text.strip_prefix("{ path=")?.split_once(" ; argv[]=")?;
    let (words, rest) = rest.rsplit_once(" ; ignore_errors=")?;
    Some(Exec {
        path: path.to_owned(),
        words: words.to_owned(),
        ignores_failure: rest.starts_with("yes"),
    })
}

/// `/path (ignore_errors=no)`.
fn environment_file(text: &str) -> Option<EnvironmentFile> {
    let (path, rest) = text.rsplit_once(" (ignore_errors=")?;
    Some(EnvironmentFile { path: path.into(), optional: rest.starts_with("yes") })
}

/// Words as systemd prints a list: with blanks between, in double quotes where one needs them, or
/// as `$'…'`, with the escapes of C.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"').or_else(|| rest.strip_prefix("$'")) {
            Some(quoted) => unquoted(quoted, if rest.starts_with('"') { '"' } else { '\'' }),
            None => {
                let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
                (word.to_owned(), after)
            }
        };
        all.push(word);
        rest = after.trim_start();
    }
    all
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str, quote: char) -> (String, &str) {
    let mut word = Vec::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        if sign == quote {
            return (String::from_utf8_lossy(&word).into_owned(), &text[at + 1..]);
        }
        if sign != '\\' {
            word.extend(sign.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        match signs.next() {
            Some((_, 'n')) => word.push(b'\n'),
            Some((_, 't')) => word.push(b'\t'),
            Some((_, 'r')) => word.push(b'\r'),
            Some((_, 'a')) => word.push(7),
            Some((_, 'b')) => word.push(8),
            Some((_, 'f')) => word.push(12),
            Some((_, 'v')) => word.push(11),
            Some((at, 'x')) => {
                let code =
                    text.get(at + 1..at + 3).and_then(|two| u8::from_str_radix(two, 16).ok());
                word.extend(code);
                signs.nth(1);
            }
            Some((_, other)) => word.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            None => {}
        }
    }
    (String::from_utf8_lossy(&word).into_owned(), "")
}

/// The variables of a list of assignments.
pub(super) fn assigned(list: Vec<String>) -> Vec<Assigned<String>> {
    let split = |word: String| {
        let (name, value) = word.split_once('=')?;
        Some(Assigned { name: name.to_owned(), value: Some(value.to_owned()) })
    };
    list.into_iter().filter_map(split).collect()
}

/// The values of a unit; the slices are not filled in.
pub(super) fn effective(block: &Block<'_>) -> Effective<String> {
    let files = block.all("EnvironmentFiles").iter().filter_map(|text| environment_file(text));
    Effective {
        fragment: block.path("FragmentPath"),
        source: block.path("SourcePath"),
        drop_ins: block.list("DropInPaths").into_iter().map(PathBuf::from).collect(),
        environment: assigned(block.list("Environment")),
        environment_files: files.collect(),
        pass_environment: block.list("PassEnvironment"),
        unset_environment: block.list("UnsetEnvironment"),
        user: block.text("User"),
        group: block.text("Group"),
        supplementary_groups: block.list("SupplementaryGroups"),
        working_directory: block.text("WorkingDirectory"),
        exec_start_pre: block.commands("ExecStartPre"),
        exec_start: block.commands("ExecStart"),
        exec_start_post: block.commands("ExecStartPost"),
        exec_stop: block.commands("ExecStop"),
        exec_stop_post: block.commands("ExecStopPost"),
        timeout_start: block.time("TimeoutStartUSec"),
        timeout_stop: block.time("TimeoutStopUSec"),
        runtime_max: block.time("RuntimeMaxUSec"),
        kill_mode: block.text("KillMode"),
        kill_signal: block.number("KillSignal"),
        send_sigkill: block.flag("SendSIGKILL"),
        restart: block.text("Restart"),
        restart_pause: block.time("RestartUSec"),
        start_limit_interval: block.time("StartLimitIntervalUSec"),
        start_limit_burst: block.size("StartLimitBurst"),
        tasks_max: block.size("TasksMax"),
        memory_max: block.size("MemoryMax"),
        memory_high: block.size("MemoryHigh"),
        open_files: block.size("LimitNOFILESoft"),
        processes: block.size("LimitNPROCSoft"),
        address_space: block.size("LimitASSoft"),
        file_size: block.size("LimitFSIZESoft"),
        cpu_seconds: block.size("LimitCPUSoft"),
        oom_policy: block.text("OOMPolicy"),
        no_new_privileges: block.flag("NoNewPrivileges"),
        kind: block.text("Type"),
        notify_access: block.text("NotifyAccess"),
        nice: block.number("Nice"),
        cpu_policy: block.number("CPUSchedulingPolicy"),
        io_class: block.number("IOSchedulingClass"),
        standard_output: block.text("StandardOutput"),
        standard_error: block.text("StandardError"),
        slice: block.text("Slice"),
        slices: Vec::new(),
        wanted_by: block.list("WantedBy"),
        required_by: block.list("RequiredBy"),
        requires: block.list("Requires"),
        wants: block.list("Wants"),
        binds_to: block.list("BindsTo"),
        part_of: block.list("PartOf"),
        after: block.list("After"),
        sandbox: sandbox::KEYS
            .into_iter()
            .map(|key| (key.to_owned(), block.list(key)))
            .filter(|(_, words)| !words.is_empty())
            .collect(),
        conditions_held: block.tried("ConditionResult", "ConditionTimestampMonotonic"),
        assertions_held: block.tried("AssertResult", "AssertTimestampMonotonic"),
    }
}

/// The limits of a slice.
pub(super) fn slice(block: &Block<'_>) -> SliceLimits {
    SliceLimits {
        name: block.text("Id"),
        fragment: block.path("FragmentPath"),
        drop_ins: block.list("DropInPaths").into_iter().map(PathBuf::from).collect(),
        tasks_max: block.size("TasksMax"),
        memory_max: block.size("MemoryMax"),
        memory_high: block.size("MemoryHigh"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As versions 247, 252 and 257 print the variables of one unit, but for the last, which 247
    /// puts into quotes.
    #[test]
    fn lists_are_read_as_they_were_set() {
        let shown =
            r#""A=b c" D=e "Q=\"x\"" "N=a\nb" "S=it's" "DL=\$x" "T=a\tb" E= "BS=a\\b" UML=ü"#;
        let expected = [
            "A=b c", "D=e", "Q=\"x\"", "N=a\nb", "S=it's", "DL=$x", "T=a\tb", "E=", "BS=a\\b",
            "UML=ü",
        ];
        assert_eq!(words(shown), expected);
        assert_eq!(words("\"UML=ü\" $'X=a\\x41\\'b' "), ["UML=ü", "X=aA'b"]);
        assert_eq!(words(""), [""; 0]);
        assert_eq!(words("\"open"), ["open"]);
        assert_eq!(words("\"a\\xZü"), ["a"]);
    }

    #[test]
    fn what_a_version_does_not_tell_is_unknown() {
        let unit = effective(&Block::read("Id=a.service\n"));
        assert_eq!(unit, Effective::default());
        let text = "TasksMax=18446744073709551615\nMemoryMax=infinity\nMemoryHigh=[not set]\n\
                    LimitNOFILESoft=1024\nTimeoutStopUSec=5h 5min\nRestartUSec=100ms\n\
                    RuntimeMaxUSec=infinity\nConditionResult=no\nConditionTimestampMonotonic=0\n\
                    AssertResult=no\nAssertTimestampMonotonic=7\n";
        let unit = effective(&Block::read(text));
        assert_eq!((unit.tasks_max, unit.memory_max), (Limit::Infinity, Limit::Infinity));
        assert_eq!((unit.memory_high, unit.open_files), (Limit::Unknown, Limit::Of(1024)));
        assert_eq!((unit.timeout_stop.seconds(), unit.runtime_max), (Some(18300), Limit::Infinity));
        assert_eq!(unit.restart_pause, Limit::Of(100_000));
        assert_eq!((unit.conditions_held, unit.assertions_held), (None, Some(false)));
    }

    #[test]
    fn commands_and_files_stand_there_more_than_once() {
        let text = "ExecStopPost={ path=/bin/echo ; argv[]=/bin/echo a ; b ; ignore_errors=yes ; \
                    start_time=[n/a] ; pid=0 }\n\
                    ExecStopPost={ path=/bin/x ; argv[]=/bin/x ; ignore_errors=no ; pid=0 }\n\
                    EnvironmentFiles=/root/*.env (ignore_errors=yes)\n\
                    EnvironmentFiles=/root/a b (ignore_errors=no)\nWorkingDirectory=!/tmp\n";
        let unit = effective(&Block::read(text));
        let stops: Vec<_> =
            unit.exec_stop_post.iter().map(|exec| (&*exec.words, exec.ignores_failure)).collect();
        assert_eq!(stops, [("/bin/echo a ; b", true), ("/bin/x", false)]);
        let files: Vec<_> =
            unit.environment_files.iter().map(|file| (file.path.to_str(), file.optional)).collect();
        assert_eq!(files, [(Some("/root/*.env"), true), (Some("/root/a b"), false)]);
        assert_eq!(unit.working_directory, "!/tmp");
    }
}
