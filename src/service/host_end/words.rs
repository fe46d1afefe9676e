//! What the words of a command do to the host, and what they have run.

use super::{calls, script};
use crate::{agent::Kind, host::Ending};

/// Programs that run the command behind their own words.
const PREFIXES: [&str; 34] = [
    "sudo",
    "doas",
    "pkexec",
    "su",
    "runuser",
    "setpriv",
    "chroot",
    "nsenter",
    "unshare",
    "env",
    "nohup",
    "exec",
    "command",
    "builtin",
    "eval",
    "timeout",
    "nice",
    "ionice",
    "chrt",
    "setsid",
    "stdbuf",
    "flock",
    "systemd-run",
    "systemd-inhibit",
    "systemd-cat",
    "time",
    "xargs",
    "watch",
    "busybox",
    "script",
    "strace",
    "sg",
    "trap",
    "start",
];

/// Shells, which read a script after `-c`, `/c` or `-Command`.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "cmd", "powershell", "pwsh"];

/// What reads programs of another kind.
const INTERPRETERS: [&str; 8] =
    ["python", "perl", "ruby", "node", "php", "lua", "tclsh", "osascript"];

/// How deep a command is looked into that stands in the words of another one.
const DEPTH: usize = 8;

/// Folders of programs that packages bring: none of them ends the host but those that are known here.
const OF_PACKAGES: [&str; 7] =
    ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/lib/"];

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// It ends the host; [`Ending::Unread`]: it may.
    Ends(Ending),
    /// It starts these units.
    Starts(Vec<String>),
    /// It runs a file: the only one, or the first of these that can be executed.
    Runs(Vec<String>),
}

/// All that the words of a command do.
pub(crate) fn parts<Word: AsRef<str>>(words: &[Word]) -> Vec<Part> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    of(&words, 0)
}

/// The same, `depth` commands deep.
pub(super) fn of(words: &[&str], depth: usize) -> Vec<Part> {
    let Some((first, rest)) = words.split_first() else { return Vec::new() };
    if depth > DEPTH {
        return vec![Part::Ends(Ending::Unread)];
    }
    // What a variable stands for may be `sudo`, as it may be all of the command.
    let is_variable = first.starts_with('$');
    if !is_variable && !is_prefix(first) {
        return direct(words, depth);
    }
    let mut all = Vec::new();
    for (at, word) in rest.iter().enumerate() {
        match word.contains(char::is_whitespace) {
            true => all.extend(script::parts(word, depth + 1)),
            false if is_prefix(word) || word.starts_with(['/', '$']) && !is_of_package(word) => {}
            false => {
                let found = direct(rest.get(at..).unwrap_or_default(), depth);
                // A bare word may as well be an argument.
                all.extend(found.into_iter().filter(|part| !is_bare(part, word)));
            }
        }
    }
    let own = rest.iter().filter(|word| word.starts_with('/') && !is_of_package(word));
    let own: Vec<String> = own.map(|word| (*word).to_owned()).collect();
    all.extend((!own.is_empty()).then_some(Part::Runs(own)));
    let is_known = |part: &Part| *part != Part::Ends(Ending::Unread);
    if is_variable && !all.iter().any(is_known) {
        all.push(Part::Ends(Ending::Unread));
    }
    all
}

fn is_prefix(word: &str) -> bool {
    PREFIXES.contains(&name(word).as_str())
}

fn is_bare(part: &Part, word: &str) -> bool {
    matches!(part, Part::Runs(_)) && !word.contains('/') && !is_reader(&name(word))
}

/// Whether it reads a program from a file that is an argument.
fn is_reader(name: &str) -> bool {
    SHELLS.contains(&name) || is_interpreter(name)
}

fn is_of_package(word: &str) -> bool {
    OF_PACKAGES.iter().any(|folder| word.starts_with(folder))
}

/// `python3.11` is a `python`.
fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '.'))
}

