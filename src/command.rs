//! The words of commands that are not the same on every host.
//!
//! A command is words, and is written as a shell takes it in one place. A word that is not the same
//! on every host is of the kind that the program takes there, and root alone chose it, or the
//! documentation names it: see [`word`]. Otherwise the whole command is left out. Saved facts are
//! anybody's, and whoever reads them has root on a host of their own.

mod server;
mod word;

pub(crate) use server::Server;

use crate::{
    Command,
    platform::fs::Provenance,
    text::{Shell, shown},
};
use std::path::Path;
use word::Kind;

impl Command {
    /// The same where it gives somebody a right, or takes a protection away: left out unless root
    /// alone could have written what it is advised for.
    pub fn granting(text: &'static str, because: Provenance) -> Self {
        Self::root(text).if_roots(because)
    }

    /// The same on the same condition.
    #[must_use]
    pub(crate) fn if_roots(self, because: Provenance) -> Self {
        if because.is_root() { self } else { self.refused() }
    }

    /// With a unit of systemd.
    #[must_use]
    pub fn unit(self, name: &str, named_by: Provenance) -> Self {
        self.word(Kind::Unit, ["", name, ""], named_by, Shell::Posix)
    }

    /// With a job of launchd: its domain and its label, as one word.
    #[must_use]
    pub fn job(self, domain: &str, label: &str, named_by: Provenance) -> Self {
        match Kind::Domain.takes(domain, named_by) && Kind::Label.takes(label, named_by) {
            // The kinds allow no other sign that means anything to a shell.
            true => self.plain(&format!("{domain}/{label}")),
            false => self.refused(),
        }
    }

    /// With a domain of launchd.
    #[must_use]
    pub fn domain(self, domain: &str, named_by: Provenance) -> Self {
        match Kind::Domain.takes(domain, named_by) {
            true => self.plain(domain),
            false => self.refused(),
        }
    }

    /// With a task of Windows' scheduler.
    #[must_use]
    pub fn task(self, name: &str, named_by: Provenance) -> Self {
        self.word(Kind::Task, ["", name, ""], named_by, Shell::Windows)
    }

    /// With an account.
    #[must_use]
    pub fn user(self, name: &str, named_by: Provenance) -> Self {
        self.word(Kind::User, ["", name, ""], named_by, Shell::Posix)
    }

    /// With an account between signs that are the same on every host, all as one word.
    #[must_use]
    pub fn user_within(
        self,
        before: &'static str,
        name: &str,
        after: &'static str,
        named_by: Provenance,
    ) -> Self {
        self.word(Kind::User, [before, name, after], named_by, Shell::Posix)
    }

    /// With an account of Windows, and signs that are the same on every host at its end.
    #[must_use]
    pub fn windows_user(self, name: &str, after: &'static str, named_by: Provenance) -> Self {
        self.word(Kind::User, ["", name, after], named_by, Shell::Windows)
    }

    /// With an edit of one line, in the language of sed; `edit` is written as it stands in a shell
    /// between two quotes.
    #[must_use]
    pub fn in_line(self, line: usize, edit: &'static str) -> Self {
        self.plain(&format!("'{line}{{{edit};}}'"))
    }

    /// With an account of Windows between signs that are the same on every host, all as one word.
    #[must_use]
    pub fn windows_user_within(
        self,
        before: &'static str,
        name: &str,
        after: &'static str,
        named_by: Provenance,
    ) -> Self {
        self.word(Kind::User, [before, name, after], named_by, Shell::Windows)
    }

    /// With an account of Windows by its number, and rights behind it, all as one word: as `icacls` takes
    /// it, whatever the language of the system.
    #[must_use]
    pub fn sid(self, sid: &str, after: &'static str, named_by: Provenance) -> Self {
        self.word(Kind::Sid, ["*", sid, after], named_by, Shell::Windows)
    }

