//! Signs in front of a unit's command that leave aside what the unit says of its account:
//! `systemd.service(5)`, "Special executable prefixes". Each was tried under systemd 247, 252 and 257.

use super::unit_text::{SIGNS, last_command};
use crate::host::Directive;

/// What a sign leaves aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elevation {
    /// `+`: the account, the groups and the sandbox.
    Full,
    /// `!`: the account and the groups.
    Credentials,
}

/// Directives that count for a command behind `+` too: they hold for the whole control group, or set
/// up the network and the root of the file system.
const KEPT: [&str; 6] = [
    "IPAddressAllow",
    "IPAddressDeny",
    "NetworkNamespacePath",
    "PrivateNetwork",
    "RootDirectory",
    "RootImage",
];

impl Elevation {
    /// What the signs in front of a command do. `!!` does nothing where the kernel has ambient
    /// capabilities, which each has that is newer than 4.2.
    pub(crate) fn of(command: &str) -> Option<Self> {
        let command = command.trim_start_matches(['"', '\'']);
        let program = command.trim_start_matches(SIGNS);
        let signs = &command[..command.len() - program.len()];
        // The first of the two counts; the other one is a part of the program's name then.
        match signs.find(['+', '!']).map(|at| &signs[at..])? {
            signs if signs.starts_with('+') => Some(Self::Full),
            signs if signs.starts_with("!!") => None,
            _ => Some(Self::Credentials),
        }
    }

    /// That of the command that counts.
    pub(crate) fn of_unit<Value: AsRef<str>>(lines: &[Directive<Value>]) -> Option<Self> {
        Self::of(last_command(lines)?.value.as_ref())
    }

    /// Whether a directive of the sandbox counts all the same.
    pub(crate) fn keeps(self, key: &str) -> bool {
        self == Self::Credentials || KEPT.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_known_by_their_order() {
        for (command, expected) in [
            ("/opt/agent", None),
            ("-@/opt/agent x", None),
            ("+/opt/agent", Some(Elevation::Full)),
            ("-+/opt/agent", Some(Elevation::Full)),
            ("@+/opt/agent ci-agent", Some(Elevation::Full)),
            ("\"+/opt/my agent\" -c x", Some(Elevation::Full)),
            ("!/opt/agent", Some(Elevation::Credentials)),
            (":!/opt/agent $X", Some(Elevation::Credentials)),
            ("!!/opt/agent", None),
            ("-!!/opt/agent", None),
            ("/opt/agent +x !y", None),
        ] {
            assert_eq!(Elevation::of(command), expected, "{command}");
        }
    }

    #[test]
    fn the_last_command_counts() {
        let of = |text: &str| {
            let lines = super::super::unit_text::parse(text, std::path::Path::new("/u"));
            Elevation::of_unit(&lines)
        };
        assert_eq!(of("[Service]\nExecStart=+/a\n"), Some(Elevation::Full));
        assert_eq!(of("[Service]\nExecStart=+/a\nExecStart=\nExecStart=/a\n"), None);
        assert_eq!(of("[Service]\nExecStartPre=+/a\nExecStart=/a\n"), None);
        assert_eq!(of("[Service]\nUser=x\n"), None);
    }

    #[test]
    fn only_a_plus_takes_the_sandbox_away() {
        for key in ["ProtectHome", "NoNewPrivileges", "ReadOnlyPaths", "SystemCallFilter"] {
            assert!(!Elevation::Full.keeps(key) && Elevation::Credentials.keeps(key), "{key}");
        }
        assert!(Elevation::Full.keeps("PrivateNetwork") && Elevation::Full.keeps("RootDirectory"));
    }
}
