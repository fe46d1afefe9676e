//! What a text is to Windows that a configuration or a definition gives as a path.
//!
//! The rules of names are Microsoft's ("Naming Files, Paths, and Namespaces").

use super::path::windows_name;
use std::fmt;

/// Why a text is no path that means one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowsPathFault<'a> {
    /// It begins with neither a drive nor a share.
    Relative,
    /// `C:work`: below the folder that the process happens to be in on that drive.
    DriveRelative,
    /// `\work`: on the drive that the process happens to be on.
    RootRelative,
    /// `\\server` without a share.
    NoShare,
    /// It has a control character, as YAML makes of `\t` and `\n` between double quotes.
    Control(char),
    /// A name in it that Windows takes for another one, or for none.
    Name(&'a str, NameFault),
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameFault {
    /// `NUL`, `CON` and their like, whatever follows a dot.
    Device,
    /// Windows drops a dot or a blank at its end.
    Ending,
    /// It has a character that no name may have.
    Character(char),
}

/// Where a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowsPlace {
    /// The root of a drive or of a share itself.
    Root,
    /// On a share of another host.
    Share,
    /// In a folder of a drive.
    Drive,
}

/// Where a path is; the first fault where it is none.
///
/// # Errors
/// Why it is none.
pub(crate) fn judge(text: &str) -> Result<WindowsPlace, WindowsPathFault<'_>> {
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(WindowsPathFault::Control(control));
    }
    let is_separator = |c: char| matches!(c, '/' | '\\');
    // Long paths and devices, which Windows takes as they stand.
    if text.starts_with(r"\\?\") || text.starts_with(r"\\.\") {
        return Ok(WindowsPlace::Drive);
    }
    let (place, names) = match text.as_bytes() {
        [b'/' | b'\\', b'/' | b'\\', ..] => {
            let share = text.trim_start_matches(is_separator);
            let mut parts = share.splitn(3, is_separator);
            let (server, name) =
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if server.is_empty() || name.is_empty() {
                return Err(WindowsPathFault::NoShare);
            }
            (WindowsPlace::Share, parts.next().unwrap_or_default())
        }
        [b'/' | b'\\', ..] => return Err(WindowsPathFault::RootRelative),
        [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic() => {
            (WindowsPlace::Drive, text.get(3..).unwrap_or_default())
        }
        [letter, b':', ..] if letter.is_ascii_alphabetic() => {
            return Err(WindowsPathFault::DriveRelative);
        }
        _ => return Err(WindowsPathFault::Relative),
    };
    let mut is_root = true;
    for name in names.split(is_separator).filter(|name| !matches!(*name, "" | ".")) {
        is_root = false;
        // It leads to a place all the same.
        if name != ".." {
            windows_name(name).map_err(|fault| WindowsPathFault::Name(name, fault))?;
        }
    }
    Ok(if is_root { WindowsPlace::Root } else { place })
}

impl fmt::Display for WindowsPathFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative => f.write_str("is not an absolute path"),
            Self::DriveRelative => f.write_str(
                "has no backslash behind the drive: it is below whatever folder the agent is in",
            ),
            Self::RootRelative => f.write_str("names no drive"),
            Self::NoShare => f.write_str("names a host, but no share of it"),
            Self::Control('\t') => f.write_str("has a tab in it"),
            Self::Control('\n' | '\r') => f.write_str("has a line break in it"),
            Self::Control(c) => {
                write!(f, "has the control character U+{:04X} in it", u32::from(*c))
            }
            Self::Name(name, NameFault::Device) => {
                write!(f, "has the name {name:?}, which is a device of Windows")
            }
            Self::Name(name, NameFault::Ending) => {
                write!(f, "has the name {name:?}: Windows drops a dot or blank at its end")
            }
            Self::Name(name, NameFault::Character(c)) => {
                write!(f, "has the name {name:?}: no name may have {c:?} in it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Os;
    use crate::values::AbsolutePath;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_in_one_place() {
        use WindowsPlace::{Drive, Root, Share};
        for (text, place) in [
            (r"C:\Program Files\CircleCI\Workdir", Drive),
            ("c:/work/%s", Drive),
            (r"C:\a\..\b", Drive),
            (r"\\?\C:\work", Drive),
            (r"C:\", Root),
            ("D:/", Root),
            (r"C:\.\", Root),
            (r"\\host\share", Root),
            (r"\\host\share\work", Share),
            ("//host/share/work", Share),
            (r"C:\console\null\com0", Drive),
        ] {
            assert_eq!(judge(text), Ok(place), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_of_one_place_is_told_by_its_kind() {
        use NameFault::{Character, Device, Ending};
        use WindowsPathFault::{Control, DriveRelative, Name, NoShare, Relative, RootRelative};
        for (text, fault) in [
            ("C:\temp\new", Control('\t')),
            ("C:\\work\new", Control('\n')),
            ("C:\u{8}uild", Control('\u{8}')),
            ("C:work", DriveRelative),
            ("C:", DriveRelative),
            (r"\work", RootRelative),
            ("/work", RootRelative),
            (r"\\host", NoShare),
            (r"\\host\", NoShare),
            ("work", Relative),
            ("", Relative),
            (r".\work", Relative),
            (r"C:\work\NUL", Name("NUL", Device)),
            (r"C:\con.d\work", Name("con.d", Device)),
            (r"C:\LPT1\work", Name("LPT1", Device)),
            (r"C:\work.", Name("work.", Ending)),
            (r"C:\work \a", Name("work ", Ending)),
            (r"C:\a?b", Name("a?b", Character('?'))),
            ("C:\\\"work\"", Name("\"work\"", Character('"'))),
        ] {
            assert_eq!(judge(text), Err(fault), "{text:?}");
        }
    }

    proptest! {
        /// What an install takes is right for the doctor, too.
        #[test]
        fn any_text_is_judged_and_what_an_install_takes_is_right(
            text in r"([A-Za-z]:[/\\]|\\\\h\\s)([a-zCONUL.: %?]{0,6}[/\\]?){0,4}|.{0,40}"
        ) {
            let judged = judge(&text);
            if let Ok(path) = AbsolutePath::new(&text, Os::Windows) {
                prop_assert!(judged.is_ok(), "{} {:?}", path, judged);
            }
        }
    }
}
