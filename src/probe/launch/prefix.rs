//! Programs that start the program in their arguments.

use crate::{agent::Kind, host::Way, probe::task_action::program_name};

/// Shells.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "ash", "ksh", "busybox"];

/// Programs in front of another one, and what they do while that runs.
const PREFIXES: [(&str, Way); 54] = [
    // They execute it in their place.
    ("env", Way::Replaces),
    ("nice", Way::Replaces),
    ("ionice", Way::Replaces),
    ("chrt", Way::Replaces),
    ("taskset", Way::Replaces),
    ("numactl", Way::Replaces),
    ("prlimit", Way::Replaces),
    ("setpriv", Way::Replaces),
    ("capsh", Way::Replaces),
    ("systemd-cat", Way::Replaces),
    ("systemd-inhibit", Way::Waits),
    ("stdbuf", Way::Replaces),
    ("nohup", Way::Replaces),
    ("chpst", Way::Replaces),
    ("softlimit", Way::Replaces),
    ("setuidgid", Way::Replaces),
    ("s6-setuidgid", Way::Replaces),
    ("envdir", Way::Replaces),
    ("s6-envdir", Way::Replaces),
    ("with-contenv", Way::Replaces),
    ("gosu", Way::Replaces),
    ("su-exec", Way::Replaces),
    ("doas", Way::Replaces),
    ("cgexec", Way::Replaces),
    ("aa-exec", Way::Replaces),
    ("runcon", Way::Replaces),
    ("ssh-agent", Way::Replaces),
    ("direnv", Way::Replaces),
    ("chamber", Way::Replaces),
    ("aws-vault", Way::Replaces),
    ("arch", Way::Replaces),
    ("dbus-launch", Way::Replaces),
    ("start-stop-daemon", Way::Replaces),
    // They wait for it.
    ("setsid", Way::Waits),
    ("xvfb-run", Way::Waits),
    ("dbus-run-session", Way::Waits),
    ("unbuffer", Way::Waits),
    ("chronic", Way::Waits),
    ("time", Way::Waits),
    // They wait for it, and pass a signal to end on.
    ("timeout", Way::Forwards),
    ("sudo", Way::Forwards),
    ("dumb-init", Way::Forwards),
    ("tini", Way::Forwards),
    ("tini-static", Way::Forwards),
    ("catatonit", Way::Forwards),
    ("docker-init", Way::Forwards),
    ("doppler", Way::Forwards),
    ("infisical", Way::Forwards),
    // They kill it two seconds after they have passed a signal on (their code in util-linux).
    ("script", Way::Leaves),
    ("su", Way::Leaves),
    ("runuser", Way::Leaves),
    // What they do with a signal is not documented, or depends on their version.
    ("strace", Way::Unknown),
    ("caffeinate", Way::Unknown),
    ("op", Way::Unknown),
];

/// Whether a program of this name is a shell.
pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// Whether a program of this name does nothing but start and wait for another one.
pub(in crate::probe) fn is_in_front(name: &str) -> bool {
    is_shell(name) || way(&[name.to_owned()]).is_some()
}

/// What a prefix does, by its words; `None` for what is no prefix that is known.
pub(super) fn way(words: &[String]) -> Option<Way> {
    let name = program_name(words.first()?);
    if name == "flock" {
        let is_own = |word: &&String| word.starts_with('-');
        let stays = |word: &String| matches!(word.as_str(), "-F" | "--no-fork");
        let replaces = words.iter().skip(1).take_while(is_own).any(stays)
            || words.iter().any(|word| word == "--no-fork");
        return Some(if replaces { Way::Replaces } else { Way::Waits });
    }
    // With a server of its own it stays.
    let serves = |word: &String| word == "-s" || word.starts_with("--") && word.ends_with("server");
    if name == "aws-vault" && words.iter().take_while(|word| *word != "--").any(serves) {
        return Some(Way::Unknown);
    }
    PREFIXES.iter().find(|(prefix, _)| *prefix == name).map(|(_, way)| *way)
}

/// Where the program begins that a prefix starts: the first word that is an agent, a shell, another
/// prefix or, by `is_script`, a script.
pub(super) fn next(words: &[String], is_script: impl Fn(&str) -> bool) -> Option<usize> {
    let begins = |word: &String| {
        let name = program_name(word);
        let is_known = is_shell(&name) || PREFIXES.iter().any(|(prefix, _)| *prefix == name);
        !word.starts_with('-')
            && (Kind::of_program(&name).is_some() || is_known || name == "flock" || is_script(word))
    };
    words.iter().skip(1).position(begins).map(|at| at + 1)
}

/// The command that a prefix takes as one text for a shell: `script -c`, `su -c`, `flock -c`.
pub(super) fn text(words: &[String]) -> Option<&str> {
    if !matches!(program_name(words.first()?).as_str(), "script" | "su" | "runuser" | "flock") {
        return None;
    }
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(text) = word.strip_prefix("--command=") {
            return Some(text);
        }
        let is_short = word.starts_with('-') && !word.starts_with("--");
        if word == "--command" || is_short && word.ends_with('c') {
            return words.next().map(String::as_str);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_prefix_says_what_it_does() {
        for (line, expected) in [
            ("/usr/bin/env A=b x", Some(Way::Replaces)),
            ("flock -n /run/lock/x /a", Some(Way::Waits)),
            ("flock -n -F /run/lock/x /a", Some(Way::Replaces)),
            ("flock --no-fork /run/lock/x /a", Some(Way::Replaces)),
            ("timeout 1d /a", Some(Way::Forwards)),
            ("/opt/mine /a", None),
            ("/usr/bin/op run -- /a", Some(Way::Unknown)),
            ("aws-vault exec ci -- /a -s", Some(Way::Replaces)),
            ("aws-vault exec --ec2-server ci -- /a", Some(Way::Unknown)),
        ] {
            assert_eq!(way(&words(line)), expected, "{line}");
        }
    }
}
