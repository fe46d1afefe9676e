//! What a folder may be and hold that an agent empties after each job: one rule for plans, checks,
//! cures and purges.
//!
//! With `cleanup_working_directory` an agent removes all that is in its work folder, as the account
//! of its jobs. Public reports tell of emptied homes, and of agents that removed their own binary.

use crate::platform::Os;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// What becomes of a work folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// All that is in it is removed after each job.
    Emptied,
    /// It belongs to jobs, which make folders in it: what is in front of `%s` in its path, or a folder
    /// that is not cleaned.
    Filled,
}

/// Something that jobs must not remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Where it is.
    pub path: PathBuf,
}

/// What jobs must not remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// The agent's binary.
    Binary,
    /// Its configuration.
    Configuration,
    /// The variables of its service.
    Environment,
    /// Certificates that it trusts.
    Certificates,
    /// The definition of its service.
    Definition,
    /// The program in front of each job.
    Prefix,
    /// A log.
    Log,
    /// The home of an account.
    Home,
    /// What this program knows of its installs.
    State,
    /// The binary or the configuration of another agent.
    OtherAgent,
}

/// Why a folder cannot be a work folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit<'a> {
    /// It is where a whole tree begins: `/`, a drive, a share.
    Top,
    /// It is the system's, or belongs to many.
    System,
    /// It is where a home is.
    Home,
    /// It is, or holds, something that must stay.
    Holds(&'a Part),
}

/// Folders whose content is the system's, at any depth, in small letters.
const WHOLE: [&str; 41] = [
    "/bin",
    "/boot",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix",
    "/proc",
    "/sbin",
    "/snap",
    "/sys",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/var/backups",
    "/var/lib/apt",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/dpkg",
    "/var/lib/rpm",
    "/var/lib/systemd",
    "/var/log",
    "/var/mail",
    "/library/launchagents",
    "/library/launchdaemons",
    "/system",
    "c:/$recycle.bin",
    "c:/recovery",
    "c:/system volume information",
    "c:/windows",
];

/// Folders that hold what belongs to many: what is in them may be an agent's own.
const SHARED: [&str; 34] = [
    "/applications",
    "/dev",
    "/dev/shm",
    "/home",
    "/library",
    "/library/application support",
    "/library/logs",
    "/library/preferences",
    "/lost+found",
    "/media",
    "/mnt",
    "/opt",
    "/private",
    "/run",
    "/srv",
    "/tmp",
    "/users",
    "/users/shared",
    "/usr",
    "/usr/local",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/local",
    "/var/opt",
    "/var/spool",
    "/var/tmp",
    "/volumes",
    "c:/perflogs",
    "c:/program files",
    "c:/program files (x86)",
    "c:/programdata",
    "c:/users",
];

/// Where each folder is a home.
const HOMES: [&str; 4] = ["/home", "/users", "/var/users", "c:/users"];

/// Homes of root.
const ROOTS: [&str; 2] = ["/root", "/var/root"];

/// Why `folder` cannot be a work folder. `folder` is the part of the path that is there before any
/// job; a link's target is to be judged as well.
pub fn unfit<'a>(os: Os, folder: &Path, fate: Fate, parts: &'a [Part]) -> Option<Unfit<'a>> {
    let ours = Names::of(os, folder);
    if ours.is_top() {
        return Some(Unfit::Top);
    }
    let held = |is_home: bool| {
        let mut parts = parts.iter().filter(|part| (part.kind == PartKind::Home) == is_home);
        parts.find(|part| Names::of(os, &part.path).is_in(&ours)).map(Unfit::Holds)
    };
    // Jobs may make folders in a home, as long as the home is not emptied.
    let is_emptied = fate == Fate::Emptied;
    let found = held(false).or_else(|| held(true).filter(|_| is_emptied));
    let is_systems = || {
        let mut whole = WHOLE.iter().map(|whole| Names::split(whole));
        SHARED.iter().any(|shared| Names::split(shared).is_in(&ours))
            || whole.any(|whole| ours.is_in(&whole) || whole.is_in(&ours))
    };
    let is_home = || {
        let above = ours.parent();
        HOMES.iter().any(|homes| above.as_ref() == Some(&Names::split(homes)))
            || ROOTS.iter().any(|home| ours == Names::split(home))
    };
    found
        .or_else(|| is_systems().then_some(Unfit::System))
        .or_else(|| (is_emptied && is_home()).then_some(Unfit::Home))
}

