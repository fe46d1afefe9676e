//! What an agent and its jobs can do at a path, by the sandbox of their unit.

use super::in_force::sandbox;
use crate::{
    host::Service,
    service::systemd::{
        elevation::Elevation,
        sandbox::Words,
        truth::{is_off, is_on},
    },
};
use std::path::{Path, PathBuf};

/// What is there instead of a usable path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// Nothing can be opened.
    Inaccessible,
    /// An empty file system, in which the path is not.
    Empty,
    /// Nothing can be written.
    ReadOnly,
    /// No program can be run.
    NoPrograms,
}

/// What an entry makes of its path, in the order in which systemd prefers one of two at the same
/// path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Inaccessible,
    Bound,
    BoundReadOnly,
    ReadOnly,
    ReadWrite,
    /// An empty file system; `true`: jobs may write to it.
    Empty(bool),
    /// What another directive is responsible for.
    Implicit,
}

/// A path of a directive.
struct Entry {
    path: PathBuf,
    mode: Mode,
    key: &'static str,
}

/// The folders as a unit sees them.
#[derive(Default)]
pub(super) struct View {
    entries: Vec<Entry>,
    /// Where programs can be run, and where not.
    programs: Vec<(PathBuf, bool)>,
}

impl View {
    /// By what systemd has in force, else by the unit's lines.
    pub(super) fn of(service: &Service) -> Self {
        if Elevation::of_unit(&service.directives) == Some(Elevation::Full) {
            return Self::default();
        }
        Self::by(&sandbox(service))
    }

    fn by(words: &Words) -> Self {
        let mut view = Self::default();
        let of = |key: &str| words.get(key).map_or(&[][..], Vec::as_slice);
        let word = |key: &str| of(key).first().map_or("", String::as_str);
        let mut add = |key: &'static str, mode: Mode, paths: &[&str]| {
            view.entries.extend(paths.iter().map(|path| Entry { path: path.into(), mode, key }));
        };
        match word("ProtectSystem") {
            "strict" => {
                add("ProtectSystem", Mode::ReadOnly, &["/"]);
                let others = ["/dev", "/home", "/proc", "/root", "/run/user", "/sys"];
                add("ProtectSystem", Mode::Implicit, &others);
            }
            value if value == "full" || is_on(value) => {
                add("ProtectSystem", Mode::ReadOnly, &["/usr", "/boot", "/efi"]);
                if value == "full" {
                    add("ProtectSystem", Mode::ReadOnly, &["/etc"]);
                }
            }
            _ => {}
        }
        let mode = match word("ProtectHome") {
            "read-only" => Some(Mode::ReadOnly),
            "tmpfs" => Some(Mode::Empty(false)),
            value => is_on(value).then_some(Mode::Inaccessible),
        };
        if let Some(mode) = mode {
            add("ProtectHome", mode, &["/home", "/root", "/run/user"]);
        }
        if !is_off(word("PrivateTmp")) {
            add("PrivateTmp", Mode::Bound, &["/tmp", "/var/tmp"]);
        }
        for (key, mode) in [
            ("InaccessiblePaths", Mode::Inaccessible),
            ("ReadOnlyPaths", Mode::ReadOnly),
            ("ReadWritePaths", Mode::ReadWrite),
        ] {
            of(key).iter().for_each(|word| add(key, mode, &[plain(word)]));
        }
        for word in of("TemporaryFileSystem") {
            let (path, options) = word.split_once(':').unwrap_or((word, ""));
            let has = |name: &str| options.split(',').any(|option| option.starts_with(name));
            let is_given = has("mode=") || has("uid=");
            let is_read_only = options.split(',').any(|option| option == "ro");
            add("TemporaryFileSystem", Mode::Empty(is_given && !is_read_only), &[plain(path)]);
        }
        for (key, mode) in [("BindPaths", Mode::Bound), ("BindReadOnlyPaths", Mode::BoundReadOnly)]
        {
            for word in of(key) {
                let mut parts = word.split(':');
                let source = parts.next().unwrap_or_default();
                add(key, mode, &[plain(parts.next().unwrap_or(source))]);
            }
        }
        for (key, above) in [
            ("RuntimeDirectory", "/run"),
            ("StateDirectory", "/var/lib"),
            ("CacheDirectory", "/var/cache"),
            ("LogsDirectory", "/var/log"),
            ("ConfigurationDirectory", "/etc"),
        ] {
            for word in of(key) {
                let name = word.split(':').next().unwrap_or(word);
                add(key, Mode::ReadWrite, &[&format!("{above}/{name}")]);
            }
        }
        for (key, is_allowed) in [("NoExecPaths", false), ("ExecPaths", true)] {
            view.programs.extend(of(key).iter().map(|word| (plain(word).into(), is_allowed)));
        }
        view
    }

    /// What is wrong with a path, and the directive that does it.
    pub(super) fn closed(&self, path: &Path) -> Option<(Closed, &'static str)> {
        let above = || self.entries.iter().filter(|entry| path.starts_with(&entry.path));
        // What is below an inaccessible folder is dropped, whatever it is.
        if let Some(entry) = above().find(|entry| entry.mode == Mode::Inaccessible) {
            return Some((Closed::Inaccessible, entry.key));
        }
        let length = |entry: &Entry| entry.path.components().count();
        let entry = above().min_by_key(|entry| (std::cmp::Reverse(length(entry)), entry.mode));
        let closed = entry.and_then(|entry| {
            let closed = match entry.mode {
                Mode::ReadOnly | Mode::BoundReadOnly => Closed::ReadOnly,
                Mode::Empty(is_open) if !is_open || entry.path != path => Closed::Empty,
                _ => return None,
            };
            Some((closed, entry.key))
        });
        closed.or_else(|| {
            self.is_without_programs(path).then_some((Closed::NoPrograms, "NoExecPaths"))
        })
    }

    fn is_without_programs(&self, path: &Path) -> bool {
        let above = self.programs.iter().filter(|(folder, _)| path.starts_with(folder));
        // At the same path the one that forbids counts.
        let last = above.max_by_key(|(folder, allowed)| (folder.components().count(), !allowed));
        last.is_some_and(|(_, allowed)| !allowed)
    }
}

