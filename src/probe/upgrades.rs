//! What package upgrades do by themselves: the settings of needrestart and unattended-upgrades.

use super::reader::{self, Part};
use crate::{
    host::{Place, Provenance, Upgrades},
    platform::fs::Root,
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// Most bytes of a file that are read.
const LIMIT: u64 = 256 << 10;

/// Most files of a folder that are read.
const FILES: usize = 200;

/// needrestart's file, and the folder whose files it reads afterwards.
const NEEDRESTART: [&str; 2] = ["/etc/needrestart/needrestart.conf", "/etc/needrestart/conf.d"];

/// apt's settings, the later ones of which count.
const APT: &str = "/etc/apt/apt.conf.d";

/// Programs without which their settings mean nothing.
const PROGRAMS: [&str; 2] = ["/usr/sbin/needrestart", "/usr/bin/unattended-upgrade"];

/// What the settings of a host say.
pub(super) fn examine(root: &Root, until: Instant) -> Upgrades {
    let is_there =
        |program: &str| root.walk(Path::new(program)).is_ok_and(|walk| walk.end.is_some());
    let [needrestart, unattended] = PROGRAMS.map(is_there);
    let mut upgrades = Upgrades::default();
    if needrestart {
        let [main, folder] = NEEDRESTART.map(Path::new);
        let files = std::iter::once(main.to_owned()).chain(files(root, folder, until));
        for file in files {
            of_needrestart(&text(root, &file), &file, &mut upgrades);
        }
    }
    if unattended {
        let mut apt = Apt::default();
        for file in files(root, Path::new(APT), until) {
            apt.read(&text(root, &file), &file);
        }
        upgrades.reboots = apt.reboots.filter(|_| apt.upgrades);
    }
    upgrades
}

/// The files of a folder, in the order in which they are read.
fn files(root: &Root, folder: &Path, until: Instant) -> Vec<PathBuf> {
    let listed = || root.find(folder).ok()??.list_some(FILES, until).ok();
    let names = listed().map(|listed| listed.names).unwrap_or_default();
    let mut files: Vec<PathBuf> = names.into_iter().map(|name| folder.join(name)).collect();
    files.retain(|file| {
        let extension = file.extension().and_then(|end| end.to_str());
        matches!(extension, None | Some("conf"))
    });
    files.sort();
    files
}

fn text(root: &Root, path: &Path) -> String {
    let read = reader::read_at(root, path, Part::Head(LIMIT), Provenance::Root);
    let bytes = read.map(|(_, content)| content.bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `$nrconf{restart} = 'a';` and patterns with 0 behind them in `$nrconf{override_rc}`, or in the list
/// `blacklist_rc`: the manual of needrestart.
fn of_needrestart(text: &str, file: &Path, into: &mut Upgrades) {
    let mut is_in = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let bare: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        if let Some(value) = bare.strip_prefix("$nrconf{restart}=") {
            let is_automatic = value.trim_matches(['\'', '"', ';']) == "a";
            let place = Place { file: file.to_owned(), line: at + 1 };
            into.restarts = is_automatic.then_some(place);
        }
        if bare.starts_with("$nrconf{override_rc}") {
            is_in = Some(true);
        } else if bare.starts_with("$nrconf{blacklist_rc}") {
            is_in = Some(false);
        }
        if let Some(needs_zero) = is_in {
            for (pattern, rest) in patterns(line) {
                let rest: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
                let is_zero = ["=>0", "}=0", "=0"].iter().any(|sign| rest.starts_with(sign));
                if !needs_zero || is_zero {
                    into.spared.push(pattern.to_owned());
                }
            }
            if bare.ends_with(';') {
                is_in = None;
            }
        }
    }
    into.spared.truncate(FILES);
}

/// `qr(…)` and `q(…)` of a line, each with what stands behind it.
fn patterns(line: &str) -> Vec<(&str, &str)> {
    let begins = ["qr(", "q("]
        .into_iter()
        .flat_map(|sign| line.match_indices(sign).map(move |(at, _)| at + sign.len()));
    let parts = begins.filter_map(|at| {
        let inner = line.get(at..)?;
        let mut depth = 1;
        let (end, _) = inner.char_indices().find(|(_, sign)| {
            depth += match sign {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        })?;
        Some((inner.get(..end)?, inner.get(end + 1..)?))
    });
    parts.collect()
}

/// What apt's settings say of unattended upgrades.
#[derive(Default)]
struct Apt {
    upgrades: bool,
    reboots: Option<Place>,
}

impl Apt {
    /// Single settings, as all files of packages write them.
    fn read(&mut self, text: &str, file: &Path) {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            let Some((key, value)) = line.split_once(char::is_whitespace) else { continue };
            let value = value.trim().trim_end_matches(';').trim().trim_matches('"');
            match key.to_lowercase().as_str() {
                "apt::periodic::unattended-upgrade" => {
                    self.upgrades = !matches!(value, "0" | "false" | "no");
                }
                "unattended-upgrade::automatic-reboot" => {
                    let is_on = matches!(value, "true" | "1" | "yes");
                    let place = Place { file: file.to_owned(), line: at + 1 };
                    self.reboots = is_on.then_some(place);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::{fs, time::Duration};

    fn of(files: &[(&str, &str)]) -> Upgrades {
        let (folder, root) = crate::platform::fs::empty_root();
        let programs = PROGRAMS.map(|path| (path, ""));
        for (path, text) in files.iter().chain(&programs) {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        examine(&root, Instant::now() + Duration::from_secs(20))
    }

    #[test]
    fn the_last_setting_of_needrestart_counts() {
        let [main, _] = NEEDRESTART;
        let set = |text: &str| of(&[(main, text)]).restarts.is_some();
        assert!(set("$nrconf{restart} = 'a';\n"));
        assert!(set("    $nrconf{restart}=\"a\";\n"));
        assert!(!set("#$nrconf{restart} = 'a';\n") && !set("$nrconf{restart} = 'l';\n"));
        let both = [
            (main, "#$nrconf{restart} = 'i';\n"),
            ("/etc/needrestart/conf.d/50-ci.conf", "# x\n$nrconf{restart} = 'a';\n"),
        ];
        let place = of(&both).restarts.unwrap();
        assert_eq!((place.file.as_path(), place.line), (Path::new(both[1].0), 2));
        let last = ("/etc/needrestart/conf.d/60-x.conf", "$nrconf{restart} = 'l';\n");
        assert_eq!(of(&[both[0], both[1], last]).restarts, None);
    }

    #[test]
    fn units_that_are_spared_are_known() {
        let [main, _] = NEEDRESTART;
        for text in [
            "$nrconf{override_rc}{qr(^circleci\\.service$)} = 0;\n",
            "$nrconf{override_rc} = {\n  qr(^dbus) => 0,\n  # x\n  qr(^(gdm|circleci)) => 0,\n};\n",
            "push(@{$nrconf{blacklist_rc}}, qr(^circleci));\n$nrconf{blacklist_rc} = [\n    qr(^circleci),\n];\n",
        ] {
            assert!(of(&[(main, text)]).spare("circleci.service"), "{text}");
        }
        let others = "$nrconf{override_rc} = {\n  qr(^dbus) => 0,\n  qr(^circleci) => 1,\n};\n";
        assert!(!of(&[(main, others)]).spare("circleci.service"));
    }

    #[test]
    fn a_reboot_after_upgrades_is_known() {
        let on =
            ("/etc/apt/apt.conf.d/20auto-upgrades", "APT::Periodic::Unattended-Upgrade \"1\";\n");
        let reboots =
            |text: &str, on| of(&[("/etc/apt/apt.conf.d/50unattended-upgrades", text), on]);
        let text = "// x\nUnattended-Upgrade::Automatic-Reboot \"true\";\n";
        assert_eq!(reboots(text, on).reboots.map(|place| place.line), Some(2));
        assert_eq!(reboots("//Unattended-Upgrade::Automatic-Reboot \"true\";\n", on).reboots, None);
        let off = (on.0, "APT::Periodic::Unattended-Upgrade \"0\";\n");
        assert_eq!(reboots(text, off).reboots, None);
    }
}
