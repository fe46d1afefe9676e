//! Absolute paths on the system that the install is for.

use super::{serde_as_text, windows_path::NameFault};
use crate::{Code, Error, Help, Result, platform::Os};
use std::{fmt, str::FromStr};

/// A path that is absolute on the target system, which need not be the system this program runs on.
///
/// Rule on Linux and macOS: starts with `/`. On Windows: a drive (`C:\…`) or a share
/// (`\\server\share\…`), without the characters and names that Windows keeps for itself. Everywhere: no
/// `..`, no control characters (a line break would end a line of a unit file), at most 4096 bytes.
/// Doubled and trailing separators and `.` are left out, so that equal paths have equal texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsolutePath(String);

const MAX_BYTES: usize = 4096;

impl AbsolutePath {
    /// Reads a path for `os`.
    pub fn new(text: &str, os: Os) -> Result<Self> {
        let refused = |why: &str| {
            Err(Error::new(Code::ValueInvalid, format!("the path {text:?} {why}")).help(match os {
                Os::Linux | Os::Darwin => "give the whole path, such as /var/opt/circleci",
                Os::Windows => r"give the whole path, such as C:\CircleCI\Workdir",
            }))
        };
        if text.len() > MAX_BYTES {
            return Err(Error::new(
                Code::ValueInvalid,
                format!("a path of {} bytes is too long", text.len()),
            )
            .help(Help::words(format!("{MAX_BYTES} bytes at most"))));
        }
        if text.chars().any(char::is_control) {
            return refused("has a control character");
        }
        if os == Os::Windows && (text.starts_with(r"\\?\") || text.starts_with(r"\\.\")) {
            return refused(r"starts with \\?\ or \\.\ (leave that out: long paths work without)");
        }
        let (root, rest, separator) = match os {
            Os::Linux | Os::Darwin => match text.strip_prefix('/') {
                Some(rest) => ("/".to_owned(), rest.to_owned(), '/'),
                None => return refused("is not absolute"),
            },
            Os::Windows => match split_windows_root(text) {
                Some((root, rest)) => (root, rest, '\\'),
                None => return refused("is not absolute"),
            },
        };
        let parts: Vec<&str> =
            rest.split(separator).filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return refused("goes back up with ..");
        }
        if os == Os::Windows && !parts.iter().all(|part| is_windows_name(part)) {
            return refused("has a name that Windows does not take");
        }
        Ok(Self(root + &parts.join(&separator.to_string())))
    }

    /// The text, with the separators of its system.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AbsolutePath {
    type Err = Error;

