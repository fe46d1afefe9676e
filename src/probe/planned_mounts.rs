//! Mounts that are written down: in `/etc/fstab`, and in mount units that a start of the host wants.

use super::{
    reader::{Part, read_at},
    scrub::Scrub,
};
use crate::{
    host::{PlannedMount, Provenance, Scrubbed},
    platform::fs::Root,
};
use std::path::{Path, PathBuf};

/// Most bytes of a file, and most units.
const LIMITS: (u64, usize) = (256 << 10, 256);

/// Where an administrator's units are.
const UNITS: &str = "/etc/systemd/system";

/// All that are found.
pub(super) fn planned(root: &Root, scrub: &Scrub) -> Vec<PlannedMount> {
    let mut found = Vec::new();
    if let Some(text) = text(root, Path::new("/etc/fstab")) {
        found.extend(of_fstab(&text));
    }
    let names = root.find(Path::new(UNITS)).ok().flatten().and_then(|spot| spot.list().ok());
    let names = names.unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok());
    for name in names.filter(|name| name.ends_with(".mount")).take(LIMITS.1) {
        let is_wanted = ["local-fs", "remote-fs", "multi-user"].iter().any(|target| {
            ["wants", "requires"].iter().any(|how| {
                let link = format!("{UNITS}/{target}.target.{how}/{name}");
                root.metadata(Path::new(&link)).ok().flatten().is_some()
            })
        });
        let file = Path::new(UNITS).join(&name);
        let point = text(root, &file).filter(|_| is_wanted).and_then(|text| of_unit(&text));
        found.extend(point.map(|point| PlannedMount {
            point,
            source: file.display().to_string(),
            unit: Some(Scrubbed::text(&name, scrub)),
        }));
    }
    found
}

/// A file's text, where only root could have written it.
fn text(root: &Root, path: &Path) -> Option<String> {
    let (walk, content) = read_at(root, path, Part::Head(LIMITS.0), Provenance::Root).ok()?;
    walk.written_by().is_root().then(|| String::from_utf8_lossy(&content.bytes).into_owned())
}

/// The lines of fstab that are mounted at each start, by `fstab(5)`.
fn of_fstab(text: &str) -> Vec<PlannedMount> {
    let line = |(at, line): (usize, &str)| {
        let mut fields = line.split_whitespace();
        let source = fields.next().filter(|source| !source.starts_with('#'))?;
        let (point, kind) = (fields.next()?, fields.next().unwrap_or("auto"));
        let options = fields.next().unwrap_or("defaults");
        // What is mounted at its first use is not missing before.
        let is_later =
            options.split(',').any(|option| matches!(option, "noauto" | "x-systemd.automount"));
        let is_folder =
            point.starts_with('/') && point != "/" && kind != "swap" && source != "none";
        (is_folder && !is_later).then(|| PlannedMount {
            point: PathBuf::from(unescaped(point)),
            source: format!("/etc/fstab:{}", at + 1),
            unit: None,
        })
    };
    text.lines().enumerate().filter_map(line).collect()
}

/// Blanks stand there as octal digits.
fn unescaped(point: &str) -> String {
    point.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

/// `Where=` of a mount unit.
fn of_unit(text: &str) -> Option<PathBuf> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("Where=")).map(str::trim)?;
    (value.starts_with('/') && value != "/" && !value.contains('%')).then(|| value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_mounted_at_each_start_are_planned() {
        let text = "# a\n/dev/sda1 / ext4 defaults 0 1\nUUID=x /srv/a\\040b xfs nofail 0 2\n\
            /dev/sdb none swap sw 0 0\n//h/s /mnt/s cifs noauto 0 0\n\
            h:/x /mnt/x nfs x-systemd.automount 0 0\ntmpfs /var/opt/circleci tmpfs\n";
        let found: Vec<_> =
            of_fstab(text).into_iter().map(|planned| (planned.point, planned.source)).collect();
        let expected = [("/srv/a b", "/etc/fstab:3"), ("/var/opt/circleci", "/etc/fstab:7")];
        assert_eq!(found, expected.map(|(point, source)| (point.into(), source.into())));
    }

    #[test]
    #[cfg(unix)] // Its paths are whole only there.
    fn a_unit_is_planned_where_a_target_wants_it() {
        let (folder, root) = crate::platform::fs::empty_root();
        let units = folder.path().join("etc/systemd/system");
        std::fs::create_dir_all(units.join("local-fs.target.wants")).unwrap();
        for name in ["srv-a.mount", "srv-b.mount"] {
            let point = name.replace('-', "/").replace(".mount", "");
            std::fs::write(units.join(name), format!("[Mount]\nWhat=/dev/x\nWhere=/{point}\n"))
                .unwrap();
        }
        std::os::unix::fs::symlink(
            "../srv-a.mount",
            units.join("local-fs.target.wants/srv-a.mount"),
        )
        .unwrap();
        let found = planned(&root, &Scrub::default());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].point, Path::new("/srv/a"));
        assert_eq!(found[0].unit.as_deref(), Some("srv-a.mount"));
    }
}