/// The names of a path as its system compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    /// What the path begins with: nothing, a drive, or a server with a share.
    start: String,
    names: Vec<String>,
}

impl Names {
    fn of(os: Os, path: &Path) -> Self {
        let text = path.to_string_lossy();
        match os {
            // Windows joins names of another system by its own separator.
            Os::Linux if cfg!(windows) => Self::split(&text.replace('\\', "/")),
            Os::Linux => Self::split(&text),
            // Their file systems know one name in all cases of its letters.
            Os::Darwin => Self::split(&text.to_lowercase()).without_private(),
            Os::Windows => Self::split(&text.to_lowercase().replace('\\', "/")),
        }
    }

    fn split(text: &str) -> Self {
        let mut names = text.split('/').filter(|name| !name.is_empty() && *name != ".");
        let is_share = text.starts_with("//");
        let mut start = String::new();
        if is_share {
            start = names.by_ref().take(2).collect::<Vec<_>>().join("/");
        } else if matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()) {
            start = names.next().unwrap_or_default().to_owned();
        }
        Self { start, names: names.map(str::to_owned).collect() }
    }

    /// macOS keeps these elsewhere, and has links in their places.
    fn without_private(mut self) -> Self {
        let is_linked = |name: &String| ["etc", "tmp", "var"].contains(&name.as_str());
        if self.names.first().is_some_and(|name| name == "private")
            && self.names.get(1).is_some_and(is_linked)
        {
            self.names.remove(0);
        }
        self
    }

    fn is_top(&self) -> bool {
        self.names.is_empty()
    }

    fn parent(&self) -> Option<Self> {
        let (_, above) = self.names.split_last()?;
        Some(Self { start: self.start.clone(), names: above.to_vec() })
    }

    /// Whether this is a folder, or is in it.
    fn is_in(&self, folder: &Self) -> bool {
        self.start == folder.start && self.names.starts_with(&folder.names)
    }
}

impl PartKind {
    /// What it is, for a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Binary => "the agent's binary",
            Self::Configuration => "the agent's configuration",
            Self::Environment => "the service's environment",
            Self::Certificates => "the certificates",
            Self::Definition => "the service's definition",
            Self::Prefix => "the command prefix",
            Self::Log => "the agent's log",
            Self::Home => "the home",
            Self::State => "the state folder",
            Self::OtherAgent => "a part of another agent",
        }
    }
}

