//! Words of a command: each of the kind that the program takes there, and chosen by root alone or
//! by the documentation.
//!
//! That a value means nothing to a shell is not enough: `apt-get install /tmp/x.deb`, `systemctl
//! unmask ssh.service` and `launchctl bootstrap system /tmp/x.plist` are made of plain words only.

use crate::{
    agent::is_documented,
    platform::{fs::Provenance, macos::launchd, paths},
};
use std::path::{Component, Path};

/// Most bytes of a value in a command.
const LONGEST: usize = 1024;

/// What a word is to the program that takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A service unit of systemd.
    Unit,
    /// A label of launchd.
    Label,
    /// Where launchd runs a job: `system`, or the number of a user.
    Domain,
    /// A task of Windows' scheduler.
    Task,
    /// An account.
    User,
    /// A path from the root, or with a drive.
    Path,
    /// A value that root alone wrote, whatever it is.
    Own,
}

/// Who reads the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    Posix,
    /// `cmd` and PowerShell alike.
    Windows,
}

impl Kind {
    /// Whether a value may be a word of this kind: root alone could have written it, or the
    /// documentation names it.
    pub(super) fn takes(self, value: &str, written_by: Provenance) -> bool {
        self.is(value) && (written_by.is_root() || self.is_documented(value))
    }

    fn is(self, value: &str) -> bool {
        let all = |more: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        let is_name = !value.starts_with('.');
        is_sound(value)
            && match self {
                Self::Unit => is_name && all("-_.@:\\") && value.ends_with(".service"),
                Self::Label => is_name && all("-_."),
                Self::Domain => is_domain(value),
                Self::User => value.len() <= 64 && all("-_. \\"),
                Self::Path => {
                    let goes_up = |part| part == Component::ParentDir;
                    let path = paths::inner(value);
                    // Of another system as well: saved facts are judged anywhere.
                    let is_whole = value.starts_with('/') || paths::is_whole(Path::new(value));
                    is_whole && !path.components().any(goes_up)
                }
                Self::Task | Self::Own => true,
            }
    }

    fn is_documented(self, value: &str) -> bool {
        match self {
            Self::Domain => [launchd::SYSTEM, launchd::DESKTOP].contains(&value),
            Self::Own => false,
            Self::Path => is_documented(
                |own| own.places().into_iter().any(|place| place == paths::inner(value)),
                value,
            ),
            Self::User => is_documented(|own| own.user == value, value),
            Self::Unit | Self::Label | Self::Task => {
                is_documented(|own| own.service == value, value)
            }
        }
    }
}

/// `system`, `gui/NUMBER` or `user/NUMBER`; or that of whoever types the command, which is the one
/// word that a shell has to read.
fn is_domain(value: &str) -> bool {
    let number = |of: &str| value.strip_prefix(of).is_some_and(|own| own.parse::<u32>().is_ok());
    [launchd::SYSTEM, launchd::DESKTOP].contains(&value) || number("gui/") || number("user/")
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

/// A word as a shell takes it; `None` for what a shell cannot be given.
pub(super) fn written(word: &str, value: &str, shell: Shell) -> Option<String> {
    if is_plain(value) {
        return Some(word.to_owned());
    }
    // Between double quotes these mean nothing to either shell of Windows.
    let is_quotable = |c: char| is_plain_sign(c) || " \\()".contains(c);
    match shell {
        _ if !is_sound(value) => None,
        Shell::Windows if value.chars().all(is_quotable) => {
            let needs_quotes = word.contains([' ', '(', ')']);
            Some(if needs_quotes { format!("\"{word}\"") } else { word.to_owned() })
        }
        Shell::Windows => None,
        Shell::Posix => Some(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}
