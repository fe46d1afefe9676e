//! The host itself, from `/proc`, `/etc` and `/run`.

use super::{
    processes::Processes,
    reader::{Part, read_at},
};
use crate::{
    host::{
        Clock, Memory, Mount, PackageFault, PackageManager, PathRole, Provenance, Resolver, Seen,
        Selinux, Volume,
    },
    platform::{
        self,
        command::{Call, Commands},
        fs::{Kind, Mounted, Root, WalkEnd},
        machine::space,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most bytes of a file of the system that are read.
const LIMIT: u64 = 1 << 20;

/// Names in a folder that are looked at; accounts can fill it.
const ENTRIES: usize = 2000;

/// Most files beside configurations that are reported.
const LEFT_FILES: usize = 20;

/// Programs that keep the clock right, and the name of each process.
const TIME_KEEPERS: [&str; 5] = ["chronyd", "ntpd", "ntpsec", "openntpd", "systemd-timesyn"];

/// Seconds since the host was started.
pub(super) fn uptime() -> i64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

/// The release of a Linux system: `os-release(5)`.
#[derive(Debug, Clone, Default)]
pub(super) struct Release {
    /// In words, such as `Debian GNU/Linux 12 (bookworm)`.
    pub(super) name: String,
    pub(super) package_manager: Option<PackageManager>,
}

impl Release {
    pub(super) fn of(root: &Root) -> Self {
        let text = text(root, "/etc/os-release").unwrap_or_default();
        let value = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches(['"', '\''])
        };
        let has = |program: &str| {
            let spot = root.find(Path::new(program)).ok().flatten();
            spot.is_some_and(|spot| spot.metadata().is_ok_and(|meta| meta.is_some()))
        };
        let families = [value("ID"), value("ID_LIKE")].into_iter().flat_map(str::split_whitespace);
        // Of a family's managers the first that is there: `yum` is a link to dnf where both are.
        let known = families.flat_map(|family| match family {
            "debian" | "ubuntu" => [Some((PackageManager::AptGet, "/usr/bin/apt-get")), None],
            "fedora" | "rhel" | "centos" | "amzn" => [
                Some((PackageManager::Dnf, "/usr/bin/dnf")),
                Some((PackageManager::Yum, "/usr/bin/yum")),
            ],
            "suse" | "sles" => [Some((PackageManager::Zypper, "/usr/bin/zypper")), None],
            "alpine" => [Some((PackageManager::Apk, "/sbin/apk")), None],
            _ => [None, None],
        });
        let there = known.flatten().find(|(_, program)| has(program));
        Self {
            name: value("PRETTY_NAME").to_owned(),
            package_manager: there.map(|(manager, _)| manager),
        }
    }
}

/// The name that an image gives to the host that it becomes; nothing where it has none.
pub(super) fn hostname_of_image(root: &Root) -> String {
    let text = text(root, "/etc/hostname").unwrap_or_default();
    let name = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let name = name.filter(|name| name.len() <= 253 && name.chars().all(is_plain));
    name.unwrap_or_default().to_owned()
}

/// The version of systemd that runs the host.
pub(super) fn systemd(commands: &dyn Commands, limit: Duration) -> Option<u32> {
    let answer = commands.run(&Call::new("systemctl", ["--version"]).within(limit)).ok()?;
    answer.stdout.split_whitespace().nth(1)?.parse().ok()
}

/// The container that this host is.
pub(super) fn container() -> Option<String> {
    if let Ok(name) = fs::read_to_string("/run/systemd/container") {
        return Some(name.trim().to_owned());
    }
    let marks = [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")];
    marks.into_iter().find(|(mark, _)| Path::new(mark).exists()).map(|(_, name)| name.to_owned())
}

/// Mounted file systems.
pub(super) fn mounts() -> Seen<Vec<Mount>> {
    Seen::from(platform::fs::mounts().map(|mounts| mounts.into_iter().map(mount).collect()))
}

/// The mounts that a process sees where they are not the host's, as far as they hold one of these
/// paths.
pub(super) fn mounts_of(pid: u32, paths: &[PathBuf]) -> Seen<Vec<Mount>> {
    let holds = |mount: &Mount| {
        paths.iter().any(|path| path.starts_with(&mount.point) || mount.point.starts_with("/home"))
    };
    match platform::fs::mounts_of(pid) {
        Ok(Some(mounts)) => {
            Seen::Known(mounts.into_iter().map(mount).filter(holds).take(MOUNTS).collect())
        }
        Ok(None) => Seen::not_applicable("the agent sees the mounts of the host"),
        Err(error) => Seen::not(error.message()),
    }
}

/// Most mounts of a process that are kept.
const MOUNTS: usize = 1024;

/// A survey is text; the walk to a path tells of mounts whatever their names are.
fn mount(mounted: Mounted) -> Mount {
    let Mounted { point, kind, options, order } = mounted;
    Mount { point: point.to_string_lossy().into_owned().into(), kind, options, order }
}

/// Free space of the file system that a folder is on.
pub(super) fn volume(folder: &Path, purpose: PathRole) -> Option<Volume> {
    let space = space(folder)?;
    Some(Volume {
        folder: folder.to_owned(),
        purpose,
        bytes: space.bytes,
        bytes_free: space.bytes_free,
        inodes: space.inodes,
        inodes_free: space.inodes_free,
    })
}

/// Memory in bytes.
pub(super) fn memory() -> Seen<Memory> {
    let text = match fs::read_to_string("/proc/meminfo") {
        Ok(text) => text,
        Err(error) => return Seen::broken(format!("/proc/meminfo: {error}")),
    };
    let values: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            Some((name, rest.split_whitespace().next()?.parse::<u64>().ok()? * 1024))
        })
        .collect();
    let value = |name: &str| values.get(name).copied().unwrap_or_default();
    Seen::Known(Memory {
        total: value("MemTotal"),
        available: value("MemAvailable"),
        swap: value("SwapTotal"),
    })
}