/// What a command does that begins with its program.
fn direct(words: &[&str], depth: usize) -> Vec<Part> {
    let Some((first, rest)) = words.split_first() else { return Vec::new() };
    let name = name(first);
    if let Some(ending) = ending(&name, rest) {
        return vec![Part::Ends(ending)];
    }
    match name.as_str() {
        "systemctl" => starts(calls::units(rest)),
        "busctl" | "dbus-send" | "gdbus" => starts(calls::units_by_bus(rest)),
        shell if SHELLS.contains(&shell) => {
            let is_text = |word: &&str| {
                let option = word.to_lowercase();
                option == "/c" || option == "-command" || is_command_option(&option)
            };
            match rest.iter().position(is_text) {
                Some(at) => {
                    let text = rest.get(at + 1..).unwrap_or_default().join(" ");
                    script::parts(&text, depth + 1)
                }
                None => file(rest),
            }
        }
        reader if is_interpreter(reader) => {
            match rest.iter().position(|word| matches!(*word, "-c" | "-e" | "-m" | "-E" | "-r")) {
                Some(at) => {
                    let text = rest.get(at + 1).copied().unwrap_or_default();
                    vec![Part::Ends(script::of_foreign(text))]
                }
                None => file(rest),
            }
        }
        name if Kind::of_program(name).is_some() || name == "runnerup" => Vec::new(),
        _ if first.starts_with('/') && !is_of_package(first) => {
            vec![Part::Runs(vec![(*first).to_owned()])]
        }
        // An administrator's own program, where there is one of this name.
        name if !name.is_empty() && !first.contains('/') && is_plain(name) => {
            let folders = ["/usr/local/sbin/", "/usr/local/bin/"];
            vec![Part::Runs(folders.iter().map(|folder| [*folder, *first].concat()).collect())]
        }
        _ => Vec::new(),
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
}

fn starts(units: Vec<String>) -> Vec<Part> {
    if units.is_empty() { Vec::new() } else { vec![Part::Starts(units)] }
}

/// The file that is read by what stands in front of these words.
fn file(rest: &[&str]) -> Vec<Part> {
    let file = rest.iter().find(|word| !word.starts_with('-'));
    match file {
        Some(file) if file.starts_with('/') => vec![Part::Runs(vec![(*file).to_owned()])],
        Some(_) => vec![Part::Ends(Ending::Unread)],
        None => Vec::new(),
    }
}

fn ending(name: &str, rest: &[&str]) -> Option<Ending> {
    let has = |options: &[&str]| rest.iter().any(|word| options.contains(word));
    const SYSRQ: &str = "/proc/sysrq-trigger";
    let writes = rest.windows(2).any(|pair| matches!(pair, [">" | ">>" | "tee", SYSRQ]));
    if writes || has(&[">/proc/sysrq-trigger"]) || name == "tee" && has(&[SYSRQ]) {
        return Some(if has(&["b"]) { Ending::Reboot } else { Ending::PowerOff });
    }
    match name {
        "shutdown" if has(&["-c", "-k", "/a", "--show"]) => None,
        "shutdown" if has(&["-r", "--reboot", "/r", "/g"]) => Some(Ending::Reboot),
        "shutdown" | "poweroff" | "halt" | "stop-computer" => Some(Ending::PowerOff),
        "reboot" | "restart-computer" => Some(Ending::Reboot),
        "init" | "telinit" if has(&["0"]) => Some(Ending::PowerOff),
        "init" | "telinit" if has(&["6"]) => Some(Ending::Reboot),
        "init" | "telinit" if has(&["1", "s", "S"]) => Some(Ending::Isolate),
        "systemctl" | "loginctl" => calls::of_verb(rest),
        "osascript" if rest.iter().any(|word| word.contains("shut down")) => Some(Ending::PowerOff),
        "osascript" if rest.iter().any(|word| word.contains("restart")) => Some(Ending::Reboot),
        "osascript" => None,
        name => calls::ending(name, rest),
    }
}

/// `-c`, also among others as in `-lc`.
fn is_command_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        letters.len() <= 4
            && letters.contains('c')
            && letters.bytes().all(|b| b.is_ascii_lowercase())
    })
}

/// The name of a program without its folder and `.exe`.
pub(super) fn name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}