    /// With a path as one word, for the shell of the system that it is written for.
    #[must_use]
    pub fn path(self, path: &Path, named_by: Provenance) -> Self {
        let Some(text) = path.to_str().map(|_| shown(path)) else { return self.refused() };
        let shell = Shell::of_path(&text);
        self.word(Kind::Path, ["", &text, ""], named_by, shell)
    }

    /// With a value of root's own, such as a setting: left out where anybody else could have
    /// written it.
    #[must_use]
    pub fn trusted_value(self, value: &str, written_by: Provenance) -> Self {
        self.word(Kind::Trusted, ["", value, ""], written_by, Shell::Posix)
    }

    /// With the URL of a server; left out without one.
    #[must_use]
    pub(crate) fn url(self, server: Option<&Server>) -> Self {
        self.of_server(server.map(Server::url))
    }

    /// With the host of a server.
    #[must_use]
    pub(crate) fn host(self, server: Option<&Server>) -> Self {
        self.of_server(server.map(|server| server.host().to_owned()))
    }

    /// With host and port of a server.
    #[must_use]
    pub(crate) fn authority(self, server: Option<&Server>) -> Self {
        self.of_server(server.map(Server::authority))
    }

    fn of_server(self, text: Option<String>) -> Self {
        match text {
            Some(text) if text.contains('[') => self.plain(&format!("'{text}'")),
            Some(text) => self.plain(&text),
            None => self.refused(),
        }
    }