    /// Reads a path of any system, told apart by how it starts.
    fn from_str(text: &str) -> Result<Self> {
        // A slash in front is Unix's, whatever follows; Windows' own form never begins with one.
        let windows = split_windows_root(text).is_some() && !text.starts_with('/');
        Self::new(text, if windows { Os::Windows } else { Os::Linux })
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(AbsolutePath);

/// `C:\` or `\\server\share\`, and what follows with backslashes only.
fn split_windows_root(text: &str) -> Option<(String, String)> {
    let text = text.replace('/', "\\");
    if let Some(share) = text.strip_prefix(r"\\") {
        let mut parts = share.splitn(3, '\\');
        let (server, name) = (parts.next()?, parts.next()?);
        // A server named `?` or `.` is the door to devices.
        let fits = is_windows_name(server) && is_windows_name(name);
        let rest = parts.next().unwrap_or_default().to_owned();
        return fits.then(|| (format!(r"\\{server}\{name}\"), rest));
    }
    let (drive, rest) = text.split_once(r":\")?;
    let is_letter = drive.len() == 1 && drive.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_letter.then(|| (format!(r"{}:\", drive.to_ascii_uppercase()), rest.to_owned()))
}

fn is_windows_name(name: &str) -> bool {
    !name.is_empty() && windows_name(name).is_ok()
}

/// Whether a name is one to Windows.
///
/// # Errors
/// Why it is none.
pub(super) fn windows_name(name: &str) -> std::result::Result<(), NameFault> {
    // A device in every folder, whatever follows a dot.
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_numbered = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|number| {
            matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9")
        })
    };
    let is_device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || is_numbered("COM")
        || is_numbered("LPT");
    let wrong = |c: &char| matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*');
    match name.chars().find(wrong) {
        _ if is_device => Err(NameFault::Device),
        Some(c) => Err(NameFault::Character(c)),
        // Which makes two texts of one file.
        None if name.ends_with(['.', ' ']) => Err(NameFault::Ending),
        None => Ok(()),
    }
}

/// The part of a work folder's path that is there before any job: `%s` becomes something else
/// for each of them.
pub(crate) fn static_prefix(workdir: &str) -> std::path::PathBuf {
    let workdir = crate::text::inner(workdir);
    let names = workdir.components();
    names.take_while(|name| !name.as_os_str().to_string_lossy().contains("%s")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::assert_round_trip;
    use super::*;
    use proptest::prelude::*;

    fn unix(text: &str) -> Result<String> {
        AbsolutePath::new(text, Os::Linux).map(|path| path.to_string())
    }

    fn windows(text: &str) -> Result<String> {
        AbsolutePath::new(text, Os::Windows).map(|path| path.to_string())
    }

    #[test]
    fn paths_are_written_in_one_way() {
        assert_eq!(unix("/var//opt/./circleci/").unwrap(), "/var/opt/circleci");
        assert_eq!(unix("/").unwrap(), "/");
        assert_eq!(unix("/var/%s").unwrap(), "/var/%s");
        assert_eq!(windows("c:/CircleCI//Workdir/").unwrap(), r"C:\CircleCI\Workdir");
        assert_eq!(windows(r"\\host\share\a").unwrap(), r"\\host\share\a");
        assert_eq!(windows(r"C:\").unwrap(), r"C:\");
        assert_eq!(windows(r"d:\Nullable\com0\conx").unwrap(), r"D:\Nullable\com0\conx");
        assert_eq!(windows("//host/share/a b//").unwrap(), r"\\host\share\a b");
    }

    #[test]
    fn what_is_not_absolute_or_leads_elsewhere_is_refused() {
        for text in ["", "opt", "./opt", "~/x", "/a/../b", "/..", "/a\nb", "/a\0", "C:\\x"] {
            assert!(unix(text).is_err(), "{text:?}");
        }
        for text in [
            "",
            "C:",
            "C:x",
            r"\x",
            "/opt",
            r"C:\a\..\b",
            r"C:\a|b",
            r"C:\a.",
            r"\\?\C:\x",
            r"\\.\pipe\x",
            r"\\host",
            r"CC:\x",
            r"%ProgramFiles%\CircleCI",
            r"C:\x:stream",
            r"C:\work\nul",
            r"C:\Com1.d\x",
            r"C:\a\CON .txt",
            r"\\?\UNC\host\share\x",
        ] {
            assert!(windows(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn recorded_paths_of_each_system_read_back() {
        for text in ["/var/opt/circleci", r"C:\Program Files\CircleCI", r"\\host\share\a", "//a/b"]
        {
            assert!(text.parse::<AbsolutePath>().is_ok(), "{text}");
            assert_round_trip::<AbsolutePath>(text);
        }
    }

    #[test]
    fn the_door_to_devices_is_named() {
        for text in [r"\\?\C:\work", r"\\.\C:\work"] {
            assert!(windows(text).unwrap_err().message().contains("long paths work without"));
        }
    }

    proptest! {
        #[test]
        fn a_windows_path_is_the_same_place_in_every_spelling(
            drive in "[A-Za-z]",
            names in prop::collection::vec("[a-zA-Z0-9äé_ -]{1,12}[a-z0-9]y", 0..5),
            slashes in prop::collection::vec(prop::sample::select(vec!["/", "\\", "//", "\\.\\"]), 6),
        ) {
            let mut text = format!("{drive}:{}", if slashes[5].starts_with('/') { "/" } else { "\\" });
            for (name, slash) in names.iter().zip(&slashes) {
                text += name;
                text += slash;
            }
            let path = AbsolutePath::new(&text, Os::Windows).unwrap();
            let expected = format!("{}:\\{}", drive.to_uppercase(), names.join("\\"));
            prop_assert_eq!(path.as_str(), &expected);
            // As plans have it, and back again as a person reads it.
            let inner = crate::text::inner(path.as_str());
            prop_assert!(!inner.display().to_string().contains('\\') || cfg!(windows));
            prop_assert_eq!(crate::text::shown(&inner), expected);
        }

        #[test]
        fn any_text_is_judged_without_panic(text in r"([A-Za-z]:)?[/\\a.%: ]{0,20}|.{0,40}") {
            assert_round_trip::<AbsolutePath>(&text);
            for os in [Os::Linux, Os::Darwin, Os::Windows] {
                if let Ok(path) = AbsolutePath::new(&text, os) {
                    prop_assert_eq!(AbsolutePath::new(path.as_str(), os).unwrap(), path.clone());
                    prop_assert_eq!(path.as_str().parse::<AbsolutePath>().unwrap(), path);
                }
            }
        }
    }
}