/// What is wrong with the folder, behind its name.
impl fmt::Display for Unfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => f.write_str("is the top of a file system"),
            Self::System => f.write_str("is a folder of the system, or of many"),
            Self::Home => f.write_str("is the home of an account"),
            Self::Holds(part) => {
                write!(f, "holds {} {}", part.kind.noun(), crate::text::shown(&part.path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(kind: PartKind, path: &str) -> Part {
        Part { kind, path: path.into() }
    }

    fn linux() -> Vec<Part> {
        vec![
            part(PartKind::Binary, "/opt/circleci/circleci-launch-agent"),
            part(PartKind::Configuration, "/etc/opt/circleci/launch-agent-config.yaml"),
            part(PartKind::Home, "/var/lib/circleci"),
            part(PartKind::Log, "/srv/logs/agent.log"),
        ]
    }

    fn kind(os: Os, folder: &str, fate: Fate, parts: &[Part]) -> Option<String> {
        unfit(os, Path::new(folder), fate, parts).map(|unfit| match unfit {
            Unfit::Holds(part) => format!("{:?}", part.kind),
            other => format!("{other:?}"),
        })
    }

    /// Case by case, as public set-up scripts and reports have them.
    #[test]
    fn a_folder_that_is_emptied_holds_nothing_that_must_stay() {
        let parts = linux();
        for (folder, emptied, filled) in [
            ("/", "Top", "Top"),
            ("//", "Top", "Top"),
            ("/opt", "Binary", "Binary"),
            ("/tmp", "System", "System"),
            ("/var/tmp/", "System", "System"),
            ("/etc/opt/circleci", "Configuration", "Configuration"),
            ("/usr/local/bin/x", "System", "System"),
            ("/srv", "Log", "Log"),
            ("/var/lib", "Home", "System"),
            ("/var/lib/docker/volumes", "System", "System"),
            ("/opt/circleci", "Binary", "Binary"),
            ("/opt/./circleci//", "Binary", "Binary"),
            ("/srv/logs", "Log", "Log"),
            ("/var/lib/circleci", "Home", ""),
            ("/home/ci", "Home", ""),
            ("/root", "Home", ""),
            ("/home/ci/work", "", ""),
            ("/var/lib/circleci/work", "", ""),
            ("/var/lib/circleci-runner/workdir", "", ""),
            ("/opt/circleci/workdir", "", ""),
            ("/opt/circle", "", ""),
            ("/var/opt/circleci/workdir", "", ""),
            ("/data", "", ""),
            ("/mnt/disk/work", "", ""),
            ("/dev/shm/work", "", ""),
            ("/tmp/work", "", ""),
            ("/OPT/circleci", "", ""),
        ] {
            let of = |fate| kind(Os::Linux, folder, fate, &parts).unwrap_or_default();
            assert_eq!(
                (of(Fate::Emptied).as_str(), of(Fate::Filled).as_str()),
                (emptied, filled),
                "{folder}"
            );
        }
    }

    #[test]
    fn each_system_compares_paths_in_its_own_way() {
        let parts = [
            part(PartKind::Binary, "C:/Program Files/CircleCI/circleci-launch-agent.exe"),
            part(PartKind::Home, r"D:\Homes\ci"),
        ];
        for (folder, expected) in [
            (r"C:\", "Top"),
            ("d:/", "Top"),
            (r"\\server\share\", "Top"),
            (r"\\server\share\work", ""),
            (r"c:\program files\circleci", "Binary"),
            (r"C:\PROGRAM FILES", "Binary"),
            (r"C:\Program Files (x86)", "System"),
            (r"C:\Windows\Temp", "System"),
            (r"C:\Users\ci", "Home"),
            (r"d:\homes", "Home"),
            (r"C:\Program Files\CircleCI\Workdir", ""),
            (r"C:\ci", ""),
            (r"C:\Users\ci\work", ""),
        ] {
            let found = kind(Os::Windows, folder, Fate::Emptied, &parts).unwrap_or_default();
            assert_eq!(found, expected, "{folder}");
        }
        let parts =
            [part(PartKind::Configuration, "/Library/Preferences/com.circleci.runner/c.yaml")];
        for (folder, expected) in [
            ("/library/preferences/COM.circleci.runner", "Configuration"),
            ("/private/tmp", "System"),
            ("/private/var/tmp", "System"),
            ("/Library/LaunchDaemons", "System"),
            ("/Users/Shared", "System"),
            ("/Users/ci", "Home"),
            ("/private/var/root", "Home"),
            ("/System/Volumes/Data/x", "System"),
            ("/Users/ci/work", ""),
            ("/private/var/opt/circleci", ""),
            ("/Volumes/ci/work", ""),
            ("/opt/circleci/work", ""),
        ] {
            let found = kind(Os::Darwin, folder, Fate::Emptied, &parts).unwrap_or_default();
            assert_eq!(found, expected, "{folder}");
        }
    }

    proptest! {
        /// Whatever a folder holds that must stay, it is unfit, and so is every folder above it.
        #[test]
        fn no_folder_above_a_part_is_fit(
            names in prop::collection::vec("[a-z]{1,6}", 1..6), depth in 0usize..6,
        ) {
            for (os, top) in [(Os::Linux, "/"), (Os::Darwin, "/"), (Os::Windows, "D:/")] {
                let path = PathBuf::from(format!("{top}{}", names.join("/")));
                let parts = [Part { kind: PartKind::Binary, path: path.clone() }];
                let above = path.ancestors().nth(depth.min(names.len())).unwrap();
                prop_assert!(unfit(os, above, Fate::Filled, &parts).is_some());
                let inside = path.join("work");
                if let Some(Unfit::Holds(_)) = unfit(os, &inside, Fate::Emptied, &parts) {
                    prop_assert!(false, "{}", inside.display());
                }
            }
        }

        #[test]
        fn any_path_is_judged_without_panic(text in r"([A-Za-z]:)?[/\\a.%: ]{0,20}|.{0,40}") {
            for os in [Os::Linux, Os::Darwin, Os::Windows] {
                unfit(os, Path::new(&text), Fate::Emptied, &[]);
            }
        }
    }
}
