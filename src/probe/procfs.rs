//! The text forms of `/proc/PID/…`, as pure functions over bytes.
//!
//! Any user can start processes, and so choose names, command lines and, below the control groups
//! that are delegated to that user, control groups: all of it is foreign text.

pub use crate::host::{Limits, ManagedBy};
use crate::platform::processes::control_groups::{Paths, paths, tops};

/// Longest name of a process, in bytes: what `comm` holds without its end.
const NAME_LIMIT: usize = 15;

/// Longest command line that is read, in bytes; the kernel allows megabytes.
pub const COMMAND_LIMIT: usize = 4 << 10;

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The process's name, at most 15 bytes of it.
    pub name: String,
    /// The kernel's letter for its state, such as `Z`.
    pub state: char,
    /// Its parent's number.
    pub parent: u32,
    /// When it was started, in clock ticks since the host was.
    pub ticks: u64,
}

/// Reads `/proc/PID/stat`.
pub fn stat(bytes: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(bytes);
    // The name stands in brackets and may hold brackets, blanks and newlines itself.
    let (head, rest) = text.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let ticks = fields.nth(17)?.parse().ok()?;
    let name = name.get(..name.floor_char_boundary(NAME_LIMIT))?.to_owned();
    Some(Stat { name, state, parent, ticks })
}

/// What `/proc/PID/status` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The process that traces it.
    pub tracer: Option<u32>,
    /// The real user. The owner of `/proc/PID` is another one: it is root where the process cannot
    /// be dumped, which a process can choose.
    pub uid: Option<u32>,
    /// The real group.
    pub gid: Option<u32>,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// `NoNewPrivs`.
    pub no_new_privs: Option<bool>,
    /// `CapEff`.
    pub capabilities: Option<u64>,
}

/// Reads `/proc/PID/status`.
pub fn status(status: &[u8]) -> Status {
    let text = String::from_utf8_lossy(status);
    // The name comes before the rest, but with its newlines escaped.
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_default().split_whitespace()
    };
    let first = |key: &str| value(key).next().and_then(|number| number.parse::<u32>().ok());
    Status {
        tracer: first("TracerPid").filter(|pid| *pid != 0),
        uid: first("Uid"),
        gid: first("Gid"),
        groups: value("Groups").filter_map(|group| group.parse().ok()).collect(),
        no_new_privs: first("NoNewPrivs").map(|number| number != 0),
        capabilities: value("CapEff").next().and_then(|bits| u64::from_str_radix(bits, 16).ok()),
    }
}

/// Whether a process catches TERM, or blocks it to wait for it as `signalfd` and `sigwait` do.
pub fn hears_term(status: &[u8]) -> Option<bool> {
    const TERM: u64 = 1 << 14;
    let text = String::from_utf8_lossy(status);
    let mask = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    Some((mask("SigCgt:")? | mask("SigBlk:")?) & TERM != 0)
}

/// The real user alone, of each process of the table.
pub fn real_uid(status: &[u8]) -> Option<u32> {
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"))?;
    std::str::from_utf8(line).ok()?.split_whitespace().next()?.parse().ok()
}

/// Reads `/proc/PID/limits`; `None` where it is not as the kernel writes it.
pub fn limits(bytes: &[u8]) -> Option<Limits> {
    let text = String::from_utf8_lossy(bytes);
    let soft = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        match line.split_whitespace().next()? {
            "unlimited" => Some(None),
            number => number.parse().ok().map(Some),
        }
    };
    Some(Limits { files: soft("Max open files")?, processes: soft("Max processes")? })
}

/// Longest environment that is read, in bytes.
pub const ENVIRONMENT_LIMIT: usize = 256 << 10;

/// The assignments in `/proc/PID/environ`, at most [`ENVIRONMENT_LIMIT`] bytes of it, without one
/// that the limit cuts through.
pub fn environment(bytes: &[u8]) -> Vec<(String, String)> {
    let whole = match bytes.get(..ENVIRONMENT_LIMIT) {
        Some(head) if bytes.len() > ENVIRONMENT_LIMIT => {
            let end = head.iter().rposition(|byte| *byte == 0).unwrap_or_default();
            head.get(..end).unwrap_or_default()
        }
        _ => bytes,
    };
    let assignment = |word: &[u8]| {
        let word = String::from_utf8_lossy(word);
        let (name, value) = word.split_once('=')?;
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    whole.split(|byte| *byte == 0).filter_map(assignment).collect()
}

/// The words of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The words, without empty ones.
    pub words: Vec<String>,
    /// There are more.
    pub cut: bool,
}

/// Splits what `/proc/PID/cmdline` holds, at most [`COMMAND_LIMIT`] bytes of it. A word that the
/// limit cuts through is left out: half of a secret is not recognized as one, nor half of a path as
/// another path.
pub fn command_line(bytes: &[u8]) -> CommandLine {
    let cut = bytes.len() > COMMAND_LIMIT;
    let whole = match bytes.get(..COMMAND_LIMIT) {
        Some(head) if cut => {
            let end = head.iter().rposition(|byte| *byte == 0).unwrap_or_default();
            head.get(..end).unwrap_or_default()
        }
        _ => bytes,
    };
    let words = whole.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    CommandLine {
        words: words.map(|word| String::from_utf8_lossy(word).into_owned()).collect(),
        cut,
    }
}

