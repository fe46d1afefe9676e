//! Folders that systems have: those of many, homes, and this program's own.

use super::Os;
use std::path::{Path, PathBuf};

/// Folders whose files a package brings and replaces: no person edits them.
const OF_PACKAGES: [&str; 12] = [
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/lib",
    "/usr/lib",
    "/usr/libexec",
    "/usr/share",
    "/System",
    "/opt/homebrew",
    "/nix/store",
    "/snap",
];

/// Whether a package brings a file, and not an administrator.
pub fn is_of_package(file: &Path) -> bool {
    OF_PACKAGES.iter().any(|folder| file.starts_with(folder))
}

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
