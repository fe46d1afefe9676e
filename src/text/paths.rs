//! Paths of all systems as text, wherever they are written. A Windows path is written with slashes in
//! plans, which Windows takes as well, and shown with backslashes.

use std::path::{Path, PathBuf};

/// A path as it was given, in the form that paths have in plans: see the module.
pub fn inner(text: &str) -> PathBuf {
    if has_drive(Path::new(text)) { text.replace('\\', "/").into() } else { text.into() }
}

/// Whether a path is one of Windows, by the drive that it begins with.
pub fn has_drive(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    matches!(text, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Whether a path is whole, by the rules of any system: a definition is read on another one too.
pub fn is_whole(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let has_drive =
        matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    has_drive || text.starts_with(r"\\") || path.is_absolute()
}

/// A path as its system writes it, wherever it is written.
pub fn shown(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    let text = path.display().to_string();
    let is_unc = text.starts_with(r"\\");
    match text.starts_with(['/', '\\']) {
        _ if has_drive(path) => text.replace('/', "\\"),
        // Another system's path, planned for on Windows.
        true if cfg!(windows) && !is_unc => text.replace('\\', "/"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_its_system_does() {
        assert_eq!(
            shown(Path::new("C:/Program Files").join("CircleCI")),
            "C:\\Program Files\\CircleCI"
        );
        assert_eq!(shown(Path::new("/opt").join("circleci")), "/opt/circleci");
    }
}
