//! The files of a host as a value: what an install that was undone must leave as it was.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What a host changes by itself while it boots and runs, and what tools leave behind on purpose.
/// A name that ends in `/` stands for what is in the folder, not for the folder.
const CHANGES_BY_ITSELF: &[&str] = &[
    // Not on a disk, or not meant to stay.
    "/dev/",
    "/proc/",
    "/run/",
    "/sys/",
    "/tmp/",
    "/var/tmp/",
    // Written at boot.
    "/etc/.updated",
    "/etc/machine-id",
    "/etc/resolv.conf",
    "/var/.updated",
    "/var/lib/private/",
    "/var/lib/systemd/",
    "/var/log/journal/",
    // Who logged in when.
    "/var/log/btmp",
    "/var/log/faillog",
    "/var/log/lastlog",
    "/var/log/wtmp",
    // The copies that the account tools keep of the state before, and their lock.
    "/etc/.pwd.lock",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/subgid-",
    "/etc/subuid-",
    // Caches that any reader may fill.
    "/var/cache/ldconfig/",
];

/// Path (as on the host, absolute) to what is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, Entry>);

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    kind: Kind,
    /// Permission bits, set-id and sticky bits included.
    mode: u32,
    uid: u32,
    gid: u32,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Folder,
    File { len: usize, sha256: [u8; 32] },
    Link { to: PathBuf },
    Other { name: &'static str, device: u64 },
}

impl Tree {
    /// Everything below `root` but what changes by itself. Links are not followed.
    pub fn of(root: &Path) -> Tree {
        let mut tree = Tree(BTreeMap::new());
        tree.add(root, Path::new("/"));
        tree
    }

    /// How `self` became `later`, one line a path: `+` came, `-` went, `~` changed.
    pub fn diff(&self, later: &Tree) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, was) in &self.0 {
            let path_text = path.display();
            match later.0.get(path) {
                None => lines.push(format!("- {path_text}: {was}")),
                Some(is) if is != was => lines.push(format!("~ {path_text}: {was} -> {is}")),
                Some(_) => {}
            }
        }
        let came = later.0.iter().filter(|(path, _)| !self.0.contains_key(*path));
        lines.extend(came.map(|(path, is)| format!("+ {}: {is}", path.display())));
        lines.sort_by(|a, b| a[2..].cmp(&b[2..]));
        lines
    }

    /// How many paths it holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        let here = root.join(folder.strip_prefix("/").unwrap());
        for entry in fs::read_dir(here).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if changes_by_itself(&path, false) {
                continue;
            }
            // A live host may take a file away between the listing and the look.
            let Some(found) = gone_is_none(Entry::of(&entry.path())) else { continue };
            let inside = found.kind == Kind::Folder && !changes_by_itself(&path, true);
            self.0.insert(path.clone(), found);
            if inside {
                self.add(root, &path);
            }
        }
    }
}

impl Entry {
    fn of(path: &Path) -> io::Result<Entry> {
        let about = fs::symlink_metadata(path)?;
        let file_type = about.file_type();
        let kind = if file_type.is_dir() {
            Kind::Folder
        } else if file_type.is_symlink() {
            Kind::Link { to: fs::read_link(path)? }
        } else if file_type.is_file() {
            let content = fs::read(path)?;
            Kind::File { len: content.len(), sha256: Sha256::digest(content).into() }
        } else {
            let name = if file_type.is_fifo() {
                "FIFO"
            } else if file_type.is_socket() {
                "socket"
            } else {
                "device"
            };
            Kind::Other { name, device: about.rdev() }
        };
        Ok(Entry { kind, mode: about.mode() & 0o7777, uid: about.uid(), gid: about.gid() })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Folder => write!(f, "folder")?,
            Kind::File { len, sha256 } => {
                write!(f, "file of {len} bytes ")?;
                sha256.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
            }
            Kind::Link { to } => write!(f, "link to {}", to.display())?,
            Kind::Other { name, .. } => write!(f, "{name}")?,
        }
        write!(f, " {:04o} {}:{}", self.mode, self.uid, self.gid)
    }
}

fn changes_by_itself(path: &Path, content: bool) -> bool {
    let path = path.as_os_str().as_bytes();
    CHANGES_BY_ITSELF.iter().any(|name| match name.strip_suffix('/') {
        Some(folder) => content && folder.as_bytes() == path,
        None => !content && name.as_bytes() == path,
    })
}

fn gone_is_none<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("cannot look at the host's files: {error}"),
    }
}
