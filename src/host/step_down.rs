//! How a command prefix starts a job as another account, or in another place: by which program.
//!
//! Known of the prefix's own words, and of a wrapper script's line that passes its arguments on. Of
//! a script nothing else is kept: its text is its author's.

use serde::{Deserialize, Serialize};
use std::path::Path;

/// The program that starts a job as another account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDown {
    /// The program.
    pub tool: StepTool,
    /// The account, or its number behind `#`; `None` where a script computes it, or none is named.
    pub user: Option<String>,
    /// It starts the account's login shell: sudo's `-i`.
    pub login: bool,
    /// It sets variables in its command line, which sudo has to allow.
    pub sets_variables: bool,
    /// What sudo is asked to start.
    #[serde(default)]
    pub starts: Starts,
    /// The arguments of that program, which may hold secrets.
    #[serde(skip)]
    pub arguments: Vec<String>,
}

/// What stands behind sudo's own words, which its rules have to allow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// Nothing: sudo starts the agent's own program.
    Task,
    /// A program, which starts the agent's own: a name or a path of plain signs.
    Program(String),
    /// That is not known.
    #[default]
    Unknown,
}

/// A program that changes accounts, roots or control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepTool {
    /// By its rules.
    Sudo,
    /// By its rules.
    Doas,
    /// For everybody but root by the password of the other account.
    Su,
    /// For root alone.
    Runuser,
    /// In the system's manager, which asks for root.
    SystemdRun,
    /// The same.
    Machinectl,
    /// For root alone.
    Chroot,
    /// For root alone.
    Nsenter,
    /// For root alone, without a namespace of accounts.
    Unshare,
    /// Where it sets accounts or groups.
    Setpriv,
    /// For root alone.
    Gosu,
    /// For root alone.
    SuExec,
    /// runit's, with `-u`.
    Chpst,
    /// daemontools'.
    Setuidgid,
    /// With `--chuid`.
    StartStopDaemon,
}

/// Programs and their names.
const TOOLS: [(&str, StepTool); 16] = [
    ("sudo", StepTool::Sudo),
    ("doas", StepTool::Doas),
    ("su", StepTool::Su),
    ("runuser", StepTool::Runuser),
    ("systemd-run", StepTool::SystemdRun),
    ("machinectl", StepTool::Machinectl),
    ("chroot", StepTool::Chroot),
    ("nsenter", StepTool::Nsenter),
    ("unshare", StepTool::Unshare),
    ("setpriv", StepTool::Setpriv),
    ("gosu", StepTool::Gosu),
    ("su-exec", StepTool::SuExec),
    ("chpst", StepTool::Chpst),
    ("setuidgid", StepTool::Setuidgid),
    ("s6-setuidgid", StepTool::Setuidgid),
    ("start-stop-daemon", StepTool::StartStopDaemon),
];

/// Programs that start another one as the same account.
const TRANSPARENT: [&str; 27] = [
    "env",
    "nice",
    "ionice",
    "setsid",
    "nohup",
    "timeout",
    "stdbuf",
    "chrt",
    "taskset",
    "time",
    "setarch",
    "linux32",
    "linux64",
    "xvfb-run",
    "prlimit",
    "flock",
    "unshare",
    "setpriv",
    "systemd-cat",
    "systemd-inhibit",
    "dbus-run-session",
    "exec",
    "caffeinate",
    "arch",
    "numactl",
    "dumb-init",
    "tini",
];

/// Shells, whose `-c` has a script behind it.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "ash"];

/// Options of sudo that take a value, by `sudo(8)`.
const SUDO_VALUES: &str = "CDghpRrtTUuac";

impl StepTool {
    /// Its name.
    pub fn name(self) -> &'static str {
        TOOLS.iter().find(|(_, tool)| *tool == self).map_or("", |(name, _)| name)
    }

    /// Whether only root gets anything done with it, as [`StepDown::of`] names it.
    pub fn needs_root(self) -> bool {
        !matches!(self, Self::Sudo | Self::Doas)
    }
}

impl StepDown {
    /// Of a command's words.
    pub fn of<T: AsRef<str>>(words: &[T]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        of_words(&words)
    }

