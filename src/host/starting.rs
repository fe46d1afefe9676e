//! The program that sudo is asked to start, held against the commands of its rules.

use super::Starts;
use std::path::Path;

/// The program that sudo is asked to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starting<'a> {
    /// The agent's own, and with it any.
    Any,
    /// This one, by name or path, with arguments.
    Program(&'a str),
    /// That is not known.
    Unknown,
}

impl<'a> Starting<'a> {
    /// Of a prefix that steps down: a login shell stands in front of what it starts.
    pub fn of(starts: &'a Starts, login_shell: Option<&'a Path>) -> Self {
        match (login_shell, starts) {
            (Some(shell), _) => shell.to_str().map_or(Self::Unknown, Self::Program),
            (None, Starts::Task) => Self::Any,
            (None, Starts::Program(program)) => Self::Program(program),
            (None, Starts::Unknown) => Self::Unknown,
        }
    }

    /// Whether a command of a rule, which is not `ALL`, is for it. `None`: sudo decides by the file
    /// system, by arguments, or by a pattern.
    pub(super) fn is_for(self, command: &str) -> Option<bool> {
        let digested =
            command.split_once([' ', '\t']).filter(|(first, _)| first.starts_with("sha"));
        let digested = digested.map(|(_, command)| command.trim_start());
        let command = digested.unwrap_or(command);
        let is_pattern = command.starts_with('^') || command.contains(['*', '?', '[']);
        let (path, arguments) = command.split_once([' ', '\t']).unwrap_or((command, ""));
        let is_open = is_pattern || path.ends_with('/');
        let program = match self {
            // A path of its own, or a folder of them.
            Self::Any => return if is_open { None } else { Some(false) },
            Self::Unknown => return None,
            Self::Program(program) => program,
        };
        if is_open {
            return None;
        }
        if Path::new(path).file_name() != Path::new(program).file_name() {
            return Some(false);
        }
        match arguments.trim() {
            // It has at least one: the agent's own program.
            "\"\"" => Some(false),
            "" if path == program && digested.is_none() => Some(true),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Sudo, Target},
        *,
    };

    /// As sudo 1.9.13 decided for `env CI=1 PROGRAM`.
    #[test]
    fn a_rule_for_the_very_program_allows_it() {
        use Starting::*;
        for (rules, starts, expected) in [
            (&["(ALL) NOPASSWD: /usr/bin/env"][..], Program("/usr/bin/env"), "Allowed"),
            (&["(ALL) NOPASSWD: /usr/bin/env"], Program("env"), "Perhaps"),
            (&["(ALL) NOPASSWD: /usr/bin/env CI=1 *"], Program("env"), "Perhaps"),
            (&["(ALL) NOPASSWD: /usr/bin/"], Program("env"), "Perhaps"),
            (&["(ALL) NOPASSWD: /usr/bin/env \"\""], Program("env"), "Commands"),
            (&["(ALL) NOPASSWD: /usr/bin/nice"], Program("env"), "Commands"),
            (&["(ALL) NOPASSWD: /usr/bin/env"], Any, "Commands"),
            (&["(ALL) NOPASSWD: /usr/bin/env"], Unknown, "Perhaps"),
            (&["(ALL) /usr/bin/env"], Program("/usr/bin/env"), "Password"),
            (&["(ALL) ALL", "(ALL) NOPASSWD: /usr/bin/env"], Program("env"), "Unknown"),
            (&["(ALL) ALL", "(ALL) NOPASSWD: /bin/env"], Program("/bin/env"), "Allowed"),
            (&["(ALL) NOPASSWD: ALL", "(ALL) NOPASSWD: /bin/env"], Program("env"), "Allowed"),
            (&["(ALL) NOPASSWD: ALL", "(ALL) /bin/env"], Program("/bin/env"), "Password"),
            // The login shell of `sudo -i`.
            (&["(ALL) NOPASSWD: ALL, !/bin/bash"], Program("/bin/bash"), "Forbidden"),
            (&["(ALL) NOPASSWD: ALL, !/bin/su"], Program("/bin/bash"), "Allowed"),
        ] {
            let rules = rules.iter().map(ToString::to_string).collect();
            let sudo = Sudo { rules, ..Sudo::default() };
            let target = Target { name: "builder", account: None, sets_variables: false, starts };
            let ruling = format!("{:?}", sudo.ruling(target));
            assert!(ruling.starts_with(expected), "{:?} {starts:?}: {ruling}", sudo.rules);
        }
    }
}
