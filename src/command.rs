//! Commands that a person is shown, to paste.
//!
//! A command is words, and is written as a shell takes it in one place. What an account could have
//! written is a word only where it is plain, and else the whole command is left out: quotes do not
//! help against what means something to the program itself, or to whoever reads the line.

use crate::platform::{fs::Provenance, layout::shown};
use serde::{Serialize, Serializer};
use std::path::Path;

/// Most bytes of a value in a command.
const LONGEST: usize = 1024;

/// A command line; left out where a value in it cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    text: String,
    is_refused: bool,
}

/// Who reads the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    Posix,
    /// `cmd` and PowerShell alike.
    Windows,
}

impl Command {
    /// A command that is the same on every host; `text` is written as a shell takes it.
    pub fn fixed(text: &'static str) -> Self {
        Self { text: text.to_owned(), is_refused: false }
    }

    /// The same, run by root.
    pub fn root(text: &'static str) -> Self {
        Self { text: format!("sudo {text}"), is_refused: false }
    }

    /// No command at all, where one that helps would be unsafe.
    pub(crate) fn left_out() -> Self {
        Self { text: String::new(), is_refused: true }
    }

    /// The same where it gives somebody a right: left out unless root alone could have written what
    /// it is advised for.
    pub fn granting(text: &'static str, because: Provenance) -> Self {
        if because.is_root() { Self::root(text) } else { Self::left_out() }
    }

    /// With more words that are the same on every host, or signs that a shell reads.
    #[must_use]
    pub fn then(mut self, text: &'static str) -> Self {
        self.text.push(' ');
        self.text.push_str(text);
        self
    }

    /// With a value as one word. Where root alone could have written it, it is quoted where it has
    /// to be; else it must be plain.
    #[must_use]
    pub fn value(self, value: &str, written_by: Provenance) -> Self {
        self.word("", value, "", written_by, Shell::Posix)
    }

    /// With a value between words that are the same on every host, all as one word.
    #[must_use]
    pub fn within(
        self,
        before: &'static str,
        value: &str,
        after: &'static str,
        written_by: Provenance,
    ) -> Self {
        self.word(before, value, after, written_by, Shell::Posix)
    }

    /// With signs that a shell reads and a value, at the end of the last word.
    #[must_use]
    pub fn joined(mut self, signs: &'static str, value: &str, written_by: Provenance) -> Self {
        match as_word(value, value, written_by, Shell::Posix) {
            Some(word) => self.text.extend([signs, &word]),
            None => self.is_refused = true,
        }
        self
    }

    /// With a path as one word, for the shell of the system that it is written for.
    #[must_use]
    pub fn path(self, path: &Path, named_by: Provenance) -> Self {
        let Some(text) = path.to_str().map(|_| shown(path)) else {
            return Self { is_refused: true, ..self };
        };
        let has_drive = matches!(text.as_bytes(), [_, b':', b'\\', ..]);
        let shell = if has_drive { Shell::Windows } else { Shell::Posix };
        self.word("", &text, "", named_by, shell)
    }

    /// With a number.
    #[must_use]
    pub fn number(mut self, number: impl Into<u64>) -> Self {
        self.text.push_str(&format!(" {}", number.into()));
        self
    }

    /// With a value as the shells of Windows read it: plain, or between double quotes.
    #[must_use]
    pub fn windows(self, value: &str, written_by: Provenance) -> Self {
        self.word("", value, "", written_by, Shell::Windows)
    }

    /// The same between words that are the same on every host.
    #[must_use]
    pub fn windows_within(
        self,
        before: &'static str,
        value: &str,
        after: &'static str,
        written_by: Provenance,
    ) -> Self {
        self.word(before, value, after, written_by, Shell::Windows)
    }

    /// The line, unless it has to be left out.
    pub fn line(&self) -> Option<&str> {
        (!self.is_refused).then_some(self.text.as_str())
    }

    /// The same, when nothing is added any more.
    pub(crate) fn into_line(self) -> Option<String> {
        (!self.is_refused).then_some(self.text)
    }

    fn word(
        mut self,
        before: &'static str,
        value: &str,
        after: &'static str,
        written_by: Provenance,
        shell: Shell,
    ) -> Self {
        match as_word(&format!("{before}{value}{after}"), value, written_by, shell) {
            Some(word) => {
                self.text.push(' ');
                self.text.push_str(&word);
            }
            None => self.is_refused = true,
        }
        self
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Whether a value stands for itself in every shell, and for no option.
pub(crate) fn is_plain(value: &str) -> bool {
    let goes_up = value.split('/').any(|part| part == "..");
    is_sound(value) && !goes_up && value.chars().all(is_plain_sign)
}

fn is_plain_sign(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c)
}

/// Whether a value can be one word of a line at all.
fn is_sound(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= LONGEST
        && !value.starts_with('-')
        && !value.chars().any(char::is_control)
}

/// `None` for what may not be in a command.
fn as_word(word: &str, value: &str, written_by: Provenance, shell: Shell) -> Option<String> {
    if is_plain(value) {
        return Some(word.to_owned());
    }
    // Between double quotes these mean nothing to either shell of Windows.
    let is_quotable = |c: char| is_plain_sign(c) || " \\()".contains(c);
    match shell {
        Shell::Windows if is_sound(value) && value.chars().all(is_quotable) => {
            let needs_quotes = word.contains([' ', '(', ')']);
            Some(if needs_quotes { format!("\"{word}\"") } else { word.to_owned() })
        }
        Shell::Posix if is_sound(value) && written_by.is_root() => {
            Some(format!("'{}'", word.replace('\'', r"'\''")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CI: Provenance = Provenance::Account(990);

    fn line(value: &str, by: Provenance) -> Option<String> {
        Command::root("ls -ld").value(value, by).line().map(str::to_owned)
    }

    #[test]
    fn what_an_account_wrote_is_plain_or_left_out() {
        assert_eq!(line("/srv/a b", CI), None);
        assert_eq!(line("/srv/a b", Provenance::Root).unwrap(), "sudo ls -ld '/srv/a b'");
        assert_eq!(line("/srv/ab", CI).unwrap(), "sudo ls -ld /srv/ab");
        for odd in ["-rf", "", "/a/../b", "$(x)", "`x`", "a;b", "a&b", "a\nb", "it's", "~x", "*"] {
            assert_eq!(line(odd, CI), None, "{odd}");
        }
        for odd in ["-rf", "", "a\nb", "a\u{9b}b"] {
            assert_eq!(line(odd, Provenance::Root), None, "{odd}");
        }
    }

    #[test]
    fn a_path_of_windows_is_quoted_for_its_shells() {
        let path = |text: &str| {
            Command::fixed("icacls").path(Path::new(text), CI).line().map(str::to_owned)
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
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("doctor/change.rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    for program in CHANGING {
                        for end in [" ", "\")"] {
                            let made = format!("root(\"{program}{end}");
                            assert!(!text.contains(&made), "{}: {made}", path.display());
                        }
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_what_root_wrote(value in "[^-\\p{Cc}][^\\p{Cc}]{0,40}") {
            if let Some(line) = line(&value, Provenance::Root) {
                let words = shlex::split(&line).unwrap();
                prop_assert_eq!(words, ["sudo", "ls", "-ld", value.as_str()]);
            }
        }

        #[test]
        fn no_sign_of_an_account_means_anything_to_a_shell(value in ".{0,40}") {
            if let Some(line) = line(&value, CI) {
                let means_something = |c: char| "$`\\\"';&|<>(){}[]*?!#~\n".contains(c);
                prop_assert!(!line.contains(means_something), "{}", line);
            }
        }
    }
}
