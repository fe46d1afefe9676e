//! What of a host is not the install's own, as a value that two looks can be compared by.
//!
//! Content is not read: whoever changes it, or owner, or mode, changes the time of that (`ctime`),
//! which nobody can set.

use super::commands;
use crate::support::host::Host;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Component, Path, PathBuf},
};

/// Folders that are looked at, and how deep.
const LOOKED_AT: [(&str, usize); 9] = [
    ("/etc", DEEP),
    ("/home", DEEP),
    ("/media", DEEP),
    ("/mnt", DEEP),
    ("/opt", DEEP),
    ("/root", DEEP),
    ("/srv", DEEP),
    // Programs, and folders of packages: what is deeper in them nobody names.
    ("/usr", 2),
    ("/var", 3),
];

const DEEP: usize = 20;

/// Where installs have their own places: each by the name `circleci`, or one that begins so.
const PARENTS: [&str; 7] = [
    "/opt",
    "/etc/opt",
    "/var/opt",
    "/etc",
    "/var/lib",
    "/etc/systemd/system",
    "/etc/systemd/system/multi-user.target.wants",
];

/// Whether a path is one that an install may change: of its own folders and definitions, or in
/// the home of the account, which can change it anyway.
pub fn is_own(path: &Path) -> bool {
    let goes_up = path.components().any(|part| part == Component::ParentDir);
    !goes_up && path.ancestors().any(is_place)
}

/// Whether a path, without what is in it, is such a place.
fn is_place(path: &Path) -> bool {
    let Some(name) = path.file_name().map(OsStr::as_bytes) else { return false };
    // Nearly every name of a host ends here, and a host has thousands.
    let Some(rest) = name.strip_prefix(b"circleci") else { return false };
    let Some(parent) = path.parent() else { return false };
    rest.is_empty() && parent == Path::new("/home")
        || matches!(rest.first(), None | Some(b'-' | b'.'))
            && PARENTS.iter().any(|own| Path::new(own) == parent)
}

/// The number of the account `mallory`: the second that is made.
const STRANGER: u32 = 1001;

/// What changes by itself, or by every use of the system's tools.
const RESTLESS: [&str; 12] = [
    "/etc/.pwd.lock",
    "/etc/machine-id",
    "/etc/resolv.conf",
    "/var/cache",
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/lib/private",
    "/var/lib/runnerup",
    "/var/lib/sudo",
    "/var/lib/systemd",
    "/var/log",
    "/var/tmp",
];

/// See the module.
#[derive(Default, Clone)]
pub struct Outside {
    entries: BTreeMap<PathBuf, Entry>,
    /// What in the install's own places belongs to the stranger.
    strange: BTreeSet<PathBuf>,
}

#[derive(PartialEq, Eq, Clone)]
struct Entry {
    kind: &'static str,
    mode: u32,
    owner: (u32, u32),
    /// Of files only: what is in a folder is looked at by itself.
    size: u64,
    /// When a file was changed last.
    changed: (i64, i64),
    leads_to: Option<PathBuf>,
}

impl Outside {
    /// Looks at a host, past its mounts.
    pub fn of(host: &Host) -> Self {
        let mut outside = Self::default();
        for (folder, depth) in LOOKED_AT {
            outside.add(host.root(), Path::new(folder), depth);
        }
        outside
    }

    /// How this became `later`: `KIND PATH: what`, where KIND says what became different.
    pub fn diff(&self, later: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, was) in &self.entries {
            let shown = path.display();
            let Some(is) = later.entries.get(path) else {
                lines.push(format!("removed {shown}"));
                continue;
            };
            if was.owner != is.owner {
                lines.push(format!("owner {shown}: {:?} -> {:?}", was.owner, is.owner));
            }
            if was.mode != is.mode {
                lines.push(format!("mode {shown}: {:o} -> {:o}", was.mode, is.mode));
            }
            if was.kind != is.kind || was.leads_to != is.leads_to {
                lines.push(format!("replaced {shown}: {} -> {}", was.kind, is.kind));
            }
            let is_settled = was.owner != is.owner || was.mode != is.mode;
            if was.size != is.size || was.changed != is.changed && !is_settled {
                lines.push(format!("written {shown}"));
            }
        }
        let came = later.entries.iter().filter(|(path, _)| !self.entries.contains_key(*path));
        lines.extend(came.map(|(path, is)| {
            format!("made {}: {} {:o} {:?}", path.display(), is.kind, is.mode, is.owner)
        }));
        let given = later.strange.difference(&self.strange);
        lines.extend(given.map(|path| format!("owner {}: a stranger's", path.display())));
        lines
    }

    /// A script that makes `later` this again, with what is copied to `kept` for content.
    pub fn restoring(&self, later: &Self, kept: &str) -> String {
        let mut script = String::new();
        for (path, is) in &later.entries {
            let word = commands::word(&path.display().to_string());
            match self.entries.get(path) {
                None => script.push_str(&format!("rm -rf {word}\n")),
                Some(was) if was.kind == "folder" && is.kind == "folder" && was != is => {
                    let ((uid, gid), mode) = (was.owner, was.mode);
                    script.push_str(&format!("chown {uid}:{gid} {word}; chmod {mode:o} {word}\n"));
                }
                Some(_) => {}
            }
        }
        for (path, was) in &self.entries {
            let is = later.entries.get(path);
            if is.is_some_and(|is| is == was || was.kind == "folder" && is.kind == "folder") {
                continue;
            }
            let word = commands::word(&path.display().to_string());
            script.push_str(&format!("rm -rf {word}; cp -a {kept}{word} {word}\n"));
        }
        script
    }

    fn add_own(&mut self, root: &Path, path: &Path) {
        let here = root.join(path.strip_prefix("/").unwrap());
        let Ok(about) = fs::symlink_metadata(&here) else { return };
        if about.uid() == STRANGER {
            self.strange.insert(path.to_owned());
        }
        for name in fs::read_dir(&here).into_iter().flatten().flatten() {
            if about.is_dir() {
                self.add_own(root, &path.join(name.file_name()));
            }
        }
    }

    fn add(&mut self, root: &Path, path: &Path, depth: usize) {
        let bytes = path.as_os_str().as_bytes();
        if RESTLESS.iter().any(|name| name.as_bytes() == bytes) {
            return;
        }
        // None of the folders that it is in is one, or this one had not been come to.
        if is_place(path) {
            return self.add_own(root, path);
        }
        let here = root.join(path.strip_prefix("/").unwrap());
        // It may go while it is looked at.
        let Ok(about) = fs::symlink_metadata(&here) else { return };
        let kind = about.file_type();
        let is_file = kind.is_file();
        let entry = Entry {
            kind: match () {
                () if kind.is_dir() => "folder",
                () if is_file => "file",
                () if kind.is_symlink() => "link",
                () if kind.is_fifo() => "FIFO",
                () => "device or socket",
            },
            mode: about.mode() & 0o7777,
            owner: (about.uid(), about.gid()),
            size: if is_file { about.size() } else { 0 },
            changed: if is_file { (about.ctime(), about.ctime_nsec()) } else { (0, 0) },
            leads_to: kind.is_symlink().then(|| fs::read_link(&here).unwrap_or_default()),
        };
        self.entries.insert(path.to_owned(), entry);
        if kind.is_dir() && depth > 0 {
            for name in fs::read_dir(&here).into_iter().flatten().flatten() {
                self.add(root, &path.join(name.file_name()), depth - 1);
            }
        }
    }
}