    fn word(
        self,
        kind: Kind,
        [before, value, after]: [&str; 3],
        named_by: Provenance,
        shell: Shell,
    ) -> Self {
        match kind.takes(value, named_by) {
            true => self.quoted(&format!("{before}{value}{after}"), value, shell),
            false => self.refused(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CI: Provenance = Provenance::Account(990);

    fn own(value: &str, by: Provenance) -> Option<String> {
        Command::root("ls -ld").trusted_value(value, by).line().map(str::to_owned)
    }

    #[test]
    fn a_value_of_roots_is_quoted_and_one_of_anybody_else_left_out() {
        assert_eq!(own("/srv/a b", Provenance::Root).unwrap(), "sudo ls -ld '/srv/a b'");
        for by in [CI, Provenance::Anybody] {
            assert_eq!(own("http://evil.example:3128", by), None);
        }
        for odd in ["-rf", "", "a\nb", "a\u{9b}b"] {
            assert_eq!(own(odd, Provenance::Root), None, "{odd}");
        }
    }

    /// A command of each kind with a value.
    fn all(value: &str, by: Provenance) -> Vec<Command> {
        let new = || Command::root("x");
        vec![
            new().unit(value, by),
            new().job("system", value, by),
            new().job(value, "com.circleci.runner", by),
            new().domain(value, by),
            new().task(value, by),
            new().user(value, by),
            new().user_within("--owner=", value, "", by),
            new().windows_user(value, ":(RX)", by),
            new().windows_user_within("/user:", value, "", by),
            new().sid(value, ":(RX)", by),
            new().path(Path::new(value), by),
            new().trusted_value(value, by),
        ]
    }

    #[test]
    fn what_an_account_or_a_document_names_is_documented_or_left_out() {
        for by in [CI, Provenance::Anybody] {
            for strange in [
                "/tmp/git.deb",
                "/etc/shadow",
                "/opt",
                "ssh.service",
                "circleci.service.d",
                "com.openssh.sshd",
                "gui/501",
                "mallory",
                "root",
                "sudo-",
                "777",
                "http://evil.example:3128",
                "circleci;id",
                "circleci-$(id).service",
            ] {
                for command in all(strange, by) {
                    assert_eq!(command.line(), None, "{strange}");
                }
            }
            for known in [
                "circleci.service",
                "circleci-gpu.service",
                "circleci-runner.service",
                "com.circleci.runner",
                "system",
                "CircleCI Launch Agent",
                "circleci",
                "/opt/circleci/circleci-launch-agent",
                "/Library/LaunchDaemons/com.circleci.runner.plist",
                "C:\\Program Files\\CircleCI\\launch-agent-config.yaml",
            ] {
                assert!(all(known, by).iter().any(|own| own.line().is_some()), "{known}");
            }
        }
    }

    #[test]
    fn a_word_of_roots_is_of_the_kind_that_the_program_takes() {
        let root = Provenance::Root;
        let new = || Command::root("x");
        for command in [
            new().unit("/tmp/x.service", root),
            new().unit("dbus.socket", root),
            new().job("system/x", "l", root),
            new().job("system", "a/b", root),
            new().domain("gui/$(id)", root),
            new().user("a:b", root),
            new().user("-u", root),
            new().path(Path::new("relative"), root),
            new().path(Path::new("/a/../b"), root),
        ] {
            assert_eq!(command.line(), None);
        }
        assert_eq!(new().domain("gui/$(id -u)", root).line().unwrap(), "sudo x gui/$(id -u)");
    }

    #[test]
    fn a_path_of_windows_is_quoted_for_its_shells() {
        let path = |text: &str| {
            let command = Command::fixed("icacls").path(Path::new(text), Provenance::Root);
            command.line().map(str::to_owned)
        };
        assert_eq!(
            path("C:/Program Files/CircleCI/x.yaml").unwrap(),
            "icacls \"C:\\Program Files\\CircleCI\\x.yaml\""
        );
        assert_eq!(path("C:/x\"&calc"), None);
        assert_eq!(path("C:/%TEMP%"), None);
    }

    /// Programs that give, move or remove what they are pointed at.
    const CHANGING: [&str; 11] =
        ["chmod", "chown", "cp", "install", "ln", "mkdir", "mv", "rm", "setfacl", "tee", "usermod"];

    /// Only `doctor::change` knows whether a target may be changed.
    #[test]
    fn a_command_that_changes_a_path_is_made_in_one_place() {
        let homes = ["doctor/change.rs", "change/start.rs", "change/system.rs"];
        let mut others = crate::text::sources::below("");
        others.retain(|(path, _)| !homes.iter().any(|home| path.ends_with(home)));
        for (path, text) in others {
            for program in CHANGING {
                for end in [" ", "\")"] {
                    let made = format!("root(\"{program}{end}");
                    assert!(!text.contains(&made), "{}: {made}", path.display());
                }
            }
        }
    }

    /// Words in capitals that commands have as they are.
    const AS_THEY_ARE: [&str; 6] = ["TERM", "HKLM", "SYSTEM", "REG_DWORD", "TERMSRV", "SID"];

    /// A command can be pasted as it stands: no blank to fill in, and no remark behind it.
    #[test]
    fn no_command_has_a_blank_or_a_remark() {
        for (path, text) in ["doctor", "service"].into_iter().flat_map(crate::text::sources::below)
        {
            let made = ["fixed(", "root(", "granting(", "shows(", "then("];
            let begins = made.iter().flat_map(|made| text.split(made).skip(1));
            for rest in begins.filter_map(|rest| rest.trim_start().strip_prefix('"')) {
                let line = rest.split('"').next().unwrap();
                let is_blank = |word: &&str| {
                    word.len() > 1
                        && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                        && !AS_THEY_ARE.contains(word)
                };
                // Options and rights of Windows are written in capitals.
                let is_windows = |word: &&str| word.starts_with(['/', '*']);
                let words = line.split_whitespace().filter(|word| !is_windows(word));
                let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                let mut words = words.flat_map(|word| word.split(is_end));
                assert_eq!(words.find(is_blank), None, "{}: {line}", path.display());
                assert!(!line.contains(" #"), "{}: {line}", path.display());
            }
        }
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_what_root_wrote(value in "[^-\\p{Cc}][^\\p{Cc}]{0,40}") {
            if let Some(line) = own(&value, Provenance::Root) {
                let words = shlex::split(&line).unwrap();
                prop_assert_eq!(words, ["sudo", "ls", "-ld", value.as_str()]);
            }
        }

        #[test]
        fn no_value_of_an_account_is_a_word(value in ".{0,40}") {
            for command in all(&value, CI) {
                prop_assert_eq!(command.line(), None, "{}", value);
            }
        }
    }
}
