//! Where programs of the system are found: in folders, and as files, that nobody but root and the
//! caller can change. A `PATH` that a user prepared never counts.

#[cfg(unix)]
use crate::platform::fs::{Kind, Root};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

/// Where programs are looked for, the system's own folders first.
#[cfg(not(any(windows, target_os = "macos")))]
pub const FOLDERS: [&str; 6] =
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Where programs are looked for. All that is run here is part of macOS; `/usr/local/bin` belongs
/// to a user where Homebrew is installed.
#[cfg(target_os = "macos")]
pub const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Where programs are looked for.
#[cfg(windows)]
pub const FOLDERS: [&str; 2] =
    [r"C:\Windows\System32", r"C:\Windows\System32\WindowsPowerShell\v1.0"];

/// The program of this name, if there is one; looked for once in the life of this process.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    static FOUND: Mutex<BTreeMap<String, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = found.get(program) {
        return known.clone();
    }
    let path = find_in(Path::new("/"), safe_folders(), program);
    found.insert(program.to_owned(), path.clone());
    path
}

/// The `PATH` that programs get.
pub(crate) fn search_path() -> String {
    safe_folders().join(if cfg!(windows) { ";" } else { ":" })
}

/// Where was looked, for a program that was not found.
pub(crate) fn looked_in() -> String {
    let (safe, passed_over): (Vec<&str>, Vec<&str>) =
        FOLDERS.into_iter().partition(|folder| safe_folders().contains(folder));
    let mut text = format!("looked in {}", safe.join(", "));
    if !passed_over.is_empty() {
        text += &format!("; passed over, as others can change it: {}", passed_over.join(", "));
    }
    text
}

fn safe_folders() -> &'static [&'static str] {
    static SAFE: OnceLock<Vec<&'static str>> = OnceLock::new();
    SAFE.get_or_init(|| {
        let is_kept = |folder: &&str| !is_open_to_others(Path::new("/"), Path::new(folder));
        FOLDERS.into_iter().filter(is_kept).collect()
    })
}

fn find_in(base: &Path, folders: &[&str], program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let paths = folders.iter().map(|folder| Path::new(folder).join(&name));
    paths.into_iter().find(|path| is_program(base, path))
}

/// A file that nobody but root and the caller could have put there or written, by whatever links.
#[cfg(unix)]
fn is_program(base: &Path, path: &Path) -> bool {
    let walk = Root::open(base).and_then(|root| root.walk(path));
    walk.is_ok_and(|walk| {
        walk.end.is_some_and(|meta| meta.kind == Kind::File) && walk.changed_by().is_root()
    })
}

/// A folder that is missing is open to nobody.
#[cfg(unix)]
fn is_open_to_others(base: &Path, folder: &Path) -> bool {
    let walk = Root::open(base).and_then(|root| root.walk(folder));
    walk.is_ok_and(|walk| walk.end.is_some() && !walk.changed_by().is_root())
}

/// The folders of Windows are the installer's alone.
#[cfg(not(unix))]
fn is_program(_base: &Path, path: &Path) -> bool {
    path.is_file()
}

#[cfg(not(unix))]
fn is_open_to_others(_base: &Path, _folder: &Path) -> bool {
    false
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
    };

    const SYSTEM: &str = "/usr/bin";
    const LOCAL: &str = "/usr/local/bin";

    /// A base with a program in each of two folders.
    fn base() -> tempfile::TempDir {
        let base = tempfile::tempdir().unwrap();
        for folder in [SYSTEM, LOCAL] {
            let folder = base.path().join(&folder[1..]);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("tool"), "").unwrap();
            set_mode(&folder.join("tool"), 0o755);
        }
        base
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_systems_own_folders_come_first() {
        let is_system = |folder: &&str| !folder.contains("local");
        let systems = FOLDERS.iter().take_while(|folder| is_system(folder)).count();
        assert_eq!(systems, FOLDERS.iter().filter(|folder| is_system(folder)).count());
        if cfg!(target_os = "macos") {
            assert_eq!(systems, FOLDERS.len());
        }
        let (base, folders) = (base(), [SYSTEM, LOCAL]);
        assert_eq!(find_in(base.path(), &folders, "tool").unwrap(), Path::new("/usr/bin/tool"));
    }

    #[test]
    fn what_others_can_change_is_passed_over() {
        let base = base();
        let local = base.path().join(&LOCAL[1..]);
        let found = || find_in(base.path(), &[LOCAL], "tool");
        assert!(found().is_some());
        for (path, mode) in [
            (local.clone(), 0o2775),
            (local.clone(), 0o757),
            (local.join("tool"), 0o775),
            (base.path().join("usr/local"), 0o777),
        ] {
            let before = fs::metadata(&path).unwrap().permissions();
            set_mode(&path, mode);
            assert_eq!(found(), None, "{} {mode:o}", path.display());
            let is_way = path != local.join("tool");
            assert_eq!(is_open_to_others(base.path(), Path::new(LOCAL)), is_way);
            fs::set_permissions(&path, before).unwrap();
        }
    }

    #[test]
    fn a_program_may_be_a_link_of_roots_to_another_name() {
        let base = base();
        symlink("tool", base.path().join("usr/bin/alias")).unwrap();
        assert_eq!(find_in(base.path(), &[SYSTEM], "alias").unwrap(), Path::new("/usr/bin/alias"));
        assert!(!is_open_to_others(base.path(), Path::new("/not/there")));
    }
}
