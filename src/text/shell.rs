//! Words of a command line, as a shell takes them.

use super::paths::{inner, is_whole};
use std::path::{Component, Path};

/// Most bytes of a value in a command.
const LONGEST: usize = 1024;

/// Who reads the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Posix,
    /// `cmd` and PowerShell alike.
    Windows,
}

impl Shell {
    /// The shell of the system that a path is written for.
    pub(crate) fn of_path(text: &str) -> Self {
        match text.as_bytes() {
            [_, b':', b'\\', ..] => Self::Windows,
            _ => Self::Posix,
        }
    }
}

/// Whether a value is a path from the root, or with a drive, that does not go up.
pub(crate) fn is_whole_path(value: &str) -> bool {
    let goes_up = |part| part == Component::ParentDir;
    // Of another system as well: saved facts are judged anywhere.
    let is_whole = value.starts_with('/') || is_whole(Path::new(value));
    is_whole && !inner(value).components().any(goes_up)
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
pub(crate) fn is_sound(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= LONGEST
        && !value.starts_with('-')
        && !value.chars().any(char::is_control)
}

/// A word as a shell takes it; `None` for what a shell cannot be given.
pub(crate) fn written(word: &str, value: &str, shell: Shell) -> Option<String> {
    // PowerShell evaluates what stands in brackets.
    let is_read = shell == Shell::Windows && word.contains(['(', ')', ' ']);
    if is_plain(value) && !is_read {
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