/// What the kernel killed for want of memory since it was started. The log is asked only when
/// the kernel has counted any.
pub(super) fn oom_kills(
    commands: &dyn Commands,
    limit: Duration,
    container: bool,
) -> Seen<Vec<String>> {
    if container {
        return Seen::not_applicable("a container: the kernel's log is its host's");
    }
    let counted = fs::read_to_string("/proc/vmstat").ok().and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse::<u64>().ok())
    });
    match counted {
        Some(0) => Seen::Known(Vec::new()),
        None => Seen::not("this kernel does not count what it kills for want of memory"),
        Some(count) => {
            let args = ["-k", "-b", "--no-pager", "-o", "short-iso", "-n", "2000"];
            let call = Call::new("journalctl", args).within(limit);
            let lines = commands.run(&call).map(|answer| answer.stdout).unwrap_or_default();
            let is_kill =
                |line: &&str| line.contains("Killed process") || line.contains("oom-kill:");
            let mut kills: Vec<String> = lines.lines().filter(is_kill).map(str::to_owned).collect();
            if kills.is_empty() {
                kills.push(format!(
                    "{count} since the host was started; its log has no more of them"
                ));
            }
            Seen::Known(kills.split_off(kills.len().saturating_sub(5)))
        }
    }
}

/// Whether the clock is kept right.
pub(super) fn clock(processes: &Processes, container: bool) -> Seen<Clock> {
    if container {
        return Seen::not_applicable("a container: the clock is its host's");
    }
    let names = match processes.daemons() {
        Ok(names) => names,
        Err(unseen) => return Seen::Unseen(unseen),
    };
    let by = TIME_KEEPERS.into_iter().find(|keeper| names.contains(keeper));
    let synchronized = match by {
        Some("systemd-timesyn") => Path::new("/run/systemd/timesync/synchronized").exists(),
        other => other.is_some(),
    };
    Seen::Known(Clock { synchronized, by: by.map(str::to_owned) })
}

/// SELinux, where there is one.
pub(super) fn selinux(commands: &dyn Commands, limit: Duration) -> Option<Selinux> {
    let mode = match fs::read_to_string("/sys/fs/selinux/enforce").ok()?.trim() {
        "1" => "enforcing",
        _ => "permissive",
    };
    let modules = match commands.run(&Call::new("semodule", ["-l"]).within(limit)) {
        Ok(answer) => {
            let names = answer.stdout.lines().filter_map(|line| line.split_whitespace().next());
            Seen::Known(
                names.filter(|name| name.starts_with("circleci")).map(str::to_owned).collect(),
            )
        }
        Err(error) => Seen::not(error.message()),
    };
    Some(Selinux { mode: mode.to_owned(), modules })
}

/// The resolver's configuration.
pub(super) fn resolver(root: &Root) -> Seen<Resolver> {
    let (servers, failure) = match text(root, "/etc/resolv.conf") {
        Err(why) => (Vec::new(), Some(why)),
        Ok(text) => {
            let server =
                |line: &str| Some(line.trim().strip_prefix("nameserver")?.trim().to_owned());
            (text.lines().filter_map(server).collect(), None)
        }
    };
    Seen::Known(Resolver { servers, failure, leads_to: dangling(root, "/etc/resolv.conf") })
}

/// Where a link leads at whose end nothing is.
fn dangling(root: &Root, path: &str) -> Option<PathBuf> {
    let walk = root.walk(Path::new(path)).ok()?;
    let is_missing = matches!(walk.stopped, Some(WalkEnd::Missing(_) | WalkEnd::NoFolder(..)));
    let is_link = root.find(Path::new(path)).ok()??.metadata().ok()??.kind == Kind::Link;
    (walk.end.is_none() && is_missing && is_link).then_some(walk.real)
}

