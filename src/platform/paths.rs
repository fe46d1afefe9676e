//! Paths of all systems, wherever they are written. A Windows path is written with slashes in plans,
//! which Windows takes as well, and shown with backslashes.

use super::Os;
use std::path::{Path, PathBuf};

/// Folders whose whole content is the system's.
const SYSTEM: [&str; 24] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/snap",
    "/sys",
    "/usr",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/mail",
    "/var/run",
    "/var/spool",
    "/private/etc",
    "/System",
];

/// Folders that hold what belongs to many: they themselves are the system's, not what is in them.
const SHARED: [&str; 24] = [
    "/",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/srv",
    "/tmp",
    "/var",
    "/var/local",
    "/var/opt",
    "/var/tmp",
    "/lost+found",
    "/private",
    "/private/var",
    "/private/tmp",
    "/Applications",
    "/Library",
    "/Users",
    "/Users/Shared",
    "/Volumes",
    "/usr/local",
    "/var/www",
    "/data",
    "/nix",
];

/// Folders of Windows whose whole content is the system's, in small letters.
const SYSTEM_OF_WINDOWS: [&str; 2] = ["c:/windows", "c:/program files/windowsapps"];

/// Whether a path is the system's, or holds what belongs to many: never one agent's own.
pub fn is_system(path: &Path) -> bool {
    let text = path.to_string_lossy().replace('\\', "/");
    if text.starts_with('/') {
        let is_library = path.starts_with("/Library") && path.components().count() < 4;
        return is_library
            || SYSTEM.iter().any(|folder| path.starts_with(folder))
            || SHARED.iter().any(|folder| path == Path::new(folder));
    }
    let text = text.to_lowercase();
    let text = text.trim_end_matches('/');
    let is_top = text.split('/').count() < 3 && !text.starts_with("//");
    is_top || SYSTEM_OF_WINDOWS.iter().any(|folder| text.starts_with(folder))
}

/// A path as it was given, in the form that paths have in plans: see the module.
pub fn inner(text: &str) -> PathBuf {
    let has_drive = matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if has_drive { text.replace('\\', "/").into() } else { text.into() }
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
    let text = path.as_ref().display().to_string();
    let has_drive = matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let is_unc = text.starts_with(r"\\");
    match text.starts_with(['/', '\\']) {
        _ if has_drive => text.replace('/', "\\"),
        // Another system's path, planned for on Windows.
        true if cfg!(windows) && !is_unc => text.replace('\\', "/"),
        _ => text,
    }
}

/// Where an account's home is, where it is created.
pub fn home(os: Os, user: &str) -> PathBuf {
    let homes = match os {
        Os::Linux => "/home",
        Os::Darwin => "/Users",
        Os::Windows => "C:/Users",
    };
    Path::new(homes).join(user)
}

/// Receipt, journal and lock; readable without root.
pub fn state_folder() -> PathBuf {
    PathBuf::from(if cfg!(windows) {
        "C:/ProgramData/runnerup"
    } else if cfg!(target_os = "macos") {
        "/Library/Application Support/runnerup"
    } else {
        "/var/lib/runnerup"
    })
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

    #[test]
    fn paths_of_the_system_are_known() {
        for path in [
            "/",
            "/etc",
            "/etc/cron.d",
            "/root/.ssh",
            "/usr/local/bin",
            "/var/lib/dpkg",
            "/opt",
            "/srv",
            "/home",
            "/tmp",
            "/var/log/x",
            "/Library/LaunchDaemons",
            "C:/",
            "C:/Users",
            "c:\\Windows\\x",
        ] {
            assert!(is_system(Path::new(path)), "{path}");
        }
        for path in ["/srv/ci", "/opt/ci", "/home/ci/work", "/mnt/disk/work", "D:/ci/work"] {
            assert!(!is_system(Path::new(path)), "{path}");
        }
    }
}