/// Where the control groups of the system's manager begin. In a container that is not at `/`.
#[derive(Debug, Clone, Default)]
pub struct ControlGroups {
    base: Paths,
}

impl ControlGroups {
    /// By what `/proc/1/cgroup` says.
    pub fn of_init(cgroup: &[u8]) -> Self {
        Self { base: tops(cgroup) }
    }

    /// Who manages the process whose `/proc/PID/cgroup` this is.
    pub fn managed_by(&self, cgroup: &[u8]) -> ManagedBy {
        let paths = paths(cgroup);
        let below = self.base.iter().zip(&paths).filter_map(|(base, path)| path.strip_prefix(base));
        // In the hierarchy that systemd does not use each process is at the top.
        let known = below.map(manager).find(|managed| *managed != ManagedBy::Nobody);
        known.unwrap_or_default()
    }
}

/// Only slices stand above a service of the system's manager. What stands below a service or a
/// scope is delegated: its names are chosen by whoever runs there.
fn manager(path: &str) -> ManagedBy {
    let is_service = |name: &&str| name.len() > ".service".len() && name.ends_with(".service");
    if !path.is_empty() && !path.starts_with('/') {
        return ManagedBy::Nobody;
    }
    let groups: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let slices = groups.iter().take_while(|name| name.ends_with(".slice")).count();
    let (slices, rest) = groups.split_at(slices);
    let first = rest.first();
    let of_user = |name: &&str| name.starts_with("user@");
    if slices.first() == Some(&"user.slice") || first.is_some_and(of_user) {
        let manager = first.and_then(|name| name.strip_prefix("user@")?.strip_suffix(".service"));
        let slice =
            || slices.iter().find_map(|name| name.strip_prefix("user-")?.strip_suffix(".slice"));
        let uid = manager.or_else(slice).and_then(|uid| uid.parse().ok());
        let unit = rest.iter().filter(|name| !of_user(name)).rfind(|name| is_service(name));
        return ManagedBy::User { uid, unit: unit.map(|unit| (*unit).to_owned()) };
    }
    match first.filter(|name| is_service(name)) {
        Some(unit) => ManagedBy::System((*unit).to_owned()),
        None => ManagedBy::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_hears_what_it_catches_or_waits_for() {
        let of = |blocked: &str, caught: &str| {
            hears_term(format!("Name:\tx\nSigBlk:\t{blocked}\nSigCgt:\t{caught}\n").as_bytes())
        };
        // bash without and with a trap, tini.
        assert_eq!(of("0000000000000000", "0000000000010002"), Some(false));
        assert_eq!(of("0000000000000000", "0000000000014002"), Some(true));
        assert_eq!(of("fffffffe7ffbfeff", "0000000000000000"), Some(true));
        assert_eq!(hears_term(b"Name:\tx\n"), None);
    }
    use proptest::prelude::*;

    const INIT: &[u8] = b"12:pids:/init.scope\n1:name=systemd:/init.scope\n0::/init.scope\n";

    fn system(name: &str) -> ManagedBy {
        ManagedBy::System(name.to_owned())
    }

    fn user(uid: u32, unit: Option<&str>) -> ManagedBy {
        ManagedBy::User { uid: Some(uid), unit: unit.map(str::to_owned) }
    }

    #[test]
    fn a_stat_is_read_whatever_the_name_is() {
        let rest = "S 7 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4200 1 1";
        let read = |name: &str| stat(format!("9 ({name}) {rest}").as_bytes()).unwrap();
        let plain = read("circleci-runner");
        assert_eq!((plain.state, plain.parent, plain.ticks), ('S', 7, 4200));
        assert_eq!(read("a) R 1 (b\n").name, "a) R 1 (b\n");
        assert_eq!(read(&"ä".repeat(40)).name, "ä".repeat(7));
        assert_eq!(stat(b"9 (x"), None);
    }

    #[test]
    fn the_user_is_the_real_one() {
        let status = b"Name:\tUid:\\n0\nUmask:\t0022\nUid:\t1001\t0\t0\t0\nGid:\t5\t5\t5\t5\n";
        assert_eq!(real_uid(status), Some(1001));
        assert_eq!(real_uid(b"Name:\tx\n"), None);
    }

    #[test]
    fn a_status_is_read_as_the_kernel_writes_it() {
        let text =
            b"Name:\tx\\nUid:\t0\nTracerPid:\t0\nUid:\t998\t998\t998\t998\nGid:\t997\t997\t1\t1\n\
            Groups:\t997 999 \nCapEff:\t00000000a80425fb\nNoNewPrivs:\t1\n";
        let expected = Status {
            tracer: None,
            uid: Some(998),
            gid: Some(997),
            groups: vec![997, 999],
            no_new_privs: Some(true),
            capabilities: Some(0xa804_25fb),
        };
        assert_eq!(status(text), expected);
        assert_eq!(status(b"TracerPid:\t77\n").tracer, Some(77));
        assert_eq!(status(b""), Status::default());
    }

    #[test]
    fn limits_are_numbers_or_none() {
        let text =
            b"Limit                     Soft Limit           Hard Limit           Units     \n\
            Max processes             unlimited            unlimited            processes \n\
            Max open files            1024                 524288               files     \n";
        assert_eq!(limits(text), Some(Limits { files: Some(1024), processes: None }));
        assert_eq!(limits(b"Max open files x\n"), None);
    }

    #[test]
    fn an_environment_ends_at_a_whole_variable() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(environment(b"A=b=c\0\0=x\0none\0B="), [pair("A", "b=c"), pair("B", "")]);
        let long = [b"A=b\0TOKEN=".as_slice(), &[b'x'; 2 * ENVIRONMENT_LIMIT]].concat();
        assert_eq!(environment(&long), [pair("A", "b")]);
    }

    #[test]
    fn a_command_line_ends_at_a_whole_word() {
        let all = command_line(b"a\0--b\0\0c");
        assert_eq!((all.words.join(" ").as_str(), all.cut), ("a --b c", false));
        let long = [b"a\0--token\0".as_slice(), &[b'x'; 2 * COMMAND_LIMIT]].concat();
        let read = command_line(&long);
        assert_eq!((read.words.join(" ").as_str(), read.cut), ("a --token", true));
        assert!(command_line(&[b'x'; COMMAND_LIMIT + 1]).words.is_empty());
    }

    #[test]
    fn only_the_systems_manager_has_the_systems_services() {
        let groups = ControlGroups::of_init(INIT);
        for (path, managed) in [
            ("/system.slice/circleci.service", system("circleci.service")),
            ("/system.slice/system-ci.slice/ci@1.service", system("ci@1.service")),
            // Below a service or a scope another than the system's manager makes the groups.
            ("/system.slice/x.service/circleci.service", system("x.service")),
            ("/system.slice/x.scope/circleci.service", ManagedBy::Nobody),
            ("/machine.slice/m.scope/system.slice/circleci.service", ManagedBy::Nobody),
            ("/mallory/system.slice/circleci.service", ManagedBy::Nobody),
            ("/../system.slice/circleci.service", ManagedBy::Nobody),
            ("/system.slice/.service", ManagedBy::Nobody),
            ("/system.slice/circleci.service (deleted)", ManagedBy::Nobody),
            ("/user.slice/user-1001.slice/session-3.scope", user(1001, None)),
            (
                "/user.slice/user-1001.slice/user@1001.service/app.slice/circleci.service",
                user(1001, Some("circleci.service")),
            ),
            ("/elsewhere.slice/user@1001.service/init.scope", user(1001, None)),
            ("/", ManagedBy::Nobody),
        ] {
            for form in [format!("1:name=systemd:{path}\n0::/\n"), format!("0::{path}\n")] {
                assert_eq!(groups.managed_by(form.as_bytes()), managed, "{form}");
            }
            // Other hierarchies are not the manager's.
            let other = format!("3:cpu:{path}\n1:name=other:{path}\n");
            assert_eq!(groups.managed_by(other.as_bytes()), ManagedBy::Nobody, "{other}");
        }
    }

    #[test]
    fn in_a_container_services_are_below_its_own_group() {
        let groups = ControlGroups::of_init(b"0::/machine.slice/m.scope/init.scope\n");
        let of = |path: &str| groups.managed_by(format!("0::{path}\n").as_bytes());
        let inner = "/machine.slice/m.scope/system.slice/circleci.service";
        assert_eq!(of(inner), system("circleci.service"));
        assert_eq!(of("/system.slice/circleci.service"), ManagedBy::Nobody);
        assert_eq!(of("/machine.slice/m.scopes/x.service"), ManagedBy::Nobody);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_within_limits(
            bytes in proptest::collection::vec(any::<u8>(), 0..3 * COMMAND_LIMIT),
            path in "(/(system|user|user-1)\\.slice|/user@1\\.service|/x\\.(service|scope)|/){0,8}",
        ) {
            if let Some(stat) = stat(&bytes) {
                prop_assert!(stat.name.len() <= NAME_LIMIT);
            }
            real_uid(&bytes);
            status(&bytes);
            limits(&bytes);
            environment(&bytes);
            let words = command_line(&bytes).words;
            prop_assert!(words.iter().map(String::len).sum::<usize>() <= 3 * COMMAND_LIMIT);
            let groups = ControlGroups::of_init(&bytes);
            groups.managed_by(&bytes);
            if let ManagedBy::System(unit) = manager(&path) {
                prop_assert!(unit == "x.service" && !path.starts_with("/user.slice"), "{}", path);
            }
        }
    }
}