/// A path without the signs in front.
fn plain(word: &str) -> &str {
    word.trim_start_matches(['-', '+'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::systemd::{sandbox::of_lines, unit_text::parse};

    fn closed(lines: &str, path: &str) -> Option<Closed> {
        let lines = parse(&format!("[Service]\n{lines}"), Path::new("/u"));
        View::by(&of_lines(&lines)).closed(Path::new(path)).map(|(closed, _)| closed)
    }

    /// Each as a unit of systemd 252 saw it.
    #[test]
    fn the_nearest_entry_counts() {
        use Closed::{Empty, Inaccessible, NoPrograms, ReadOnly};
        let home = "/home/circleci";
        for (lines, path, expected) in [
            ("ProtectHome=yes", home, Some(Inaccessible)),
            ("ProtectHome=read-only", home, Some(ReadOnly)),
            ("ProtectHome=tmpfs", home, Some(Empty)),
            ("ProtectHome=yes", "/var/lib/ci", None),
            ("ProtectHome=read-only\nReadWritePaths=/home/circleci", home, None),
            ("ProtectHome=tmpfs\nBindPaths=/home/circleci", home, None),
            ("ProtectHome=tmpfs\nBindPaths=/srv/ci:/home/circleci:norbind", home, None),
            ("ProtectHome=tmpfs\nBindReadOnlyPaths=/home/circleci", home, Some(ReadOnly)),
            // It is dropped.
            ("ProtectHome=yes\nBindPaths=/home/circleci", home, Some(Inaccessible)),
            ("ProtectSystem=strict", home, None),
            ("ProtectSystem=strict", "/var/lib/ci", Some(ReadOnly)),
            ("ProtectSystem=strict", "/tmp", Some(ReadOnly)),
            ("ProtectSystem=strict\nPrivateTmp=yes", "/tmp", None),
            ("ProtectSystem=strict\nStateDirectory=ci", "/var/lib/ci/work", None),
            ("ProtectSystem=strict\nReadWritePaths=-/var/lib", "/var/lib/ci", None),
            ("ProtectSystem=full", "/etc/ci", Some(ReadOnly)),
            ("ProtectSystem=yes", "/etc/ci", None),
            ("TemporaryFileSystem=/home", home, Some(Empty)),
            ("TemporaryFileSystem=/home/circleci:mode=777", home, None),
            ("TemporaryFileSystem=/tmp", "/tmp", Some(Empty)),
            ("InaccessiblePaths=-/home", home, Some(Inaccessible)),
            ("ReadOnlyPaths=/\nReadWritePaths=/var", "/var/x", None),
            ("ReadOnlyPaths=/var\nReadWritePaths=/var", "/var/x", Some(ReadOnly)),
            ("NoExecPaths=/\nExecPaths=/usr", home, Some(NoPrograms)),
            ("NoExecPaths=/\nExecPaths=/usr /home", home, None),
            ("DynamicUser=yes", home, Some(ReadOnly)),
            ("DynamicUser=yes", "/tmp", None),
        ] {
            assert_eq!(closed(lines, path), expected, "{lines} {path}");
        }
    }
}