/// TCP ports that something listens on. A line a socket: users can have any number of them.
pub(super) fn listening() -> Seen<Vec<u16>> {
    let mut ports = BTreeSet::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(file) = File::open(file) else { continue };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        ports.extend(lines.skip(1).filter_map(|line| listening_port(&line)));
    }
    Seen::Known(ports.into_iter().collect())
}

fn listening_port(line: &str) -> Option<u16> {
    let mut fields = line.split_whitespace().skip(1);
    let local = fields.next()?;
    let is_listening = fields.nth(1)? == "0A";
    let (_, port) = local.rsplit_once(':')?;
    is_listening.then(|| u16::from_str_radix(port, 16).ok())?
}

/// Whether there is a default route for IPv4, for IPv6.
pub(super) fn routes() -> Seen<(bool, bool)> {
    let v4 = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let has_v4 = v4.lines().skip(1).any(|line| line.split_whitespace().nth(1) == Some("00000000"));
    let is_default = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // Destination and prefix of zeros, and not the route that refuses everything.
        fields.first().is_some_and(|to| to.bytes().all(|b| b == b'0'))
            && fields.get(1) == Some(&"00")
            && fields.last() != Some(&"lo")
    };
    Seen::Known((has_v4, v6.lines().any(is_default)))
}

/// What package upgrades left incomplete, or beside a configuration in `folders`.
pub(super) fn packages(
    root: &Root,
    folders: &[PathBuf],
    until: Instant,
) -> Seen<Vec<PackageFault>> {
    let mut faults = Vec::new();
    let names = |folder: &Path| {
        let spot = root.find(folder).ok().flatten()?;
        Some(spot.list_some(ENTRIES, until).ok()?.names)
    };
    let updates = names(Path::new("/var/lib/dpkg/updates")).unwrap_or_default();
    if !updates.is_empty() {
        faults.push(PackageFault::Interrupted);
    }
    for folder in folders {
        for name in names(folder).unwrap_or_default() {
            let text = name.to_string_lossy();
            let ends = [".dpkg-dist", ".dpkg-new", ".ucf-dist", ".rpmnew", ".rpmsave"];
            if faults.len() < LEFT_FILES && ends.iter().any(|end| text.ends_with(end)) {
                faults.push(PackageFault::LeftFile(folder.join(text.as_ref())));
            }
        }
    }
    Seen::Known(faults)
}

fn text(root: &Root, path: &str) -> Result<String, String> {
    let read = read_at(root, Path::new(path), Part::Head(LIMIT), Provenance::Root);
    let (_, content) = read.map_err(|error| error.message().to_owned())?;
    Ok(String::from_utf8_lossy(&content.bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn an_image_has_a_name_of_its_own_or_none() {
        let (folder, root) = platform::fs::empty_root();
        assert_eq!(hostname_of_image(&root), "");
        fs::create_dir(folder.path().join("etc")).unwrap();
        for (text, name) in
            [("# x\nbuild-1.example\n", "build-1.example"), ("a b\n", ""), ("\n", "")]
        {
            fs::write(folder.path().join("etc/hostname"), text).unwrap();
            assert_eq!(hostname_of_image(&root), name);
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_package_manager_is_the_one_of_the_release_that_is_there() {
        for (release, programs, expected) in [
            ("ID=debian", "apt-get dnf", Some(PackageManager::AptGet)),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "apt-get", Some(PackageManager::AptGet)),
            ("ID=\"rhel\"\nID_LIKE=\"fedora\"", "yum dnf", Some(PackageManager::Dnf)),
            ("ID=\"centos\"\nID_LIKE=\"rhel fedora\"", "yum", Some(PackageManager::Yum)),
            ("ID='opensuse-leap'\nID_LIKE='suse opensuse'", "zypper", Some(PackageManager::Zypper)),
            ("ID=arch", "pacman", None),
            // A system that is not changed by packages has none.
            ("ID=fedora", "rpm-ostree", None),
            ("", "apt-get", None),
        ] {
            let (folder, root) = platform::fs::empty_root();
            fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
            fs::create_dir(folder.path().join("etc")).unwrap();
            fs::write(folder.path().join("etc/os-release"), release).unwrap();
            for program in programs.split(' ') {
                fs::write(folder.path().join("usr/bin").join(program), "").unwrap();
            }
            assert_eq!(Release::of(&root).package_manager, expected, "{release}");
        }
    }

    #[test]
    fn only_what_listens_has_its_port_told() {
        let line = |state: &str| format!("   0: 0100007F:1F90 00000000:0000 {state} 0:0 00:0 0 0");
        assert_eq!(listening_port(&line("0A")), Some(8080));
        assert_eq!(listening_port(&line("01")), None);
        assert_eq!(listening_port("0A"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_host_has_memory_and_mounts() {
        assert!(memory().ok().unwrap().total > 0);
        let is_root = |mount: &Mount| mount.point == Path::new("/");
        assert!(mounts().ok().unwrap().iter().any(is_root));
    }
}