    /// Of a shell script, by the line that passes its arguments on.
    pub fn of_script(text: &str) -> Option<Self> {
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let passes = |line: &&str| ["$@", "${@", "$*"].iter().any(|all| line.contains(all));
        let mut found = lines.filter(passes).filter_map(|line| {
            let parts = line.split(['"', '\'', ' ', '\t', ';', '&', '|', '(', ')', '{', '}']);
            let words: Vec<&str> = parts.filter(|word| !word.is_empty()).collect();
            let at = words.iter().position(|word| tool_of(word).is_some())?;
            let before = words.get(..at)?;
            // A word in front may be a keyword, a variable or another program; not what is said.
            let is_said = before.iter().any(|word| matches!(*word, "echo" | "printf" | "logger"));
            if is_said { None } else { of_words(words.get(at..)?) }
        });
        let known = |user: String| is_plain_user(&user).then_some(user);
        let found = found.next_back()?;
        Some(Self { user: found.user.and_then(known), arguments: Vec::new(), ..found })
    }
}

impl StepDown {
    /// With what sudo is asked to start: of a script, its own arguments are the agent's program.
    fn starting<'a>(mut self, word: &str, arguments: impl Iterator<Item = &'a str>) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./+".contains(c);
        self.starts = match word {
            "$@" | "${@}" | "${@:1}" | "$*" => Starts::Task,
            word if !word.starts_with('-') && word.len() <= 256 && word.chars().all(is_plain) => {
                Starts::Program(word.to_owned())
            }
            _ => Starts::Unknown,
        };
        self.arguments = arguments.map(str::to_owned).collect();
        self
    }
}

/// Whether a word can be an account, or its number behind `#`: nothing that a program could take for
/// an option or another thing.
pub fn is_plain_user(word: &str) -> bool {
    let body = word.strip_prefix('#').unwrap_or(word);
    let is_number = body.chars().all(|c| c.is_ascii_digit());
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_.-@".contains(c);
    let begins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=64).contains(&body.len())
        && body.starts_with(begins)
        && body.chars().all(is_inner)
        && (is_number || !word.starts_with('#'))
}

fn tool_of(word: &str) -> Option<StepTool> {
    let name = file_name(word)?;
    TOOLS.iter().find(|(known, _)| *known == name).map(|(_, tool)| *tool)
}

fn file_name(word: &str) -> Option<&str> {
    Path::new(word).file_name()?.to_str()
}

fn of_words(words: &[&str]) -> Option<StepDown> {
    let (first, rest) = words.split_first()?;
    let name = file_name(first)?;
    if let Some(found) = tool_of(first).and_then(|tool| of_tool(tool, rest)) {
        return Some(found);
    }
    if SHELLS.contains(&name) {
        let at = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c'))?;
        return StepDown::of_script(rest.get(at + 1)?);
    }
    if !TRANSPARENT.contains(&name) {
        return None;
    }
    let at = rest.iter().position(|word| {
        tool_of(word).is_some() || file_name(word).is_some_and(|name| SHELLS.contains(&name))
    })?;
    of_words(rest.get(at..)?)
}

/// What a program does with its options; `None` where it changes no account.
fn of_tool(tool: StepTool, rest: &[&str]) -> Option<StepDown> {
    let options: Vec<&str> = rest.iter().take_while(|word| **word != "--").copied().collect();
    let has = |names: &[&str]| options.iter().any(|word| names.contains(word));
    let named = |names: &[&str]| value(&options, names).map(str::to_owned);
    // Some take a group behind a colon.
    let account = |user: String| user.split(':').next().map(str::to_owned);
    let plain = |user: Option<String>| {
        let user = user.and_then(account).filter(|user| !user.is_empty());
        Some(StepDown {
            tool,
            user,
            login: false,
            sets_variables: false,
            starts: Starts::Unknown,
            arguments: Vec::new(),
        })
    };
    let first = || rest.iter().find(|word| !word.starts_with('-')).map(|word| (*word).to_owned());
    match tool {
        StepTool::Sudo => Some(sudo_words(rest)),
        // Without an account both step to root.
        StepTool::Doas => plain(named(&["-u"]).or_else(|| Some("root".to_owned()))),
        StepTool::Runuser => {
            plain(named(&["-u", "--user"]).or_else(first).or_else(|| Some("root".to_owned())))
        }
        StepTool::Su => plain(first().or_else(|| Some("root".to_owned()))),
        StepTool::SystemdRun if has(&["--user"]) => None,
        StepTool::SystemdRun => plain(named(&["--uid"])),
        StepTool::Machinectl => has(&["shell", "login"]).then(|| plain(named(&["--uid"])))?,
        StepTool::Chroot => plain(named(&["--userspec"])),
        StepTool::Nsenter if has(&["-U", "--user"]) => None,
        StepTool::Nsenter => plain(named(&["-S", "--setuid"])),
        StepTool::Unshare => {
            let own = ["-U", "--user", "-r", "--map-root-user", "-c", "--map-current-user"];
            let is_own = options
                .iter()
                .any(|word| own.contains(word) || is_short(word) && word.contains(['U', 'r', 'c']));
            if is_own { None } else { plain(named(&["-S", "--setuid"])) }
        }
        StepTool::Setpriv => {
            let ids = ["--reuid", "--ruid", "--euid"];
            let groups =
                ["--regid", "--rgid", "--egid", "--init-groups", "--clear-groups", "--groups"];
            let sets = |word: &&str| {
                let name = word.split('=').next().unwrap_or(word);
                ids.contains(&name) || groups.contains(&name)
            };
            options.iter().any(sets).then(|| plain(named(&ids)))?
        }
        StepTool::Gosu | StepTool::SuExec | StepTool::Setuidgid => plain(first()),
        StepTool::Chpst => named(&["-u", "-U"]).map(|user| plain(Some(user)))?,
        StepTool::StartStopDaemon => named(&["-c", "--chuid"]).map(|user| plain(Some(user)))?,
    }
}

