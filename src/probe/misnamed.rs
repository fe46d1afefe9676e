//! Unit files of agents that systemd never reads, because their names do not end in `.service`.

use super::unit::{LIMIT, Unit};
use crate::{platform::fs::Root, service::systemd::unit_folders::UnitFolders, values::Manager};
use std::path::Path;

/// Most files of other names that are read.
const OTHERS: usize = 64;

/// What names of units, and of folders that belong to them, end in: `systemd.unit(5)`.
const READ: [&str; 17] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
    "d",
    "wants",
    "requires",
    "upholds",
    "conf",
    "preset",
];

/// The units that were meant, each by the name that its file should have.
pub(super) fn find(root: &Root) -> Vec<Unit> {
    let folders = UnitFolders::list(root);
    let is_unread = |name: &&str| {
        let end = Path::new(name).extension().and_then(|end| end.to_str());
        !name.starts_with('.') && !end.is_some_and(|end| READ.contains(&end))
    };
    let mut found: Vec<Unit> = Vec::new();
    for name in folders.names().filter(is_unread).take(OTHERS) {
        let Some(path) = folders.places(name).first() else { continue };
        let mut unit = Unit::of_one_file(meant(name), Manager::Systemd);
        let mut left = LIMIT;
        unit.read(root, path, &mut left);
        if unit.runs_agent() && found.iter().all(|other| other.name != unit.name) {
            found.push(unit);
        }
    }
    found
}

/// The name that was meant.
fn meant(name: &str) -> String {
    const END: &str = ".service";
    let stem = match name.find(END) {
        Some(at) => name.get(..at),
        None => Path::new(name).file_stem().and_then(|stem| stem.to_str()),
    };
    format!("{}{END}", stem.unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an editor, a careful hand and one that forgot the end name them.
    #[test]
    fn a_file_of_another_name_counts_by_what_it_runs() {
        let text = "[Service]\nExecStart=/opt/circleci/circleci-launch-agent --config /c.yaml\n";
        for (name, content, expected) in [
            ("circleci.service.txt", text, Some("circleci.service")),
            ("circleci.service.bak", text, Some("circleci.service")),
            ("runner.service~", text, Some("runner.service")),
            ("circleci", text, Some("circleci.service")),
            ("circleci.txt", text, Some("circleci.service")),
            ("circleci.txt", "notes on circleci-launch-agent\n", None),
            ("circleci.socket", text, None),
            (".circleci.service.swp", text, None),
        ] {
            let (folder, root) = crate::platform::fs::empty_root();
            let units = folder.path().join("etc/systemd/system");
            std::fs::create_dir_all(units.join("circleci.old")).unwrap();
            std::fs::write(units.join(name), content).unwrap();
            let found: Vec<String> = find(&root).into_iter().map(|unit| unit.name).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{name}");
        }
    }
}