fn is_short(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--")
}

/// The value of an option: behind `=`, in the same word, or the next one.
fn value<'a>(options: &[&'a str], names: &[&str]) -> Option<&'a str> {
    let mut words = options.iter().copied();
    while let Some(word) = words.next() {
        for name in names {
            if word == *name {
                return words.next();
            }
            let rest = word.strip_prefix(name);
            match rest {
                Some(rest) if name.starts_with("--") && rest.starts_with('=') => {
                    return rest.get(1..);
                }
                Some(rest) if is_short(name) => return Some(rest),
                _ => {}
            }
        }
    }
    None
}

/// Whether a program stands behind sudo's own options: what follows it is none of sudo's.
pub(super) fn sudo_has_program(rest: &[&str]) -> bool {
    matches!(sudo_words(rest).starts, Starts::Program(_) | Starts::Unknown)
}

/// sudo's own words: options, and variables between them.
fn sudo_words(rest: &[&str]) -> StepDown {
    let mut found = StepDown {
        tool: StepTool::Sudo,
        user: Some("root".to_owned()),
        login: false,
        sets_variables: false,
        starts: Starts::Task,
        arguments: Vec::new(),
    };
    let mut words = rest.iter().copied();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            match long.split_once('=') {
                Some(("user", user)) => found.user = Some(user.to_owned()),
                None if long == "user" => found.user = words.next().map(str::to_owned),
                None if long == "login" => found.login = true,
                _ => found.sets_variables |= long.starts_with("preserve-env"),
            }
        } else if let Some(letters) = word.strip_prefix('-') {
            for (at, letter) in letters.char_indices() {
                found.login |= letter == 'i';
                found.sets_variables |= letter == 'E';
                if SUDO_VALUES.contains(letter) {
                    let inner = letters.get(at + 1..).filter(|inner| !inner.is_empty());
                    let value = inner.or_else(|| words.next());
                    if letter == 'u' {
                        found.user = value.map(str::to_owned);
                    }
                    break;
                }
            }
        } else if word.contains('=') {
            found.sets_variables = true;
        } else {
            return found.starting(word, words);
        }
    }
    match words.next() {
        Some(word) => found.starting(word, words),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<(StepTool, Option<String>)> {
        let words: Vec<&str> = line.split(' ').collect();
        StepDown::of(&words).map(|found| (found.tool, found.user))
    }

    #[test]
    fn the_account_of_a_prefix_is_known() {
        use StepTool::*;
        for (line, tool, user) in [
            ("sudo -niHu ci --", Sudo, Some("ci")),
            ("/usr/bin/sudo --user=ci --", Sudo, Some("ci")),
            ("sudo -uci", Sudo, Some("ci")),
            ("sudo -n --", Sudo, Some("root")),
            // As an operator of machine runners documents it.
            ("sudo PATH=$PATH -niHu circleci --", Sudo, Some("circleci")),
            ("sudo -g u -n --", Sudo, Some("root")),
            ("nice -n 10 sudo -u ci --", Sudo, Some("ci")),
            ("caffeinate -i sudo -niHu ci --", Sudo, Some("ci")),
            ("arch -arm64 sudo -niHu ci --", Sudo, Some("ci")),
            ("env A=b /usr/bin/sudo -nu ci --", Sudo, Some("ci")),
            ("doas -n -u ci", Doas, Some("ci")),
            ("su - ci -c", Su, Some("ci")),
            ("runuser -u ci --", Runuser, Some("ci")),
            ("systemd-run --pipe --wait --uid ci --", SystemdRun, Some("ci")),
            ("systemd-run --wait --uid=ci", SystemdRun, Some("ci")),
            ("chroot --userspec=ci:ci /srv/jail", Chroot, Some("ci")),
            ("nsenter -t 1 -m --", Nsenter, None),
            ("setpriv --reuid=ci --regid=ci --init-groups --", Setpriv, Some("ci")),
            ("setpriv --reuid ci --clear-groups --", Setpriv, Some("ci")),
            ("gosu ci", Gosu, Some("ci")),
            ("chpst -u ci", Chpst, Some("ci")),
            ("machinectl shell --uid=ci .host", Machinectl, Some("ci")),
            ("unshare -m --", Unshare, None),
        ] {
            assert_eq!(of(line), Some((tool, user.map(str::to_owned))), "{line}");
        }
        for line in [
            "nice -n 10",
            "systemd-run --user --wait",
            "setpriv --no-new-privs",
            "unshare -Urn --",
            "nsenter -U -t 7",
            "/opt/wrap",
            "env SUDO=sudo",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
        let starts = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            StepDown::of(&words).unwrap().starts
        };
        assert_eq!(starts("sudo -niHu ci --"), Starts::Task);
        assert_eq!(starts("sudo -nHu ci env CI=1"), Starts::Program("env".into()));
        assert_eq!(starts("sudo A=b -nu ci -- /bin/nice"), Starts::Program("/bin/nice".into()));
        assert_eq!(starts("sudo -nu ci -- $(id)"), Starts::Unknown);
        let login = StepDown::of(&["sudo", "-niHu", "ci", "--"]).unwrap();
        assert!(login.login && !login.sets_variables);
        assert!(StepDown::of(&["sudo", "A=b", "-n"]).unwrap().sets_variables);
    }

    /// The wrapper that older documentation of CircleCI has, and others.
    #[test]
    fn a_script_is_known_by_the_line_that_passes_its_arguments() {
        let of = |text: &str| StepDown::of_script(text).map(|found| (found.tool, found.user));
        let official = "#!/bin/bash\nset -euo pipefail\n# sudo \"$@\"\nunit=\"x-$ID\"\n\
            abort() { systemctl stop \"$unit\"; }\ntrap abort EXIT\n\
            systemd-run \\\n  --pipe --wait \\\n  --uid \"$(id -u circleci)\" -- \"$@\"\n";
        assert_eq!(of(official), Some((StepTool::SystemdRun, None)));
        let sudo = |user: &str| Some((StepTool::Sudo, Some(user.to_owned())));
        assert_eq!(of("#!/bin/sh\nexec sudo -nu ci -- \"$@\"\n"), sudo("ci"));
        assert_eq!(of("#!/bin/sh\nif true; then nice sudo -n \"$@\"; fi\n"), sudo("root"));
        assert_eq!(of("#!/bin/sh\necho sudo \"$@\"\nexec \"$@\"\n"), None);
        assert_eq!(
            of("#!/bin/sh\nexec su ci -c \"$*\"\n"),
            Some((StepTool::Su, Some("ci".into())))
        );
        assert_eq!(of("#!/bin/sh\nsudo mount -a\nexec nice \"$@\"\n"), None);
        let inner = StepDown::of(&["bash", "-c", "exec sudo -nu ci -- \"$@\"", "--"]).unwrap();
        assert_eq!(inner.user.as_deref(), Some("ci"));
    }

    #[test]
    fn an_account_is_no_option_and_no_path() {
        for user in ["ci", "#1001", "first.last", "_ci", "a-b", "9p"] {
            assert!(is_plain_user(user), "{user}");
        }
        for user in ["", "-u", "#", "#a", "a b", "a/b", "$(id)", "%wheel", "\u{9b}", "$U", "."] {
            assert!(!is_plain_user(user), "{user}");
        }
    }
}
